"""Tables of full text."""
