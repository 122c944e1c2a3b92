"""The fault benchmark's own judgement: what it reads from SIPp, and that it notices what the books get wrong."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from bench.faults.compare import Figures, compare
from bench.faults.ears import Ear, Ears, is_ringing
from bench.faults.plan import LONG, QUICK, CallPlan, Kind, draw
from bench.faults.proxy import wire
from bench.faults.sip_log import Message, read_dialogs
from bench.faults.truth import Attempt, Death, Ring, Seen, rings_of, seen, shares
from calls.call import Call, Offer, Result
from calls.events import AskedBy, EndedBy
from calls.figures import Figure, Unit
from calls.ids import AgentNumber, CallId, Language, LegId, SectionId
from calls.measures import Slice
from calls.periods import Grain, Period
from calls.ports import DayFigures, Ratio
from simulation.scenario_xml import varied_agent_xml
from simulation.script import HangUp, Press, Wait

NOON = datetime(2026, 11, 24, 4, tzinfo=UTC)
PLAN = CallPlan(0, 0.0, "keys 12, stays", (Press("1"), Press("2"), Wait(9), HangUp()), "complaint", False)
NUMBER = PLAN.number(0)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def message(seconds: float, way: str, method: str, status: int | None = None) -> Message:
    return Message(at(seconds), way == "sent", "a", method, status, NUMBER)


PLACED = [message(0, "sent", "INVITE"), message(0.1, "received", "INVITE", 200), message(0.1, "sent", "ACK")]
RINGING = Ear(ringing_at=at(3), keys_at=[at(2), at(2.9)])
RANG = [
    message(3.1, "received", "INVITE"),
    message(5, "sent", "INVITE", 200),
    message(5.1, "received", "ACK"),
    message(9, "sent", "BYE"),
]


def told(
    *messages: Message, ear: Ear = RINGING, rings: list[Ring] | None = None, deaths: tuple[Death, ...] = ()
) -> Seen:
    return seen(Attempt(PLAN, NUMBER, [*PLACED, *messages], ear), rings or [], deaths)


ANSWERED = told(message(9.01, "received", "BYE"), rings=[rings_of("2001", [RANG])[0][1]])


# ── What SIPp saw ────────────────────────────────────────────────────────────────────────────────────────────


def test_an_answered_call() -> None:
    assert (ANSWERED.result, ANSWERED.section, ANSWERED.ended_by) == (Result.ANSWERED, "complaint", EndedBy.AGENT)
    assert ANSWERED.wait_s == pytest.approx(2.1)
    assert rings_of("2001", [RANG])[0][0] == NUMBER
    assert shares([ANSWERED], 15).within == 1
    assert shares([ANSWERED], 2).within == 0


@pytest.mark.parametrize(
    ("messages", "ear", "result", "section"),
    [
        ((message(6, "sent", "BYE"), message(6, "received", "BYE", 200)), RINGING, Result.ABANDONED, "complaint"),
        ((message(6, "received", "BYE"),), RINGING, Result.LOST, "complaint"),
        ((message(2, "sent", "BYE"), message(2, "received", "BYE", 200)), Ear(), Result.SELF_SERVED, None),
        # The menu died before the keys were pressed: into the void.
        (
            (message(9, "sent", "BYE"), message(9, "received", "BYE", 200)),
            Ear(ringing_at=at(1.5), keys_at=[at(2), at(2.9)]),
            Result.ABANDONED,
            "inquiry",
        ),
        # The menu died: the ringing tone came long after the last key.
        (
            (message(9, "sent", "BYE"), message(9, "received", "BYE", 200)),
            Ear(ringing_at=at(5.5), keys_at=[at(2), at(2.9)]),
            Result.ABANDONED,
            "inquiry",
        ),
    ],
)
def test_a_call_without_an_answer(
    messages: tuple[Message, ...], ear: Ear, result: Result, section: str | None
) -> None:
    one = told(*messages, ear=ear)
    assert (one.result, one.section) == (result, section)


def test_a_call_that_was_up_when_asterisk_died_ended_then() -> None:
    """Its telephones ring on, answer and hang up into the void: none of that happened to the caller."""
    ring = rings_of("2001", [RANG])[0][1]
    one = told(message(8, "sent", "BYE"), rings=[ring], deaths=(Death(at(4), at(4.01)),))
    assert (one.result, one.ended_at, one.ended_by) == (Result.LOST, at(4), EndedBy.SYSTEM)
    assert one.rings == (Ring("2001", at(3.1), over_at=at(4)),)


def test_who_is_answered_as_asterisk_goes_down_hears_nobody() -> None:
    """Asterisk's ACK comes with its BYE; the books, which were closed before, know of no answer."""
    crossed = Ring("2001", at(3.1), answered_at=at(5), connected_at=at(5.051), over_at=at(5.05))
    down = (Death(at(4.9), at(6)),)
    one = told(message(5.05, "received", "BYE"), rings=[crossed], deaths=down)
    assert (one.result, one.ended_by, one.going_down) == (Result.LOST, EndedBy.SYSTEM, True)
    assert one.rings == (Ring("2001", at(3.1), over_at=at(5.05)),)
    assert told(message(5.05, "received", "BYE"), rings=[crossed]).result is Result.ANSWERED


def test_the_log_of_messages(tmp_path: Path) -> None:
    log = tmp_path / "a.msg"
    rule = "-" * 47
    log.write_text(
        f"{rule} 2026-11-24 04:00:00.000100\nUDP message sent (500 bytes):\n\n"
        "INVITE sip:95000@127.0.0.1 SIP/2.0\r\nFrom: <sip:13800138000@127.0.0.2>;tag=1\r\n"
        "Call-ID: x\r\nCSeq: 2 INVITE\r\n\r\n\n"
        f"{rule} 2026-11-24\t04:00:00.200000\nUDP message received [275] bytes :\n\n"
        "SIP/2.0 486 Busy Here\r\nFrom: <sip:13800138000@127.0.0.2>;tag=1\r\n"
        "Call-ID: x\r\nCSeq: 2 INVITE\r\n\r\n\n"
    )
    invite, busy = read_dialogs(log)["x"]
    assert (invite.sent, invite.method, invite.status, invite.from_user) == (True, "INVITE", None, "13800138000")
    assert (busy.sent, busy.method, busy.status) == (False, "INVITE", 486)
    assert busy.at - invite.at == timedelta(microseconds=199_900)
    assert read_dialogs(tmp_path / "none.msg") == {}


def test_only_the_ringing_tone_is_ringing() -> None:
    ear = Ear()
    for number, frame in enumerate([*speech(), *tone(450, 2), *tone(400, 5), *tone(450, 5)]):
        ear.hear(frame, at(number * 0.02))
    assert ear.ringing_at == at((5 + 2 + 5) * 0.02)
    assert not is_ringing(bytes([0xFF] * 160)), "silence"


def test_a_key_counts_once_at_its_end() -> None:
    ears, ear = Ears(), None
    ear = ears.listen(4000)
    for stamp, end, moment in ((8000, 0, 1.0), (8000, 0x80, 1.1), (8000, 0x80, 1.12), (16000, 0x80, 2.0)):
        rtp = bytes([0x80, 101, 0, 1]) + stamp.to_bytes(4) + bytes(4) + bytes([1, end | 10, 0, 160])
        udp = (4000).to_bytes(2) + (5000).to_bytes(2) + bytes(4)
        ears.take(bytes([0x45]) + bytes(19) + udp + rtp, at(moment))
    assert ear.keys_at == [at(1.1), at(2.0)]


def tone(pitch_hz: float, frames: int) -> list[bytes]:
    """µ-law."""
    samples = [8000 * math.sin(2 * math.pi * pitch_hz * step / 8000) for step in range(160 * frames)]
    codes = [_code(sample) for sample in samples]
    return [bytes(codes[start : start + 160]) for start in range(0, len(codes), 160)]


def speech() -> list[bytes]:
    """Two pitches at once."""
    low, high = (b"".join(tone(pitch, 5)) for pitch in (300, 450))
    mixed = bytes(a if step % 2 else b for step, (a, b) in enumerate(zip(low, high, strict=True)))
    return [mixed[start : start + 160] for start in range(0, len(mixed), 160)]


def _code(sample: float) -> int:
    size = min(int(abs(sample)), 32635) + 132
    exponent = size.bit_length() - 8
    return ~((0x80 if sample < 0 else 0) | exponent << 4 | size >> exponent + 3 & 0x0F) & 0xFF


# ── What the books get wrong is noticed ──────────────────────────────────────────────────────────────────────

RIGHT = Call(
    call_id=CallId("faults-1.1"),
    arrived_at=at(0.001),
    caller=NUMBER,
    asked_at=at(3),
    section=SectionId("complaint"),
    language=Language("zh-CN"),
    asked_by=AskedBy.MENU,
    offers=(Offer(LegId("faults-1.2"), AgentNumber("2001"), at(3.1), at(5), at(5.1), at(9)),),
    ended_at=at(9.01),
    ended_by=EndedBy.AGENT,
)


def figures(answered: int = 1, asked: int = 1, within: int = 1, of_section: int = 1) -> Figures:
    day = DayFigures(
        answered=Ratio(answered, asked),
        within_limit=Ratio(within, asked),
        rings_kept=Ratio(1, 1),
        arrived=1,
        abandoned=0,
        callbacks=0,
        missing_recordings=0,
    )
    year = Period.containing(NOON, Grain.YEAR, ZoneInfo("Asia/Shanghai"))
    of = Slice(section=SectionId("complaint"))
    return Figures(day, (Figure("K1", 1, year, of, of_section, 1, Unit.RATIO, NOON, False),))


def test_books_that_are_right_are_sound() -> None:
    found = compare([ANSWERED], [], [RIGHT], figures(), 15, 50)
    assert found.sound and not found.late
    assert 0 < found.clocks.worst_ms < 2


@pytest.mark.parametrize(
    "books",
    [
        [],
        [RIGHT, replace(RIGHT, call_id=CallId("faults-1.9"))],
        [RIGHT, replace(RIGHT, call_id=CallId("faults-1.9"), caller="13999999999")],
        [replace(RIGHT, section=SectionId("inquiry"))],
        [replace(RIGHT, ended_by=EndedBy.SYSTEM)],
        [replace(RIGHT, offers=())],
        [replace(RIGHT, offers=(replace(RIGHT.offers[0], connected_at=None),))],
        [replace(RIGHT, offers=(replace(RIGHT.offers[0], agent=AgentNumber("2002")),))],
    ],
    ids=[
        "lost",
        "double",
        "never placed",
        "section",
        "who ended it",
        "no offer",
        "not connected",
        "another agent",
    ],
)
def test_books_that_are_wrong_are_not(books: list[Call]) -> None:
    assert not compare([ANSWERED], [], books, figures(), 15, 50).sound


def test_a_call_that_ended_before_the_ringing_tone_asked_if_the_books_say_so() -> None:
    """Between the two lie some 20 ms; any longer, and the books are wrong."""
    for asked_s, sound in ((5.98, True), (5.9, False)):
        call = replace(RIGHT, asked_at=at(asked_s), offers=(), ended_at=at(6), ended_by=EndedBy.CALLER)
        one = told(message(6, "sent", "BYE"), message(6, "received", "BYE", 200), ear=Ear())
        none = replace(figures(answered=0, within=0, of_section=0).day, rings_kept=Ratio(0, 0))
        assert compare([one], [], [call], Figures(none, ()), 15, 50).sound == sound


def test_where_nobody_is_there_to_be_rung_the_books_say_when_it_asked() -> None:
    """No tone, and a call back is offered at once; but who ended the call SIPp does know."""
    one = told(message(9, "received", "BYE"), ear=Ear())
    promised = replace(
        RIGHT,
        offers=(),
        callback_offered_at=at(3.01),
        callback_promised_at=at(6),
        ended_at=at(9),
        ended_by=EndedBy.SYSTEM,
    )
    none = Figures(replace(figures(answered=0, within=0).day, rings_kept=Ratio(0, 0)), ())
    assert compare([one], [], [promised], none, 15, 50).sound
    for wrong in ({"callback_offered_at": at(5)}, {"ended_by": EndedBy.CALLER}):
        assert not compare([one], [], [replace(promised, **wrong)], none, 15, 50).sound


def test_figures_that_differ_are_wrong() -> None:
    for other in (figures(answered=0), figures(asked=2), figures(within=0), figures(of_section=0)):
        assert compare([ANSWERED], [], [RIGHT], other, 15, 50).figures_wrong


def test_a_clock_that_is_off_is_told() -> None:
    late = replace(RIGHT, asked_at=at(2.9))
    found = compare([ANSWERED], [], [late], figures(), 15, 50)
    assert {what.partition(" is off")[0] for _, what in found.late} == {"asked", "caller's clock (K2)"}
    assert found.clocks.worst_ms == pytest.approx(100)


# ── The plan and the wire ────────────────────────────────────────────────────────────────────────────────────


def test_a_seed_gives_one_plan() -> None:
    assert draw(1, QUICK) == draw(1, QUICK) != draw(2, QUICK)
    assert {fault.kind for fault in draw(1, QUICK).faults} == set(Kind)
    plan = draw(1, LONG)
    assert len(plan.calls) == 300
    assert len({call.number(attempt) for call in plan.calls for attempt in range(3)}) == 900


def test_agents_take_their_times_from_the_plan() -> None:
    scenario = ElementTree.fromstring(varied_agent_xml())
    assert [pause.get("variable") for pause in scenario.iter("pause")] == ["ring", "talk"]
    assert {action.get("value") for action in scenario.iter("assignstr")} == {"[field0]", "[field1]"}


async def test_a_wire_carries_breaks_and_carries_again() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        await writer.drain()
        await reader.read()
        writer.close()

    far = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = far.sockets[0].getsockname()[1]
    async with far, wire(0, port) as between:
        reader, writer = await asyncio.open_connection("127.0.0.1", between.port)
        writer.write(b"a\n")
        assert await reader.readline() == b"a\n"
        assert between.cut() == 1
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        writer.close()
        between.mend()
        reader, writer = await asyncio.open_connection("127.0.0.1", between.port)
        writer.write(b"b\n")
        assert await reader.readline() == b"b\n"
        writer.close()
