"""The pages of who keeps the machines running."""
