"""Every query of every dashboard, asked of a real Prometheus that watches a real hotline take real calls."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from calls.call import Result
from calls.custody import Bandwidth, Leg
from calls.ids import AgentNumber, CallId
from calls.transcript import LegTranscript, Span, Transcript
from calls.verdicts import CallFacts, Conversation
from qa.rules import judge, load_rules, packs
from simulation.script import HangUp, Press, Wait
from storage.engine import open_engine
from storage.transcripts import SqlTranscripts
from storage.verdicts import SqlVerdicts
from storage.work import SqlWork
from storage.work_states import State
from tests.e2e.scenarios import BRIEF, IGNORES, SELF_SERVED, TO_THE_END, answered, stay
from tests.support_centre import PATIENCE_S, Centre, within
from tests.support_dashboards import ALL_SECTIONS, Asked, answer, asked, dashboards, trouble
from tests.support_ledger import Ring, story
from tests.support_play import ledger_of, play
from tests.support_prometheus import Prometheus
from tests.support_scenario import Caller, Expect, Offered, Scenario, Seat
from tests.support_surveys import surveyed

STEP_S = 1

AN_ALERT = """
groups:
  - name: rehearsal
    rules:
      - {alert: Rehearsal, expr: 'hotline_component_up{component="asterisk"} == 0', labels: {severity: ticket}}
"""
"""Ours wait for minutes before they fire; this one shows at once what the dashboards make of one that does."""

VARIOUS = Scenario(
    "an answered call, one given up, one that never asked, one that an agent let ring",
    "K1 K2 K2r",
    (Seat("1001", BRIEF), Seat("3001", IGNORES)),
    (
        Caller(TO_THE_END, answered(Offered("1001")), number="13800000001"),
        Caller((Wait(1.5), HangUp()), SELF_SERVED, number="13800000002"),
        Caller(
            (Wait(1), Press("1"), Wait(1), Press("3"), Wait(21), HangUp()),
            Expect(Result.ABANDONED, section="ticketing", offers=None),
            number="13800000003",
        ),
        Caller(stay(2), Expect(Result.ABANDONED, offers=None), at_s=1, number="13800000004"),
    ),
)


@asynccontextmanager
async def watched(centre: Centre) -> AsyncIterator[Prometheus]:
    prometheus = Prometheus(centre.settings, centre.place.port(21090), more_rules=AN_ALERT)
    try:
        await prometheus.start()
        yield prometheus
    finally:
        await prometheus.stop()


@pytest.mark.asyncio(loop_scope="session")
async def test_every_query_has_data(centre: Centre) -> None:
    """Of panels and marks, for all sections and for one; whatever comes back empty is named (I2)."""
    await before(centre)
    began = time.time()
    async with watched(centre) as prometheus:
        evidence = await play(centre, VARIOUS)
        assert sorted(call.result for call in evidence.calls) == [
            "abandoned",
            "abandoned",
            "answered",
            "self_served",
        ]

        await judged(centre, next(call.call_id for call in evidence.calls if call.result == "answered"))

        async def in_the_books() -> bool:
            return (
                bool(
                    await prometheus.query('hotline_kpi_denominator{kpi="K2r",period="today",section="all"} >= 2')
                )
                and bool(
                    await prometheus.query('hotline_kpi_denominator{kpi="K3",period="today",section="all"} >= 1')
                )
                and bool(
                    await prometheus.query('hotline_kpi_denominator{kpi="AHT",period="today",section="all"} >= 1')
                )
                and bool(await prometheus.query("hotline_judged_calls >= 1 and on () hotline_agent_legs >= 1"))
            )

        assert await within(in_the_books, 2 * PATIENCE_S), "the ledger's gauges do not show the calls"
        await outage(centre, prometheus)
        queries = [
            (query, section)
            for slug, dashboard in dashboards().items()
            for query in asked(slug, dashboard)
            for section in ((ALL_SECTIONS, "inquiry") if "$section" in query.expr else (ALL_SECTIONS,))
        ]

        async def all_answered() -> bool:
            """Asks again what had no data: a look at the service that took longer than a second leaves a gap."""
            wrong[:] = [
                (query, section, found)
                for query, section, _ in wrong
                if (found := trouble(query, await answer(prometheus, query, began, time.time(), STEP_S, section)))
            ]
            return not wrong

        wrong = [(query, section, "") for query, section in queries]
        assert await within(all_answered, PATIENCE_S), "\n".join(found for _, _, found in wrong)
        await the_test_can_fail(prometheus, began)


async def before(centre: Centre) -> None:
    """A call of yesterday on the books, and one of today that was rated; the service finds them when it starts."""
    noon = datetime.now(centre.settings.zone).replace(hour=12) - timedelta(days=1)
    call_id = f"{centre.settings.instance}-{noon.timestamp():.0f}.1"
    rings = [Ring("1001", rang=2, answered=5, connected=5.5, ended=20)]
    async with ledger_of(centre) as (ledger, _):
        await ledger.record(story(call_id, start=noon.astimezone(UTC), asked=1, rings=rings, ended=20))
        lately = datetime.now(UTC) - timedelta(minutes=2)
        rated = f"{centre.settings.instance}-{lately.timestamp():.0f}.1"
        await ledger.record(surveyed(rated, start=lately, level=1))
    await centre.restart_service()


async def judged(centre: Centre, call_id: CallId) -> None:
    """What a worker would write; how one does is shown elsewhere, and takes minutes."""
    pack = next(rules for path in packs() if (rules := load_rules(path)).language == "zh-CN")
    now = datetime.now(UTC)
    leg = LegTranscript(Leg.AGENT, "zh-CN", "vosk", "small", 3.0, Bandwidth.WIDE, (Span(0, 3),), ())
    facts = CallFacts(call_id, now, None, "zh-CN", AgentNumber("1001"), 3.0)
    engine = open_engine(centre.settings.ledger_url)
    try:
        await SqlWork(engine).owe(call_id, now)
        await SqlTranscripts(engine).store(call_id, leg)
        await SqlWork(engine).finish(call_id, Leg.AGENT, State.DONE)
        found = judge(pack, Conversation(facts, Transcript(call_id, (leg,))), now)
        await SqlVerdicts(engine).judged(call_id, pack.id, found)
    finally:
        await engine.dispose()


async def outage(centre: Centre, prometheus: Prometheus) -> None:
    """Asterisk dies, is seen to be down, and comes back."""
    centre.asterisk.kill()
    await centre.asterisk.wait()

    async def noticed() -> bool:
        return bool(await prometheus.query('ALERTS{alertname="Rehearsal",alertstate="firing"}'))

    assert await within(noticed, 2 * PATIENCE_S), "nobody noticed that Asterisk is down"
    await centre.asterisk.start()
    await centre.service.ready()


async def the_test_can_fail(prometheus: Prometheus, began: float) -> None:
    """A query without data, and a legend with a label that is not there, are found."""
    nothing = Asked("somewhere", "hotline_calls_nobody_counts_total", instant=True)
    unlabelled = Asked("somewhere", "sum(hotline_agents)", instant=True, legend="{{state}}")
    divided = Asked("somewhere", "0 * sum(hotline_agents) / 0", instant=False)
    for query in (nothing, unlabelled, divided):
        assert trouble(query, await answer(prometheus, query, began, time.time(), STEP_S))
