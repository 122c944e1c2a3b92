"""Tables: inquiries, work orders, complaints and their history (C1-C10)."""

from __future__ import annotations
