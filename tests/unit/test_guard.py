"""The dead man's handle: callers stay in the menu while the service lives, and only then."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from calls.errors import AmiLinkDown, AmiTimeout
from ivr.agi.guard import TakeoverGuard
from tests.support_virtual_time import run_virtual

TAKEOVER_S = 2.5


class Pushes:
    """Stands for AMI: notes when each channel's time was pushed, and for how long."""

    def __init__(self, takes_s: float = 0.0) -> None:
        self.takes_s = takes_s
        self.broken: set[str] = set()
        self.seen: dict[str, list[float]] = defaultdict(list)
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, channel: str, seconds: float) -> None:
        assert seconds == TAKEOVER_S
        await asyncio.sleep(self.takes_s)
        await self.gate.wait()
        if channel in self.broken:
            raise AmiLinkDown("cut off")
        self.seen[channel].append(now())

    @property
    def count(self) -> int:
        return sum(map(len, self.seen.values()))


def now() -> float:
    return asyncio.get_running_loop().time()


@contextlib.asynccontextmanager
async def guarding(pushes: Pushes) -> AsyncIterator[TakeoverGuard]:
    guard = TakeoverGuard(pushes, TAKEOVER_S)
    running = asyncio.create_task(guard.run())
    try:
        yield guard
    finally:
        running.cancel()
        await asyncio.wait({running})


@pytest.mark.parametrize("takes_s", [0.0, 0.3, 0.99], ids=["at once", "slow", "as slow as AMI may be"])
def test_no_held_channel_ever_runs_out_of_time(takes_s: float) -> None:
    async def scenario() -> None:
        pushes = Pushes(takes_s)

        async def caller(number: int) -> None:
            await asyncio.sleep(number * 0.137)
            entered = now()  # where the dialplan gave it the first time-out
            async with guard.hold(f"PJSIP/city-{number}"):
                await asyncio.sleep(20 + number)
            times = [entered, *pushes.seen[f"PJSIP/city-{number}"], now()]
            assert max(later - earlier for earlier, later in pairwise(times)) < TAKEOVER_S

        async with guarding(pushes) as guard, asyncio.TaskGroup() as callers:
            for number in range(40):
                callers.create_task(caller(number))

    run_virtual(scenario())


def test_nobody_is_pushed_once_the_hold_is_over() -> None:
    async def scenario() -> None:
        pushes = Pushes(takes_s=0.05)
        async with guarding(pushes) as guard:
            with pytest.raises(RuntimeError, match="hung up"):
                async with guard.hold("short"):
                    raise RuntimeError("hung up")
            async with guard.hold("long"):
                await asyncio.sleep(5)
            before = pushes.count
            assert before >= 2
            await asyncio.sleep(60)
        assert pushes.count == before
        assert not pushes.seen["short"]

    run_virtual(scenario())


def test_the_end_of_a_hold_waits_for_a_push_under_way() -> None:
    """Arriving later, it would give the caller's talk a time-out."""

    async def scenario() -> None:
        pushes = Pushes()
        pushes.gate.clear()
        async with guarding(pushes) as guard:

            async def caller() -> None:
                async with guard.hold("a"):
                    await asyncio.sleep(1)

            walking = asyncio.create_task(caller())
            await asyncio.sleep(30)
            assert not walking.done()
            pushes.gate.set()
            await walking
            assert len(pushes.seen["a"]) == 1
            await asyncio.sleep(30)
            assert len(pushes.seen["a"]) == 1

    run_virtual(scenario())


def test_a_push_that_hangs_holds_up_nobody_else() -> None:
    async def scenario() -> None:
        never = asyncio.Event()
        begun: list[str] = []
        pushed: list[str] = []

        async def push(channel: str, _seconds: float) -> None:
            begun.append(channel)
            if channel == "stuck":
                await never.wait()
            pushed.append(channel)

        guard = TakeoverGuard(push, TAKEOVER_S)
        running = asyncio.create_task(guard.run())
        async with guard.hold("stuck"), guard.hold("fine"):
            await asyncio.sleep(10)
            assert pushed.count("fine") >= 4
            assert "stuck" not in pushed
            assert begun.count("stuck") == 1  # nor is it sent again and again meanwhile
            never.set()
        running.cancel()

    run_virtual(scenario())


def test_whether_it_works_is_what_the_last_push_says(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        pushes = Pushes()
        async with guarding(pushes) as guard:
            assert not guard.working  # nothing has shown it yet
            async with guard.hold("a"):
                await asyncio.sleep(3)
                assert guard.working
                pushes.broken = {"a"}
                await asyncio.sleep(10)
                assert not guard.working
                pushes.broken = set()
                await asyncio.sleep(3)
                assert guard.working

    run_virtual(scenario())
    assert [entry.message for entry in caplog.records] == ["menu.guard_cut_off"]  # told once, not once a second


def test_a_failing_push_is_tried_again_and_others_go_on() -> None:
    async def scenario() -> None:
        pushes = Pushes()
        pushes.broken = {"bad"}
        async with guarding(pushes) as guard, guard.hold("bad"), guard.hold("good"):
            await asyncio.sleep(10)
            assert len(pushes.seen["good"]) >= 4
            pushes.broken = set()
            await asyncio.sleep(3)
            assert pushes.seen["bad"]

    run_virtual(scenario())


def test_any_failure_of_ami_is_a_failure() -> None:
    async def scenario() -> None:
        async def push(_channel: str, _seconds: float) -> None:
            raise AmiTimeout("no reply")

        guard = TakeoverGuard(push, TAKEOVER_S)
        running = asyncio.create_task(guard.run())
        async with guard.hold("a"):
            await asyncio.sleep(5)
        assert not guard.working
        assert not running.done()
        running.cancel()

    run_virtual(scenario())
