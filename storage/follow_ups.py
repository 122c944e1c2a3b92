"""Which cases wait for their complainant to be asked, and how the call-back list stands to that (C4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, String, and_, cast, exists, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.callbacks import CallBack, Origin
from calls.cases import CaseNumber, State, Step
from calls.ids import Language, SectionId
from storage.callback_rows import DIALLED_ALONG, IDLE, callback_of
from storage.case_tables import case_steps, cases
from storage.engine import for_writing
from storage.faults import translated
from storage.survey_tables import callbacks

AT_ONCE = 1000
"""Cases of one look, those that came to the step last first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """A case that waits for its complainant to be asked."""

    number: CaseNumber
    nth: int
    """Which step of the case: told anew after more work, the complainant is asked anew."""
    contact: str
    section: SectionId
    language: Language | None
    key_customer: bool
    since: datetime
    due_at: datetime | None
    """By the step's clock; ``None`` while that cannot be read."""
    callback: CallBack | None
    """On the list, and neither dialled nor over."""

    @property
    def about(self) -> str:
        """What makes its call-back the only one."""
        return f"{self.number}/{self.nth}"


_ABOUT = cases.c.number + "/" + cast(case_steps.c.nth, String)
_STEP = and_(
    case_steps.c.number == cases.c.number,
    case_steps.c.step == Step.FOLLOW_UP.value,
    case_steps.c.ended_at.is_(None),
)
_OF_STEP = and_(callbacks.c.origin == Origin.FOLLOW_UP.value, callbacks.c.about == _ABOUT)


class SqlFollowUps:
    """Cases and the list, side by side. Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)

    async def waiting(self) -> list[FollowUp]:
        """Cases in that step that are not on the list, or are and can still be changed there."""
        wanted = (
            select(
                callbacks,
                cases.c.number.label("case"),
                cases.c.contact,
                cases.c.section.label("case_section"),
                cases.c.language.label("case_language"),
                cases.c.key_customer,
                case_steps.c.nth,
                case_steps.c.began_at,
                case_steps.c.due_at.label("step_due_at"),
            )
            .select_from(cases.join(case_steps, _STEP).outerjoin(callbacks, _OF_STEP))
            .where(
                cases.c.state == State.FED_BACK.value,
                callbacks.c.number.is_(None) | callbacks.c.state.in_(IDLE),
            )
            .order_by(case_steps.c.began_at.desc(), cases.c.number)
            .limit(AT_ONCE)
        )
        with translated():
            async with self._engine.connect() as connection:
                return [_follow_up(row) for row in await connection.execute(wanted)]

    async def astray(self) -> list[tuple[CallBack, State]]:
        """Call-backs of steps that are over, which nobody is dialling, each with the state of its case."""
        ended = exists().where(
            case_steps.c.number == cases.c.number,
            callbacks.c.about == _ABOUT,
            case_steps.c.ended_at.is_not(None),
        )
        wanted = (
            select(callbacks, cases.c.state.label("case_state"))
            .join(cases, cases.c.number == callbacks.c.case_id)
            .where(
                callbacks.c.state.in_(IDLE), callbacks.c.origin == Origin.FOLLOW_UP.value, ended, ~DIALLED_ALONG
            )
            .order_by(callbacks.c.number)
        )
        with translated():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(wanted)).all()
        return [(callback_of(row), State(row.case_state)) for row in rows]

    async def restate(self, callback: CallBack, telephone: str, due_at: datetime) -> None:
        """The case was corrected, or its clock runs otherwise; nothing happens to what is dialled or over."""
        still = and_(callbacks.c.number == callback.number, callbacks.c.state.in_(IDLE), ~DIALLED_ALONG)
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(update(callbacks).where(still).values(telephone=telephone, due_at=due_at))


def _follow_up(row: Row[Any]) -> FollowUp:
    return FollowUp(
        number=CaseNumber(row.case),
        nth=row.nth,
        contact=row.contact,
        section=SectionId(row.case_section),
        language=Language(row.case_language) if row.case_language else None,
        key_customer=row.key_customer,
        since=row.began_at,
        due_at=row.step_due_at,
        callback=None if row.number is None else callback_of(row),
    )
