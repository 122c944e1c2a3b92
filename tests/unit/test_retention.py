"""How long recordings are kept, and what must never be deleted by a mistake (P2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import JSON, Boolean, Column, LargeBinary, String, Table, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.custody import Access, AccessKind, Leg
from calls.errors import AudioGone
from calls.ids import CallId
from recordings.retention import Caution, Policies, Policy
from service.retention import ClockDoubted, keeper_of, policies_of
from service.settings import Retention
from storage.access import Hold, SqlAccessLog
from storage.retention import WORDS_IN_COLUMNS, WORDS_OF_CALLS
from storage.schema import metadata
from storage.tables import UtcDateTime
from tests.support_prepared import dropped, prepared
from tests.support_vault import NOW, scene

DEFAULT = policies_of(Retention())


def test_the_longest_policy_that_applies_wins() -> None:
    assert DEFAULT.of("inquiry", promised=False).days == 90
    assert DEFAULT.of(None, promised=False).days == 90
    assert DEFAULT.of("inquiry", promised=True).days == 365
    assert DEFAULT.of("complaint", promised=True).days == 1096
    assert DEFAULT.longest.name == "complaints"


POLICIES = st.lists(
    st.builds(
        Policy,
        st.text(max_size=3),
        st.integers(1, 3000),
        st.frozensets(st.sampled_from(["inquiry", "complaint", "ticketing"])),
        st.booleans(),
    ),
    max_size=5,
).map(lambda some: Policies((Policy("all", 30), *some)))


@given(POLICIES, st.sampled_from([None, "inquiry", "complaint", "other"]), st.booleans(), st.integers(0, 3100))
def test_what_is_due_by_sort_is_what_is_due_by_policy(
    policies: Policies, section: str | None, promised: bool, age_days: int
) -> None:
    sort = section if section in policies.sections else None
    [cutoff] = [one for one in policies.cutoffs(NOW) if one.section == sort and one.promised == promised]
    recorded_at = NOW - timedelta(days=age_days, seconds=1)
    assert (recorded_at < cutoff.before) == (age_days >= policies.of(section, promised=promised).days)


CAUTION = Caution(timedelta(days=7), 0.2)


@pytest.mark.parametrize(
    ("ahead_days", "due", "kept", "doubted"),
    [
        (0, 0, 0, False),
        (7, 20, 20, False),
        (7.01, 0, 9, True),
        (1, 21, 100, True),
        (1, 20, 100, False),
        (-9, 1, 1, False),
    ],
)
def test_a_clock_that_jumped_or_too_much_at_once_is_doubted(
    ahead_days: float, due: int, kept: int, doubted: bool
) -> None:
    assert bool(CAUTION.doubt(NOW, NOW - timedelta(days=ahead_days), due, kept)) == doubted


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield ""
    else:
        address = await prepared(request.param, tmp_path)
        yield address
        dropped(address)


async def test_what_is_due_goes_with_its_key_and_leaves_a_tombstone(url: str, tmp_path: Path) -> None:
    async with scene(url, tmp_path) as at:
        await at.retention.believe(NOW)
        due = await at.recorded("1.1", 91, "inquiry")
        await at.recorded("1.2", 89, "inquiry")
        await at.recorded("1.3", 91, "complaint")
        await at.recorded("1.4", 91, promised=True, section="inquiry")
        await at.recorded("1.5", 400, known=False)
        await at.recorded("1.6", 91)
        held = await at.recorded("1.7", 2000, "complaint")
        await at.holds.hold(Hold(held, NOW, "os:me", "a court asked"))
        every_call = DEFAULT.of(None, promised=False)
        assert await at.keeper.due() == [(due, every_call), ("1.6", every_call)]
        assert await at.keeper.keep() == 2
        assert await at.alive() == at.objects() == {"1.2", "1.3", "1.4", "1.5", "1.7"}
        with pytest.raises(AudioGone, match="retention: every call, 90 days"):
            await at.custody.open(due, Leg.AGENT, Access("os:me", AccessKind.LISTEN_ORIGINAL, "curious"))
        accesses = SqlAccessLog(at.engine, at.clock)
        deleted = [each.access for each in await accesses.entries(actor="service:retention")]
        assert {each.kind for each in deleted} == {AccessKind.DELETE}
        assert [each.call_id for each in deleted] == ["1.1", "1.6"]
        assert (await accesses.verify()).whole
        assert await at.keeper.keep() == 0


async def test_a_hold_is_above_all_and_ends_when_it_is_released(url: str, tmp_path: Path) -> None:
    async with scene(url, tmp_path) as at:
        await at.retention.believe(NOW)
        call = await at.recorded("1.1", 5000)
        await at.holds.hold(Hold(call, NOW, "os:me", "a court asked"))
        await at.holds.hold(Hold(call, NOW, "os:me", "an insurer asked"))
        # A hold that came between the look and the burial.
        assert await at.retention.bury(call, NOW, "os:me", "due") == []
        assert await at.keeper.keep(force=True) == 0
        assert await at.holds.release(call, NOW, "os:me") == 2
        assert await at.keeper.keep() == 1
        assert await at.alive() == set()


async def test_a_clock_that_was_set_forward_deletes_nothing(tmp_path: Path) -> None:
    async with scene("", tmp_path) as at:
        for number in range(3):
            await at.recorded(f"1.{number}", 1)
        assert await at.keeper.keep() == 0
        at.clock.moment = NOW + timedelta(days=365 * 9)
        await at.recorded("2.1", 0)  # the books know nothing but the wrong time by now
        with pytest.raises(ClockDoubted, match=r"3285 days after 2026-11-23 04:00.*--force"):
            await at.keeper.keep()
        assert len(await at.alive()) == 4
        at.clock.moment = NOW + timedelta(hours=1)
        assert await at.keeper.keep() == 0
        at.clock.moment = NOW + timedelta(days=365 * 9)
        assert await at.keeper.keep(force=True) == 3


async def test_a_wrong_clock_is_not_believed_because_nothing_is_due(tmp_path: Path) -> None:
    async with scene("", tmp_path) as at:
        await at.retention.believe(NOW)
        at.clock.moment = NOW + timedelta(days=900)
        assert await at.keeper.keep() == 0
        assert await at.retention.believed() == NOW


def filled(table: Table, call_id: CallId) -> dict[str, object]:
    """A row of any table about a call."""
    kinds = (
        *((UtcDateTime, NOW), (JSON, [["words"]]), (String, "words")),
        *((Boolean, True), (LargeBinary, b"w")),
    )

    number = int(call_id.replace(".", ""))  # another one for every call

    def value(column: Column[object]) -> object:
        return next((some for kind, some in kinds if isinstance(column.type, kind)), number)

    row = {column.name: value(column) for column in table.c if column.name != "number"}
    return row | {name: some for name, some in (("call_id", call_id), ("leg", "agent")) if name in row}


async def fill(connection: AsyncConnection, table: Table, call_id: CallId) -> None:
    """A row about the call where there is none, and what it refers to."""
    for key in table.foreign_keys:
        await fill(connection, key.column.table, call_id)
    row = filled(table, call_id)
    mine = [column == row[column.name] for column in table.primary_key if column.name in row]
    if "call_id" in table.c:
        mine = [table.c.call_id == call_id]
    if await connection.scalar(select(literal(1)).where(*mine)) is None:
        await connection.execute(insert(table).values(row))


async def test_what_was_said_goes_with_the_sound(url: str, tmp_path: Path) -> None:
    """Whatever table it is in."""
    spoken = [table for table in metadata.sorted_tables if table.info.get(WORDS_OF_CALLS)]
    quoting = [table for table in metadata.sorted_tables if table.info.get(WORDS_IN_COLUMNS)]
    assert {"transcripts", "spoken_turns"} <= {table.name for table in spoken}
    assert "verdicts" in {table.name for table in quoting}
    async with scene(url, tmp_path) as at:
        await at.retention.believe(NOW)
        for call in (await at.recorded("1.1", 91), await at.recorded("1.2", 1)):
            async with at.engine.begin() as connection:
                for table in (*spoken, *quoting):
                    await fill(connection, table, call)
        assert await at.keeper.keep() == 1
        async with at.engine.connect() as connection:
            for table in spoken:
                assert set((await connection.execute(select(table.c.call_id))).scalars()) == {"1.2"}, table.name
            for table in quoting:
                gone, stays = (await connection.execute(select(table).order_by(table.c.call_id))).all()
                assert "words" not in [getattr(gone, name) for name in table.info[WORDS_IN_COLUMNS]]
                assert any(getattr(stays, name) in ("words", [["words"]]) for name in table.info[WORDS_IN_COLUMNS])


class _Killed(BaseException):
    pass


class _Dies:
    """A store whose process is killed as it would remove the first object."""

    def __init__(self, store: object) -> None:
        self._store = store

    def delete(self, place: str) -> None:
        raise _Killed


async def test_killed_in_the_middle_of_a_burial(tmp_path: Path) -> None:
    async with scene("", tmp_path) as at:
        await at.retention.believe(NOW)
        call = await at.recorded("1.1", 91)
        dying = replace(at.custody, store=_Dies(at.custody.store))  # type: ignore[arg-type]
        with pytest.raises(_Killed):
            await keeper_of(at.settings, at.engine, dying, at.clock).keep()
        assert await at.alive() == set()
        assert at.objects() == {call}
        await at.keeper.keep()
        assert at.objects() == set()


def test_policies_must_cover_every_call() -> None:
    with pytest.raises(ValueError, match="every call"):
        Retention.model_validate({"policies": [{"name": "a", "days": 9, "sections": ["complaint"]}]})
