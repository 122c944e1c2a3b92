"""Asterisk's channel event log becomes events of calls: every kind, from AMI and from the file (A1, K2, K2r)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.call import Call, Result, Stage
from calls.events import (
    AgentAnswered,
    AgentConnected,
    AgentRang,
    AnyEvent,
    AskedBy,
    CallArrived,
    CallbackOffered,
    CallbackPromised,
    CallbackStep,
    CallbackStepped,
    CallEnded,
    CallOverflowed,
    CallRequeued,
    CallTransferred,
    EndedBy,
    LegEnded,
    OfferEnd,
    PersonAsked,
    Source,
    SparedWhy,
    SurveyAnswered,
    SurveyBegan,
    SurveyInvited,
    SurveyRated,
    SurveyReasonGiven,
    SurveySpared,
)
from calls.ids import AgentNumber, CallId, Language, LegId, SectionId, attempt_id
from ivr.ami.translate import CelRecord, record_of, translate
from ivr.ami.wire import AmiMessage
from ivr.cel_file import Checkpoint, read_on
from tests.support_cel import as_ami, as_line

NOON = datetime(2026, 11, 24, 4, 0, 0, 250_001, UTC)
CALLER = "13800138000"
TRUNK_CHANNEL = "PJSIP/city-00000031"
CALL = CallId("hotline-1795377518.103")
LEG = LegId("hotline-1795377525.116")


def caller(name: str, extra: str = "", **other: str) -> CelRecord:
    """A record of the caller's own channel."""
    record = CelRecord(name, NOON, TRUNK_CHANNEL, CALL, CALL, CALLER, "person", extra)
    return replace(record, **other)  # type: ignore[arg-type]


def agent(name: str, extra: str = "", number: str = "1001", **other: str) -> CelRecord:
    """A record of the channel to an agent who was offered the call."""
    record = CelRecord(name, NOON, f"PJSIP/{number}-0000003b", LEG, CALL, "95000", "from-agents", extra)
    return replace(record, **other)  # type: ignore[arg-type]


def said(text: str) -> str:
    """What CELGenUserEvent(NAME,text) puts into a record."""
    return json.dumps({"extra": text})


def hangup(source: str, cause: int = 16) -> str:
    return json.dumps({"hangupcause": cause, "hangupsource": source, "dialstatus": ""})


ATTEMPT = attempt_id(17, 2)


def attempt(name: str, agents_own: bool, extra: str = "") -> CelRecord:
    """A record of an attempt to call back, of the agent's channel or of the one to the caller."""
    if agents_own:
        return CelRecord(name, NOON, "PJSIP/1001-0000003b", ATTEMPT, ATTEMPT, "95000", "callback", extra)
    return CelRecord(name, NOON, TRUNK_CHANNEL, LEG, ATTEMPT, "", "from-trunk", extra)


def stepped(step: CallbackStep, what: str) -> CallbackStepped:
    return CallbackStepped(call_id=ATTEMPT, at=NOON, step=step, said=what)


RANG = AgentRang(call_id=CALL, at=NOON, leg_id=LEG, agent=AgentNumber("1001"))
TABLE: list[tuple[str, CelRecord, AnyEvent | None]] = [
    (
        "arrived",
        caller("ARRIVED", said("city"), context="hotline"),
        CallArrived(call_id=CALL, at=NOON, trunk="city", caller=CALLER),
    ),
    (
        "arrived without a number",
        caller("ARRIVED", said("city"), caller=""),
        CallArrived(call_id=CALL, at=NOON, trunk="city", caller=None),
    ),
    (
        "asked by the menu",
        caller("ASKED", said("inquiry|zh-CN|0|menu")),
        PersonAsked(
            call_id=CALL,
            at=NOON,
            section=SectionId("inquiry"),
            language=Language("zh-CN"),
            priority=False,
            by=AskedBy.MENU,
        ),
    ),
    (
        "asked by the fallback, with priority",
        caller("ASKED", said("complaint|en|10|fallback")),
        PersonAsked(
            call_id=CALL,
            at=NOON,
            section=SectionId("complaint"),
            language=Language("en"),
            priority=True,
            by=AskedBy.FALLBACK,
        ),
    ),
    ("asked, too few words", caller("ASKED", said("inquiry|zh-CN|0")), None),
    (
        "asked, to be invited after the talk",
        caller("ASKED", said("inquiry|zh-CN|0|menu|after-call@1")),
        PersonAsked(
            call_id=CALL,
            at=NOON,
            section=SectionId("inquiry"),
            language=Language("zh-CN"),
            priority=False,
            by=AskedBy.MENU,
            survey="after-call@1",
        ),
    ),
    ("asked, too many words", caller("ASKED", said("inquiry|zh-CN|0|menu|x|y")), None),
    ("asked by nobody we know", caller("ASKED", said("inquiry|zh-CN|0|robot")), None),
    ("asked, nothing said", caller("ASKED"), None),
    ("overflowed", caller("OVERFLOWED", said("")), CallOverflowed(call_id=CALL, at=NOON)),
    ("requeued", caller("REQUEUED", said("2")), CallRequeued(call_id=CALL, at=NOON, attempt=2)),
    ("requeued, no number", caller("REQUEUED", said("two")), None),
    ("requeued, a negative number", caller("REQUEUED", said("-1")), None),
    ("requeued, a number without end", caller("REQUEUED", said("9" * 5000)), None),
    ("call back offered", caller("CALLBACK_OFFERED", said("")), CallbackOffered(call_id=CALL, at=NOON)),
    (
        "call back promised",
        caller("CALLBACK_PROMISED", said("021555")),
        CallbackPromised(call_id=CALL, at=NOON, number="021555"),
    ),
    (
        "invited to rate",
        caller("SURVEY_INVITED", said("after-call@1"), context="survey"),
        SurveyInvited(call_id=CALL, at=NOON, design="after-call@1"),
    ),
    (
        "let go without being asked",
        caller("SURVEY_SPARED", said("recent"), context="survey"),
        SurveySpared(call_id=CALL, at=NOON, why=SparedWhy.RECENT),
    ),
    (
        "pressed a key",
        caller("SURVEY_BEGAN", said(""), context="survey"),
        SurveyBegan(call_id=CALL, at=NOON),
    ),
    (
        "dissatisfied",
        caller("SURVEY_RATED", said("4|1"), context="survey"),
        SurveyRated(call_id=CALL, at=NOON, level=4, dissatisfied=True),
    ),
    (
        "satisfied",
        caller("SURVEY_RATED", said("1|0"), context="survey"),
        SurveyRated(call_id=CALL, at=NOON, level=1, dissatisfied=False),
    ),
    ("rated by nobody's word", caller("SURVEY_RATED", said("1")), None),
    ("rated without a level", caller("SURVEY_RATED", said("|0")), None),
    (
        "answered a dimension",
        caller("SURVEY_ANSWERED", said("attitude|2|75|0.25"), context="survey"),
        SurveyAnswered(call_id=CALL, at=NOON, dimension="attitude", level=2, points=75.0, weight=0.25),
    ),
    ("answered nothing", caller("SURVEY_ANSWERED", said("|2|75|0.25")), None),
    ("answered without points", caller("SURVEY_ANSWERED", said("attitude|2|many|0.25")), None),
    ("answered with points without end", caller("SURVEY_ANSWERED", said("attitude|2|inf|0.25")), None),
    ("answered too little", caller("SURVEY_ANSWERED", said("attitude|2")), None),
    ("said why", caller("SURVEY_REASON", said(""), context="survey"), SurveyReasonGiven(call_id=CALL, at=NOON)),
    (
        "the caller hangs up while being asked",
        caller("HANGUP", hangup(TRUNK_CHANNEL), context="survey"),
        CallEnded(call_id=CALL, at=NOON, by=EndedBy.CALLER),
    ),
    *(
        (f"call back: {name}", attempt(record, agents_own, extra), stepped(step, what))
        for name, record, agents_own, extra, step, what in (
            ("the agent's telephone rings", "CHAN_START", True, "", CallbackStep.AGENT_RANG, ""),
            ("the agent answers", "ANSWER", True, "", CallbackStep.AGENT_ANSWERED, ""),
            ("the caller is dialled", "CHAN_START", False, "", CallbackStep.DIALLED, ""),
            ("the caller answers", "ANSWER", False, "", CallbackStep.ANSWERED, ""),
            ("they hear each other", "BRIDGE_ENTER", True, "{}", CallbackStep.CONNECTED, ""),
            ("busy", "CALLBACK_RESULT", True, said("BUSY"), CallbackStep.RESULT, "BUSY"),
            ("over", "HANGUP", True, hangup(""), CallbackStep.ENDED, ""),
        )
    ),
    ("call back: the caller's end says nothing new", attempt("HANGUP", False, hangup("")), None),
    (
        "the caller hangs up",
        caller("HANGUP", hangup(TRUNK_CHANNEL)),
        CallEnded(call_id=CALL, at=NOON, by=EndedBy.CALLER),
    ),
    (
        "the caller hangs up in the menu",
        caller("HANGUP", hangup(TRUNK_CHANNEL), context="hotline"),
        CallEnded(call_id=CALL, at=NOON, by=EndedBy.CALLER),
    ),
    (
        "the caller hangs up at once",
        caller("HANGUP", hangup(TRUNK_CHANNEL), context="from-trunk"),
        CallEnded(call_id=CALL, at=NOON, by=EndedBy.CALLER),
    ),
    (
        "the agent hangs up",
        caller("HANGUP", hangup("PJSIP/1001-0000003b")),
        CallEnded(call_id=CALL, at=NOON, by=EndedBy.AGENT),
    ),
    (
        "the dialplan hangs up",
        caller("HANGUP", hangup("dialplan/builtin")),
        CallEnded(call_id=CALL, at=NOON, by=EndedBy.SYSTEM),
    ),
    ("nobody knows", caller("HANGUP", hangup("")), CallEnded(call_id=CALL, at=NOON, by=EndedBy.SYSTEM)),
    ("an end without extra", caller("HANGUP"), CallEnded(call_id=CALL, at=NOON, by=EndedBy.SYSTEM)),
    (
        "an agent calls the hotline",
        caller("HANGUP", hangup("PJSIP/1001-0000003b"), channel="PJSIP/1001-0000003b"),
        CallEnded(call_id=CALL, at=NOON, by=EndedBy.CALLER),
    ),
    (
        "an agent dials *11",
        caller("HANGUP", hangup("PJSIP/1001-00000002"), channel="PJSIP/1001-00000002", context="agent-login"),
        None,
    ),
    (
        "an agent dials nonsense",
        caller("HANGUP", hangup("PJSIP/1001-00000002"), channel="PJSIP/1001-00000002", context="from-agents"),
        None,
    ),
    ("the caller's channel begins", caller("CHAN_START", context="from-trunk"), None),
    ("the caller's channel is answered", caller("ANSWER", context="hotline"), None),
    ("the caller enters a bridge", caller("BRIDGE_ENTER", "{}"), None),
    ("rang", agent("CHAN_START"), RANG),
    (
        "answered",
        agent("ANSWER"),
        AgentAnswered(call_id=CALL, at=NOON, leg_id=LEG, agent=AgentNumber("1001")),
    ),
    (
        "connected",
        agent("BRIDGE_ENTER", json.dumps({"bridge_id": "f4d0", "bridge_technology": "simple_bridge"})),
        AgentConnected(call_id=CALL, at=NOON, leg_id=LEG, agent=AgentNumber("1001")),
    ),
    (
        "leg ended, busy",
        agent("HANGUP", hangup("PJSIP/1001-0000003b", 17)),
        LegEnded(call_id=CALL, at=NOON, leg_id=LEG, agent=AgentNumber("1001"), cause=17),
    ),
    (
        "leg ended, no cause",
        agent("HANGUP"),
        LegEnded(call_id=CALL, at=NOON, leg_id=LEG, agent=AgentNumber("1001"), cause=0),
    ),
    (
        "leg ended, no number for a cause",
        agent("HANGUP", '{"hangupcause":"17"}'),
        LegEnded(call_id=CALL, at=NOON, leg_id=LEG, agent=AgentNumber("1001"), cause=0),
    ),
    (
        "transferred blind",
        agent("BLINDTRANSFER", '{"extension":"95000","context":"from-agents"}'),
        CallTransferred(call_id=CALL, at=NOON, leg_id=LEG, agent=AgentNumber("1001")),
    ),
    (
        "transferred after asking",
        agent("ATTENDEDTRANSFER", '{"channel2_name":"PJSIP/1001-0000003d"}'),
        CallTransferred(call_id=CALL, at=NOON, leg_id=LEG, agent=AgentNumber("1001")),
    ),
    ("the agent leaves the bridge", agent("BRIDGE_EXIT", "{}"), None),
    ("our words on an agent's channel", agent("OVERFLOWED", said("")), None),
    ("helper rings", agent("CHAN_START", channel="Local/s@number-voice-00000008;1"), None),
    ("helper answers", agent("ANSWER", channel="Local/s@number-voice-00000008;2"), None),
    ("helper joins", agent("BRIDGE_ENTER", channel="Local/s@number-voice-00000008;1"), None),
    ("helper ends", agent("HANGUP", hangup(""), channel="Local/s@number-join-00000008;2"), None),
    ("another trunk is no agent", agent("CHAN_START", channel="PJSIP/city-00000001"), None),
]


@pytest.mark.parametrize(("record", "event"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_record_from_ami_and_from_the_file_is_one_fact(
    record: CelRecord, event: AnyEvent | None, tmp_path: Path
) -> None:
    file = tmp_path / "Master.csv"
    file.write_text(as_line(record), encoding="utf-8")
    ((from_file,), _) = read_on(file, Checkpoint())
    from_ami = record_of(as_ami(record))
    assert from_ami is not None
    assert translate(from_ami) == translate(from_file) == event
    if event is not None:
        told = [told for told in (translate(from_ami), translate(from_file)) if told]
        assert {event.key} == {one.key for one in told}
        assert [one.source for one in told] == [Source.AMI, Source.FILE]


def test_the_table_holds_every_kind_that_asterisk_tells() -> None:
    elsewhere = {
        "MenuChosen",
        "RecordingArrived",
        "AgentWrappedUp",
    }  # the menu, the intake, the queue log tell them
    kinds = {type(event).__name__ for _, _, event in TABLE if event}
    assert kinds == {kind.__name__ for kind in AnyEvent.__args__} - elsewhere


@pytest.mark.parametrize(
    "headers",
    [
        {"Event": "QueueMemberStatus", "Timestamp": "1.5"},
        {"Event": "CEL", "EventName": "HANGUP"},
        {"Event": "CEL", "EventName": "HANGUP", "Timestamp": "soon"},
        {"Response": "Success"},
    ],
    ids=["another event", "no time", "no number for a time", "a reply"],
)
def test_what_is_no_record(headers: dict[str, str]) -> None:
    assert record_of(AmiMessage.of(headers)) is None


@pytest.mark.parametrize(
    "hostile", ["", "../../etc/passwd", "1.1\n2.2", "1.1/x", "1.", "x" * 79 + "1.1", "１.１", "1.1'; --"]
)
def test_ids_of_another_form_are_nobodys_call(hostile: str) -> None:
    assert translate(caller("ARRIVED", said("city"), unique_id=hostile, linked_id=hostile)) is None
    assert translate(agent("CHAN_START", unique_id=hostile)) is None
    assert translate(agent("CHAN_START", linked_id=hostile)) is None


@pytest.mark.parametrize(
    "channel",
    ["PJSIP/1001", "PJSIP/1001-zz", "PJSIP/12-0a", "PJSIP/123456789-0a", "SIP/1001-0a", "PJSIP/1001-0a\n"],
)
def test_only_agents_telephones_are_agents(channel: str) -> None:
    assert translate(agent("CHAN_START", channel=channel)) is None


DAMAGED = ["{", "null", "[]", '"ARRIVED"', "1", "{'extra': 'city'}", '{"extra": ["city"]}', "[" * 100_000, "\0"]


@pytest.mark.parametrize("extra", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_extra_costs_only_what_it_said(extra: str) -> None:
    """The fact itself, with its time, stays on the books."""
    assert translate(caller("ARRIVED", extra)) == CallArrived(call_id=CALL, at=NOON, trunk="", caller=CALLER)
    assert translate(caller("HANGUP", extra)) == CallEnded(call_id=CALL, at=NOON, by=EndedBy.SYSTEM)
    ended = translate(agent("HANGUP", extra))
    assert isinstance(ended, LegEnded)
    assert ended.cause == 0


names = st.sampled_from(sorted({row[1].name for row in TABLE}))
anything = st.text(max_size=60) | st.sampled_from([CALL, LEG, TRUNK_CHANNEL, "PJSIP/1001-0000003b", "person"])
extras = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
).map(json.dumps)
of_our_shape = st.dictionaries(
    st.sampled_from(["extra", "hangupcause", "hangupsource"]), st.text(max_size=40) | st.integers() | st.none()
).map(json.dumps)


@given(
    st.builds(
        CelRecord,
        name=names | st.text(max_size=9),
        at=st.just(NOON),
        channel=anything,
        unique_id=anything,
        linked_id=anything,
        caller=anything,
        context=anything,
        extra=extras | of_our_shape | st.text(max_size=40),
    )
)
def test_no_record_whatsoever_raises(record: CelRecord) -> None:
    event = translate(record)
    assert event is None or event.call_id == record.linked_id


# ── Whole calls ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Told:
    """Writes the records of one call as Asterisk does; times in seconds after its arrival."""

    records: list[CelRecord] = field(default_factory=list)

    def _at(self, after_s: float, record: CelRecord) -> Told:
        self.records.append(replace(record, at=NOON + timedelta(seconds=after_s)))
        return self

    def by_caller(self, after_s: float, name: str, extra: str = "") -> Told:
        return self._at(after_s, caller(name, extra))

    def by_agent(self, after_s: float, name: str, leg: int, number: str, extra: str = "") -> Told:
        return self._at(after_s, agent(name, extra, number, unique_id=f"hotline-{leg}.1"))

    def by_helper(self, after_s: float) -> Told:
        """The voice that says the agent's number, joined to the call."""
        for name in ("CHAN_START", "ANSWER", "BRIDGE_ENTER", "HANGUP"):
            self._at(after_s, agent(name, channel="Local/s@number-join-00000007;1", unique_id="hotline-9.9"))
        return self

    def events(self) -> list[AnyEvent]:
        return [event for record in self.records if (event := translate(record))]


def arrived() -> Told:
    start = Told().by_caller(0, "CHAN_START").by_caller(0.001, "ARRIVED", said("city")).by_caller(0.002, "ANSWER")
    return start.by_caller(10, "ASKED", said("inquiry|zh-CN|0|menu"))


def answered_call() -> Told:
    told = arrived().by_agent(10.1, "CHAN_START", 1, "1001").by_agent(13.5, "ANSWER", 1, "1001")
    told.by_agent(13.75, "BRIDGE_ENTER", 1, "1001").by_caller(13.75, "BRIDGE_ENTER").by_helper(13.8)
    told.by_caller(60, "BRIDGE_EXIT").by_agent(60, "HANGUP", 1, "1001", hangup(TRUNK_CHANNEL))
    return told.by_caller(60.001, "HANGUP", hangup(TRUNK_CHANNEL))


def next_agent_takes_it() -> Told:
    told = arrived().by_agent(10.1, "CHAN_START", 1, "1001").by_agent(25.1, "HANGUP", 1, "1001", hangup("", 0))
    told.by_caller(25.2, "REQUEUED", said("1")).by_agent(25.3, "CHAN_START", 2, "1002")
    told.by_agent(27, "ANSWER", 2, "1002").by_agent(27.25, "BRIDGE_ENTER", 2, "1002")
    told.by_agent(50, "HANGUP", 2, "1002", hangup("PJSIP/1002-0000003b"))
    return told.by_caller(50.001, "HANGUP", hangup("PJSIP/1002-0000003b"))


def gone_while_ringing() -> Told:
    told = arrived().by_agent(10.1, "CHAN_START", 1, "1001")
    told.by_agent(18, "HANGUP", 1, "1001", hangup("", 0))
    return told.by_caller(18.001, "HANGUP", hangup(TRUNK_CHANNEL, 0))


def refused_then_given_up() -> Told:
    told = arrived().by_agent(10.1, "CHAN_START", 1, "1001")
    told.by_agent(10.2, "HANGUP", 1, "1001", hangup("PJSIP/1001-0000003b", 17))
    told.by_caller(40, "OVERFLOWED").by_caller(70, "CALLBACK_OFFERED")
    told.by_caller(74, "CALLBACK_PROMISED", said(CALLER))
    return told.by_caller(80, "HANGUP", hangup("dialplan/builtin"))


def ended_by_us_while_ringing() -> Told:
    told = arrived().by_agent(10.1, "CHAN_START", 1, "1001")
    told.by_agent(18, "HANGUP", 1, "1001", hangup("", 0))
    return told.by_caller(18.001, "HANGUP", hangup("dialplan/builtin"))


@dataclass(frozen=True)
class Books:
    """What the ledger is to say of a call."""

    result: Result
    ended_by: EndedBy
    wait_s: float | None
    talk_s: float | None
    offers: tuple[tuple[str, float, OfferEnd | None], ...]
    """Agent, seconds of ringing (K2r), why it came to nothing."""


CALLS: list[tuple[str, Told, Books]] = [
    (
        "answered",
        answered_call(),
        Books(Result.ANSWERED, EndedBy.CALLER, 3.75, 46.251, (("1001", 3.4, None),)),
    ),
    (
        "ring, no answer, next agent",
        next_agent_takes_it(),
        Books(
            Result.ANSWERED,
            EndedBy.AGENT,
            17.25,
            22.751,
            (("1001", 15.0, OfferEnd.LET_IT_RING), ("1002", 1.7, None)),
        ),
    ),
    (
        "caller gone while it rings",
        gone_while_ringing(),
        Books(Result.ABANDONED, EndedBy.CALLER, None, None, (("1001", 7.9, OfferEnd.CALLER_GONE),)),
    ),
    (
        "ended by us while it rings: lost, which must never happen",
        ended_by_us_while_ringing(),
        Books(Result.LOST, EndedBy.SYSTEM, None, None, (("1001", 7.9, OfferEnd.LET_IT_RING),)),
    ),
    (
        "refused, nobody else, call back",
        refused_then_given_up(),
        Books(Result.CALLBACK, EndedBy.SYSTEM, None, None, (("1001", 0.1, OfferEnd.REJECTED),)),
    ),
]


def books_of(events: Iterable[AnyEvent]) -> Books:
    call = Call.of(events)
    assert call.stage is Stage.ENDED
    assert call.ended_by is not None
    offers = tuple((offer.agent, offer.ring_s or 0.0, offer.failure) for offer in call.offers)
    return Books(call.result, call.ended_by, call.wait_s, call.talk_s, offers)


@pytest.mark.parametrize(("told", "books"), [row[1:] for row in CALLS], ids=[row[0] for row in CALLS])
def test_a_whole_call(told: Told, books: Books) -> None:
    assert books_of(told.events()) == books


@given(data=st.data())
@pytest.mark.parametrize(("told", "books"), [row[1:] for row in CALLS], ids=[row[0] for row in CALLS])
def test_in_whatever_order_and_however_often(told: Told, books: Books, data: st.DataObject) -> None:
    events = told.events()
    again = data.draw(st.lists(st.sampled_from(events), max_size=8))
    assert books_of(data.draw(st.permutations([*events, *again]))) == books
