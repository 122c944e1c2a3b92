"""The public web form: complaints, questions, and how far they are."""
