"""Cases as live figures: how many are open and for how long, what is late, which promises are due (I2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.cases import Age, State, Step
from calls.inquiries import ORDER_OVER, OrderState
from storage.case_tables import case_steps, cases, work_orders
from storage.faults import translated

_UP_TO = ((Age.DAY, timedelta(days=1)), (Age.WEEK, timedelta(days=7)), (Age.MONTH, timedelta(days=30)))


@dataclass(frozen=True, slots=True)
class CaseFigures:
    """All that is counted at one moment."""

    open: dict[tuple[State, Age], int] = field(default_factory=dict)
    late: dict[Step, int] = field(default_factory=dict)
    """Steps that should be done and are not."""
    unknown_clocks: int = 0
    """Steps whose clock needs public holidays that are not published."""
    orders: dict[OrderState, int] = field(default_factory=dict)
    promises_late: int = 0
    """Open work orders whose time is over: promises broken, and still to be answered."""
    promises_soon: int = 0
    """Open work orders that are due within a day."""
    promises_broken: int = 0
    """Promises of the last 30 days that were broken, answered or not."""


class SqlCaseGauges:
    """Counts them. Raises StorageUnavailable."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def figures(self, now: datetime) -> CaseFigures:
        """As of now."""
        age = case(
            *((cases.c.registered_at > now - length, each.value) for each, length in _UP_TO), else_=Age.OLDER.value
        ).label("age")
        n = func.count().label("n")
        is_open = cases.c.closed_at.is_(None)
        by_state = select(cases.c.state, age, n).where(is_open).group_by(cases.c.state, age)
        running = case_steps.c.ended_at.is_(None)
        late = select(case_steps.c.step, n).where(running, case_steps.c.due_at < now).group_by(case_steps.c.step)
        unknown = select(n).where(running, case_steps.c.due_known == "not_yet")
        by_order = select(work_orders.c.state, n).group_by(work_orders.c.state)
        to_answer = work_orders.c.state.not_in([state.value for state in ORDER_OVER])
        due = work_orders.c.due_at
        missed = func.coalesce(work_orders.c.answered_at, now) > due
        recent = (due > now - timedelta(days=30), work_orders.c.state != OrderState.CANCELLED.value)
        broken = select(n).where(*recent, missed | work_orders.c.broken)
        with translated():
            async with self._engine.connect() as connection:
                return CaseFigures(
                    {(State(row.state), Age(row.age)): row.n for row in await connection.execute(by_state)},
                    {Step(row.step): row.n for row in await connection.execute(late)},
                    int(await connection.scalar(unknown) or 0),
                    {OrderState(row.state): row.n for row in await connection.execute(by_order)},
                    int(await connection.scalar(select(n).where(to_answer, due < now)) or 0),
                    int(
                        await connection.scalar(
                            select(n).where(to_answer, due >= now, due < now + timedelta(days=1))
                        )
                        or 0
                    ),
                    int(await connection.scalar(broken) or 0),
                )
