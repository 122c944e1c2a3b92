"""The pages of quality work: what they share (Q1–Q5)."""
