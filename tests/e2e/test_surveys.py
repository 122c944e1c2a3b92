"""Callers rate the call, on real telephones: every level, silence, wrong keys, a hang-up, a reason (Q2, K3)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest

from calls.call import Call, Result
from calls.callbacks import Origin
from calls.custody import Access, AccessKind, Leg
from calls.events import EndedBy
from calls.ids import AgentNumber, reason_of
from calls.surveys import Invitation, Survey
from service.books import workdays_of_china
from service.custody import custody_of
from service.wiring import SystemClock
from simulation.script import AwaitHangUp, HangUp, Press, Step, Wait
from storage.callbacks import SqlCallbacks
from storage.engine import open_engine
from storage.survey_tallies import Invitations, SqlSurveyTallies
from tests.e2e.scenarios import PERSON, SPEAK
from tests.support_centre import PATIENCE_S, Centre, within
from tests.support_checks import problems
from tests.support_play import Evidence, play
from tests.support_scenario import Caller, Do, Expect, Fault, Scenario, Seat, treats

pytestmark = pytest.mark.asyncio(loop_scope="session")

AGENTS = tuple(f"100{number}" for number in range(1, 9))
TALK_S = 5.0
TALKS = treats(ring_s=0.5, talk_s=TALK_S)
"""Picks up, talks for five seconds, and hangs up: about eight seconds after the caller began to dial."""

ASKED = Wait(10)
"""From asking for a person to the middle of the first question."""
RATED = Expect(Result.ANSWERED, offers=None, in_three_rings=True, ended_by=EndedBy.AGENT)
NEXT = Wait(1.5)


def rates(*keys: str) -> tuple[Step, ...]:
    """Presses these keys, each at the next question, and listens to the end."""
    steps: list[Step] = [*PERSON, ASKED]
    for key in keys:
        steps += [Press(key), NEXT]
    return (*steps, AwaitHangUp())


WRONG = Wait(6.5)
"""To hear that a key is no good, and the question again."""

CALLERS: Mapping[str, tuple[Step, ...]] = {
    "13800000001": rates("1", "1", "2", "3", "5"),
    "13800000002": rates("2", "1", "1", "1", "1"),
    "13800000003": rates("3", "1"),
    "13800000004": (*PERSON, ASKED, Press("4"), Wait(2), HangUp()),
    "13800000005": (*PERSON, ASKED, Press("5"), Wait(1), SPEAK, Wait(9), HangUp()),
    "13800000006": (*PERSON, AwaitHangUp()),
    "13800000007": (*PERSON, ASKED, Press("9"), WRONG, Press("0"), AwaitHangUp()),
    "13800000008": (*PERSON, ASKED, HangUp()),
}
"""Five levels, silence, wrong keys, and a hang-up while the question plays."""


def surveys(evidence: Evidence) -> dict[str, Survey]:
    return {call.caller: call.survey for call in evidence.calls if call.caller and call.survey}


async def test_every_level_no_answer_wrong_keys_and_a_hang_up(rating: Centre) -> None:
    scenario = Scenario(
        "everybody is asked to rate",
        "Q2 K3 K6",
        tuple(Seat(number, TALKS) for number in AGENTS),
        # One after the other: what a busy machine leaves out of recordings is not the matter here.
        tuple(
            Caller(steps, RATED, at_s=1.5 * place, number=number)
            for place, (number, steps) in enumerate(CALLERS.items())
        ),
    )
    evidence = await play(rating, scenario)
    assert not (wrong := problems(evidence, rating)), "\n".join(wrong)
    assert {call.invitation for call in evidence.calls} == {Invitation.INVITED}
    said = surveys(evidence)
    assert {number: (one.level, one.dissatisfied) for number, one in said.items()} == {
        "13800000001": (1, False),
        "13800000002": (2, False),
        "13800000003": (3, False),
        "13800000004": (4, True),
        "13800000005": (5, True),
        **dict.fromkeys(("13800000006", "13800000007", "13800000008"), (None, None)),
    }
    began = {number for number, one in said.items() if one.began_at}
    assert began == CALLERS.keys() - {"13800000006", "13800000008"}
    assert {number: one.points for number, one in said.items() if one.points is not None} == {
        "13800000001": 0.3 * 100 + 0.2 * 75 + 0.3 * 50 + 0.2 * 0,
        "13800000002": 100,
    }
    assert [one.dimension for one in said["13800000003"].answers] == ["attitude"]
    assert {number for number, one in said.items() if one.reason_at} == {"13800000004", "13800000005"}
    unhappy = next(call for call in evidence.calls if call.caller == "13800000005")
    await reason_is_kept(rating, unhappy)
    await is_to_be_called_back(rating, unhappy)


async def is_to_be_called_back(centre: Centre, call: Call) -> None:
    """Who is dissatisfied is on the list of call-backs."""
    engine = open_engine(centre.settings.ledger_url)
    try:
        book = SqlCallbacks(engine)

        async def on_the_list() -> bool:
            return [each.origin for each in await book.of_call(call.call_id)] == [Origin.DISSATISFIED]

        assert await within(on_the_list, PATIENCE_S)
    finally:
        await engine.dispose()


async def reason_is_kept(centre: Centre, call: Call) -> None:
    """In the vault like any recording, sealed, under an id of its own (P2)."""
    engine = open_engine(centre.settings.ledger_url)
    try:
        custody = custody_of(centre.settings, engine, SystemClock())
        wanted = reason_of(call.call_id)

        async def there() -> bool:
            return bool(await custody.recordings(wanted))

        assert await within(there, PATIENCE_S), "the reason is in the vault"
        kept = {one.leg: one for one in await custody.recordings(wanted)}
        assert kept.keys() == set(Leg) and kept[Leg.CALLER].duration_s > 5
        access = Access("os:test", AccessKind.EXPORT, "a test", wanted, Leg.CALLER)
        with await custody.open(wanted, Leg.CALLER, access) as sound:
            spoken = sound.read()
        assert len(spoken) > 150_000 and any(spoken[44:])
    finally:
        await engine.dispose()


COMPLAINS: tuple[Step, ...] = (Wait(1), Press("1"), Wait(1), Press("2"))
BREAKS_OFF = treats(ring_s=0.5, talk_s=1)
"""Hangs up while the agent's number is still being spoken."""


async def test_asked_once_in_so_many_days_and_kept_while_the_service_is_down(rating: Centre) -> None:
    one, other, cut_short = "13700000001", "13700000002", "13700000003"
    complaint = replace(RATED, section="complaint")
    scenario = Scenario(
        "rated while the service is down, and let go the second time",
        "Q2 K3 I1",
        (*(Seat(number, TALKS) for number in AGENTS[:2]), Seat("2001", BREAKS_OFF)),
        (
            Caller(rates("1"), RATED, number=one),
            Caller((*PERSON, AwaitHangUp()), RATED, at_s=32, number=one),
            Caller((*PERSON, SPEAK, Wait(4), HangUp()), Expect(Result.ANSWERED, offers=None), number=other),
            Caller((*COMPLAINS, Wait(6), Press("2"), Wait(1), HangUp()), complaint, number=cut_short),
        ),
        faults=(Fault(6, Do.KILL_SERVICE), Fault(15, Do.START_SERVICE)),
        counted_in_part=True,
    )
    evidence = await play(rating, scenario)
    assert not (wrong := problems(evidence, rating)), "\n".join(wrong)
    in_order = sorted(evidence.calls, key=lambda call: call.arrived_at)
    assert sorted(f"{call.caller} {call.invitation}" for call in in_order) == [
        f"{one} invited",
        f"{one} spared",
        f"{other} caller_left",
        f"{cut_short} invited",
    ]
    levels = {call.caller: call.survey.level for call in in_order if call.survey and call.survey.rated_at}
    assert levels == {one: 1, cut_short: 2}
    assert (await rating.asterisk.command("database show invited") or "").count(one) == 0


async def test_who_cuts_a_caller_off_is_counted(rating: Centre) -> None:
    """The caller neither hung up nor was invited: seen, and the agent's to explain."""
    number = "13600000001"
    scenario = Scenario(
        "cut off",
        "Q2",
        (Seat("1001", treats(ring_s=0.5)),),
        (
            Caller(
                (*PERSON, SPEAK, AwaitHangUp()), Expect(Result.ANSWERED, offers=None), number=number, cut_off=True
            ),
        ),
        counted_in_part=True,
    )

    async def cut() -> None:
        async def talking() -> bool:
            # The voice that says the agent's number has come and gone.
            names = await rating.channels()
            seen.update(name for name in names if name.startswith("Local/"))
            return bool(seen) and len(names) == 2

        seen = set[str]()
        assert await within(talking, PATIENCE_S)
        for name in await rating.channels():
            if name.startswith("PJSIP/city"):
                await rating.asterisk.command(f"channel request hangup {name}")

    cutting = asyncio.create_task(cut())
    evidence = await play(rating, scenario)
    await cutting
    (call,) = evidence.calls
    assert call.invitation is Invitation.MISSED
    engine = open_engine(rating.settings.ledger_url)
    try:
        tallies = SqlSurveyTallies(engine, SystemClock(), workdays_of_china())
        found = await tallies.invitations(call.arrived_at, SystemClock().now())
    finally:
        await engine.dispose()
    assert found == {AgentNumber("1001"): Invitations(missed=1)}
