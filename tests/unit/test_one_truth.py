"""One call, however it was seen: from AMI, from the files, from both, in any order and any number of times.

Raw records are pushed through the form that AMI gives them and the form in which they stand in the file; queue log
lines come in between. The fold and the ledger must not tell the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.call import Call
from calls.events import AgentConnected, AnyEvent, PersonAsked, Source, prevailing
from calls.ids import CallId
from ivr import cel_file, queue_log
from ivr.ami.translate import CelRecord, record_of, translate
from ivr.log_tail import Checkpoint, read_piece
from storage.engine import open_engine
from storage.ledger import SqlLedger
from tests.support_cel import as_ami, as_line, records_of_call
from tests.support_ledger import NOON
from tests.support_prepared import prepared

DAY = (NOON - timedelta(days=1), NOON + timedelta(days=1))
IDS = ("hotline-1.1", "hotline-1.2")


def from_file(record: CelRecord) -> AnyEvent | None:
    """As the reader of the file sees it."""
    found = cel_file.record_of_line(as_line(record).rstrip("\n").encode())
    assert found
    return translate(found)


def from_ami(record: CelRecord, late_us: int) -> AnyEvent | None:
    """As AMI tells it, with the time at which the message was sent."""
    found = record_of(as_ami(replace(record, at=record.at + timedelta(microseconds=late_us))))
    assert found
    return translate(found)


def from_queue_log(events: Sequence[AnyEvent]) -> list[AnyEvent]:
    """What the queue log says of a call, in whole seconds."""
    lines = []
    for event in events:
        seconds = int(event.at.timestamp())
        match event:
            case PersonAsked():
                lines.append(f"{seconds}|{event.call_id}|{event.section}|NONE|ENTERQUEUE||13900001234|1")
            case AgentConnected():
                lines.append(f"{seconds}|{event.call_id}|inquiry|{event.agent}|CONNECT|9|{event.leg_id}|3")
    found = [queue_log.record_of_line(line.encode(), 0) for line in lines]
    return [event for record in found if record for event in queue_log.events_of_record(record)]


def shown(call: Call) -> tuple[object, ...]:
    """The call and what is counted of it."""
    return call, call.result, call.stage, call.wait_s, call.talk_s, [offer.ring_s for offer in call.offers]


records = st.tuples(*(records_of_call(call_id) for call_id in IDS)).map(
    lambda calls: [r for c in calls for r in c]
)
late = st.integers(0, 20_000)


@st.composite
def tellings(draw: st.DrawFn) -> tuple[list[AnyEvent], list[AnyEvent]]:
    """What the file says, and a stream of all witnesses: shuffled, repeated, AMI and queue log with gaps."""
    told = draw(records)
    truth = [event for record in told if (event := from_file(record))]
    ami = [event for record in told for us in draw(st.lists(late, max_size=2)) if (event := from_ami(record, us))]
    witnesses = from_queue_log(truth)
    queue = draw(st.lists(st.sampled_from(witnesses), max_size=6)) if witnesses else []
    twice = draw(st.lists(st.sampled_from(truth), max_size=5))
    return truth, draw(st.permutations([*truth, *ami, *queue, *twice]))


@settings(max_examples=200)
@given(told=tellings())
def test_the_fold_gives_one_call_whoever_told_it(told: tuple[list[AnyEvent], list[AnyEvent]]) -> None:
    truth, stream = told
    for call_id in IDS:
        alone = Call.of([event for event in truth if event.call_id == call_id])
        together = Call.of([event for event in stream if event.call_id == call_id])
        assert shown(together) == shown(alone)


@settings(max_examples=100)
@given(told=records, jitter=late)
def test_both_forms_of_a_record_are_one_fact(told: list[CelRecord], jitter: int) -> None:
    for record in told:
        one, other = from_file(record), from_ami(record, jitter)
        assert (one and one.key) == (other and other.key)
        assert from_ami(record, 0) == one


@settings(max_examples=12)
@given(data=st.data(), told=tellings())
async def test_the_ledger_has_one_call_whoever_told_it_in_whatever_batches(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, told: tuple[list[AnyEvent], list[AnyEvent]]
) -> None:
    truth, stream = told
    figures, stored = [], []
    for events in (truth, stream):
        engine = open_engine(await prepared("sqlite", tmp_path_factory.mktemp("ledger")))
        ledger = SqlLedger(engine)
        cuts = sorted({0, len(events), *data.draw(st.lists(st.integers(0, len(events)), max_size=4))})
        for start, end in pairwise(cuts):
            await ledger.record(events[start:end])
        figures.append(await ledger.figures(*DAY, 15.0))
        stored.append([shown(call) for call_id in IDS if (call := await ledger.call(CallId(call_id)))])
        stored.append([(e.key, e.at, e.source) for i in IDS for e in await ledger.events(CallId(i))])
        await engine.dispose()
    assert figures[0] == figures[1]
    assert stored[0] == stored[2]
    # Queue log and AMI know nothing that the file does not tell, so nothing of theirs is left.
    assert stored[1] == stored[3]
    assert {source for *_, source in stored[3]} == {Source.FILE}


@settings(max_examples=100)
@given(told=tellings(), data=st.data())
def test_without_the_file_any_order_still_gives_one_call(
    told: tuple[list[AnyEvent], list[AnyEvent]], data: st.DataObject
) -> None:
    """Witnesses that differ from each other: AMI's later time, the queue log's whole second."""
    rest = [event for event in told[1] if event.source is not Source.FILE]
    for call_id in IDS:
        mine = [event for event in rest if event.call_id == call_id]
        if mine:
            again = data.draw(st.permutations([*mine, *mine[:3]]))
            assert shown(Call.of(again)) == shown(Call.of(mine))
            assert prevailing(again) == prevailing(mine)


@pytest.mark.parametrize("size", [200, 1 << 18])
def test_a_recorded_call_read_in_pieces_is_the_call_that_ami_told(tmp_path: Path, size: int) -> None:
    """Every prefix of the file, and the whole of it in pieces of any size."""
    told = [record for record in records_example() if from_file(record)]
    file = tmp_path / "Master.csv"
    file.write_text("".join(map(as_line, told)), encoding="utf-8")
    at, events = Checkpoint(), list[AnyEvent]()
    while (piece := read_piece(file, at, size)).lines:
        for line in piece.lines:
            record = cel_file.record_of_line(line.data)
            event = translate(record) if record else None
            events += [event] if event else []
        at = piece.after
    told_by_ami = [event for record in told if (event := from_ami(record, 0))]
    assert Call.of(events) == Call.of(told_by_ami)


def records_example() -> list[CelRecord]:
    """One answered call."""

    def tell(after_s: float, name: str, channel: str, uid: str, extra: str = "") -> CelRecord:
        at = NOON + timedelta(seconds=after_s)
        return CelRecord(name, at, channel, uid, "hotline-1.1", "13900001234", "person", extra)

    caller, phone = ("PJSIP/city-00000000", "hotline-1.1"), ("PJSIP/1002-00000003", "hotline-2.3")
    return [
        tell(0.1, "ARRIVED", *caller, '{"extra":"city"}'),
        tell(11.2, "ASKED", *caller, '{"extra":"inquiry|zh-CN|0|menu"}'),
        tell(11.3, "CHAN_START", *phone),
        tell(15.3, "ANSWER", *phone),
        tell(15.4, "BRIDGE_ENTER", *phone, '{"bridge_id":"b"}'),
        tell(48.6, "HANGUP", *caller, '{"hangupcause":16,"hangupsource":"PJSIP/city-00000000"}'),
        tell(48.7, "HANGUP", *phone, '{"hangupcause":16,"hangupsource":""}'),
    ]
