"""A RabbitMQ of the tests' own, on ports of its own, which keeps its files in a temporary folder."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from pathlib import Path

from tests.support_ports import free_port

_PROGRAM = "/usr/lib/rabbitmq/bin/rabbitmq-server"
"""Not Debian's wrapper in the path, which changes to another user."""
_START_S = 300


class RabbitMq:
    """One node, which listens on loopback only and has no plug-ins."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "rabbitmq"
        self._folder.mkdir()
        self._ports = [free_port() for _ in range(3)]
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self._ports[0]}//"

    async def start(self) -> None:
        """Returns when it accepts clients."""
        port, distribution = (str(each) for each in self._ports[:2])
        (self._folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{port}\nlog.console = true\nlog.file = false\n", encoding="utf-8"
        )
        (self._folder / "plugins").write_text("[].\n", encoding="utf-8")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "LANG": "C.UTF-8",
            "RABBITMQ_NODENAME": f"test{port}@localhost",
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(self._folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(self._folder),
            "RABBITMQ_LOG_BASE": str(self._folder),
            "RABBITMQ_DIST_PORT": distribution,
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            **self._mapper,
        }
        with (self._folder / "said").open("wb") as said:
            self._process = await asyncio.create_subprocess_exec(
                _PROGRAM,
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        async with asyncio.timeout(_START_S):
            while not await _accepts(int(port)):
                assert self._process.returncode is None, (self._folder / "said").read_text("utf-8", "replace")
                await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """End it, and Erlang's port mapper, which it has started."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        async with asyncio.timeout(_START_S):
            while not await self._mapper_ended():  # it first has to notice that the node is gone
                await asyncio.sleep(0.1)

    async def _mapper_ended(self) -> bool:
        """Tell it to end; whether it does not answer any more."""
        told = await asyncio.create_subprocess_exec(
            *("epmd", "-kill"),
            env={**os.environ, **self._mapper},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        await told.wait()
        return not await _accepts(self._ports[2])

    @property
    def _mapper(self) -> dict[str, str]:
        return {"ERL_EPMD_PORT": str(self._ports[2]), "ERL_EPMD_ADDRESS": "127.0.0.1"}


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
