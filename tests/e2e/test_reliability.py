"""Reliability on a real hotline: the synthetic caller's calls, and outages with their times (K5)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from asterisk_conf.prompt_manifest import prompt_file
from calls.call import Result
from calls.ids import SYNTHETIC_TRUNK, CallId
from calls.outages import Component, Outage, reliability
from calls.ports import DayFigures, Ratio
from service.wiring import SystemClock
from simulation.script import CallerScript, HangUp
from storage.engine import open_engine
from storage.outages import SqlOutages
from tests.support_centre import ASIDE, PATIENCE_S, Centre, own_worker, within
from tests.support_play import ledger_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

WATCHED_CLOSELY = """[reliability]
probe_every_s = 0.5
probe_timeout_s = 30
failures = 1
disk_free_share = 0
synthetic_every_s = 2
"""
CALL_S = 180
"""Ample time for one synthetic call, which takes half a minute."""
CLOCK = SystemClock()
A_MILLISECOND = timedelta(milliseconds=1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def watched() -> AsyncIterator[Centre]:
    """A hotline that is watched much more closely than usual."""
    centre = Centre(2 * ASIDE + own_worker())
    usual = centre.config.read_text(encoding="utf-8")
    centre.config.write_text(
        usual.replace("[reliability]\nsynthetic_every_s = 0\n", WATCHED_CLOSELY), encoding="utf-8"
    )
    try:
        await centre.start()
        yield centre
    finally:
        await centre.stop()


@contextlib.asynccontextmanager
async def outages_of(centre: Centre) -> AsyncIterator[SqlOutages]:
    engine = open_engine(centre.settings.ledger_url)
    try:
        yield SqlOutages(engine)
    finally:
        await engine.dispose()


async def outages(centre: Centre, since: datetime) -> dict[Component, list[Outage]]:
    """Those that began since then."""
    async with outages_of(centre) as book:
        found: dict[Component, list[Outage]] = {}
        for outage in await book.outages(since, CLOCK.now()):
            if outage.began_at >= since:
                found.setdefault(outage.component, []).append(outage)
        return found


async def has_ended(centre: Centre, since: datetime, *components: Component) -> bool:
    found = await outages(centre, since)
    return all(found.get(component) and found[component][-1].ended_at for component in components)


async def counted(centre: Centre, result: str) -> float:
    return (await centre.counters())[f"hotline_synthetic_calls_total result={result}"]


async def trunk_shows(centre: Centre, value: float) -> bool:
    metrics = await centre.counters()
    return metrics["hotline_synthetic_call_success"] == metrics["hotline_component_up component=trunk"] == value


async def test_a_synthetic_call_meets_what_a_caller_meets_and_counts_nowhere(watched: Centre) -> None:
    """Real SIP, the real menu, the right section; on the books, but in no figure (K1, K2), and not recorded."""

    async def succeeded() -> bool:
        return await counted(watched, "success") > 0

    assert await within(succeeded, CALL_S), watched.service.log_tail()
    assert await within(lambda: trunk_shows(watched, 1), PATIENCE_S)
    metrics = await watched.counters()
    for name, value in metrics.items():
        if name.startswith(("hotline_calls_", "hotline_offers_", "hotline_caller_wait_seconds_count")):
            assert value == 0, name
    async with ledger_of(watched) as (ledger, ids):
        calls = [call for call_id in await ids() if (call := await ledger.call(CallId(call_id)))]
        done = [call for call in calls if call.ended_at]
        assert done and {call.trunk for call in calls} == {SYNTHETIC_TRUNK}
        assert {(call.section, call.result, call.offers) for call in done} == {("complaint", Result.ABANDONED, ())}
        day = timedelta(days=1)
        nothing = Ratio(0, 0)
        figures = await ledger.figures(CLOCK.now() - day, CLOCK.now() + day, watched.settings.rings.limit_s)
        assert figures == DayFigures(nothing, nothing, nothing, 0, 0, 0, 0)
    assert list(watched.asterisk.dirs.intake.iterdir()) == []
    assert list(watched.asterisk.dirs.recording.iterdir()) == []
    assert [line for line in _log(watched) if "WARNING" in line or "ERROR" in line] == []


async def test_a_prompt_that_is_not_the_one_is_told(watched: Centre) -> None:
    """As when somebody put the wrong file in its place: the trunk is out until it is right again."""
    # One under way may hear what follows.
    assert await within(lambda: trunk_shows(watched, 1), 2 * CALL_S)
    since = CLOCK.now() - timedelta(seconds=CALL_S)
    wrong_before = await counted(watched, "wrong_prompt")
    installed = watched.asterisk.dirs.sounds / "zh-CN" / "sections.wav16"
    right = installed.readlink()
    _relink(installed, prompt_file("en", "sections"))
    try:

        async def told() -> bool:
            return await counted(watched, "wrong_prompt") > wrong_before

        assert await within(told, 2 * CALL_S), watched.service.log_tail()
        assert await within(lambda: trunk_shows(watched, 0), PATIENCE_S)
    finally:
        _relink(installed, right)
    assert await within(lambda: trunk_shows(watched, 1), 2 * CALL_S)
    assert await within(lambda: has_ended(watched, since, Component.TRUNK), PATIENCE_S)
    outage = (await outages(watched, since))[Component.TRUNK][-1]
    assert outage.reason == "synthetic call: wrong_prompt"


@pytest.mark.parametrize("where", [3, 0], ids=["a stranger's address", "Asterisk's own address, another port"])
async def test_nobody_else_is_the_synthetic_caller(watched: Centre, where: int) -> None:
    """A caller who could claim its trunk would be in no figure: whoever calls himself so is not let in."""
    async with watched.people() as people:
        script = CallerScript((HangUp(),), number=SYNTHETIC_TRUNK)
        outcome = await people.outcome(await people.call(script, address=watched.place.address(where)))
        assert not outcome.ok
        assert any(f"SIP/2.0 {status}" in outcome.log for status in (401, 403, 404)), outcome.log


async def test_a_service_that_did_not_run_was_out(watched: Centre) -> None:
    """Nobody could probe: it is out from its last sign of life until it works again."""

    async def gave_a_sign() -> bool:
        return any(watched.var_dir.rglob("alive"))

    assert await within(gave_a_sign, PATIENCE_S)
    await watched.kill_service()
    back_at = CLOCK.now()
    (alive,) = watched.var_dir.rglob("alive")
    since = datetime.fromtimestamp(alive.stat().st_mtime, UTC) - A_MILLISECOND
    await watched.start_service()
    own = (Component.AGI, Component.AMI, Component.CONSOLE)
    assert await within(lambda: has_ended(watched, since, *own), PATIENCE_S), await outages(watched, since)
    found = await outages(watched, since)
    for component in own:
        (outage,) = found[component]
        assert outage.ended_at and not outage.planned
        assert outage.began_at <= since + 2 * A_MILLISECOND
        assert back_at <= outage.ended_at <= CLOCK.now()
        assert outage.reason == "the service was not running"
    k5 = reliability(
        [outage for component in own for outage in found[component]],
        [],
        since,
        CLOCK.now(),
        watched.settings.scheduled,
    )
    assert 0 < k5.union_s < k5.sum_s < 3 * k5.union_s + 1
    assert not k5.ongoing


async def test_an_asterisk_that_died_was_out(watched: Centre) -> None:
    """Its own outage and the link's, from when it was missed until it answers again; the menu's is none."""
    killed_at = CLOCK.now() - timedelta(seconds=1)  # the look that misses it may have begun before
    both = (Component.ASTERISK, Component.AMI)
    counter = "hotline_outage_seconds_total component=asterisk planned=false"
    counted_before = (await watched.counters())[counter]
    watched.asterisk.kill()
    await watched.asterisk.wait()

    async def missed() -> bool:
        counted = (await watched.counters())[counter] > counted_before
        return counted and set(both) <= set(await outages(watched, killed_at))

    # Started again at once it might be back before anybody looked.
    assert await within(missed, PATIENCE_S), await outages(watched, killed_at)
    await watched.asterisk.start()
    await watched.service.ready(PATIENCE_S)
    assert await within(lambda: has_ended(watched, killed_at, *both), PATIENCE_S)
    found = await outages(watched, killed_at)
    for component in both:
        outage = found[component][0]
        assert outage.ended_at and outage.began_at < outage.ended_at <= CLOCK.now()
    assert not {Component.AGI, Component.CONSOLE, Component.DATABASE} & set(found)


async def test_at_most_one_outage_of_a_component_has_no_end(watched: Centre) -> None:
    engine = open_engine(watched.settings.ledger_url)
    query = "SELECT count(*) FROM outages WHERE ended_at IS NULL GROUP BY component"
    async with engine.connect() as connection:
        assert set(await connection.scalars(text(query))) <= {1}
    await engine.dispose()


def _relink(link: Path, target: Path) -> None:
    fresh = link.with_name(".fresh")
    fresh.symlink_to(target)
    fresh.replace(link)


def _log(centre: Centre) -> list[str]:
    return centre.asterisk_log.read_text(encoding="utf-8", errors="replace").splitlines()
