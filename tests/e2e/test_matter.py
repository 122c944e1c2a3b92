"""A complaint from the telephone call to its closing, by everybody who has a part in it, with real call-backs.

By phone → registered → forwarded → opinion, returned once → done → called back, dissatisfied → worked again →
called back, satisfied → closed with a summary (C1 to C5, C9, A5). Every clock across festivals is looked at in
``tests/unit/test_case_festivals.py``.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

import pytest

from calls.callbacks import AttemptOutcome, CallBack, CallbackState, Origin
from calls.case import Case
from calls.cases import Answer, CaseNumber, State, Step
from calls.custody import Leg
from calls.ids import CallId, SectionId
from calls.people import Grant, Role
from service.cases import CaseLedger
from service.custody import custody_of
from service.wiring import SystemClock
from simulation.people import People
from simulation.script import AgentScript, AwaitHangUp, CallerScript, HangUp, Press, Speak, Wait
from storage.callbacks import SqlCallbacks
from storage.engine import open_engine
from tests.e2e.conftest import NETWORK_PORT
from tests.support_centre import PATIENCE_S, TONE_G722, Centre, within
from tests.support_play import ledger_of
from tests.support_scenario import treats
from tests.support_signed_in import SignedIn, signed_in

pytestmark = pytest.mark.asyncio(loop_scope="session")

NUMBER = "13700000011"
AGENT = "2001"
SECTION = SectionId("complaint")
DEPARTMENT = "equipment"
COMPLAINS = (Wait(1), Press("1"), Wait(2), Press("2"), Wait(20))
"""Chinese, then complaints."""
CUSTOMER = AgentScript(ring_s=1, payload=8, steps=(Wait(2), HangUp()))


@dataclass
class Matter:
    """The case, and what is read of it."""

    centre: Centre
    ledger: CaseLedger
    callbacks: SqlCallbacks
    number: CaseNumber = field(default=CaseNumber(""))

    async def case(self) -> Case:
        return await self.ledger.cases.case(self.number)

    async def told(self, person: SignedIn, kind: str, **fields: str) -> Case:
        """Somebody writes a line, with the version that their page shows them."""
        status, page = await person.get(f"/cases/{self.number}")
        assert status == 200, page
        form = re.search(rf'action="/cases/{self.number}/{kind}".*?name="version" value="(\d+)"', page, re.DOTALL)
        assert form, f"{kind} is not offered"
        status, answer = await person.post(f"/cases/{self.number}/{kind}", {"version": form[1], **fields})
        assert status == 303, answer
        return await self.case()

    async def refused(self, person: SignedIn, kind: str, **fields: str) -> None:
        """Who has no part in this step may not write its line, whatever their browser sends."""
        before = await self.case()
        version = str(before.version)
        status, _ = await person.post(f"/cases/{self.number}/{kind}", {"version": version, **fields})
        assert status in (403, 404, 409)
        assert await self.case() == before

    async def follow_ups(self) -> list[CallBack]:
        waiting = await self.callbacks.waiting(None)
        return [one for one in waiting if one.origin is Origin.FOLLOW_UP and one.case_id == self.number]


async def filed_by_phone(centre: Centre, matter: Matter, owner: SignedIn, people: People) -> CallId:
    """The caller complains to the agent, who files it on the desk."""
    async with ledger_of(centre) as (_, ids):
        before = await ids()
        telephone = await people.agent(AGENT, treats(ring_s=2, talk_s=2))
        assert await owner.post("/desk/state", {"do": "login"}) == (303, "/desk")
        lines = owner.lines()
        await anext(lines)  # from here on the desk is told of every call
        dialled = await people.call(CallerScript(COMPLAINS, number=NUMBER))
        async for told in lines:
            if told["calls"]:
                break
        await lines.aclose()  # type: ignore[attr-defined]
        call_id = CallId(told["calls"][0]["key"])
        await people.outcome(dialled)
        await people.gone(telephone)
        assert await ids() - before == {call_id}
    complaint = {
        "outcome": "complaint",
        "section": SECTION,
        "type": "facilities",
        "urgency": "ordinary",
        "importance": "ordinary",
        "content": "the lift stands still since Monday",
        "name": "Zhang",
        "place": "west station",
        "key": "1",
        "version": "0",
    }
    status, location = await owner.post(f"/desk/calls/{call_id}/file", complaint)
    assert status == 303, location
    matter.number = CaseNumber(location.partition("filed=")[2])
    return call_id


async def settled_by_the_department(matter: Matter, owner: SignedIn, department: SignedIn) -> None:
    """From an approved opinion to the complainant's hearing of the result."""
    await matter.told(department, "done", why="the motor is new")
    await matter.told(department, "reported", result="the lift runs")
    case = await matter.told(owner, "fed_back", told="the lift runs again")
    assert case.state is State.FED_BACK


async def called_back(matter: Matter, owner: SignedIn) -> CallBack:
    """The agent takes the follow-up, is rung, and the complainant after that; what came of it is on the list."""

    async def listed() -> bool:
        return len(await matter.follow_ups()) == 1

    assert await within(listed, PATIENCE_S), "who was fed back is to be asked (C4)"
    (waiting,) = await matter.follow_ups()
    here = f"/callbacks/{waiting.number}"
    assert await owner.post(f"{here}/take", {}) == (303, here)
    status, where = await owner.post(f"{here}/dial", {})
    assert (status, where) == (303, here), where

    async def over() -> bool:
        made = await matter.callbacks.attempts(waiting.number)
        return bool(made) and all(each.outcome for each in made)

    assert await within(over, PATIENCE_S), matter.centre.service.log_tail()
    (attempt,) = await matter.callbacks.attempts(waiting.number)
    assert (attempt.outcome, attempt.agent) == (AttemptOutcome.REACHED, AGENT)
    assert attempt.silence_s is not None and attempt.silence_s < 4, "the complainant hears a person"
    assert await owner.post(f"{here}/result", {"result": "settled"}) == (303, "/callbacks")
    callback = await matter.callbacks.get(waiting.number)
    assert callback and callback.state is CallbackState.KEPT
    return callback


async def test_a_complaint_from_the_call_to_its_closing(rating: Centre) -> None:
    await rating.home()
    engine = open_engine(rating.settings.ledger_url)
    matter = Matter(rating, CaseLedger.of(rating.settings, engine), SqlCallbacks(engine))
    everybody = (
        signed_in(rating, Grant(Role.AGENT, SECTION), agent=AGENT),
        signed_in(rating, Grant(Role.DEPARTMENT, SectionId(DEPARTMENT))),
        signed_in(rating, Grant(Role.SUPERVISOR, SECTION)),
    )
    try:
        async with (
            rating.people() as people,
            everybody[0] as owner,
            everybody[1] as department,
            everybody[2] as reviewer,
            asyncio.timeout(600),
        ):
            await people.register(AGENT)
            call_id = await filed_by_phone(rating, matter, owner, people)
            case = await matter.case()
            assert (case.call_id, case.contact, case.owner) == (call_id, NUMBER, owner.login)
            assert not case.registered_late
            async with ledger_of(rating) as (ledger, _):
                call = await ledger.call(call_id)
            # The same but for what Asterisk's file may have made more exact after the filing.
            assert call and abs(case.arrived_at - call.arrived_at) < timedelta(seconds=1), (
                "as the call arrived (C2)"
            )

            await matter.refused(department, "opinion", opinion="not yours yet")
            await matter.told(owner, "forwarded", department=DEPARTMENT)
            await matter.refused(owner, "approved")
            await matter.told(department, "opinion", opinion="wait for spare parts")
            case = await matter.told(reviewer, "returned", why="no date is named")
            assert case.state is State.FORWARDED
            await matter.told(department, "opinion", opinion="a new motor on Friday")
            await matter.told(reviewer, "approved")
            await settled_by_the_department(matter, owner, department)

            speaks = (Speak(rating.var_dir / TONE_G722, loops=-1), AwaitHangUp())
            await people.agent(AGENT, AgentScript(ring_s=0.5, steps=speaks))
            await people.network(CUSTOMER, NETWORK_PORT)
            first = await called_back(matter, owner)
            case = await matter.told(owner, "asked", answer=Answer.DISSATISFIED, words="it stands still again")
            assert case.state is State.DISSATISFIED
            await matter.refused(reviewer, "closed", measures="m", prevention="p")
            await matter.told(owner, "again", department=DEPARTMENT, why="it stands still again")
            await matter.told(department, "opinion", opinion="the control is replaced, too")
            await matter.told(reviewer, "approved")
            await settled_by_the_department(matter, owner, department)
            second = await called_back(matter, owner)
            assert second.number != first.number
            case = await matter.told(owner, "asked", answer=Answer.SATISFIED)
            assert case.state is State.FOLLOWED_UP
            case = await matter.told(reviewer, "closed", measures="motor and control", prevention="a yearly check")

        assert (case.state, case.owner) == (State.CLOSED, owner.login)
        assert not await matter.follow_ups()
        await clocks_are_right(matter, case)
        await both_talks_are_kept(matter, first, second)
    finally:
        await engine.dispose()


async def clocks_are_right(matter: Matter, case: Case) -> None:
    """One run of a clock for each step, end on end; read again from the history they are the same (C4)."""
    history = await matter.ledger.cases.history(case.number)
    assert [event.kind for event in history] == [
        *("registered", "forwarded", "opinion", "returned", "opinion", "approved", "done", "reported"),
        *("fed_back", "asked", "again", "opinion", "approved", "done", "reported", "fed_back", "asked", "closed"),
    ]
    assert [event.at for event in history] == sorted(event.at for event in history)
    runs = case.runs
    assert [run.step for run in runs] == [
        *(Step.FORWARD, Step.OPINION, Step.REVIEW, Step.OPINION, Step.REVIEW, Step.WORK, Step.REPORT),
        *(Step.FEED_BACK, Step.FOLLOW_UP, Step.FORWARD, Step.OPINION, Step.REVIEW, Step.WORK, Step.REPORT),
        *(Step.FEED_BACK, Step.FOLLOW_UP, Step.CLOSE),
    ]
    assert all(before.ended_at == after.began_at for before, after in pairwise(runs))
    assert not await matter.ledger.cases.rewrite(case.number), "reading the history again changes nothing"


async def both_talks_are_kept(matter: Matter, *made: CallBack) -> None:
    """Both call-backs are linked with the case by its number, and their recordings are in the vault."""
    custody = custody_of(matter.centre.settings, matter.ledger.cases._engine, SystemClock())
    for callback in made:
        assert callback.case_id == matter.number
        (attempt,) = await matter.callbacks.attempts(callback.number)

        async def kept(of: CallId = attempt.id) -> bool:
            return {one.leg for one in await custody.recordings(of)} >= {Leg.AGENT, Leg.MIXED}

        assert await within(kept, PATIENCE_S)
