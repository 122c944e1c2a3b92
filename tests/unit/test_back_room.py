"""The back room: work in a thread of its own, whose results, errors and ends come back."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from service.back_room import BackRoom


async def test_work_is_done_in_another_thread_and_its_result_comes_back() -> None:
    async def where() -> int:
        await asyncio.sleep(0)
        return threading.get_ident()

    async with BackRoom() as room:
        assert await room.run(where()) != threading.get_ident()
        assert await room.run(where()) == await room.run(where())


async def test_an_error_comes_back_as_it_is() -> None:
    async def fail() -> None:
        raise LookupError("not there")

    async with BackRoom() as room:
        with pytest.raises(LookupError, match="not there"):
            await room.run(fail())


async def test_who_is_cancelled_cancels_the_work() -> None:
    began, ended = threading.Event(), threading.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with BackRoom() as room:
        asked = asyncio.create_task(room.run(work()))
        assert await asyncio.to_thread(began.wait, 60)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert await asyncio.to_thread(ended.wait, 60)


async def test_what_still_runs_at_the_end_is_cancelled() -> None:
    began, ended = threading.Event(), threading.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with BackRoom() as room:
        left = asyncio.create_task(room.run(work()))
        assert await asyncio.to_thread(began.wait, 60)
    assert ended.is_set()
    with pytest.raises(asyncio.CancelledError):
        await left


def test_the_service_loads_no_native_recogniser() -> None:
    """Kaldi aborts its process on bad input: only workers load it."""
    loaded = "import service.wiring, sys; print({'vosk', 'ctranslate2', 'faster_whisper'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
