"""The scenario table: one row, one situation. Rows are independent of each other and of their order.

Long rows come first, so that parallel workers end together.
"""

from __future__ import annotations

import wave
from typing import Any

from asterisk_conf.prompt_manifest import prompt_file
from calls.call import Result
from calls.events import AskedBy, EndedBy, OfferEnd
from simulation.script import AgentScript, AwaitHangUp, HangUp, Press, Speak, Step, Wait
from tests.e2e.hostile import HOSTILE
from tests.support_centre import PRIORITY_NUMBER, TONE_ALAW, TONE_G722, TONE_ULAW
from tests.support_scenario import Caller, Do, Expect, Fault, Offered, Scenario, Seat, treats

# ── What callers do ──────────────────────────────────────────────────────────────────────────────────────────


def hear(*prompts: str, language: str = "zh-CN", part: float = 1.0) -> Wait:
    """Listen to these prompts, or to a part of them."""
    seconds = 0.0
    for prompt in prompts:
        with wave.open(str(prompt_file(language, prompt)), "rb") as audio:
            seconds += audio.getnframes() / audio.getframerate()
    return Wait(seconds * part + 0.4)


SPEAK = Speak(TONE_ULAW, loops=-1)
"""Said after the last key only: SIPp's speech and key presses are two streams, which confuses Asterisk."""

PERSON: tuple[Step, ...] = (Wait(1), Press("0"))
"""Wants a person and says so at once."""

GREETING = hear("welcome", "recorded")

MIDST_OF_THE_OFFER = hear("callback-offer", part=0.7)
"""After a key that leads to the offer to call back: well after its beginning, long before its time is up."""

LISTEN: tuple[Step, ...] = (SPEAK, AwaitHangUp())
TO_THE_END: tuple[Step, ...] = (*PERSON, *LISTEN)
"""Asks for a person, and stays until the other side ends the call."""


def stay(seconds: float) -> tuple[Step, ...]:
    """Asks for a person, and hangs up after so many seconds."""
    return (*PERSON, SPEAK, Wait(seconds), HangUp())


# ── What comes of it ─────────────────────────────────────────────────────────────────────────────────────────


def answered(*offers: Offered, in_three_rings: bool | None = True, **more: Any) -> Expect:
    """Heard a person; by default the agent ends the call."""
    return Expect(
        Result.ANSWERED, offers=offers, in_three_rings=in_three_rings, **{"ended_by": EndedBy.AGENT} | more
    )


def let_ring(agent: str) -> Offered:
    """The agent's telephone rang to the limit of A1, not a second longer."""
    return Offered(agent, 15.0, OfferEnd.LET_IT_RING)


BRIEF = treats(ring_s=1, talk_s=3)
"""Picks up after a second, talks for three, hangs up."""

IGNORES = treats(ring_s=60)
"""Never picks up."""

SELF_SERVED = Expect(Result.SELF_SERVED, section=None, language=None, asked_by=None)
PAUSED_BY_THE_RULE = "paused let-it-ring"

EMPTY_QUEUE = (r"Unable to join queue",)
"""What Asterisk warns of when there is nobody to wait for."""

TOO_LONG = ("remote_uri",)
"""And when it throws a caller's number away."""

NO_MENU = (r"res_agi.c: (Connecting to|Couldn't connect)",)
"""And when the menu service is not there."""

THREE_RINGS = [
    Scenario(
        f"answered on ring {ring}",
        "A1 A2 K1 K2 K2r",
        (Seat("1001", treats(ring_s=ring_s)),),
        (
            Caller(
                stay(ring_s + 4),
                answered(Offered("1001", ring_s), ended_by=EndedBy.CALLER),
            ),
        ),
        agents_after=(("1001", "ready"),),
    )
    for ring, ring_s in ((1, 2.0), (2, 6.5), (3, 11.5))
] + [
    Scenario(
        "answered after 13.5 s, late in the third ring",
        "A1 K2 K2r",
        (Seat("1001", treats(ring_s=13.5, talk_s=3)),),
        (Caller(TO_THE_END, answered(Offered("1001", 13.5))),),
        agents_after=(("1001", "ready"),),
    ),
    Scenario(
        "picked up after 16.5 s, too late: the call has moved on",
        "A1 K2 K2r",
        (Seat("1001", treats(ring_s=16.5)), Seat("1002", BRIEF, at_s=9)),
        (Caller(TO_THE_END, answered(let_ring("1001"), Offered("1002", 1.0), in_three_rings=False)),),
        agents_after=(("1001", PAUSED_BY_THE_RULE), ("1002", "ready")),
    ),
    Scenario(
        "not answered: the next agent takes it, ahead of the caller behind",
        "A1 K2",
        (Seat("1002", treats(ring_s=0.5, talk_s=20)), Seat("1001", IGNORES, at_s=4.5)),
        (
            Caller(TO_THE_END, answered(Offered("1002")), number="13800000001"),
            Caller(
                stay(27),
                answered(let_ring("1001"), Offered("1002"), in_three_rings=False, ended_by=EndedBy.CALLER),
                at_s=3.5,
                number="13800000002",
            ),
            Caller(stay(20), Expect(Result.ABANDONED), at_s=5, number="13800000003"),
        ),
        connected_order=("13800000001", "13800000002"),
        agents_after=(("1001", PAUSED_BY_THE_RULE),),
    ),
    Scenario(
        "everyone lets it ring: overflow group, then a call back is promised",
        "A1 A5 K1",
        (Seat("1001", IGNORES), Seat("9001", IGNORES)),
        (
            Caller(
                (*PERSON, Wait(36.5), Press("1"), AwaitHangUp()),
                Expect(
                    Result.CALLBACK,
                    offers=(let_ring("1001"), let_ring("9001")),
                    overflowed=True,
                    callback="13800138000",
                    ended_by=EndedBy.SYSTEM,
                ),
            ),
        ),
        agents_after=(("1001", PAUSED_BY_THE_RULE), ("9001", PAUSED_BY_THE_RULE)),
        log_may_say=EMPTY_QUEUE,
    ),
    Scenario(
        "everyone lets it ring, call back declined: the caller stays and is served",
        "A1 A5 K1",
        (Seat("1001", IGNORES), Seat("1002", BRIEF, at_s=24)),
        (
            Caller(
                (*PERSON, Wait(21), Press("2"), *LISTEN),
                answered(let_ring("1001"), Offered("1002", 1.0), in_three_rings=False, overflowed=True),
            ),
        ),
        log_may_say=EMPTY_QUEUE,
    ),
    Scenario(
        "the section lets it ring, the overflow group answers",
        "A1 K1",
        (Seat("1001", IGNORES), Seat("9001", BRIEF)),
        (
            Caller(
                TO_THE_END,
                answered(let_ring("1001"), Offered("9001", 1.0), in_three_rings=False, overflowed=True),
            ),
        ),
        log_may_say=EMPTY_QUEUE,
    ),
]

NOBODY_THERE = [
    Scenario(
        "nobody logged in: a call back is promised",
        "A5 K1",
        (),
        (
            Caller(
                (*PERSON, MIDST_OF_THE_OFFER, Press("1"), AwaitHangUp()),
                Expect(Result.CALLBACK, overflowed=True, callback="13800138000", ended_by=EndedBy.SYSTEM),
            ),
        ),
        log_may_say=EMPTY_QUEUE,
    ),
    Scenario(
        "nobody logged in, no number known: the caller types one",
        "A5 K1",
        (),
        (
            Caller(
                (
                    *PERSON,
                    MIDST_OF_THE_OFFER,
                    Press("1"),
                    hear("callback-number", part=0.5),
                    *(Press(key) for key in "02584000#"),
                    AwaitHangUp(),
                ),
                Expect(Result.CALLBACK, callback="02584000", ended_by=EndedBy.SYSTEM),
                number="anonymous",
                stored=None,
            ),
        ),
        log_may_say=EMPTY_QUEUE,
    ),
    Scenario(
        "nobody logged in: hangs up instead",
        "K1",
        (),
        (Caller(stay(3), Expect(Result.ABANDONED, overflowed=True)),),
        log_may_say=EMPTY_QUEUE,
    ),
    Scenario(
        "the only agent is paused: as if nobody were there",
        "A1 A5",
        (Seat("1001", BRIEF, paused="meal"),),
        (Caller(stay(3), Expect(Result.ABANDONED, overflowed=True)),),
        agents_after=(("1001", "paused meal"),),
        log_may_say=EMPTY_QUEUE,
    ),
]

HANG_UPS = [
    Scenario("hangs up in the menu", "K1", (Seat("1001", BRIEF),), (Caller((Wait(1.5), HangUp()), SELF_SERVED),)),
    Scenario(
        "hangs up in the queue",
        "K1",
        (Seat("1001", treats(ring_s=0.5, talk_s=6)),),
        (
            Caller(TO_THE_END, answered(Offered("1001")), number="13800000001"),
            Caller(stay(2), Expect(Result.ABANDONED), at_s=2, number="13800000002"),
        ),
    ),
    Scenario(
        "hangs up while it rings",
        "K1 K2r",
        (Seat("1001", IGNORES),),
        (Caller(stay(4), Expect(Result.ABANDONED, offers=(Offered("1001", 4.0, OfferEnd.CALLER_GONE),))),),
        agents_after=(("1001", "ready"),),
    ),
    Scenario(
        "hangs up while the agent's number is spoken",
        "A2 K1",
        (Seat("1001", treats(ring_s=0.3)),),
        (Caller(stay(2.5), answered(Offered("1001", 0.3), ended_by=EndedBy.CALLER)),),
        agents_after=(("1001", "ready"),),
    ),
    Scenario(
        "agent hangs up while the agent's number is spoken",
        "A2 K1",
        (Seat("1001", treats(ring_s=1, talk_s=1)),),
        (Caller(TO_THE_END, answered(Offered("1001", 1.0))),),
    ),
    Scenario(
        "agent hangs up first",
        "A1 K1",
        (Seat("1001", treats(ring_s=1, talk_s=8)),),
        (Caller(TO_THE_END, answered(Offered("1001", 1.0))),),
    ),
] + [
    Scenario(
        f"agent refuses ({refusal}): the overflow group takes it",
        "A1 K2r",
        (Seat("1001", treats(refuse=refusal, ring_s=0.5)), Seat("9001", BRIEF)),
        (Caller(TO_THE_END, answered(Offered("1001", end=OfferEnd.REJECTED), Offered("9001"), overflowed=True)),),
        log_may_say=EMPTY_QUEUE,
    )
    for refusal in ("486 Busy Here", "603 Decline")
]

MENU = [
    Scenario(
        "wrong digits to the limit: a person all the same",
        "A9",
        (Seat("1001", BRIEF),),
        (
            Caller(
                (GREETING, Press("9"), *(Wait(2), Press("9")) * 3, *LISTEN),
                answered(Offered("1001"), menu=("language=invalid", *("sections=invalid",) * 3)),
            ),
        ),
    ),
    Scenario(
        "second language, complaint",
        "A8 A9",
        (Seat("2001", BRIEF),),
        (
            Caller(
                (GREETING, Press("2"), hear("recorded", language="en"), Press("2"), AwaitHangUp()),
                answered(Offered("2001"), section="complaint", language="en", menu=("language=2", "sections=2")),
            ),
        ),
    ),
    Scenario(
        "ticketing",
        "A9",
        (Seat("3001", BRIEF),),
        (
            Caller(
                (GREETING, Press("1"), Wait(1), Press("3"), *LISTEN),
                answered(Offered("3001"), section="ticketing", menu=("language=1", "sections=3")),
            ),
        ),
    ),
    Scenario(
        "public holiday: said so, and served",
        "A9",
        (Seat("1001", BRIEF),),
        (
            Caller(
                (GREETING, Press("1"), Wait(0.5), Press("0"), *LISTEN),
                answered(Offered("1001"), menu=("language=1", "holiday=0")),
            ),
        ),
        rehearse_at="2026-10-01T10:00:00",
    ),
    Scenario(
        "closed at night: said so, complaints are taken",
        "A8",
        (Seat("2001", BRIEF),),
        (
            Caller(
                (GREETING, Press("1"), Wait(0.5), Press("0"), *LISTEN),
                answered(Offered("2001"), section="complaint", menu=("language=1", "closed=0")),
            ),
        ),
        rehearse_at="2026-11-24T23:30:00",
        opening="08:00-20:00",
    ),
]

MANY = [
    Scenario(
        "priority caller overtakes",
        "K1 C8",
        (Seat("1001", treats(ring_s=0.5, talk_s=5)),),
        (
            Caller(TO_THE_END, answered(Offered("1001")), number="13800000001"),
            Caller(TO_THE_END, answered(Offered("1001"), in_three_rings=None), at_s=1.5, number="13800000002"),
            Caller(TO_THE_END, answered(Offered("1001"), priority=True), at_s=2.5, number=PRIORITY_NUMBER),
        ),
        connected_order=("13800000001", PRIORITY_NUMBER, "13800000002"),
    ),
    Scenario(
        "two callers with the same number",
        "K1",
        (Seat("1001", BRIEF), Seat("1002", BRIEF)),
        (Caller(TO_THE_END, Expect(Result.ANSWERED, offers=None, ended_by=EndedBy.AGENT), calls=2),),
    ),
]

SPEECH = [
    Scenario(
        f"the agent's voice is recorded {width}",
        "A3 Q1",
        (Seat("1001", AgentScript(steps=(Speak(tone, loops=-1), Wait(9), HangUp()), payload=payload)),),
        (Caller(TO_THE_END, answered(Offered("1001", 1.0), wideband=payload == 9)),),
    )
    for width, tone, payload in (
        ("wideband", TONE_G722, 9),
        ("narrowband where the telephone has no more", TONE_ALAW, 8),
    )
]

FALLBACK = Expect(
    Result.ANSWERED, offers=(Offered("1001"),), asked_by=AskedBy.FALLBACK, ended_by=EndedBy.AGENT, menu=()
)
"""Answered although the menu was of no use."""

SERVICE_FAULTS = [
    Scenario(
        f"service {what}",
        "I1 K5",
        (Seat("1001", BRIEF),),
        (Caller(LISTEN, FALLBACK),),
        faults=(Fault(at_s, do), Fault(9, back)),
        # Told to stop, it may still be there when the caller asks, and count that.
        counted_in_part=what == "told to stop in mid-menu",
        log_may_say=NO_MENU,
    )
    for what, at_s, do, back in (
        ("stopped before the call", -1, Do.STOP_SERVICE, Do.START_SERVICE),
        ("told to stop in mid-menu", 1.5, Do.STOP_SERVICE, Do.START_SERVICE),
        ("killed in mid-menu, while a prompt plays", 1.5, Do.KILL_SERVICE, Do.START_SERVICE),
        ("hangs before the call", -1, Do.FREEZE_SERVICE, Do.THAW_SERVICE),
        ("hangs in mid-menu, while a prompt plays", 1.5, Do.FREEZE_SERVICE, Do.THAW_SERVICE),
    )
] + [
    Scenario(
        "service killed and started again during a talk: agents and call go on",
        "I1 K5",
        (Seat("1001", treats(ring_s=1, talk_s=12)), Seat("1002", IGNORES, paused="meal")),
        (Caller(TO_THE_END, answered(Offered("1001", 1.0))),),
        faults=(Fault(6, Do.KILL_SERVICE), Fault(7, Do.START_SERVICE)),
        agents_after=(("1001", "ready"), ("1002", "paused meal")),
        counted_in_part=True,
    ),
]

SLOW = [
    Scenario(
        "silence all the way: a person in the end",
        "A9",
        (Seat("1001", BRIEF),),
        (
            Caller(
                LISTEN,
                answered(Offered("1001"), menu=("language=timeout", *("sections=timeout",) * 3)),
            ),
        ),
    ),
    Scenario(
        "two agents, thirty callers at once",
        "A1 K1 K2",
        (Seat("1001", treats(ring_s=0.3, talk_s=1)), Seat("1002", treats(ring_s=0.3, talk_s=1))),
        (
            Caller(
                TO_THE_END,
                Expect(Result.ANSWERED, offers=None, ended_by=EndedBy.AGENT),
                number="13800000001",
                calls=24,
            ),
            Caller(stay(6), Expect(Result.ABANDONED), at_s=1.5, number="13800000002", calls=6),
        ),
    ),
    Scenario(
        "Asterisk killed under load and started again",
        "I1 K5 Q1",
        (
            Seat("1001", treats(ring_s=0.5, talk_s=9)),
            Seat("2001", IGNORES, paused="training"),
            Seat("9001", IGNORES, paused="meal"),
        ),
        (
            Caller(
                (*PERSON, Wait(12)),
                answered(Offered("1001"), ended_by=EndedBy.SYSTEM, interrupted=True),
                number="13800000001",
                cut_off=True,
            ),
            Caller(
                (*PERSON, Wait(12)),
                Expect(Result.LOST, ended_by=EndedBy.SYSTEM),
                at_s=1.5,
                number="13800000002",
                cut_off=True,
            ),
            Caller(
                (Wait(12),),
                Expect(Result.SELF_SERVED, None, None, asked_by=None, ended_by=EndedBy.SYSTEM),
                at_s=2,
                number="13800000003",
                cut_off=True,
            ),
            Caller(TO_THE_END, answered(Offered("1001")), at_s=27, number="13800000004"),
        ),
        faults=(Fault(7, Do.CRASH_ASTERISK),),
        agents_after=(("1001", "ready"), ("2001", "paused training"), ("9001", "paused meal")),
    ),
]

HOSTILE_CALLERS = [
    Scenario(
        f"hostile caller: {attack.what}",
        "P1 I1",
        (Seat("1001", treats(ring_s=0.3, talk_s=2.5)),),
        (
            Caller(
                TO_THE_END,
                answered(Offered("1001")),
                number=attack.number,
                name=attack.name,
                stored=attack.stored,
            ),
        ),
        log_may_say=TOO_LONG if "4 kB" in attack.what else (),
    )
    for attack in HOSTILE
]

SCENARIOS = [
    *(SLOW + THREE_RINGS[::-1] + SERVICE_FAULTS + MANY + SPEECH),
    *(MENU + NOBODY_THERE + HANG_UPS + HOSTILE_CALLERS),
]
