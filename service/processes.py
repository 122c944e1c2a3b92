"""``sansheng run``: Asterisk and the service as child processes, kept alive until told to stop."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from calls.errors import SanshengError
from service.asterisk import Asterisk
from service.children import DIES_WITH_US, end
from service.settings import Settings

log = logging.getLogger(__name__)

_RESTART_FIRST_S = 0.5
_RESTART_CAP_S = 15.0
_STEADY_S = 60.0
"""A child that lived this long is restarted at once when it ends."""


class ServiceProcess:
    """The service in a process of its own, so that its end never takes Asterisk with it."""

    command = "serve"
    log_name = "service.log"

    def __init__(self, settings: Settings, arguments: tuple[str, ...] = ()) -> None:
        self._settings = settings
        self._arguments = arguments
        self._process: asyncio.subprocess.Process | None = None
        self.log_file: Path = settings.var_dir / self.log_name

    async def start(self) -> None:
        """Start it; its log goes to the file."""
        with self.log_file.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *DIES_WITH_US,
                sys.executable,
                "-m",
                "service",
                *self._arguments,
                self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    async def ready(self, timeout_s: float = 30, ledger_s: float = 8) -> bool:
        """Wait until ``/readyz`` says so; False if calls are served, but its database is away for ``ledger_s``.

        Raises SanshengError with the end of the log.
        """
        url = f"http://127.0.0.1:{self._settings.ports.web}/readyz"
        waits_until: float | None = None
        try:
            async with asyncio.timeout(timeout_s), aiohttp.ClientSession() as web:
                while missing := await _missing(web, url):
                    if missing != {"ledger"}:
                        waits_until = None
                    elif waits_until is None:
                        waits_until = time.monotonic() + ledger_s
                    elif time.monotonic() > waits_until:
                        return False
                    if self._process is None or self._process.returncode is not None:
                        raise SanshengError(f"the service ended at once:\n{self.log_tail()}")
                    await asyncio.sleep(0.1)
        except TimeoutError as error:
            raise SanshengError(f"the service is not ready after {timeout_s:.0f} s:\n{self.log_tail()}") from error
        return True

    async def wait(self) -> int:
        assert self._process is not None, "not started"
        return await self._process.wait()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.returncode is None

    def send(self, signal_number: int) -> None:
        """Send it a signal, if it is still there."""
        if self._process and self._process.returncode is None:
            self._process.send_signal(signal_number)

    async def stop(self, graceful_s: float = 15) -> None:
        """End it: politely, then with force."""
        await end(self._process, graceful_s)

    def log_tail(self, lines: int = 15) -> str:
        if not self.log_file.exists():
            return ""
        return "\n".join(self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


class WorkerProcess(ServiceProcess):
    """A worker that transcribes: recognisers are native code, and may take their process with them."""

    command = "worker"
    log_name = "worker.log"


async def _missing(web: aiohttp.ClientSession, url: str) -> set[str]:
    """What keeps the service from being ready, as it says itself; empty if nothing does."""
    try:
        async with web.get(url) as answer:
            health: dict[str, bool] = await answer.json()
    except (aiohttp.ClientError, ValueError):
        return {"service"}
    return {name for name, works in health.items() if not works and name != "ready"}


async def keep_running(
    asterisk: Asterisk, service: ServiceProcess, stop: asyncio.Event, worker: WorkerProcess | None = None
) -> None:
    """Restart whichever of them ends, until ``stop``. Restarts of one that ends at once come ever slower."""

    async def keep(name: str, wait: Callable[[], Awaitable[int]], start: Callable[[], Awaitable[None]]) -> None:
        delay_s = 0.0
        while True:
            began = time.monotonic()
            status = await wait()
            steady = time.monotonic() - began > _STEADY_S
            delay_s = 0.0 if steady else min(max(delay_s * 2, _RESTART_FIRST_S), _RESTART_CAP_S)
            log.error("process.ended", extra={"child": name, "status": status, "restart_in_s": delay_s})
            await asyncio.sleep(delay_s)
            try:
                await start()
            except SanshengError as error:
                log.error("process.restart_failed", extra={"child": name, "reason": str(error)})

    keepers = [
        asyncio.create_task(keep("asterisk", asterisk.wait, asterisk.start)),
        asyncio.create_task(keep("service", service.wait, service.start)),
    ]
    if worker:
        keepers.append(asyncio.create_task(keep("worker", worker.wait, worker.start)))
    await stop.wait()
    for keeper in keepers:
        keeper.cancel()
    await asyncio.gather(*keepers, return_exceptions=True)
