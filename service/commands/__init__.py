"""Commands of the command line, a module for each noun; each registers its own parser."""
