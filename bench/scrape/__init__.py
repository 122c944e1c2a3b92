"""What a scrape of /metrics costs a caller in the menu."""
