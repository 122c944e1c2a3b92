"""Speech models: which there are, fetching them whole or not at all, and whether they can be used."""
