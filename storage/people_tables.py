"""Tables: people of the console, their roles, sessions and tokens (P1)."""

from __future__ import annotations
