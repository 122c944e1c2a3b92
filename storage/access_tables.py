"""Tables of the access log (P1, P4)."""
