"""Asterisk's queue members as agents: every state, from tables of member events (A1, I2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from calls.ids import AgentNumber
from calls.live import AgentNow, AgentState, told_reason
from ivr.ami.wire import AmiMessage
from ivr.snapshot import LET_IT_RING, MEMBER_EVENTS, AgentBoard

NOON = datetime(2026, 11, 24, 4, tzinfo=UTC)
WRAP_UP_S = 10
READY, TALKING, RINGING = AgentState.READY, AgentState.TALKING, AgentState.RINGING
PAUSED, UNREACHABLE, WRAP_UP = AgentState.PAUSED, AgentState.UNREACHABLE, AgentState.WRAP_UP
LOGGED_OUT = AgentState.LOGGED_OUT


def member(
    after_s: float = 0,
    event: str = "QueueMemberStatus",
    number: str = "1001",
    queue: str = "inquiry",
    status: int = 1,
    paused: str | None = None,
    last_call_s: float | None = None,
) -> AmiMessage:
    """A member as AMI tells of one; ``paused`` is the reason, and a pause."""
    last_call = 0 if last_call_s is None else int((NOON + timedelta(seconds=last_call_s)).timestamp())
    headers = {
        "Event": event,
        "Timestamp": f"{(NOON + timedelta(seconds=after_s)).timestamp():.6f}",
        "Queue": queue,
        "MemberName": number,
        "Interface": f"PJSIP/{number}",
        "Status": str(status),
        "Paused": "0" if paused is None else "1",
        "PausedReason": paused or "",
        "LastCall": str(last_call),
        "InCall": "0",
    }
    return AmiMessage.of(headers)


def listed(**told: object) -> AmiMessage:
    """The same as an answer to QueueStatus, which names the member otherwise and has no time."""
    headers = dict(member(event="QueueMember", **told).headers)  # type: ignore[arg-type]
    headers["name"] = headers.pop("membername")
    del headers["timestamp"]
    return AmiMessage(headers)


def board(*numbers: str) -> AgentBoard:
    return AgentBoard([AgentNumber(number) for number in numbers or ("1001",)], WRAP_UP_S, NOON)


def at(after_s: float) -> datetime:
    return NOON + timedelta(seconds=after_s)


def agent_after(events: Sequence[AmiMessage], now_s: float = 60) -> AgentNow:
    made = board()
    for event in events:
        assert made.apply(event, at(999))
    (agent,) = made.agents(at(now_s))
    return agent


ONE_EVENT: list[tuple[str, AmiMessage, AgentState, str | None]] = [
    ("not in use", member(status=1), READY, None),
    ("in use", member(status=2), TALKING, None),
    ("busy", member(status=3), TALKING, None),
    ("invalid", member(status=4), UNREACHABLE, None),
    ("not registered", member(status=5), UNREACHABLE, None),
    ("ringing", member(status=6), RINGING, None),
    ("ringing while in use", member(status=7), RINGING, None),
    ("on hold", member(status=8), TALKING, None),
    ("unknown", member(status=0), UNREACHABLE, None),
    ("a state of some later Asterisk", member(status=77), UNREACHABLE, None),
    ("paused with a reason", member(paused="meal"), PAUSED, "meal"),
    ("paused without one", member(paused=""), PAUSED, None),
    ("three rings not answered", member(paused="Auto-Pause"), PAUSED, LET_IT_RING),
    ("paused, telephone gone", member(status=5, paused="meal"), PAUSED, "meal"),
    ("paused, still talking", member(status=2, paused="meal"), TALKING, None),
    ("paused, still ringing", member(status=6, paused="meal"), RINGING, None),
]


@pytest.mark.parametrize(
    ("event", "state", "reason"), [row[1:] for row in ONE_EVENT], ids=[row[0] for row in ONE_EVENT]
)
def test_state_after_one_event(event: AmiMessage, state: AgentState, reason: str | None) -> None:
    agent = agent_after([event])
    assert (agent.state, agent.reason, agent.since) == (state, reason, NOON)
    assert agent.sections == ("inquiry",)


SEQUENCES: list[tuple[str, list[AmiMessage], float, AgentState, float]] = [
    ("the same again keeps its beginning", [member(0), member(5), member(9, "QueueMemberPenalty")], 60, READY, 0),
    ("a change begins anew", [member(0), member(5, status=6), member(8, status=2)], 60, TALKING, 8),
    ("another reason begins anew", [member(0, paused="meal"), member(5, paused="break")], 60, PAUSED, 5),
    ("back from a break", [member(0, paused="break"), member(9, "QueueMemberPause")], 60, READY, 9),
    (
        "wrap-up begins with the end of the talk",
        [member(30, status=2), member(50, last_call_s=49)],
        55,
        WRAP_UP,
        49,
    ),
    ("the last instant of wrap-up", [member(50, last_call_s=49)], 58.9, WRAP_UP, 49),
    ("wrap-up ends by itself", [member(50, last_call_s=49)], 59, READY, 50),
    (
        "paused during wrap-up",
        [member(50, last_call_s=49), member(51, paused="meal", last_call_s=49)],
        52,
        PAUSED,
        51,
    ),
    (
        "ringing during wrap-up",
        [member(50, last_call_s=49), member(51, status=6, last_call_s=49)],
        52,
        RINGING,
        51,
    ),
    ("telephone lost during wrap-up", [member(51, status=5, last_call_s=49)], 52, UNREACHABLE, 51),
    ("logged out", [member(0), member(7, "QueueMemberRemoved")], 60, LOGGED_OUT, 7),
    (
        "logged in again",
        [member(0), member(7, "QueueMemberRemoved"), member(9, "QueueMemberAdded")],
        60,
        READY,
        9,
    ),
    (
        "the last word of any queue counts",
        [member(0), member(0, queue="complaint"), member(9, status=2, queue="complaint")],
        60,
        TALKING,
        9,
    ),
    (
        "the last call of any queue counts for wrap-up",
        [member(0, queue="complaint", last_call_s=49), member(50)],
        55,
        WRAP_UP,
        49,
    ),
    (
        "out of one queue, in the other",
        [member(0), member(0, queue="complaint"), member(7, "QueueMemberRemoved")],
        60,
        READY,
        0,
    ),
]


@pytest.mark.parametrize(
    ("events", "now_s", "state", "since_s"), [row[1:] for row in SEQUENCES], ids=[row[0] for row in SEQUENCES]
)
def test_state_after_several(events: list[AmiMessage], now_s: float, state: AgentState, since_s: float) -> None:
    agent = agent_after(events, now_s)
    assert (agent.state, agent.since) == (state, at(since_s))


FORCED = told_reason("培训", "消防演练|三号楼", "赵磊")


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([member(0, paused=FORCED)], FORCED),
        ([member(0, status=2, paused=FORCED)], FORCED),
        ([member(0, paused=FORCED), member(7, "QueueMemberRemoved")], FORCED),
        ([member(0, paused=FORCED), member(5), member(7, "QueueMemberRemoved")], None),
        ([member(0, paused=FORCED), member(7, "QueueMemberRemoved"), member(9, "QueueMemberAdded")], None),
        ([member(0, paused="meal"), member(7, "QueueMemberRemoved")], None),
        ([member(0, paused="Auto-Pause")], None),
    ],
    ids=[
        "paused",
        "in talk",
        "logged out",
        "went on, then logged out",
        "logged in again",
        "own pause",
        "rang out",
    ],
)
def test_what_somebody_else_did_to_an_agent_is_told_as_long_as_it_lasts(
    events: list[AmiMessage], told: str | None
) -> None:
    assert agent_after(events).told == told


@pytest.mark.parametrize("event", sorted(MEMBER_EVENTS | {"QueueMemberRemoved"}))
def test_events_of_members_concern_an_agent(event: str) -> None:
    assert board().apply(member(event=event), NOON)


@pytest.mark.parametrize("event", ["QueueCallerJoin", "AgentCalled", "CEL", "FullyBooted"])
def test_other_events_do_not(event: str) -> None:
    made = board()
    assert not made.apply(member(event=event), NOON)
    assert made.agents(NOON)[0].state is LOGGED_OUT


def test_an_event_without_a_time_is_taken_for_now() -> None:
    made = board()
    made.apply(listed(), at(5))
    assert made.agents(at(9))[0].since == at(5)


def test_the_roster_is_shown_and_whoever_else_is_logged_in() -> None:
    made = board("1002", "1001")
    made.apply(member(number="7777"), NOON)
    assert [(agent.number, agent.state) for agent in made.agents(at(3))] == [
        ("1001", LOGGED_OUT),
        ("1002", LOGGED_OUT),
        ("7777", READY),
    ]
    assert made.agents(at(3))[0].since == NOON


def test_sections_come_in_order() -> None:
    events = [member(queue=queue) for queue in ("ticketing", "complaint", "inquiry")]
    assert agent_after(events).sections == ("complaint", "inquiry", "ticketing")


def test_after_a_reconnect_asterisks_list_replaces_everything() -> None:
    made = board("1001", "1002", "1003")
    made.apply(member(0, number="1001"), NOON)
    made.apply(member(0, number="1002", paused="meal"), NOON)
    made.apply(member(0, number="1003"), NOON)
    made.reset([listed(number="1001"), listed(number="1002", paused="Auto-Pause")], at(100))
    now = {agent.number: agent for agent in made.agents(at(101))}
    assert (now[AgentNumber("1001")].state, now[AgentNumber("1001")].since) == (READY, NOON)  # as it was
    assert (now[AgentNumber("1002")].reason, now[AgentNumber("1002")].since) == (LET_IT_RING, at(100))
    assert now[AgentNumber("1003")].state is LOGGED_OUT


def test_a_removal_of_somebody_unknown_is_no_news_of_anybody() -> None:
    made = board()
    assert made.apply(member(3, "QueueMemberRemoved", number="5555"), NOON)
    assert [agent.number for agent in made.agents(at(9))] == ["1001"]
