"""Tables: the web form, attachments, signed webhooks (C1, I3)."""

from __future__ import annotations
