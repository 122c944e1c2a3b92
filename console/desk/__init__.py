"""Parts of the agents' pages: what the desk shows, takes in, and asks of the service."""
