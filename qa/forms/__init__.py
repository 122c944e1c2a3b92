"""Scoring forms: reading, checking, marking (Q4, Q5)."""

from __future__ import annotations

from qa.forms.check import Fault, check_form, check_sheet
from qa.forms.load import default_form, read_form
from qa.forms.mark import mark
from qa.forms.prefill import Suggestion, contradictions, suggest

__all__ = [
    "Fault",
    "Suggestion",
    "check_form",
    "check_sheet",
    "contradictions",
    "default_form",
    "mark",
    "read_form",
    "suggest",
]
