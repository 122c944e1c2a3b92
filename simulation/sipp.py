"""SIPp, started: one process, its scenario, and where what it says is kept."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from calls.errors import SanshengError


def require_sipp() -> None:
    """Raises SanshengError that says how to get SIPp, if there is none."""
    if not shutil.which("sipp"):
        raise SanshengError("SIPp is missing; get it with: apt-get install sip-tester")


@dataclass(frozen=True, slots=True)
class Line:
    """Where a SIPp process speaks: SIP on its port, sound from two ports further on.

    ``remote``: Asterisk's address and port, for who calls; ``None`` for who is called. Six ports are used.
    """

    address: str
    port: int
    remote: tuple[str, int] | None = None

    @property
    def control(self) -> int:
        """The UDP port on which it takes SIPp's remote commands."""
        return self.port + 1


@dataclass(frozen=True, slots=True)
class Sipp:
    """A running SIPp and the files it writes; all their names begin alike."""

    process: asyncio.subprocess.Process
    files: Path

    @property
    def errors(self) -> Path:
        return self.files.with_suffix(".err")

    @property
    def messages(self) -> Path:
        """Every SIP message with its time (UTC), if it was started ``traced``."""
        return self.files.with_suffix(".msg")

    def said(self) -> str:
        """The end of what it said, for an error message."""
        files = (self.files.with_suffix(".out"), self.errors)
        return "".join(path.read_text("utf-8", "replace")[-4000:] for path in files if path.exists())

    async def kill(self) -> None:
        """End it at once."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
        await self.process.wait()

    async def finish(self, graceful_s: float) -> None:
        """Let it end its calls, begin no more and write its logs; kill it if that takes too long."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGUSR1)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), graceful_s)
        await self.kill()


async def start_sipp(files: Path, xml: str, line: Line, *options: str, traced: bool = False) -> Sipp:
    """Start SIPp with a scenario; its files go beside ``files``, whose suffix is replaced."""
    scenario = files.with_suffix(".xml")
    scenario.write_text(xml, encoding="utf-8")
    made = files.with_suffix(".out")
    trace = ("-trace_msg", "-message_file", str(files.with_suffix(".msg"))) if traced else ()
    # Into a file: SIPp repaints its screen all the time, and a pipe that nobody empties would stop it.
    with made.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            "sipp",
            *([f"{line.remote[0]}:{line.remote[1]}"] if line.remote else []),
            "-sf", str(scenario),
            "-i", line.address,
            "-p", str(line.port),
            "-mi", line.address,
            "-mp", str(line.port + 2),
            "-ci", line.address,
            "-cp", str(line.control),
            "-nostdin",
            "-trace_err", "-error_file", str(files.with_suffix(".err")),
            *trace,
            *options,
            cwd=files.parent,
            env={**os.environ, "TZ": "UTC"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
    return Sipp(process, files)


async def listening(sipp: Sipp, line: Line) -> None:
    """Return when its SIP port is open, or it has ended: whoever is called before that is not at the telephone."""
    address = int.from_bytes(socket.inet_aton(line.address), sys.byteorder)
    entry = f" {address:08X}:{line.port:04X} "
    while sipp.process.returncode is None and entry not in Path("/proc/net/udp").read_text():  # noqa: ASYNC110
        await asyncio.sleep(0.02)
