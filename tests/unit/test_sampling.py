"""Samples: repeatable by anybody, within what the drawer may see, every stratum its share, no call twice (Q1)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.ids import AgentNumber, CallId, FormId, SectionId
from calls.people import Scope
from calls.sampling import FrameCall, Part, Risk, SamplingPlan, Shortfall, Stratum
from qa.sampling import digest, draw, length_of, problems, shift_of, stratum_of, wishes

NOW = datetime(2026, 11, 26, tzinfo=UTC)
ALL = Scope(everything=True)
PLAN = SamplingPlan(7, "monthly", FormId("default"), "5eed", "lead", NOW, per_agent=5, risk_percent=40)
SECTIONS = ("inquiry", "complaint", "")

plans = st.builds(
    lambda n, risk, strata, seed: replace(PLAN, per_agent=n, risk_percent=risk, strata=strata, seed=seed),
    st.integers(1, 12),
    st.sampled_from([0, 10, 40, 100]),
    st.frozensets(st.sampled_from(Stratum)),
    st.text("0123456789abcdef", min_size=1, max_size=8),
)


@st.composite
def frames(draw_: st.DrawFn) -> list[FrameCall]:
    kinds = draw_(
        st.lists(
            st.tuples(
                st.sampled_from(["1001", "1002", "1003"]),
                st.sampled_from(SECTIONS),
                st.sampled_from(["00", "08"]),
                st.sampled_from(["0-60", "60-"]),
                st.frozensets(st.sampled_from(Risk), max_size=2),
            ),
            max_size=60,
        )
    )
    return [
        FrameCall(CallId(f"{n}.1"), AgentNumber(agent), section, shift, length, risks)
        for n, (agent, section, shift, length, risks) in enumerate(kinds)
    ]


@given(plans, frames(), st.randoms())
def test_the_same_plan_and_frame_give_the_same_sample_in_whatever_order_it_is_told(
    plan: SamplingPlan, frame: list[FrameCall], random: object
) -> None:
    first = draw(plan, "2026-10", frame, scope=ALL)
    shuffled = list(frame)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert draw(plan, "2026-10", shuffled, scope=ALL) == first
    assert first.frame_digest == digest(shuffled) and first.frame_size == len(frame)


@given(plans, frames())
def test_no_call_is_drawn_twice_and_short_frames_say_so(plan: SamplingPlan, frame: list[FrameCall]) -> None:
    drawn = draw(plan, "2026-10", frame, scope=ALL)
    assert max(Counter(pick.call_id for pick in drawn.picked).values(), default=1) == 1
    own = Counter(call.agent for call in frame)
    for agent, n in own.items():
        got = Counter(pick.part for pick in drawn.picked if pick.agent == agent)
        assert got[Part.RANDOM] == min(plan.per_agent, n)
        missing = {s.part: (s.wanted, s.got) for s in drawn.short if s.agent == agent}
        for part, wanted in wishes(plan).items():
            assert missing.get(part) == (None if got[part] == wanted else (wanted, got[part]))
    assert drawn.population == dict(own)


@given(plans, frames())
def test_every_stratum_gets_its_share_rounded_down_or_up(plan: SamplingPlan, frame: list[FrameCall]) -> None:
    drawn = draw(plan, "2026-10", frame, scope=ALL)
    for agent in {call.agent for call in frame}:
        own = Counter(stratum_of(plan, call) for call in frame if call.agent == agent)
        got = Counter(p.stratum for p in drawn.picked if p.agent == agent and p.part is Part.RANDOM)
        n = min(plan.per_agent, own.total())
        for stratum, size in own.items():
            share = Fraction(n * size, own.total())
            assert abs(got[stratum] - share) < 1, (stratum, share, got)


@given(plans, frames(), st.sampled_from([Scope(sections=frozenset({SectionId("inquiry")})), Scope(), ALL]))
def test_nothing_is_drawn_that_the_drawer_may_not_see(
    plan: SamplingPlan, frame: list[FrameCall], scope: Scope
) -> None:
    own = AgentNumber("1002")
    drawn = draw(plan, "2026-10", frame, scope=scope, not_agent=own)
    for pick in drawn.picked:
        assert scope.covers(SectionId(pick.section) if pick.section else None)
        assert pick.agent != own, "a monitor who answers calls does not score their own"
    assert own not in drawn.population and own not in {short.agent for short in drawn.short}


@given(plans, frames(), st.integers(0, 60))
def test_a_second_draw_adds_what_the_first_lacked_and_nothing_else(
    plan: SamplingPlan, frame: list[FrameCall], cut: int
) -> None:
    first = draw(plan, "2026-10", frame[:cut], scope=ALL)
    second = draw(plan, "2026-10", frame, scope=ALL, earlier=first.picked)
    assert not {pick.call_id for pick in first.picked} & {pick.call_id for pick in second.picked}
    for agent, n in Counter(call.agent for call in frame).items():
        both = [p for p in (*first.picked, *second.picked) if p.agent == agent and p.part is Part.RANDOM]
        taken_for_risk = [p for p in first.picked if p.agent == agent and p.part is Part.RISK]
        assert len(both) == min(plan.per_agent, n - len(taken_for_risk))
    assert draw(plan, "2026-10", frame, scope=ALL, earlier=[*first.picked, *second.picked]).picked == ()


@given(plans, frames())
def test_the_risk_share_holds_calls_with_a_risk_only(plan: SamplingPlan, frame: list[FrameCall]) -> None:
    plan = replace(plan, risks=frozenset({Risk.COMPLAINT, Risk.LONG_SILENCE}))
    for pick in draw(plan, "2026-10", frame, scope=ALL).picked:
        assert pick.risks <= plan.risks
        assert pick.risks or pick.part is Part.RANDOM


def many(n: int) -> list[FrameCall]:
    return [
        FrameCall(CallId(f"{number}.1"), AgentNumber("1001"), "inquiry", "08", "0-60" if number < n / 5 else "60-")
        for number in range(n)
    ]


def test_another_seed_or_period_gives_another_sample() -> None:
    frame = many(100)
    picks = {
        draw(replace(PLAN, seed=seed), period, frame, scope=ALL).picked
        for seed in ("a", "b", "c")
        for period in ("2026-09", "2026-10")
    }
    assert len(picks) == 6


def test_every_call_has_the_same_chance_whatever_its_stratum() -> None:
    frame, times = many(20), Counter[CallId]()
    for seed in range(2000):
        times.update(p.call_id for p in draw(replace(PLAN, seed=str(seed)), "p", frame, scope=ALL).picked)
    # 5 of 20 in 2,000 draws: 500 each, with a deviation of 19; seeds are fixed, so this is no matter of luck.
    assert len(times) == 20 and all(430 < count < 570 for count in times.values()), times


def test_this_sample_is_the_same_for_ever() -> None:
    """Whoever changes the algorithm changes its name: old draws must stay repeatable."""
    drawn = draw(PLAN, "2026-10", many(40), scope=ALL)
    assert drawn.algorithm == "sansheng-draw-1"
    assert [pick.call_id for pick in drawn.picked] == EXPECTED
    assert drawn.frame_digest == "7ffeec53ab2fc8ea1c50c17e9ed37f32aa1564f023d42c77c60d2a324af5df9a"


EXPECTED = ["6.1", "32.1", "16.1", "10.1", "12.1"]


def test_a_short_frame_is_told() -> None:
    risky = replace(many(1)[0], risks=frozenset({Risk.COMPLAINT}))
    drawn = draw(PLAN, "2026-10", [risky], scope=ALL)
    agent = AgentNumber("1001")
    assert drawn.short == (Shortfall(agent, Part.RANDOM, 5, 1), Shortfall(agent, Part.RISK, 2, 0))


def test_the_more_reasons_the_sooner() -> None:
    frame = many(50)
    frame[11] = replace(frame[11], risks=frozenset({Risk.COMPLAINT, Risk.REPEATED}))
    frame[33] = replace(frame[33], risks=frozenset({Risk.COMPLAINT}))
    plan = replace(PLAN, per_agent=1, risk_percent=100, seed="4")
    (risk,) = [p for p in draw(plan, "2026-10", frame, scope=ALL).picked if p.part is Part.RISK]
    assert risk.call_id == "11.1"


@pytest.mark.parametrize(("hour", "shift"), [(0, "00"), (7, "00"), (8, "08"), (15, "08"), (16, "16"), (23, "16")])
def test_shifts_begin_at_local_hours(hour: int, shift: str) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    assert shift_of(PLAN, datetime(2026, 11, 26, hour, 59, tzinfo=zone).astimezone(UTC), zone) == shift


def test_before_the_first_shift_it_is_still_the_last_one() -> None:
    plan = replace(PLAN, shift_hours=(8, 20))
    assert shift_of(plan, datetime(2026, 11, 26, 3, tzinfo=UTC), UTC) == "20"


@pytest.mark.parametrize(("talk_s", "band"), [(0, "0-60"), (59.9, "0-60"), (60, "60-180"), (600, "600-")])
def test_bands_of_length(talk_s: float, band: str) -> None:
    assert length_of(PLAN, talk_s) == band


def test_a_plan_that_cannot_be_says_why() -> None:
    assert problems(PLAN) == []
    wrong = replace(
        PLAN,
        name=" ",
        per_agent=0,
        risk_percent=-1,
        shift_hours=(8, 8),
        length_bounds_s=(),
        least_talk_s=-1,
        risks=frozenset(),
    )
    names = ["name", "per_agent", "risk_percent", "shift_hours", "length_bounds", "least_talk", "risks"]
    assert problems(wrong) == names
