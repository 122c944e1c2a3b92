"""Looking again and again beside the calls, and stopping without cutting a question off."""

from __future__ import annotations

import asyncio

import pytest

from service.gauges import every
from tests.support_virtual_time import run_virtual


def test_it_looks_at_once_and_then_at_its_pace() -> None:
    looked: list[float] = []

    async def look() -> None:
        looked.append(asyncio.get_running_loop().time())

    async def scene() -> None:
        task = asyncio.create_task(every(15, look))
        await asyncio.sleep(40)
        task.cancel()
        await asyncio.wait({task})

    run_virtual(scene())
    assert looked == [0, 15, 30]


@pytest.mark.parametrize(("takes_s", "finished"), [(2.0, True), (60.0, False)])
def test_what_is_being_asked_is_finished_within_bounds(takes_s: float, finished: bool) -> None:
    """A query that is cut off leaves a complaint of its driver in the log; one that hangs holds nobody up."""
    ended: list[bool] = []

    async def look() -> None:
        try:
            await asyncio.sleep(takes_s)
            ended.append(True)
        except asyncio.CancelledError:
            ended.append(False)
            raise

    async def scene() -> float:
        task = asyncio.create_task(every(15, look))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        await asyncio.sleep(0)
        return asyncio.get_running_loop().time()

    assert run_virtual(scene()) <= 5
    assert ended == [finished]
