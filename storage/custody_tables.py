"""Tables of recordings in custody (P2)."""
