"""Tables: surveys after the call and call-backs (Q2, A5)."""

from __future__ import annotations
