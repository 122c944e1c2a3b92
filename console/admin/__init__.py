"""The administrator's pages: what is configured, and how long things are kept."""
