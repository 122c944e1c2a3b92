"""How it stands with calling a complainant back, for the page of the case (C4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from calls.callbacks import CASE_IS, CallBack, Numbers
from calls.case import Case
from calls.cases import Step
from console.texts import Texts


@dataclass(frozen=True, slots=True)
class CalledBack:
    """One call-back of a case."""

    number: int
    origin: str
    state: str
    due_at: datetime
    why: str
    """Of one that was withdrawn."""


@dataclass(frozen=True, slots=True)
class Calling:
    """All of them, and whether one is missing."""

    rows: tuple[CalledBack, ...]
    trouble: str
    """Message of why the complainant is not on the list; empty: nothing is wrong."""


def calling(case: Case, callbacks: list[CallBack], numbers: Numbers, texts: Texts) -> Calling:
    """As the list has it now. The list follows cases a moment later."""
    rows = tuple(
        CalledBack(
            each.number,
            texts(f"desk_origin.{each.origin}"),
            texts(f"desk_promise.{each.state}"),
            each.due_at,
            texts(f"case_state.{each.note.removeprefix(CASE_IS)}") if each.note.startswith(CASE_IS) else "",
        )
        for each in callbacks
    )
    listed = f"{case.number}/{case.runs[-1].nth}" in {each.about for each in callbacks}
    if case.waits_for is not Step.FOLLOW_UP or listed:
        return Calling(rows, "")
    there = numbers.first_in(case.contact)
    return Calling(rows, "case_page.being_listed" if there else "case_page.no_telephone")
