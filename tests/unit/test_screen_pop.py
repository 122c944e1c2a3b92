"""Screen pop: whose desk a call is on, what is shown of its caller, and what is put on record before that."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from calls.call import Call, Result
from calls.custody import Access, AccessKind
from calls.desk import DeskCall, DeskNow, DeskStage, Dossier, EarlierCall, masked
from calls.errors import StorageUnavailable
from calls.events import AnyEvent, CallArrived, CallEnded, LegEnded
from calls.ids import AgentNumber, CallId
from calls.live import AgentState, LinkNow
from calls.ports import Change
from ivr.ami.wire import AmiMessage
from ivr.snapshot import AgentBoard
from service.screen_pop import ScreenPop
from tests.support_ledger import CALLER, NOON, Ring, story
from tests.support_virtual_time import run_virtual

ANNE, BO = AgentNumber("1001"), AgentNumber("1002")
RINGS_ANNE = story("1.1", asked=5, rings=[Ring(ANNE, rang=6)])
TALKS_TO_ANNE = story("1.1", asked=5, rings=[Ring(ANNE, rang=6, answered=8, connected=8.5)])


@dataclass
class LoopClock:
    def now(self) -> datetime:
        return NOON + timedelta(seconds=asyncio.get_running_loop().time())


@dataclass
class Books:
    """What the service is told of callers, and how it fails."""

    away: bool = False
    slow_s: float = 0.0
    looked_up: list[str] = field(default_factory=list)
    noted: list[Access] = field(default_factory=list)
    stored: dict[CallId, list[AnyEvent]] = field(default_factory=dict)

    async def look_up(self, call_id: CallId, caller: str, arrived_at: datetime) -> Dossier:
        await asyncio.sleep(self.slow_s)
        if self.away:
            raise StorageUnavailable("away")
        self.looked_up.append(caller)
        earlier = EarlierCall(CallId("0.9"), NOON - timedelta(days=1), Result.ABANDONED)
        return Dossier(LoopClock().now(), (earlier,))

    async def events_of(self, call_id: CallId) -> list[AnyEvent]:
        return self.stored[call_id]

    async def note(self, access: Access) -> None:
        if self.away:
            raise StorageUnavailable("away")
        self.noted.append(access)


class Scene:
    """A screen pop whose books answer as a test likes."""

    def __init__(self) -> None:
        self.books = Books()
        self.board = AgentBoard([ANNE, BO], 10, NOON)
        self.pop = ScreenPop(self.board, self.books.look_up, self.books.events_of, self.books.note, LoopClock())

    def happen(self, events: Iterable[AnyEvent]) -> None:
        for event in events:
            self.pop.hear(event)

    async def calls(self, agent: AgentNumber, login: str = "anne") -> tuple[DeskCall, ...]:
        await asyncio.sleep(0.01)  # virtual: what was waiting to be done is done
        return (await self.pop.read(agent, login)).calls


def scenario(play: Callable[[Scene], Awaitable[None]]) -> None:
    """Play in virtual time, with the looking up running beside."""

    async def run() -> None:
        scene = Scene()
        running = asyncio.create_task(scene.pop.run())
        try:
            await play(scene)
        finally:
            running.cancel()
            await asyncio.wait({running})

    run_virtual(run())


def test_a_call_that_rings_is_on_that_agents_desk_and_on_no_other() -> None:
    async def play(scene: Scene) -> None:
        scene.happen(RINGS_ANNE)
        (call,) = await scene.calls(ANNE)
        assert (call.call_id, call.stage, call.since) == ("1.1", DeskStage.RINGING, NOON + timedelta(seconds=6))
        assert (call.section, call.language, call.priority) == ("inquiries", "zh-CN", False)
        assert await scene.calls(BO) == ()

    scenario(play)


@pytest.mark.parametrize(
    ("events", "anne", "bo"),
    [
        (story("1.1", asked=5), None, None),
        (RINGS_ANNE, DeskStage.RINGING, None),
        (TALKS_TO_ANNE, DeskStage.TALKING, None),
        (
            story("1.1", asked=5, rings=[Ring(ANNE, rang=6, ended=21), Ring(BO, rang=22)]),
            None,
            DeskStage.RINGING,
        ),
        (
            story("1.1", asked=5, rings=[Ring(ANNE, 6, 8, 8.5, ended=30), Ring(BO, 29, 31, 31.5)]),
            None,
            DeskStage.TALKING,
        ),
        (story("1.1", asked=5, rings=[Ring(ANNE, 6, 8, 8.5)], ended=40), None, None),
    ],
    ids=["waits", "rings", "talks", "was let ring", "handed on", "over"],
)
def test_a_call_is_on_the_desk_whose_telephone_it_is_at(
    events: list[AnyEvent], anne: DeskStage | None, bo: DeskStage | None
) -> None:
    async def play(scene: Scene) -> None:
        scene.happen(events)
        for agent, stage in ((ANNE, anne), (BO, bo)):
            assert [call.stage for call in await scene.calls(agent)] == ([stage] if stage else [])

    scenario(play)


def test_the_caller_is_looked_up_when_the_call_arrives_not_when_it_rings() -> None:
    async def play(scene: Scene) -> None:
        scene.happen(RINGS_ANNE[:1])
        await asyncio.sleep(1)
        assert scene.books.looked_up == [CALLER]
        scene.happen(RINGS_ANNE)
        (call,) = await scene.calls(ANNE)
        assert call.dossier
        assert [earlier.call_id for earlier in call.dossier.earlier] == ["0.9"]
        assert scene.books.looked_up == [CALLER], "once"

    scenario(play)


def test_a_dossier_that_grew_old_in_the_queue_is_looked_up_again_as_it_rings() -> None:
    async def play(scene: Scene) -> None:
        scene.happen(RINGS_ANNE[:1])
        await asyncio.sleep(300)
        scene.happen(RINGS_ANNE)
        (call,) = await scene.calls(ANNE)
        assert call.dossier
        assert call.dossier.looked_up_at > NOON + timedelta(seconds=299)

    scenario(play)


def test_who_sees_the_callers_history_is_on_record_once_and_before_it_is_shown() -> None:
    async def play(scene: Scene) -> None:
        scene.happen(RINGS_ANNE)
        async with desk(scene, ANNE) as told:
            first = await told()
            assert (first.calls[0].dossier, scene.books.noted) == (None, [])
            second = await told()
            assert second.calls[0].dossier
            (entry,) = scene.books.noted
            assert (entry.actor, entry.kind, entry.call_id) == ("anne", AccessKind.CALLER, "1.1")
        await scene.calls(ANNE)
        assert len(scene.books.noted) == 1

    scenario(play)


def test_without_the_books_the_call_pops_up_all_the_same_and_the_history_follows_when_they_are_back() -> None:
    async def play(scene: Scene) -> None:
        scene.books.away = True
        scene.happen(RINGS_ANNE)
        (call,) = await scene.calls(ANNE)
        assert (call.stage, call.caller, call.dossier) == (DeskStage.RINGING, "139****1234", None)
        scene.books.away = False
        async with desk(scene, ANNE) as told:
            while (now := await told()).calls[0].dossier is None:
                pass
            assert now.at < NOON + timedelta(seconds=5)

    scenario(play)


def test_history_is_not_shown_while_it_cannot_be_put_on_record() -> None:
    async def play(scene: Scene) -> None:
        scene.happen(RINGS_ANNE)
        await asyncio.sleep(1)
        scene.books.away = True
        (call,) = await scene.calls(ANNE)
        assert call.dossier is None

    scenario(play)


def test_a_desk_that_comes_back_gets_the_present_state_at_once() -> None:
    async def play(scene: Scene) -> None:
        async with desk(scene, ANNE) as told:
            assert (await told()).calls == ()
        scene.happen(TALKS_TO_ANNE)
        async with desk(scene, ANNE) as told:
            (call,) = (await told()).calls
            assert call.stage is DeskStage.TALKING

    scenario(play)


def test_a_desk_hears_of_its_own_changes_only_and_of_the_heartbeat() -> None:
    async def play(scene: Scene) -> None:
        async with desk(scene, BO) as told:
            began = (await told()).at
            scene.happen(RINGS_ANNE)
            beat = await told()
            assert beat.calls == ()
            assert beat.at - began >= timedelta(seconds=5), "nothing before the beat"

    scenario(play)


def test_the_agents_state_and_the_end_of_wrap_up_reach_the_desk() -> None:
    async def play(scene: Scene) -> None:
        async with desk(scene, ANNE) as told:
            assert (await told()).agent.state is AgentState.LOGGED_OUT
            told_last = {"LastCall": str(int(NOON.timestamp()))}
            member = {"Event": "QueueMemberStatus", "MemberName": ANNE, "Queue": "inquiries", "Status": "1"}
            scene.board.apply(AmiMessage.of(member | told_last), LoopClock().now())
            scene.pop.agent_changed(ANNE)
            assert (await told()).agent.state is AgentState.WRAP_UP
            while (now := await told()).agent.state is AgentState.WRAP_UP:
                pass
            assert now.agent.state is AgentState.READY
            assert now.at - NOON < timedelta(seconds=11)

    scenario(play)


def test_a_lost_link_is_told_to_every_desk() -> None:
    async def play(scene: Scene) -> None:
        async with desk(scene, ANNE) as anne, desk(scene, BO) as bo:
            assert [(await anne()).link, (await bo()).link] == [LinkNow.DOWN] * 2
            scene.pop.set_link(LinkNow.UP)
            assert [(await anne()).link, (await bo()).link] == [LinkNow.UP] * 2

    scenario(play)


def test_what_asterisks_file_tells_once_more_does_not_bring_a_call_back() -> None:
    over = story("1.1", asked=5, rings=[Ring(ANNE, 6, 8, 8.5, ended=40)], ended=40)

    async def play(scene: Scene) -> None:
        scene.happen(over)
        again = tuple(event for event in over if not isinstance(event, CallEnded | LegEnded))
        scene.pop.on_change(Change(None, Call.of(over), (), again))
        assert await scene.calls(ANNE) == ()

    scenario(play)


def test_calls_that_go_on_when_the_service_starts_are_on_their_desks() -> None:
    async def play(scene: Scene) -> None:
        scene.books.stored[CallId("1.1")] = TALKS_TO_ANNE
        scene.pop.open_calls([Call.of(TALKS_TO_ANNE)])
        (call,) = await scene.calls(ANNE)
        assert call.stage is DeskStage.TALKING

    scenario(play)


def test_a_withheld_number_is_looked_up_nowhere() -> None:
    async def play(scene: Scene) -> None:
        scene.happen(replace(e, caller=None) if isinstance(e, CallArrived) else e for e in RINGS_ANNE)
        (call,) = await scene.calls(ANNE)
        assert (call.caller, call.dossier, scene.books.looked_up) == ("", None, [])

    scenario(play)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("13800138000", "138****8000"),
        ("+8613800138000", "+86****8000"),
        ("02012345678", "020****5678"),
        ("95598", "****98"),
        ("1234567", "123****67"),
        (None, ""),
    ],
)
def test_a_number_is_masked(number: str | None, shown: str) -> None:
    assert masked(number) == shown


@contextlib.asynccontextmanager
async def desk(scene: Scene, agent: AgentNumber) -> AsyncIterator[Callable[[], Awaitable[DeskNow]]]:
    """A desk's line; call what it gives for what comes next."""
    changes = scene.pop.changes(agent, "anne")

    async def told() -> DeskNow:
        async with asyncio.timeout(60):
            return await anext(changes)

    yield told
    await changes.aclose()  # type: ignore[attr-defined]
