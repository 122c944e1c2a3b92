"""A Prometheus and an Alertmanager beside the service: their files, and the processes of ``MONITORING=1`` (I2).

Everything listens on loopback; the data lie under ``var/prometheus``.
"""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import aiohttp
from jinja2 import Environment, StrictUndefined

from calls.errors import SanshengError, SettingsError
from service.children import DIES_WITH_US, end
from service.settings import Settings

PROMETHEUS, ALERTMANAGER = "prometheus", "prometheus-alertmanager"
"""Debian's names of the two programs."""

KEPT_FOR = "60d"
"""How long Prometheus keeps live figures; the books keep theirs for good."""

_READY_S = 60.0
_POLL_S = 0.1
_RULES = ("recording.yml", "alerts.yml")


def write_files(settings: Settings, folder: Path, *, alertmanager: bool = True) -> list[Path]:
    """Write prometheus.yml, alertmanager.yml and rules, for our servers or one's own; the files, in that order.

    Without ``alertmanager`` Prometheus is told of none. Raises SettingsError if the folder cannot be written.
    """
    source = files("metrics") / "rules"
    template = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False).from_string(  # noqa: S701 - YAML
        (source / "prometheus.yml.j2").read_text(encoding="utf-8")
    )
    ports = settings.ports
    told = ports.alertmanager if alertmanager else None
    texts = {
        "prometheus.yml": template.render(web_port=ports.web, alertmanager_port=told),
        "alertmanager.yml": (source / "alertmanager.yml").read_text(encoding="utf-8"),
        **{f"rules/{name}": (source / name).read_text(encoding="utf-8") for name in _RULES},
    }
    try:
        (folder / "rules").mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"cannot write to {folder}: {error.strerror}") from error
    return [folder / name for name in texts]


@dataclass(slots=True)
class _Server:
    """One of the two servers."""

    name: str
    url: str
    command: tuple[str, ...]
    log_file: Path
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self.log_file.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                *DIES_WITH_US,
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    async def ready(self) -> None:
        """Raises SanshengError with the end of its log."""
        try:
            async with asyncio.timeout(_READY_S), aiohttp.ClientSession() as web:
                while not await _answers(web, f"{self.url}/-/ready"):
                    if self.process is None or self.process.returncode is not None:
                        raise SanshengError(f"{self.name} ended at once:\n{self._log_tail()}")
                    await asyncio.sleep(_POLL_S)
        except TimeoutError as error:
            raise SanshengError(f"{self.name} is not ready after {_READY_S:.0f} s:\n{self._log_tail()}") from error

    def _log_tail(self) -> str:
        return "\n".join(self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])


class Monitoring:
    """Prometheus, and Alertmanager if the machine has it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.var_dir / "prometheus"
        self._servers: list[_Server] = []

    async def start(self) -> None:
        """Start both and wait until they answer. Raises SanshengError; what was started is then stopped."""
        if shutil.which(PROMETHEUS) is None:
            raise SanshengError("MONITORING=1 needs a Prometheus; as root: apt-get install prometheus")
        with_alertmanager = shutil.which(ALERTMANAGER) is not None
        await asyncio.to_thread(write_files, self._settings, self._folder, alertmanager=with_alertmanager)
        self._servers = [server for server in self._planned() if shutil.which(server.command[0])]
        try:
            for server in self._servers:
                await server.start()
            for server in self._servers:
                await server.ready()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End both."""
        for server in self._servers:
            await end(server.process, graceful_s=10)

    @property
    def urls(self) -> dict[str, str]:
        """Where each of the running servers is."""
        return {server.name: server.url for server in self._servers}

    def _planned(self) -> list[_Server]:
        ports, folder = self._settings.ports, self._folder
        prometheus, alertmanager = f"127.0.0.1:{ports.prometheus}", f"127.0.0.1:{ports.alertmanager}"
        return [
            _Server(
                name="Prometheus",
                url=f"http://{prometheus}",
                command=(
                    PROMETHEUS,
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--storage.tsdb.retention.time={KEPT_FOR}",
                    f"--web.listen-address={prometheus}",
                ),
                log_file=folder / "prometheus.log",
            ),
            _Server(
                name="Alertmanager",
                url=f"http://{alertmanager}",
                command=(
                    ALERTMANAGER,
                    f"--config.file={folder / 'alertmanager.yml'}",
                    f"--storage.path={folder / 'alertmanager'}",
                    f"--web.listen-address={alertmanager}",
                    "--cluster.listen-address=",  # one of it; it would listen on every address
                ),
                log_file=folder / "alertmanager.log",
            ),
        ]


async def _answers(web: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with web.get(url) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
