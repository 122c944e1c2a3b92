"""The live picture: calls, agents, queues and figures of one moment, and who is told of a change (I2)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from calls.call import Call, Stage
from calls.events import AnyEvent, CallArrived
from calls.ids import SYNTHETIC_TRUNK, AgentNumber, SectionId
from calls.live import AgentState, CallNow, LinkNow, Picture, QueueNow
from calls.ports import Change, Ratio
from ivr.ami.wire import AmiMessage
from ivr.snapshot import AgentBoard
from service.live import LivePicture, day_of
from tests.support_ledger import NOON, MemoryLedger, Ring, story
from tests.support_virtual_time import run_virtual

SHANGHAI = ZoneInfo("Asia/Shanghai")
SECTIONS = (SectionId("inquiries"), SectionId("complaints"))
TALKING = Ring("1001", rang=6, answered=8, connected=8.5)
RINGING = Ring("1002", rang=6)


@dataclass
class LoopClock:
    """The time of day passes with the loop's."""

    start: datetime = NOON

    def now(self) -> datetime:
        return self.start + timedelta(seconds=asyncio.get_running_loop().time())


@dataclass
class Scene:
    """A live picture over a ledger in memory."""

    clock: LoopClock = field(default_factory=LoopClock)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)

    def __post_init__(self) -> None:
        self.board = AgentBoard([AgentNumber("1001"), AgentNumber("1002")], 10, NOON)
        self.live = LivePicture(self.ledger, self.board, SECTIONS, self.clock, SHANGHAI, 15.0)

    async def happen(self, events: Sequence[AnyEvent]) -> None:
        for change in await self.ledger.record(events):
            self.live.on_change(change)

    def agent(self, number: str, queue: str, status: int) -> None:
        """AMI tells of a queue member."""
        told = {"Event": "QueueMemberStatus", "MemberName": number, "Queue": queue, "Status": str(status)}
        self.board.apply(AmiMessage.of(told), self.clock.now())

    @contextlib.asynccontextmanager
    async def refreshing(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.live.run())
        try:
            await asyncio.sleep(0)
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})


def at(after_s: float) -> datetime:
    return NOON + timedelta(seconds=after_s)


ROWS: list[tuple[str, list[AnyEvent], tuple[Stage, float, str | None]]] = [
    ("in the menu", story("1.1"), (Stage.MENU, 0, None)),
    ("in the queue", story("1.1", asked=5), (Stage.QUEUE, 5, None)),
    ("ringing", story("1.1", asked=5, rings=[RINGING]), (Stage.QUEUE, 5, "1002")),
    ("talking", story("1.1", asked=5, rings=[TALKING]), (Stage.TALK, 8.5, "1001")),
    (
        "second agent rings",
        story("1.1", asked=5, rings=[Ring("1001", rang=6, ended=21), Ring("1002", rang=22)]),
        (Stage.QUEUE, 5, "1002"),
    ),
    (
        "second agent talks",
        story("1.1", asked=5, rings=[Ring("1001", 6, ended=21), Ring("1002", 22, 23, 24)]),
        (Stage.TALK, 24, "1002"),
    ),
]


@pytest.mark.parametrize(("events", "shown"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_call_of_this_moment(events: list[AnyEvent], shown: tuple[Stage, float, str | None]) -> None:
    async def scenario() -> None:
        scene = Scene()
        await scene.happen(events)
        (call,) = scene.live.picture().calls
        stage, since_s, agent = shown
        assert (call.stage, call.since, call.agent) == (stage, at(since_s), agent)
        if stage is not Stage.MENU:
            assert (call.asked_at, call.section, call.language) == (at(5), "inquiries", "zh-CN")

    run_virtual(scenario())


def test_an_ended_call_leaves_the_picture_and_the_longest_comes_first() -> None:
    async def scenario() -> None:
        scene = Scene()
        await scene.happen(story("1.2", start=at(20)))
        await scene.happen(story("1.1", start=at(10)))
        await scene.happen(story("1.3", start=at(30), ended=5))
        assert [call.call_id for call in scene.live.picture().calls] == ["1.1", "1.2"]
        await scene.happen(story("1.1", start=at(10), ended=5))
        assert [call.call_id for call in scene.live.picture().calls] == ["1.2"]

    run_virtual(scenario())


def test_calls_that_were_open_at_the_start_are_shown() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.live.open_calls([Call.of(story("1.1", asked=5))])
        (call,) = scene.live.picture().calls
        assert isinstance(call, CallNow)
        assert call.stage is Stage.QUEUE

    run_virtual(scenario())


def test_the_synthetic_callers_calls_are_not_shown() -> None:
    """Not while they go on, not at a start in the middle of one, and not if the trunk is heard of late (K5)."""

    async def scenario() -> None:
        scene = Scene()
        arrived, *rest = (
            replace(event, trunk=SYNTHETIC_TRUNK) if isinstance(event, CallArrived) else event
            for event in story("1.1", asked=5)
        )
        await scene.happen(rest)
        await scene.happen([arrived])
        assert scene.live.picture().calls == ()
        scene.live.open_calls([Call.of([arrived, *rest])])
        assert scene.live.picture().calls == ()

    run_virtual(scenario())


def test_queues_count_who_waits_and_who_is_ready() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.agent("1001", "inquiries", status=1)
        scene.agent("1002", "inquiries", status=2)  # talks
        scene.agent("1002", "complaints", status=2)
        for number, after_s in (("1.1", 9), ("1.2", 3), ("1.3", 7)):
            await scene.happen(story(number, start=at(after_s), asked=1))
        await scene.happen(story("1.4", asked=1, rings=[TALKING]))  # no longer waits
        await scene.happen(story("1.5"))  # in the menu
        assert scene.live.picture().queues == (
            QueueNow(SECTIONS[0], waiting=3, agents_ready=1, longest_wait_since=at(4)),
            QueueNow(SECTIONS[1], waiting=0, agents_ready=0, longest_wait_since=None),
        )

    run_virtual(scenario())


def test_agents_and_link_are_those_of_this_moment() -> None:
    async def scenario() -> None:
        scene = Scene()
        assert scene.live.picture().link is LinkNow.DOWN
        scene.live.set_link(LinkNow.STALE)
        scene.agent("1001", "inquiries", status=6)
        picture = scene.live.picture()
        assert (picture.link, picture.at) == (LinkNow.STALE, scene.clock.now())
        assert [(agent.number, agent.state) for agent in picture.agents] == [
            ("1001", AgentState.RINGING),
            ("1002", AgentState.LOGGED_OUT),
        ]

    run_virtual(scenario())


def test_the_picture_holds_no_callers_number() -> None:
    async def scenario() -> None:
        scene = Scene()
        await scene.happen(story("1.1", asked=5, promised=40))
        assert "13900001234" not in repr(scene.live.picture())  # P1

    run_virtual(scenario())


# ── Figures ──────────────────────────────────────────────────────────────────────────────────────────────────

DAYS = [
    ("noon", datetime(2026, 11, 18, 4, tzinfo=UTC), datetime(2026, 11, 17, 16, tzinfo=UTC)),
    ("last instant", datetime(2026, 11, 18, 15, 59, 59, 999_999, UTC), datetime(2026, 11, 17, 16, tzinfo=UTC)),
    ("midnight", datetime(2026, 11, 18, 16, tzinfo=UTC), datetime(2026, 11, 18, 16, tzinfo=UTC)),
    ("UTC's midnight", datetime(2026, 11, 19, 0, tzinfo=UTC), datetime(2026, 11, 18, 16, tzinfo=UTC)),
    ("new year", datetime(2026, 12, 31, 16, tzinfo=UTC), datetime(2026, 12, 31, 16, tzinfo=UTC)),
]


@pytest.mark.parametrize(("now", "start"), [row[1:] for row in DAYS], ids=[row[0] for row in DAYS])
def test_the_day_is_the_operators(now: datetime, start: datetime) -> None:
    assert day_of(now, SHANGHAI) == (start, start + timedelta(days=1))


def test_a_day_may_have_25_hours() -> None:
    start, end = day_of(datetime(2026, 10, 25, 12, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
    assert end.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=25)


def test_figures_are_the_days_so_far() -> None:
    async def scenario() -> None:
        scene = Scene()
        assert scene.live.picture().figures is None  # the ledger has not said
        await scene.happen(story("1.0", start=NOON - timedelta(days=1), asked=5, ended=9))
        await scene.happen(story("1.1", asked=5, rings=[TALKING], ended=60))
        await scene.happen(story("1.2", asked=5, promised=40, ended=45))
        async with scene.refreshing():
            figures = scene.live.picture().figures
            assert figures is not None
            assert (figures.answered, figures.within_limit, figures.arrived) == (Ratio(1, 2), Ratio(1, 2), 2)
            assert figures.callbacks == 1 and scene.live.picture().callbacks_open == 0  # not listed yet
            scene.live.set_callbacks(1)
            assert scene.live.picture().callbacks_open == 1
            await scene.happen(story("1.3", ended=9))
            await asyncio.sleep(2)
            figures = scene.live.picture().figures
            assert figures is not None
            assert figures.arrived == 3

    run_virtual(scenario())


def test_at_midnight_the_figures_begin_anew_even_if_nobody_calls() -> None:
    async def scenario() -> None:
        scene = Scene(LoopClock(datetime(2026, 11, 18, 15, 59, 50, tzinfo=UTC)))  # ten seconds before
        await scene.happen(story("1.1", ended=9))
        async with scene.refreshing():
            figures = scene.live.picture().figures
            assert figures is not None
            assert figures.arrived == 1
            await asyncio.sleep(20)
            figures = scene.live.picture().figures
            assert figures is not None
            assert figures.arrived == 0

    run_virtual(scenario())


def test_while_the_ledger_is_away_the_last_figures_stand(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        scene = Scene()
        await scene.happen(story("1.1", ended=9))
        async with scene.refreshing():
            before = scene.live.picture().figures
            (change,) = await scene.ledger.record(story("1.2", ended=9))
            scene.ledger.gone = True
            scene.live.on_change(change)
            await asyncio.sleep(10)
            assert scene.live.picture().figures == before
            scene.ledger.gone = False
            await asyncio.sleep(2)
            figures = scene.live.picture().figures
            assert figures is not None
            assert figures.arrived == 2

    run_virtual(scenario())
    assert {entry.message for entry in caplog.records} == {"figures.unavailable"}


# ── Telling of changes ───────────────────────────────────────────────────────────────────────────────────────


def test_changes_close_together_are_one() -> None:
    async def scenario() -> None:
        scene = Scene()
        seen: list[Picture] = []

        async def watch() -> None:
            async for picture in scene.live.changes():
                seen.append(picture)

        watching = asyncio.create_task(watch())
        await asyncio.sleep(1)
        assert len(seen) == 1  # one at once
        for number in range(100):
            await scene.happen(story(f"1.{number}"))
        await asyncio.sleep(1)
        assert len(seen) == 2
        assert len(seen[-1].calls) == 100
        await asyncio.sleep(60)
        assert len(seen) == 2  # nothing has changed
        for _ in range(100):  # ten seconds of changes
            scene.live.touch()
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        assert 10 <= len(seen) - 2 <= 41  # at most four a second
        watching.cancel()

    run_virtual(scenario())


def test_a_slow_reader_blocks_nobody_and_gets_the_latest() -> None:
    async def scenario() -> None:
        scene = Scene()
        seen: list[int] = []

        async def watch() -> None:
            async for picture in scene.live.changes():
                seen.append(len(picture.calls))
                await asyncio.sleep(30)

        watching = asyncio.create_task(watch())
        await asyncio.sleep(0)
        began = asyncio.get_running_loop().time()
        for number in range(50):
            await scene.happen(story(f"1.{number}"))
        assert asyncio.get_running_loop().time() == began
        await asyncio.sleep(100)
        assert seen == [0, 50]
        watching.cancel()

    run_virtual(scenario())


def test_a_change_says_what_was_stored() -> None:
    """``before`` of a call that is new is ``None``, and the picture does not mind."""

    async def scenario() -> None:
        scene = Scene()
        call = Call.of(story("1.1"))
        scene.live.on_change(Change(None, call, ()))
        assert [shown.call_id for shown in scene.live.picture().calls] == ["1.1"]

    run_virtual(scenario())
