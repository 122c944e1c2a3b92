"""Lists of calls, the newest first, within what somebody may see (P1); every figure opens to the calls behind it.

However few calls pass a filter, a page looks at ``LOOK_AT`` of them at most: those that an index gives in order
(by agent, by section, by a rare result, by caller, or all of them), which are then sieved. What it has not found
by then is left to the next page. Nothing is counted or skipped.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    Select,
    and_,
    exists,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.visitors import replacement_traverse

from calls.call import Result
from calls.ids import CallId, LegId, subject_of
from calls.lists import CallFilter, CallLine, CallName, CallPage, Counted, Place, Rating
from calls.people import Scope
from calls.verdicts import Outcome
from storage.faults import translated
from storage.ratings import OF_SURVEYS, rated, ratings, surveyed
from storage.subjects import attempt_line, attempts_named
from storage.sums import COUNTED_OFFERS, OF_CALLS, TEST, kept, within
from storage.tables import calls, offers
from storage.verdict_tables import verdicts

LOOK_AT = 3_000
"""Calls that one page looks at, at most; half as many in a list of offers, which are fetched for each."""

_FIRST_LOOK = 4
"""Calls looked at for each line wanted, before it is known how many pass."""
_COLUMNS = (
    *("call_id", "arrived_at", "trunk", "caller", "section", "language", "agent", "result"),
    *("wait_s", "waited_s", "talk_s", "has_recording"),
)
_RESULTS = {
    "abandoned": Result.ABANDONED,
    "abandoned_short": Result.ABANDONED,
    "callbacks": Result.CALLBACK,
    "lost": Result.LOST,
    "self_served": Result.SELF_SERVED,
    "open_calls": Result.IN_PROGRESS,
}
"""Measures that count calls of one result."""
_EARLIER = calls.alias("earlier")
_MISSING: ColumnElement[Any] = literal_column("calls.recording_missing")
"""As the partial index says it: behind "= 1" SQLite does not see that the index answers."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """In which order calls are looked at, and what they are sieved by."""

    by: tuple[ColumnElement[bool], ...]
    sieve: tuple[ColumnElement[bool], ...]
    of_offers: bool


class SqlCallLists:
    """Lists of calls. Raises StorageUnavailable."""

    def __init__(self, engine: AsyncEngine, look_at: int = LOOK_AT) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self._look_at = look_at

    async def page(
        self, wanted: CallFilter, scope: Scope, *, behind: Place | None = None, limit: int = 50
    ) -> CallPage:
        """Up to ``limit`` lines from behind a place on; none of a call that ``scope`` does not reach."""
        found: list[CallLine] = []
        with translated():
            async with self._connected() as connection:
                plan = await self._plan(connection, wanted, scope)
                for look_at in (limit * _FIRST_LOOK, self._look_at // (2 if plan.of_offers else 1)):
                    if not plan.sieve and not plan.of_offers:
                        look_at = limit + 1
                    rows = await self._looked(connection, plan, behind, look_at, limit + 1 - len(found))
                    found += map(_line, rows)
                    if len(found) > limit:
                        lines = await _told(connection, found[:limit])
                        return CallPage(tuple(lines), lines[-1].place)
                    behind = await self._last(connection, plan, behind, look_at)
                    if behind is None:
                        break
                lines = await _told(connection, found)
        return CallPage(tuple(lines), behind, behind.arrived_at if behind else None)

    async def count(
        self, wanted: CallFilter, scope: Scope, *, behind: Place | None = None, most: int = 100_000
    ) -> int:
        """How many lines there are from behind a place on; no more than ``most`` are counted."""
        with translated():
            async with self._connected() as connection:
                plan = await self._plan(connection, wanted, scope)
                source: FromClause = offers.join(calls) if plan.of_offers else calls
                some = select(literal(1)).select_from(source).where(*plan.by, *plan.sieve)
                if behind is not None:
                    some = some.where(_behind(calls, offers if plan.of_offers else None, behind))
                number = select(func.count()).select_from(some.limit(most).subquery())
                return int(await connection.scalar(number) or 0)

    async def line(self, call_id: CallId, scope: Scope) -> CallLine | None:
        """One call; ``None`` if there is none within the scope.

        The recording in which its caller says why they are dissatisfied is within reach of whom the call is: it
        is told as a line of its own, under its own id; so is an attempt to call somebody back.
        """
        wanted = select(*(calls.c[name] for name in _COLUMNS)).where(
            calls.c.call_id == subject_of(call_id), *_within(scope, calls.c.agent)
        )
        with translated():
            async with self._engine.connect() as connection:
                row = (await connection.execute(wanted)).one_or_none()
                if row is None:
                    return await attempt_line(connection, call_id, scope)
                found = replace(_line(row), call_id=call_id)
                return (await _told(connection, [found]))[0]

    async def named(self, ids: Collection[CallId]) -> dict[CallId, CallName]:
        """By what people know these calls again; a recording of why somebody was dissatisfied, by its call."""
        about = {each: subject_of(each) for each in ids}
        if not about:
            return {}
        columns = (calls.c.call_id, calls.c.arrived_at, calls.c.section)
        wanted = select(*columns).where(calls.c.call_id.in_(set(about.values())))
        with translated():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(wanted)).all()
                back = await attempts_named(connection, ids)
        found = {row.call_id: CallName(row.arrived_at, row.section) for row in rows}
        found |= {each: CallName(attempt.arrived_at, attempt.section) for each, attempt in back.items()}
        return {each: found[call_id] for each, call_id in about.items() if call_id in found}

    def _connected(self) -> _Connected:
        return _Connected(self._engine, self._sqlite)

    async def _plan(self, connection: AsyncConnection, wanted: CallFilter, scope: Scope) -> _Plan:
        """What to ask of the database; it is asked for the caller first, where the same caller is wanted."""
        counted = wanted.counted
        if not _reaches(scope, wanted):
            return _Plan((false(),), (), of_offers=False)
        of_offers = counted is not None and counted.of_offers
        # Spelled so that no index of an agent's offers tempts SQLite away from those of the calls looked at.
        agent = func.coalesce(offers.c.agent, "") if of_offers else calls.c.agent
        equal: dict[str, object] = {
            "section": wanted.section,
            "result": wanted.result or (_RESULTS.get(counted.measure) if counted else None),
        }
        if not of_offers:
            equal["agent"] = wanted.agent
        sieve = [*_within(scope, agent), *self._sieve(wanted)]
        if of_offers and wanted.agent is not None:
            sieve.append(agent == wanted.agent)
        if wanted.same_caller_as is not None:
            caller = await connection.scalar(
                select(calls.c.caller).where(
                    calls.c.call_id == wanted.same_caller_as, *_within(scope, calls.c.agent)
                )
            )
            equal["caller"] = caller
            sieve += [] if caller else [false()]
        if not scope.everything and len(scope.sections) == 1 and scope.agent is None and not equal["section"]:
            equal["section"] = next(iter(scope.sections))
        elif not scope.everything and not scope.sections and not of_offers:
            equal["agent"] = equal["agent"] or scope.agent
        same = {name: calls.c[name] == value for name, value in equal.items() if value is not None}
        first = _first_index(same, equal, wanted)
        by = [same.pop(first)] if first in same else []
        if wanted.counted == Counted("missing_recordings") and not by:
            by.append(_MISSING)
        by += [calls.c.arrived_at >= wanted.since] if wanted.since is not None else []
        by += [calls.c.arrived_at < wanted.until] if wanted.until is not None else []
        return _Plan(tuple(by), (*same.values(), *sieve), of_offers=of_offers)

    def _sieve(self, wanted: CallFilter) -> list[ColumnElement[bool]]:
        """What no index answers."""
        found: list[ColumnElement[bool]] = []
        for column, value in ((calls.c.language, wanted.language), (calls.c.trunk, wanted.trunk)):
            found += [column == value] if value is not None else []
        if wanted.talk_least_s is not None:
            found.append(calls.c.talk_s >= wanted.talk_least_s)
        if wanted.talk_most_s is not None:
            found.append(calls.c.talk_s <= wanted.talk_most_s)
        if wanted.waited_least_s is not None:
            found.append(calls.c.waited_s >= wanted.waited_least_s)
        if wanted.recorded is not None:
            found.append(calls.c.has_recording == wanted.recorded)
        if wanted.rule is not None or wanted.outcome is not None:
            found.append(_judged(wanted.rule, wanted.outcome))
        if wanted.rating is not None:
            found.append(rated(wanted.rating))
        if wanted.repeated:
            found.append(self._called_before())
        if wanted.counted is not None:
            found += [~TEST, _counted(wanted.counted)]
        return found

    def _called_before(self) -> ColumnElement[bool]:
        if self._sqlite:
            earliest: ColumnElement[Any] = func.strftime("%Y-%m-%d %H:%M:%f", calls.c.arrived_at, "-24 hours")
        else:
            earliest = calls.c.arrived_at.op("-")(literal_column("interval '24 hours'"))
        before = and_(
            _EARLIER.c.caller == calls.c.caller,
            _EARLIER.c.arrived_at < calls.c.arrived_at,
            _EARLIER.c.arrived_at >= earliest,
        )
        return exists(select(literal(1)).select_from(_EARLIER).where(before).correlate(calls))

    async def _looked(
        self, connection: AsyncConnection, plan: _Plan, behind: Place | None, look_at: int, limit: int
    ) -> Sequence[Row[Any]]:
        seen = _seen(plan, behind, look_at).subquery("seen")
        lines = select(*(seen.c[name] for name in _COLUMNS if not (plan.of_offers and name == "agent")))
        order = [seen.c.arrived_at.desc(), seen.c.call_id.desc()]
        if plan.of_offers:
            lines = lines.add_columns(offers.c.agent, offers.c.leg_id, offers.c.ring_s, _PICKED_UP)
            lines = lines.select_from(seen.join(offers, offers.c.call_id == seen.c.call_id))
            order.append(offers.c.leg_id.desc())
            if behind is not None:
                lines = lines.where(_behind(seen, offers, behind))
        sieve = [_over(seen, condition) for condition in plan.sieve]
        return (await connection.execute(lines.where(*sieve).order_by(*order).limit(limit))).all()

    async def _last(
        self, connection: AsyncConnection, plan: _Plan, behind: Place | None, look_at: int
    ) -> Place | None:
        """The last call that was looked at; ``None`` if there is none behind it."""
        seen = _seen(plan, behind, look_at).subquery("seen")
        place = select(seen.c.arrived_at, seen.c.call_id, func.count().over().label("number")).order_by(
            seen.c.arrived_at, seen.c.call_id
        )
        row = (await connection.execute(place.limit(1))).one_or_none()
        return Place(row.arrived_at, CallId(row.call_id)) if row and row.number >= look_at else None


class _Connected:
    """A connection whose plans are made for the very values asked for."""

    def __init__(self, engine: AsyncEngine, sqlite: bool) -> None:
        self._connecting = engine.connect()
        self._sqlite = sqlite

    async def __aenter__(self) -> AsyncConnection:
        connection = await self._connecting.__aenter__()
        if not self._sqlite:
            await connection.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
        return connection

    async def __aexit__(self, *error: Any) -> None:
        await self._connecting.__aexit__(*error)


async def _told(connection: AsyncConnection, lines: Sequence[CallLine]) -> list[CallLine]:
    """The lines, each with what is known of its call elsewhere: what the rules and the caller say of it."""
    ids = [line.call_id for line in lines]
    broken = (
        select(verdicts.c.call_id, func.count(verdicts.c.rule.distinct()).label("number"))
        .where(verdicts.c.call_id.in_(ids), verdicts.c.outcome == Outcome.BROKEN)
        .group_by(verdicts.c.call_id)
    )
    numbers = {row.call_id: row.number for row in await connection.execute(broken)} if ids else {}
    said = await ratings(connection, ids)
    return [
        replace(line, broken=numbers.get(line.call_id, 0), rating=said.get(line.call_id, Rating.NONE))
        for line in lines
    ]


_PICKED_UP: ColumnElement[bool] = offers.c.answered_at.is_not(None).label("picked_up")


def _first_index(same: dict[str, ColumnElement[bool]], equal: dict[str, object], wanted: CallFilter) -> str:
    """The column whose index leaves the fewest calls to look at."""
    if wanted.same_caller_as is not None and "caller" in same:
        return "caller"
    if "agent" in same:
        return "agent"
    if "result" in same and equal["result"] is not Result.ANSWERED:
        return "result"
    return "section" if "section" in same else "result"


def _reaches(scope: Scope, wanted: CallFilter) -> bool:
    """Whether anything that is wanted may be within the scope."""
    elsewhere = wanted.section is not None and wanted.section not in scope.sections
    return scope.everything or scope.agent is not None or (bool(scope.sections) and not elsewhere)


def _within(scope: Scope, agent: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    """Nothing but what the scope reaches."""
    if scope.everything:
        return []
    reached: list[ColumnElement[bool]] = []
    if scope.sections:
        reached.append(calls.c.section.in_(sorted(scope.sections)))
    if scope.agent is not None:
        reached.append(agent == scope.agent)
    return [or_(false(), *reached)]


def _judged(rule: str | None, outcome: Outcome | None) -> ColumnElement[bool]:
    which: list[ColumnElement[bool]] = [verdicts.c.call_id == calls.c.call_id]
    # Spelled so that no index on them tempts the database away from the few verdicts of one call.
    which += [func.coalesce(verdicts.c.rule, "") == rule] if rule is not None else []
    which += [func.coalesce(verdicts.c.outcome, "") == outcome] if outcome is not None else []
    return exists(select(literal(1)).select_from(verdicts).where(*which).correlate(calls))


def _counted(counted: Counted) -> ColumnElement[bool]:
    which = _measured(counted.measure, counted.limit_s)
    return which if counted.without is None else and_(which, ~_measured(counted.without, None))


def _measured(measure: str, limit_s: float | None) -> ColumnElement[bool]:
    match measure:
        case "within":
            return within(limit_s or 0.0)
        case "offers":
            return COUNTED_OFFERS
        case "offers_kept":
            return and_(COUNTED_OFFERS, kept(limit_s or 0.0))
        case _ if measure in OF_SURVEYS:
            return surveyed(measure)
        case _:
            return OF_CALLS.get(measure, false())


def _seen(plan: _Plan, behind: Place | None, look_at: int) -> Select[Any]:
    """The next calls to look at."""
    found = select(calls).where(*plan.by)
    if behind is not None:
        # An offer may be followed by others of the same call.
        found = found.where(_up_to(behind) if plan.of_offers and behind.leg_id else _behind(calls, None, behind))
    return found.order_by(calls.c.arrived_at.desc(), calls.c.call_id.desc()).limit(look_at)


def _up_to(place: Place) -> ColumnElement[bool]:
    at, call_id = calls.c.arrived_at, calls.c.call_id
    return and_(at <= place.arrived_at, or_(at < place.arrived_at, call_id <= place.call_id))


def _behind(source: FromClause, offered: FromClause | None, place: Place) -> ColumnElement[bool]:
    at, call_id = source.c.arrived_at, source.c.call_id
    same_call: ColumnElement[bool] = false()
    if offered is not None and place.leg_id:
        same_call = and_(call_id == place.call_id, offered.c.leg_id < place.leg_id)
    # The first condition is what the index is walked by.
    return and_(at <= place.arrived_at, or_(at < place.arrived_at, call_id < place.call_id, same_call))


def _over(seen: FromClause, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition on a call, asked of the calls that are looked at."""

    def moved(element: Any, **_: Any) -> Any:
        table = getattr(element, "table", None)
        if table is calls and getattr(element, "key", None) in calls.c:
            return seen.c[element.key]
        return seen if element is calls else None

    adapted: ColumnElement[bool] = replacement_traverse(condition, {}, moved)
    return adapted


def _line(row: Row[Any]) -> CallLine:
    offered = hasattr(row, "leg_id")
    values = {name: getattr(row, name) for name in _COLUMNS} | {"result": Result(row.result)}
    if offered:
        values |= {"leg_id": LegId(row.leg_id), "ring_s": row.ring_s, "picked_up": bool(row.picked_up)}
    return CallLine(**values)
