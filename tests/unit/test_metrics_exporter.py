"""The exporter: what stored events add to the counters, and that every series exists from the start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from calls.call import Call, Stage
from calls.events import (
    AgentAnswered,
    AgentConnected,
    AgentRang,
    AnyEvent,
    AskedBy,
    CallArrived,
    CallbackOffered,
    CallbackPromised,
    CallEnded,
    CallOverflowed,
    CallRequeued,
    EndedBy,
    LegEnded,
    MenuChosen,
    PersonAsked,
    SurveyBegan,
    SurveyInvited,
    SurveyRated,
)
from calls.ids import SYNTHETIC_TRUNK, AgentNumber, CallId, Language, LegId, SectionId
from calls.live import AgentNow, AgentState, CallNow, LinkNow, Picture, QueueNow
from calls.ports import Change, DayFigures, Ratio
from ivr.agi.application import Ended, Refused
from metrics import catalogue
from metrics.catalogue import AGI_REASONS, CATALOGUE, Kind
from metrics.exporter import SAMPLES_AT_MOST, Exporter, series
from service.settings import SECTIONS, Settings

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
CALL = CallId("1770000000.1")
INQUIRY, COMPLAINT = SectionId("inquiry"), SectionId("complaint")
LIMIT_S = 15.0
STOPPED_RINGING, NORMAL, BUSY = 0, 16, 17
"""Hang-up causes of an agent's leg."""

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def arrived(s: float = 0) -> AnyEvent:
    return CallArrived(call_id=CALL, at=at(s), trunk="trunk", caller="13800000000")


def asked(s: float, by: AskedBy = AskedBy.MENU, section: SectionId = INQUIRY) -> AnyEvent:
    return PersonAsked(call_id=CALL, at=at(s), section=section, language=Language("zh-CN"), priority=False, by=by)


def rang(s: float, leg: str = "1001") -> AnyEvent:
    return AgentRang(call_id=CALL, at=at(s), leg_id=LegId(f"l.{leg}"), agent=AgentNumber(leg))


def picked_up(s: float, leg: str = "1001") -> AnyEvent:
    return AgentAnswered(call_id=CALL, at=at(s), leg_id=LegId(f"l.{leg}"), agent=AgentNumber(leg))


def heard(s: float, leg: str = "1001") -> AnyEvent:
    return AgentConnected(call_id=CALL, at=at(s), leg_id=LegId(f"l.{leg}"), agent=AgentNumber(leg))


def leg_ended(s: float, cause: int, leg: str = "1001") -> AnyEvent:
    return LegEnded(call_id=CALL, at=at(s), leg_id=LegId(f"l.{leg}"), agent=AgentNumber(leg), cause=cause)


def requeued(s: float) -> AnyEvent:
    return CallRequeued(call_id=CALL, at=at(s), attempt=1)


def ended(s: float, by: EndedBy = EndedBy.CALLER) -> AnyEvent:
    return CallEnded(call_id=CALL, at=at(s), by=by)


def asked_with_survey(s: float) -> AnyEvent:
    """Asked for a person, and is to be invited to rate the talk."""
    return PersonAsked(
        call_id=CALL,
        at=at(s),
        section=INQUIRY,
        language=Language("zh-CN"),
        priority=False,
        by=AskedBy.MENU,
        survey=DESIGN,
    )


def invited(s: float) -> AnyEvent:
    return SurveyInvited(call_id=CALL, at=at(s), design=DESIGN)


def began(s: float) -> AnyEvent:
    return SurveyBegan(call_id=CALL, at=at(s))


def rated(s: float, level: int) -> AnyEvent:
    return SurveyRated(call_id=CALL, at=at(s), level=level, dissatisfied=level >= 4)


def told_one_by_one(events: Iterable[AnyEvent]) -> list[Change]:
    """What the ledger returns when each event is recorded by itself."""
    changes: list[Change] = []
    seen: list[AnyEvent] = []
    before: Call | None = None
    for event in events:
        seen.append(event)
        after = Call.of(seen)
        changes.append(Change(before, after, (event,)))
        before = after
    return changes


def told_at_once(events: Iterable[AnyEvent]) -> list[Change]:
    """What the ledger returns for one batch, such as a back-fill from Asterisk's files."""
    batch = tuple(events)
    return [Change(None, Call.of(batch), batch)]


def exporter() -> Exporter:
    return Exporter(sections=(INQUIRY, COMPLAINT), limit_s=LIMIT_S, build={"version": "1.2.3"})


async def read(exporter: Exporter) -> Samples:
    text = (await exporter.render()).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


COUNTED = (
    *("hotline_calls_", "hotline_callbacks_", "hotline_offers_", "hotline_menu_"),
    *("hotline_surveys_", "hotline_ratings_"),
)
RATES = ("hotline_calls_settled", "hotline_calls_within_limit")
"""What rates are made of; each has a test of its own."""


def events_counted(samples: Samples) -> dict[str, float]:
    """The counters of calls and offers that are not 0, as ``name{values}`` without the common parts."""
    found = {}
    for (name, labels), value in samples.items():
        if value and name.startswith(COUNTED) and not name.startswith(RATES):
            values = ",".join(label for _, label in sorted(labels, key=section_first))
            found[f"{name.removeprefix('hotline_').removesuffix('_total')}{{{values}}}"] = value
    return found


def section_first(label: tuple[str, str]) -> bool:
    return label[0] != "section"


@dataclass(frozen=True)
class Row:
    """A call as told, and what it adds."""

    told: tuple[AnyEvent, ...]
    adds: dict[str, float]


OFFERED = {"calls_offered{inquiry}": 1.0}
DESIGN = "after-call@1"
TALK = (arrived(), asked_with_survey(4), rang(5), picked_up(8), heard(9), leg_ended(40, NORMAL))
TALKED = OFFERED | {
    "calls_answered{inquiry}": 1,
    "offers{inquiry,answered_in_time}": 1,
    "calls_ended{inquiry,answered}": 1,
}

TABLE: dict[str, Row] = {
    "answered on the second ring": Row(
        (arrived(), asked(4), rang(5), picked_up(11), heard(12), leg_ended(60, NORMAL), ended(60)),
        OFFERED
        | {
            "calls_answered{inquiry}": 1,
            "calls_ended{inquiry,answered}": 1,
            "offers{inquiry,answered_in_time}": 1,
        },
    ),
    "picked up exactly on the limit: kept": Row(
        (arrived(), asked(4), rang(5), picked_up(20), heard(20.5), ended(30, EndedBy.AGENT)),
        OFFERED
        | {
            "calls_answered{inquiry}": 1,
            "calls_ended{inquiry,answered}": 1,
            "offers{inquiry,answered_in_time}": 1,
        },
    ),
    "picked up too late": Row(
        (arrived(), asked(4), rang(5), picked_up(20.001), heard(21), ended(30)),
        OFFERED
        | {
            "calls_answered{inquiry}": 1,
            "calls_ended{inquiry,answered}": 1,
            "offers{inquiry,answered_late}": 1,
        },
    ),
    "let it ring, the next agent takes it": Row(
        (
            *(arrived(), asked(4), rang(5), leg_ended(20, STOPPED_RINGING), requeued(20.05)),
            *(rang(20.1, "1002"), picked_up(23, "1002"), heard(24, "1002"), ended(90)),
        ),
        OFFERED
        | {
            "calls_answered{inquiry}": 1,
            "calls_ended{inquiry,answered}": 1,
            "offers{inquiry,let_it_ring}": 1,
            "offers{inquiry,answered_in_time}": 1,
        },
    ),
    "hung up in the menu": Row(
        (arrived(), MenuChosen(call_id=CALL, at=at(2), step=1, node="sections", choice="5"), ended(5)),
        {"calls_ended{none,self_served}": 1},
    ),
    "hung up in the queue, after an agent had refused": Row(
        (arrived(), asked(4), rang(5), leg_ended(6, BUSY), ended(40)),
        OFFERED
        | {
            "calls_abandoned{inquiry,queue}": 1,
            "calls_ended{inquiry,abandoned}": 1,
            "offers{inquiry,rejected}": 1,
        },
    ),
    "hung up while it rang": Row(
        (arrived(), asked(4), rang(5), leg_ended(9, STOPPED_RINGING), ended(9.01)),
        OFFERED
        | {
            "calls_abandoned{inquiry,ringing}": 1,
            "calls_ended{inquiry,abandoned}": 1,
            "offers{inquiry,caller_gone}": 1,
        },
    ),
    "hung up while it rang, the end told first": Row(
        (arrived(), asked(4), rang(5), ended(9.01), leg_ended(9, STOPPED_RINGING)),
        OFFERED
        | {
            "calls_abandoned{inquiry,ringing}": 1,
            "calls_ended{inquiry,abandoned}": 1,
            "offers{inquiry,caller_gone}": 1,
        },
    ),
    "overflowed, then promised a call back": Row(
        (
            *(arrived(), asked(4), CallOverflowed(call_id=CALL, at=at(30))),
            CallbackOffered(call_id=CALL, at=at(60)),
            CallbackPromised(call_id=CALL, at=at(70), number="13800000000"),
            ended(75, EndedBy.SYSTEM),
        ),
        OFFERED
        | {
            "calls_overflowed{inquiry}": 1,
            "callbacks_promised{inquiry}": 1,
            "calls_ended{inquiry,callback}": 1,
        },
    ),
    "lost: we ended it": Row(
        (arrived(), asked(4, section=COMPLAINT), ended(50, EndedBy.SYSTEM)),
        {"calls_offered{complaint}": 1, "calls_ended{complaint,lost}": 1},
    ),
    "taken to a person by the dialplan": Row(
        (arrived(), asked(3, by=AskedBy.FALLBACK)),
        OFFERED | {"menu_fallbacks{}": 1},
    ),
    "rated after the talk, and not satisfied": Row(
        (*TALK, invited(40.1), began(45), rated(45.1, 5), ended(60, EndedBy.SYSTEM)),
        TALKED | {"surveys{inquiry,invited}": 1, "surveys_begun{inquiry}": 1, "ratings{inquiry,dissatisfied}": 1},
    ),
    "invited, and hung up": Row(
        (*TALK, invited(40.1), ended(60)),
        TALKED | {"surveys{inquiry,invited}": 1},
    ),
    "not invited, although the caller stayed": Row(
        (*TALK, ended(40.1, EndedBy.SYSTEM)),
        TALKED | {"surveys{inquiry,missed}": 1},
    ),
    "the caller was the first to leave": Row(
        (*TALK, ended(39.9)),
        TALKED | {"surveys{inquiry,caller_left}": 1},
    ),
    "the link was down when it was picked up": Row(
        (arrived(), asked(4), rang(5), heard(12)),
        OFFERED | {"calls_answered{inquiry}": 1, "offers{inquiry,answered_in_time}": 1},
    ),
}


@pytest.mark.parametrize("told", [told_one_by_one, told_at_once])
@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
async def test_counters_of_a_call(row: Row, told: object) -> None:
    subject = exporter()
    for change in told(row.told):  # type: ignore[operator]
        subject.on_change(change)
    assert events_counted(await read(subject)) == row.adds


@pytest.mark.parametrize("told", [told_one_by_one, told_at_once])
@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
async def test_what_the_rates_are_made_of(row: Row, told: object) -> None:
    """K1 and K2 divide by calls whose fate is known; both parts are raised by the same change."""
    subject = exporter()
    for change in told(row.told):  # type: ignore[operator]
        subject.on_change(change)
    call = Call.of(row.told)
    settled = bool(call.connected or (call.asked_at and call.ended_at))
    assert subject.total(catalogue.SETTLED) == settled
    assert subject.total(catalogue.ANSWERED) == bool(call.connected)
    assert subject.total(catalogue.WITHIN_LIMIT) == (call.wait_s is not None and call.wait_s <= LIMIT_S)
    assert subject.total(catalogue.WITHIN_LIMIT_CORRECTED) == 0


async def test_an_abandoned_call_that_turns_out_answered_is_settled_once() -> None:
    subject = exporter()
    for change in told_one_by_one((arrived(), asked(4), ended(40), rang(5), heard(9))):
        subject.on_change(change)
    assert subject.total(catalogue.SETTLED) == 1
    assert subject.total(catalogue.ANSWERED) == 1
    assert subject.total(catalogue.WITHIN_LIMIT) == 1


async def test_a_wait_that_a_better_witness_corrects_is_counted_as_corrected() -> None:
    subject = exporter()
    first = Call.of((arrived(), asked(4), rang(5), heard(18.9)))
    better = Call.of((arrived(), asked(4), rang(5), heard(19.1)))
    for change in (Change(None, first, (arrived(),)), Change(first, better, ()), Change(better, better, ())):
        subject.on_change(change)
    assert subject.total(catalogue.WITHIN_LIMIT) == 1
    assert subject.total(catalogue.WITHIN_LIMIT_CORRECTED) == 1


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
async def test_events_told_again_add_nothing(row: Row) -> None:
    subject = exporter()
    for change in told_one_by_one(row.told):
        subject.on_change(change)
    once = await read(subject)
    call = Call.of(row.told)
    subject.on_change(Change(call, Call.of((*row.told, *reversed(row.told))), ()))
    again = await read(subject)
    assert hotline(again) == hotline(once)


async def test_the_two_clocks_are_observed_apart_and_on_the_limit_counts_as_kept() -> None:
    """K2 by the caller's clock, K2r by the agent's: 15.5 s after asking, but exactly three rings."""
    subject = exporter()
    for change in told_one_by_one((arrived(), asked(4), rang(4.25), picked_up(19.25), heard(19.5))):
        subject.on_change(change)
    samples = await read(subject)

    def bucket(name: str, le: str) -> float:
        return samples[f"hotline_{name}_seconds_bucket", (("le", le), ("section", "inquiry"))]

    assert (bucket("agent_ring", "12.0"), bucket("agent_ring", "15.0")) == (0, 1)
    assert (bucket("caller_wait", "15.0"), bucket("caller_wait", "18.0")) == (0, 1)
    assert samples["hotline_caller_wait_seconds_sum", (("section", "inquiry"),)] == 15.5


async def test_an_offer_not_answered_is_no_observation_of_the_agents_clock() -> None:
    subject = exporter()
    for change in told_one_by_one((arrived(), asked(4), rang(5), leg_ended(20, STOPPED_RINGING), requeued(20.05))):
        subject.on_change(change)
    samples = await read(subject)
    assert samples["hotline_agent_ring_seconds_count", (("section", "inquiry"),)] == 0


async def test_every_series_exists_at_0_from_the_start() -> None:
    samples = await read(exporter())
    for metric in CATALOGUE:
        suffix = "_count" if metric.kind is Kind.HISTOGRAM else ""
        names = [label.name for label in metric.labels]
        for values in series(metric, (INQUIRY, COMPLAINT)) or ([] if metric.labels else [()]):
            if metric.kind is not Kind.INFO:
                labels = tuple(sorted(zip(names, values, strict=True)))
                assert samples[metric.name + suffix, labels] == 0, metric.name


async def test_nothing_creates_a_series_that_was_not_there_from_the_start() -> None:
    subject = exporter()
    before = hotline(await read(subject)).keys()
    for row in TABLE.values():
        for change in told_one_by_one(row.told):
            subject.on_change(change)
    subject.on_picture(PICTURE)
    for why in Refused:
        subject.agi.connection_refused(why)
    for how in Ended:
        subject.agi.session_started()
        subject.agi.session_ended(how)
    assert hotline(await read(subject)).keys() == before


def test_the_catalogue_knows_every_reason_of_the_agi_server() -> None:
    assert set(AGI_REASONS) == {how.value for how in Ended} | {f"refused_{why.value}" for why in Refused}


def test_names_follow_the_conventions_and_are_unique() -> None:
    endings = {Kind.COUNTER: "_total", Kind.HISTOGRAM: "_seconds", Kind.INFO: "_info"}
    for metric in CATALOGUE:
        assert metric.name.startswith("hotline_")
        assert metric.name.endswith(endings.get(metric.kind, "")), metric.name
        assert metric.kind is Kind.COUNTER or not metric.name.endswith("_total"), metric.name
        assert metric.help.endswith("."), metric.name
    assert len({metric.name for metric in CATALOGUE}) == len(CATALOGUE)


def test_the_limits_that_standards_set_are_buckets() -> None:
    for metric in CATALOGUE:
        if metric.name in {"hotline_caller_wait_seconds", "hotline_agent_ring_seconds"}:
            assert {9, 11, 12, 15} <= set(metric.buckets)


async def test_the_exposition_stays_small_at_its_fullest() -> None:
    """Everything that can have a series has one, and everything has happened."""
    settings = Settings()
    subject = Exporter(
        sections=tuple(SectionId(section) for section in SECTIONS),
        limit_s=settings.rings.limit_s,
        build={"version": "1.2.3"},
    )
    for row in TABLE.values():
        for change in told_one_by_one(row.told):
            subject.on_change(change)
    subject.on_picture(PICTURE)
    for certificate in range(10):
        subject.set(catalogue.CERTIFICATE_EXPIRY, 1.0, f"{certificate}.pem")
    samples = await read(subject)
    assert 500 < len(samples) <= SAMPLES_AT_MOST
    assert len([name for name, _ in samples if name == "hotline_kpi_numerator"]) == 18 * 5 * 4


async def test_no_family_keeps_the_interpreter_for_long() -> None:
    """Rendering rests after each family, so the largest one bounds how long the event loop waits."""
    sizes = Counter(name for name, _ in await read(exporter()))
    assert max(sizes.values()) <= 300


PICTURE = Picture(
    at=T0,
    link=LinkNow.UP,
    calls=(
        CallNow(CALL, Stage.QUEUE, T0, INQUIRY),
        CallNow(CallId("1.2"), Stage.TALK, T0, INQUIRY),
        CallNow(CallId("1.3"), Stage.TALK, T0, COMPLAINT),
    ),
    agents=(
        AgentNow(AgentNumber("1001"), AgentState.TALKING, T0, sections=(INQUIRY,)),
        AgentNow(AgentNumber("1002"), AgentState.PAUSED, T0, sections=(INQUIRY, COMPLAINT)),
    ),
    queues=(QueueNow(INQUIRY, 7, 0, T0), QueueNow(COMPLAINT, 0, 0)),
    figures=DayFigures(Ratio(1, 2), Ratio(1, 2), Ratio(1, 2), 2, 1, 0, missing_recordings=3),
)


async def test_gauges_follow_the_picture() -> None:
    subject = exporter()
    subject.on_picture(PICTURE)
    samples = await read(subject)
    assert samples["hotline_calls_in_stage", (("stage", "talk"),)] == 2
    assert samples["hotline_calls_in_stage", (("stage", "menu"),)] == 0
    assert samples["hotline_agents", (("state", "paused"),)] == 1
    assert samples["hotline_queue_waiting", (("section", "inquiry"),)] == 7
    assert samples["hotline_queue_agents", (("section", "inquiry"),)] == 1, "one talks, one is paused"
    assert samples["hotline_queue_agents", (("section", "complaint"),)] == 0
    assert samples["hotline_ami_link_up", ()] == 1
    assert samples["hotline_recordings_missing", ()] == 3

    later = T0 + timedelta(seconds=30)
    subject.on_picture(Picture(at=later, link=LinkNow.UP, queues=(QueueNow(INQUIRY, 2, 0, T0),)))
    assert (await read(subject))["hotline_queue_longest_wait_seconds", (("section", "inquiry"),)] == 30

    subject.on_picture(Picture(at=T0, link=LinkNow.STALE, queues=(QueueNow(INQUIRY, 0, 0),)))
    samples = await read(subject)
    assert samples["hotline_calls_in_stage", (("stage", "talk"),)] == 0
    assert samples["hotline_queue_waiting", (("section", "inquiry"),)] == 0
    assert samples["hotline_queue_longest_wait_seconds", (("section", "inquiry"),)] == 0
    assert samples["hotline_ami_link_up", ()] == 0, "a link that is not compared yet is not up"


async def test_backlog_and_menu_sessions() -> None:
    subject = exporter()
    subject.on_backlog(pending=12, pauses=2)
    subject.on_backlog(pending=4, pauses=3)
    subject.agi.session_started()
    subject.agi.session_started()
    subject.agi.turn_taken(0.004)
    subject.agi.session_ended(Ended.HUNG_UP)
    subject.agi.connection_refused(Refused.CLOSED)
    samples = await read(subject)
    assert samples["hotline_events_pending", ()] == 4
    assert samples["hotline_ami_backpressure_total", ()] == 3
    assert samples["hotline_agi_sessions_open", ()] == 1
    assert samples["hotline_agi_sessions_total", (("reason", "hung_up"),)] == 1
    assert samples["hotline_agi_sessions_total", (("reason", "refused_closed"),)] == 1
    assert samples["hotline_agi_turn_seconds_bucket", (("le", "0.003"),)] == 0
    assert samples["hotline_agi_turn_seconds_bucket", (("le", "0.005"),)] == 1


async def test_stored_events_and_build() -> None:
    subject = exporter()
    for change in told_at_once((arrived(), asked(4))):
        subject.on_change(change)
    samples = await read(subject)
    assert samples["hotline_events_stored_total", ()] == 2
    assert samples["hotline_build_info", (("version", "1.2.3"),)] == 1


async def test_two_exporters_do_not_share_anything() -> None:
    first, second = exporter(), exporter()
    first.on_backlog(pending=9, pauses=0)
    assert (await read(second))["hotline_events_pending", ()] == 0


def hotline(samples: Samples) -> Samples:
    return {key: value for key, value in samples.items() if key[0].startswith("hotline_")}


@pytest.mark.parametrize("trunk", [SYNTHETIC_TRUNK, "1001"])
async def test_tests_count_nowhere(trunk: str) -> None:
    """The synthetic caller's calls, and those of agents' own telephones: as in the ledger's figures (K1, K2)."""
    told = [CallArrived(call_id=CALL, at=at(0), trunk=trunk, caller="99"), asked(1, by=AskedBy.FALLBACK), rang(2)]
    told += [picked_up(3), heard(3.5), leg_ended(9, NORMAL), ended(9)]
    subject = exporter()
    before = await read(subject)
    for change in told_one_by_one(told):
        subject.on_change(change)
    after = await read(subject)
    changed = {name for (name, labels), value in after.items() if before.get((name, labels)) != value}
    assert {name for name in changed if not name.startswith(("process_", "python_"))} == {
        "hotline_events_stored_total"
    }
