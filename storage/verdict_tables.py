"""Tables of what the rules say."""
