"""A complaint as the rows of the read models, and back to a line of the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row

from calls.case import Case
from calls.case_book import CaseRow
from calls.cases import (
    ASKED,
    CaseNumber,
    DepartmentId,
    Known,
    Link,
    LinkKind,
    Login,
    Standing,
    State,
    contact_key,
)
from storage.folding import folded


def case_row(case: Case, standings: tuple[Standing, ...], first_answer: str | None) -> dict[str, Any]:
    """The row of table ``cases``."""
    open_step = standings[-1] if case.waits_for else None
    words = (case.number, case.name, case.contact, contact_key(case.contact), case.place, case.content)
    return {
        "number": case.number,
        "version": case.version,
        "state": case.state.value,
        "round": case.round,
        "channel": case.channel.value,
        "arrived_at": case.arrived_at,
        "registered_at": case.registered_at,
        "registered_late": case.registered_late,
        "name": case.name,
        "contact": case.contact,
        "contact_key": contact_key(case.contact),
        "place": case.place,
        "content": case.content,
        "section": case.section,
        "language": case.language,
        "type": case.type.value,
        "cause": case.cause,
        "category": case.category,
        "urgency": case.urgency.value,
        "importance": case.importance.value,
        "key_customer": case.key_customer,
        "rank": case.rank,
        "turn": turn(case.number, case.rank, open_step.due_at if open_step else None, case.closed_at),
        "owner": case.owner,
        "offered_to": case.offered_to,
        "department": case.department,
        "result": case.result,
        "answer": case.answer.value if case.answer else None,
        "first_answer": first_answer or (case.answer.value if case.answer in ASKED else None),
        "step": case.waits_for.value if case.waits_for else None,
        "due_at": open_step.due_at if open_step else None,
        "warn_at": open_step.warn_at if open_step else None,
        "due_known": (open_step.known if open_step else Known.NO_LIMIT).value,
        "paused_until": case.pause.until if case.pause else None,
        "last_at": case.last_at,
        "closed_at": case.closed_at,
        "folded": folded("\n".join(words)),
    }


def step_rows(case: Case, standings: tuple[Standing, ...]) -> list[dict[str, Any]]:
    """The rows of table ``case_steps``."""
    return [
        {
            "number": case.number,
            "nth": standing.run.nth,
            "step": standing.run.step.value,
            "department": standing.run.department,
            "began_at": standing.run.began_at,
            "ended_at": standing.run.ended_at,
            "due_at": standing.due_at,
            "warn_at": standing.warn_at,
            "due_known": standing.known.value,
            "counted": standing.counted,
        }
        for standing in standings
    ]


def turn(number: str, rank: int, due_at: datetime | None, over_at: datetime | None) -> str:
    """Sorts as lists do: what is open before what is over; the open ones by rank, then by what is due first; those
    that are over by when, the last first.
    """
    if over_at is not None:
        return f"1{_LAST - _microseconds(over_at):018d}{number}"
    return f"0{rank:02d}{_microseconds(due_at) if due_at else _LAST:018d}{number}"


_LAST = 10**17


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def line_of(row: Row[Any]) -> CaseRow:
    """A line of the ledger."""
    return CaseRow(
        number=CaseNumber(row.number),
        state=State(row.state),
        round=row.round,
        channel=row.channel,
        arrived_at=row.arrived_at,
        registered_at=row.registered_at,
        registered_late=row.registered_late,
        name=row.name,
        contact=row.contact,
        place=row.place,
        content=row.content,
        section=row.section,
        type=row.type,
        cause=row.cause,
        urgency=row.urgency,
        importance=row.importance,
        key_customer=row.key_customer,
        owner=Login(row.owner),
        offered_to=Login(row.offered_to) if row.offered_to else None,
        department=DepartmentId(row.department) if row.department else None,
        answer=row.answer,
        step=row.step,
        due_at=row.due_at,
        due_known=row.due_known,
        paused_until=row.paused_until,
        closed_at=row.closed_at,
    )


def link_of(row: Row[Any]) -> Link:
    """One link."""
    return Link(LinkKind(row.kind), row.ref)
