"""Terms of calling back, for those who ask for it; joined in ``service/intake.py``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from calls.callbacks import Numbers, Policy


@dataclass(frozen=True, slots=True)
class CallingTerms:
    """Who may be called, and until when, if nobody says."""

    numbers: Numbers
    policy: Policy
    within: timedelta
    """Of allowed hours."""
