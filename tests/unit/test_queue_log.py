"""Asterisk's queue log: real lines in, presence and facts of calls out; it never goes before the event log."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calls.call import Call, Result
from calls.events import (
    AgentAnswered,
    AgentConnected,
    AgentRang,
    AnyEvent,
    AskedBy,
    CallArrived,
    CallEnded,
    CallTransferred,
    EndedBy,
    PersonAsked,
    Source,
)
from calls.ids import AgentNumber, CallId, Language, LegId, SectionId
from calls.presence import PresenceChange, PresenceStep
from ivr.queue_log import (
    contradiction,
    events_of_record,
    lacking,
    presence_of_record,
    record_of_line,
)

AT = datetime(2026, 11, 22, 18, 46, 40, tzinfo=UTC)
S = int(AT.timestamp())
CALL = CallId("hotline-1795378745.0")
LEG = LegId("hotline-1795378756.3")
AGENT = AgentNumber("1002")


def facts(text: str) -> tuple[AnyEvent, ...]:
    record = record_of_line(text.encode(), 0)
    assert record
    return events_of_record(record)


ENTERED = f"{S}|{CALL}|inquiry|NONE|ENTERQUEUE||13954697090|1"
CONNECTED = f"{S + 4}|{CALL}|inquiry|1002|CONNECT|4|{LEG}|3"
ABANDONED = f"{S + 9}|{CALL}|inquiry|NONE|ABANDON|1|1|12"
COMPLETED = f"{S + 30}|{CALL}|inquiry|1002|COMPLETECALLER|4|26|1"


def test_the_records_of_a_call_become_events_with_the_event_logs_keys() -> None:
    told = [event for line in (ENTERED, CONNECTED, COMPLETED) for event in facts(line)]
    later = AT + timedelta(seconds=4)
    assert told == [
        CallArrived(call_id=CALL, at=AT, trunk="", caller="13954697090"),
        PersonAsked(
            call_id=CALL,
            at=AT,
            section=SectionId("inquiry"),
            language=Language("und"),
            priority=False,
            by=AskedBy.UNKNOWN,
        ),
        AgentRang(call_id=CALL, at=AT + timedelta(seconds=1), leg_id=LEG, agent=AGENT),
        AgentAnswered(call_id=CALL, at=later, leg_id=LEG, agent=AGENT),
        AgentConnected(call_id=CALL, at=later, leg_id=LEG, agent=AGENT),
        CallEnded(call_id=CALL, at=AT + timedelta(seconds=30), by=EndedBy.CALLER),
    ]
    assert {event.source for event in told} == {Source.QUEUE_LOG}
    call = Call.of(told)
    assert (call.result, call.wait_s, call.talk_s) == (Result.ANSWERED, 4, 26)


def test_an_abandoned_call() -> None:
    call = Call.of([*facts(ENTERED), *facts(ABANDONED)])
    assert (call.result, call.section) == (Result.ABANDONED, "inquiry")


@pytest.mark.parametrize(
    "line",
    [
        f"{S}|{CALL}|inquiry|1002|COMPLETEAGENT|4|33|1",  # the caller may go on
        f"{S}|{CALL}|inquiry|1002|RINGNOANSWER|15000",  # the leg is not named
        f"{S}|{CALL}|inquiry|1002|RINGCANCELED|1489",
        f"{S}|{CALL}|inquiry|NONE|EXITEMPTY|1|1|6",
        f"{S}|{CALL}|inquiry|NONE|EXITWITHTIMEOUT|1|1|30",
        f"{S}|NONE|NONE|NONE|QUEUESTART|",
        f"{S}|MANAGER|inquiry|1001|ADDMEMBER|",
        f"{S}|NONE|inquiry|1001|ENTERQUEUE||1|1",  # of no call
        f"{S}|{CALL}|inquiry|someone|CONNECT|4|{LEG}|3",
        f"{S}|{CALL}|inquiry|1002|CONNECT|4|no id|3",
        f"{S}|{CALL}|inquiry|1002|CONNECT",
    ],
)
def test_what_says_nothing_certain_about_a_call(line: str) -> None:
    assert facts(line) == ()


@pytest.mark.parametrize(
    ("line", "step", "reason"),
    [
        (f"{S}|MANAGER|inquiry|1001|ADDMEMBER|", PresenceStep.JOINED, ""),
        (f"{S}|{CALL}|inquiry|PJSIP/1001|ADDMEMBER|", PresenceStep.JOINED, ""),
        (f"{S}|MANAGER|inquiry|1001|REMOVEMEMBER|", PresenceStep.LEFT, ""),
        (f"{S}|NONE|inquiry|1001|PAUSE|Auto-Pause", PresenceStep.PAUSED, "Auto-Pause"),
        (f"{S}|NONE|inquiry|1001|UNPAUSE|", PresenceStep.UNPAUSED, ""),
    ],
)
def test_presence(line: str, step: PresenceStep, reason: str) -> None:
    record = record_of_line(line.encode(), 77)
    assert record
    assert presence_of_record(record) == PresenceChange(
        AT, 77, AgentNumber("1001"), SectionId("inquiry"), step, reason
    )


@pytest.mark.parametrize(
    "line",
    [
        f"{S}|NONE|NONE|1001|PAUSEALL|Auto-Pause",  # followed by a line of each queue
        f"{S}|NONE|NONE|1001|UNPAUSEALL|",
        f"{S}|NONE|inquiry|PJSIP/trunk|PAUSE|x",
        f"{S}|NONE|inquiry|1001|PENALTY|1",
    ],
)
def test_what_is_no_presence(line: str) -> None:
    record = record_of_line(line.encode(), 0)
    assert record
    assert presence_of_record(record) is None


@pytest.mark.parametrize(
    "line", [b"", b"x", b"soon|a|b|c|D|", b"1|2|3|4|", b"1|2|3", b"9" * 30 + b"|a|b|c|D|", b"\xff\xfe|a|b|c|D"]
)
def test_garbage_is_no_record(line: bytes) -> None:
    assert record_of_line(line, 0) is None


def test_only_what_the_books_lack_is_taken_from_it_and_never_before_what_led_to_it() -> None:
    """Its times are cut off: the call arrived and asked in the same second, half of it gone."""
    arrived, asked = (replace(event, at=event.at + timedelta(seconds=4.5)) for event in facts(ENTERED))
    record = record_of_line(CONNECTED.encode(), 0)
    assert record
    mended = lacking(record, [arrived, asked])
    assert [event.kind for event in mended] == ["rang", "answered", "connected"]
    assert {event.at for event in mended} == {asked.at}
    assert Call.of([arrived, asked, *mended]).wait_s == 0
    assert lacking(record, [arrived, asked, *mended]) == []
    exact = replace(mended[2], at=asked.at + timedelta(seconds=0.3), source=Source.FILE)
    assert Call.of([arrived, asked, *mended, exact]).wait_s == pytest.approx(0.3)


def test_contradictions() -> None:
    known = [*facts(ENTERED), *facts(CONNECTED)]
    abandoned, entered = (record_of_line(line.encode(), 0) for line in (ABANDONED, ENTERED))
    elsewhere = record_of_line(ENTERED.replace("inquiry", "complaint").encode(), 0)
    assert abandoned and entered and elsewhere
    assert "heard an agent" in contradiction(abandoned, known)
    assert contradiction(abandoned, facts(ENTERED)) == ""
    assert contradiction(entered, known) == ""
    assert contradiction(entered, []) == ""
    assert "complaint" in contradiction(elsewhere, known)
    handed_on = CallTransferred(call_id=CALL, at=AT, leg_id=LEG, agent=AGENT)
    assert contradiction(abandoned, [*known, handed_on]) == contradiction(elsewhere, [*known, handed_on]) == ""
    assert "13954697090" not in contradiction(elsewhere, known)  # P1
