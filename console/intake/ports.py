"""What the public form goes by: joined in ``service/intake.py``."""

from __future__ import annotations

from dataclasses import dataclass

from calls.cases import DepartmentId, Login
from calls.ids import SectionId

WEB = Login("service:web")
"""Who writes what comes over the web."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeTerms:
    """Terms of the form."""

    enabled: bool
    owner: Login | None
    """Whose a complaint is that comes over the web; ``None``: a supervisor of the section."""
    complaints: SectionId
    questions: SectionId
    department: DepartmentId
    """Who settles a question whose category names nobody."""
    answer_hours: int
    """A question is answered within so many hours, where its category says nothing."""
    most_by_address: int
    """Matters from one address within an hour."""
    most: int
    """Matters from all addresses within an hour."""
    hotline: str
    """The number to call instead."""
