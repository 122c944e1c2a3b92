"""A year of realistic calls, written by the database itself: the same ones for the same seed, on any database.

Only the read model is written (``calls`` and ``offers``), from which all figures are made. Ten million calls would
have a hundred million events, and no figure reads any; the few calls that a report lists have one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from storage.tables import calls, offers

SEED = 20_251
FIRST_DAY = datetime(2024, 12, 31, 16, tzinfo=UTC)
"""1 January 2025 in Shanghai."""
DAYS = 365
_AGENTS_OF = (160, 56, 42, 22)
"""Agents of each section; the second section's numbers begin where the first one's end."""
_CHUNK = 250_000
"""Calls in one transaction."""

_PRIME = 2_147_483_647
_ROLLS = 9


async def simulate(engine: AsyncEngine, number: int) -> None:
    """Add ``number`` calls, spread over the year: busy at noon, four sections, two languages, two trunks.

    85 % ask for a person; 95 % of those are answered, most within three rings; every twelfth was let ring by
    another agent before. A few calls are promised a call back, a few are tests.
    """
    dialect = _Postgres() if engine.dialect.name == "postgresql" else _Sqlite()
    indexes = sorted((*calls.indexes, *offers.indexes), key=lambda index: str(index.name))
    async with engine.begin() as connection:
        for index in indexes:  # made at once in the end: several times as fast as row by row
            await connection.run_sync(index.drop)
    for first in range(0, number, _CHUNK):
        last = min(first + _CHUNK, number)
        async with engine.begin() as connection:
            for statement in dialect.unchecked:
                await connection.exec_driver_sql(statement)
            rows = _simulated(dialect, first, last, number)
            await connection.exec_driver_sql(_insert_calls(dialect, rows))
            await connection.exec_driver_sql(_insert_offers(dialect, rows, again=False))
            await connection.exec_driver_sql(_insert_offers(dialect, rows, again=True))
            await connection.exec_driver_sql(_insert_events(dialect, rows))
    async with engine.begin() as connection:
        for index in indexes:
            await connection.run_sync(index.create)
        for statement in dialect.at_last:
            await connection.exec_driver_sql(statement)


class _Sqlite:
    unchecked: tuple[str, ...] = ()
    at_last: tuple[str, ...] = ()

    def numbers(self, first: int, last: int) -> str:
        return (
            f"(WITH RECURSIVE s(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM s WHERE i + 1 < {last})"
            " SELECT i FROM s)"
        )

    def moment(self, ms: str) -> str:
        return f"strftime('%Y-%m-%d %H:%M:%f000', ({ms}) / 1000.0, 'unixepoch')"

    def call_id(self, number: str) -> str:
        return f"printf('sim-1735660800.%08d', {number})"

    def text(self, number: str) -> str:
        return f"CAST({number} AS TEXT)"


class _Postgres:
    unchecked = ("SET LOCAL session_replication_role = replica",)
    """The simulator keeps foreign keys by itself."""
    at_last = ("ANALYZE calls, offers",)

    def numbers(self, first: int, last: int) -> str:
        return f"(SELECT i FROM generate_series(CAST({first} AS bigint), {last - 1}) AS i)"

    def moment(self, ms: str) -> str:
        return f"to_timestamp(({ms}) / 1000.0)"

    def call_id(self, number: str) -> str:
        return f"'sim-1735660800.' || lpad(CAST({number} AS text), 8, '0')"

    def text(self, number: str) -> str:
        return f"CAST({number} AS text)"


def _simulated(dialect: _Sqlite | _Postgres, first: int, last: int, number: int) -> str:
    """One row for each call: times in milliseconds, what became of it as numbers."""
    rolls = ", ".join(
        f"(i * {48_271 + 2 * n} + {SEED + 7_919 * n}) % {_PRIME} * {16_807 + 30 * n} % {_PRIME} AS r{n}"
        for n in range(_ROLLS)
    )
    start_ms = int(FIRST_DAY.timestamp()) * 1000
    day_ms = int(timedelta(days=1).total_seconds()) * 1000
    return f"""(
      SELECT i, arrived, asked, heard, section, agent, agent2, english, trunk, again, transferred, unrecorded,
        arrived + 12000 AS asked_at, arrived + 12000 + waited AS stopped_at,
        arrived + CASE WHEN heard THEN 12000 + waited + talk WHEN asked THEN 12000 + waited ELSE 30000 END
          AS ended,
        waited, talk, promised, lost
      FROM (
        SELECT i,
          {start_ms} + i * {DAYS} / {number} * {day_ms} + (r0 % {day_ms} + r1 % {day_ms}) / 2 AS arrived,
          r2 % 100 < 85 AS asked, r2 % 100 < 85 AND r3 % 100 < 95 AS heard,
          section,
          {_agent("r5")} AS agent, {_agent("(r5 + 1 + r6 % 9)")} AS agent2, r6 % 100 < 8 AS english,
          CASE WHEN r6 % 1000 = 999 THEN 2 WHEN r6 % 100 < 65 THEN 0 ELSE 1 END AS trunk,
          r7 % 12 = 0 AS again, r7 % 100 < 3 AS transferred, r7 % 1000 = 500 AS unrecorded,
          CASE WHEN r3 % 100 >= 95 THEN r8 % 90000 WHEN r7 % 12 = 0 THEN 16000 + r8 % 14000
            ELSE 1000 + r8 % 14500 END AS waited,
          20000 + (r7 % 300 + r8 % 300) * 1000 AS talk,
          r3 % 100 >= 95 AND r8 % 5 = 0 AS promised, r3 % 100 >= 95 AND r8 % 9973 = 1 AS lost
        FROM (SELECT rolled.*,
            CASE WHEN r4 % 100 < 60 THEN 0 WHEN r4 % 100 < 80 THEN 1 WHEN r4 % 100 < 95 THEN 2 ELSE 3 END
              AS section
          FROM (SELECT i, {rolls} FROM {dialect.numbers(first, last)} AS numbers) AS rolled) AS placed
      ) AS rolled_out
    ) AS sim"""


def _agent(roll: str) -> str:
    """One of the section's agents."""
    places = [f"{sum(_AGENTS_OF[:section])} + {roll} % {size}" for section, size in enumerate(_AGENTS_OF)]
    cases = " ".join(f"WHEN {section} THEN {place}" for section, place in enumerate(places))
    return f"CASE section {cases} END"


def _insert_calls(dialect: _Sqlite | _Postgres, calls: str) -> str:
    moment = dialect.moment
    result = (
        "CASE WHEN NOT asked THEN 'self_served' WHEN heard THEN 'answered' WHEN promised THEN 'callback'"
        " WHEN lost THEN 'lost' ELSE 'abandoned' END"
    )
    columns = {
        "call_id": dialect.call_id("i"),
        "arrived_at": moment("arrived"),
        "trunk": "CASE trunk WHEN 0 THEN 'city' WHEN 1 THEN 'mobile' ELSE 'synthetic' END",
        "asked_at": f"CASE WHEN asked THEN {moment('asked_at')} END",
        "section": "CASE WHEN asked THEN CASE section WHEN 0 THEN 'inquiry' WHEN 1 THEN 'ticketing'"
        " WHEN 2 THEN 'complaint' ELSE 'coordination' END END",
        "language": "CASE WHEN asked THEN CASE WHEN english THEN 'en' ELSE 'zh-CN' END END",
        "priority": "1 = 0",
        "asked_by": "CASE WHEN asked THEN 'menu' END",
        "overflowed_at": f"CASE WHEN asked AND waited > 30000 THEN {moment('asked_at + 30000')} END",
        "connected_at": f"CASE WHEN heard THEN {moment('stopped_at')} END",
        "agent": f"CASE WHEN heard THEN {dialect.text('1000 + agent')} END",
        "wait_s": "CASE WHEN heard THEN waited / 1000.0 END",
        "waited_s": "CASE WHEN asked THEN waited / 1000.0 END",
        "talk_s": "CASE WHEN heard THEN talk / 1000.0 END",
        "wrap_up_s": "CASE WHEN heard THEN 10.0 + CASE WHEN i % 5 = 0 THEN i % 90 ELSE 0 END END",
        "callback_promised_at": f"CASE WHEN asked AND NOT heard AND promised THEN {moment('stopped_at')} END",
        "transferred_at": f"CASE WHEN heard AND transferred THEN {moment('stopped_at + 10000')} END",
        "ended_at": moment("ended"),
        "ended_by": "CASE WHEN asked AND NOT heard AND NOT promised AND lost THEN 'system' ELSE 'caller' END",
        "stage": "'ended'",
        "result": result,
        "has_recording": "heard AND NOT unrecorded",
        "recording_missing": "heard AND unrecorded",
    }
    return f"INSERT INTO calls ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM {calls}"


def _insert_offers(dialect: _Sqlite | _Postgres, calls: str, *, again: bool) -> str:
    """The offers that were answered, or those ``again``: let ring by another agent just before."""
    moment = dialect.moment
    columns = {
        "call_id": dialect.call_id("i"),
        "leg_id": f"{dialect.call_id('i')} || '{'a' if again else 'b'}'",
        "agent": dialect.text("1000 + agent2" if again else "1000 + agent"),
        "rang_at": moment("stopped_at - 15700" if again else "stopped_at - waited % 9000 - 500"),
        "ended_at": moment("stopped_at - 700" if again else "ended"),
        "ring_s": "15.0" if again else "waited % 9000 / 1000.0",
    }
    if again:
        columns["failure"] = "'let_it_ring'"
    else:
        columns |= {"answered_at": moment("stopped_at - 500"), "connected_at": moment("stopped_at")}
        columns["wrapped_up_at"] = moment("ended + 10000 + CASE WHEN i % 5 = 0 THEN i % 90 * 1000 ELSE 0 END")
    chosen = "heard AND again" if again else "heard"
    names, values = ", ".join(columns), ", ".join(columns.values())
    return f"INSERT INTO offers ({names}) SELECT {values} FROM {calls} WHERE {chosen}"


def _insert_events(dialect: _Sqlite | _Postgres, calls: str) -> str:
    """What the report needs to list calls without a recording."""
    return (
        "INSERT INTO events (key, call_id, kind, at, data, source)"
        f" SELECT {dialect.call_id('i')} || '/arrived/', {dialect.call_id('i')}, 'arrived',"
        f' {dialect.moment("arrived")}, \'{{"trunk": "city", "caller": null}}\', \'file\''
        f" FROM {calls} WHERE heard AND unrecorded"
    )
