"""Call-backs as they go on: states, tries, pauses, promises kept and broken, numbers that are called (A5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.callbacks import Attempt, AttemptOutcome, CallBack, CallbackState, Numbers, Origin, Policy
from calls.errors import CallbackError, NumberRefused
from calls.ids import AgentNumber, CallId, Language, SectionId, attempt_id, attempt_of, is_unique_id
from calls.outages import DailyHours
from service.callbacks import numbers_of
from service.settings import Settings

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 26, 4, tzinfo=UTC)
AGENT = AgentNumber("1001")
POLICY = Policy(DailyHours.parse("08:30-20:30", SHANGHAI), 3, [timedelta(minutes=15), timedelta(hours=1)])
NUMBERS = numbers_of(Settings())
WAITING = CallBack(
    number=17,
    origin=Origin.PROMISE,
    about="1.1",
    call_id=CallId("1.1"),
    case_id=None,
    telephone="13800138000",
    section=SectionId("inquiry"),
    language=Language("zh-CN"),
    priority=False,
    place=NOON,
    made_at=NOON,
    due_at=NOON + timedelta(hours=2),
    state=CallbackState.WAITING,
    since=NOON,
    agent=None,
    attempts=0,
    tries=0,
    not_before=NOON,
    reached_at=None,
    note="",
)


def attempt(*, answered: bool = True, said: str = "", **seconds: float) -> Attempt:
    """An attempt whose agent picked up, and what else happened when."""
    told = {f"{name}_at": NOON + timedelta(seconds=after) for name, after in seconds.items()}
    picked_up = NOON + timedelta(seconds=3) if answered else None
    return Attempt(17, 1, AGENT, "hotline", NOON, NOON, picked_up, said=said, **told)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        (attempt(dialled=5, connected=9, ended=60, said="ANSWER"), AttemptOutcome.REACHED),
        (attempt(dialled=5, connected=9), AttemptOutcome.REACHED),
        (attempt(dialled=5, ended=6, said="BUSY"), AttemptOutcome.BUSY),
        (attempt(dialled=5, ended=35, said="NOANSWER"), AttemptOutcome.NO_ANSWER),
        (attempt(dialled=5, ended=6, said="CONGESTION"), AttemptOutcome.UNREACHABLE),
        (attempt(ended=6, said="CHANUNAVAIL"), AttemptOutcome.UNREACHABLE),
        (attempt(dialled=5, ended=9), AttemptOutcome.AGENT_LEFT),
        (attempt(ended=6), AttemptOutcome.NOT_DIALLED),
        (attempt(answered=False, ended=15), AttemptOutcome.AGENT_MISSED),
        (attempt(dialled=5), AttemptOutcome.UNKNOWN),
        (Attempt(17, 1, AGENT, "hotline", NOON), AttemptOutcome.UNKNOWN),
    ],
    ids=lambda value: value.value if isinstance(value, AttemptOutcome) else "",
)
def test_what_came_of_an_attempt(told: Attempt, outcome: AttemptOutcome) -> None:
    assert told.seen() is outcome


def dialling(callback: CallBack = WAITING) -> CallBack:
    return callback.taken(AGENT, NOON).begun(NOON)


def test_reached_in_time_is_kept_and_too_late_is_broken() -> None:
    told = attempt(dialled=5, connected=9, ended=60)
    kept = dialling().after(told, AttemptOutcome.REACHED, POLICY, NOON)
    assert (kept.state, kept.agent, kept.reached_at) == (CallbackState.KEPT, AGENT, told.connected_at)
    late = replace(dialling(), due_at=NOON).after(told, AttemptOutcome.REACHED, POLICY, NOON)
    assert late.state is CallbackState.BROKEN and late.broken_at(NOON)


def test_pauses_grow_and_tries_end() -> None:
    callback, pauses = WAITING, []
    for _ in range(3):
        told = attempt(dialled=5, ended=35, said="NOANSWER")
        callback = dialling(callback).after(told, AttemptOutcome.NO_ANSWER, POLICY, NOON)
        pauses.append((callback.not_before - NOON).seconds // 60)
    assert pauses == [15, 60, 60]
    assert (callback.state, callback.tries, callback.note) == (CallbackState.GIVEN_UP, 3, "no_answer")


def test_an_attempt_without_the_caller_is_no_try() -> None:
    after = dialling().after(attempt(answered=False, ended=15), AttemptOutcome.AGENT_MISSED, POLICY, NOON)
    assert (after.state, after.tries, after.attempts, after.agent) == (CallbackState.WAITING, 0, 1, None)
    assert after.not_before > NOON


def test_somebody_else_answered() -> None:
    told = attempt(dialled=5, connected=9, ended=60)
    kept = dialling().after(told, AttemptOutcome.REACHED, POLICY, NOON)
    again = kept.again(POLICY, NOON)
    assert (again.state, again.reached_at, again.tries) == (CallbackState.WAITING, None, 1)
    last = replace(kept, tries=3).again(POLICY, NOON)
    assert (last.state, last.note) == (CallbackState.GIVEN_UP, "not_the_caller")


@pytest.mark.parametrize("state", CallbackState)
def test_no_state_is_left_but_by_its_own_ways(state: CallbackState) -> None:
    held = replace(WAITING, state=state)
    told = attempt(dialled=5, connected=9, ended=60)
    ways = {
        CallbackState.WAITING: [
            lambda: held.taken(AGENT, NOON),
            lambda: held.given_up("", NOON),
            lambda: held.withdrawn("", NOON),
        ],
        CallbackState.TAKEN: [
            lambda: held.begun(NOON),
            lambda: held.let_go(NOON),
            lambda: held.given_up("", NOON),
            lambda: held.withdrawn("", NOON),
        ],
        CallbackState.DIALLING: [lambda: held.after(told, AttemptOutcome.REACHED, POLICY, NOON)],
        CallbackState.KEPT: [lambda: held.again(POLICY, NOON)],
        CallbackState.BROKEN: [lambda: held.again(POLICY, NOON)],
        CallbackState.GIVEN_UP: [],
        CallbackState.WITHDRAWN: [],
    }
    every = [
        lambda: held.taken(AGENT, NOON),
        lambda: held.begun(NOON),
        lambda: held.let_go(NOON),
        lambda: held.given_up("", NOON),
        lambda: held.withdrawn("", NOON),
        lambda: held.after(told, AttemptOutcome.REACHED, POLICY, NOON),
        lambda: held.again(POLICY, NOON),
    ]
    went = 0
    for way in every:
        try:
            assert way().state is not state
            went += 1
        except CallbackError:
            continue
    assert went == len(ways[state])


@pytest.mark.parametrize(
    ("telephone", "dialled"),
    [
        ("13800138000", "13800138000"),
        ("+8613800138000", "13800138000"),
        ("008613800138000", "13800138000"),
        ("02584000000", "02584000000"),
    ],
)
def test_a_number_as_it_is_dialled(telephone: str, dialled: str) -> None:
    assert NUMBERS.checked(telephone) == dialled


@pytest.mark.parametrize(
    "telephone",
    [
        "", "+", "1", "95000", "110", "16812345", "00441234567890", "+441234567890", "13800138000@evil",
        "13800138000\r\nAction: Command", "1380013800a", "１３８００１３８０００", "13800138000,60,g", "*21",
        "1" * 25, "+86+8613800138000", "0138001380001234",
    ],
)  # fmt: skip
def test_a_number_that_is_not_called(telephone: str) -> None:
    with pytest.raises(NumberRefused) as refused:
        NUMBERS.checked(telephone)
    assert telephone == "" or telephone not in str(refused.value) or len(telephone) < 3


@given(st.text())
def test_whatever_is_dialled_is_digits(telephone: str) -> None:
    try:
        dialled = Numbers(("",), 1, 20).checked(telephone)
    except NumberRefused:
        return
    assert dialled.isascii() and dialled.isdigit()


def test_the_hours_and_when_a_promise_falls_due() -> None:
    opens, closes = NOON.replace(hour=0, minute=30), NOON.replace(hour=12, minute=30)
    assert POLICY.allows(opens) and POLICY.allows(NOON) and not POLICY.allows(closes)
    assert not POLICY.allows(opens - timedelta(seconds=1))
    assert POLICY.due(NOON, timedelta(hours=2)) == NOON + timedelta(hours=2)
    evening = closes - timedelta(minutes=30)
    assert POLICY.due(evening, timedelta(hours=2)) == opens + timedelta(days=1, minutes=90)
    assert POLICY.due(closes + timedelta(hours=1), timedelta(minutes=1)) == opens + timedelta(days=1, minutes=1)
    # Eight and a half hours today, twelve tomorrow, the rest the day after.
    assert POLICY.due(NOON, timedelta(hours=30)) == opens + timedelta(days=2, hours=9.5)


@given(st.integers(1, 10**9), st.integers(1, 10**6))
def test_the_id_of_an_attempt_is_one_for_asterisk_and_comes_back(callback: int, number: int) -> None:
    made = attempt_id(callback, number)
    assert is_unique_id(made) and attempt_of(made) == (callback, number)


@pytest.mark.parametrize(
    "other", ["hotline-1795377518.103", "callback_", "callback_1", "callback_x.1", "callback1.1"]
)
def test_no_other_id_is_an_attempts(other: str) -> None:
    assert attempt_of(other) is None
