"""A real Prometheus with our own configuration and rules, which looks at a service more often."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import Any

import aiohttp

from service.children import DIES_WITH_US, end
from service.monitoring import write_files
from service.settings import Settings
from tests.support_centre import within

_READY_S = 120.0


class PrometheusApi:
    """Asks a Prometheus that runs somewhere."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def query(self, expr: str, at: float | None = None) -> list[dict[str, Any]]:
        """What an expression gives at a moment (seconds since 1970), by default now."""
        return await self._ask("query", {"query": expr} | ({"time": repr(at)} if at is not None else {}))

    async def query_range(self, expr: str, start: float, finish: float, step_s: float) -> list[dict[str, Any]]:
        """What it gives over a time, one value every `step_s` seconds."""
        return await self._ask(
            "query_range", {"query": expr, "start": repr(start), "end": repr(finish), "step": repr(step_s)}
        )

    async def _ask(self, what: str, form: dict[str, str]) -> list[dict[str, Any]]:
        async with (
            aiohttp.ClientSession() as web,
            web.post(f"{self.url}/api/v1/{what}", data=form) as answer,
        ):
            said = await answer.json(content_type=None)
        assert said["status"] == "success", f"{form['query']}: {said.get('error', said)}"
        series = said["data"]["result"]
        assert isinstance(series, list), f"{form['query']} is no vector"
        return series


class Prometheus(PrometheusApi):
    """Start it, ask it, stop it. Its data lie in a folder of its own below the hotline's."""

    def __init__(self, settings: Settings, port: int, *, every_s: int = 1, more_rules: str = "") -> None:
        super().__init__(f"http://127.0.0.1:{port}")
        self._settings = settings
        self._folder = settings.var_dir / "test-prometheus"
        self._every_s = every_s
        self._more_rules = more_rules
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until it has seen the service."""
        program = shutil.which("prometheus")
        assert program, "the tests need Debian's package prometheus"
        shutil.rmtree(self._folder, ignore_errors=True)
        config = self._written()
        with (self._folder / "log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *DIES_WITH_US,
                program,
                f"--config.file={config}",
                f"--storage.tsdb.path={self._folder / 'data'}",
                f"--web.listen-address={self.url.removeprefix('http://')}",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        assert await within(self._sees_service, _READY_S), (self._folder / "log").read_text()[-2000:]

    def _written(self) -> Path:
        """Our configuration, but for how often it looks."""
        config, *_ = write_files(self._settings, self._folder, alertmanager=False)
        often = config.read_text()
        for ours in ("scrape_interval: 15s", "scrape_timeout: 10s", "evaluation_interval: 15s"):
            assert ours in often, often
            often = often.replace(ours, f"{ours.split(':')[0]}: {self._every_s}s")
        config.write_text(often)
        if self._more_rules:
            (self._folder / "rules" / "more.yml").write_text(self._more_rules)
        return config

    async def _sees_service(self) -> bool:
        try:
            return bool(await self.query('up{job="sansheng"} == 1'))
        except (aiohttp.ClientError, ValueError):  # not listening, or not ready and says so in plain words
            return False

    async def stop(self) -> None:
        """End it; its data are thrown away."""
        await end(self._process, graceful_s=10)
        shutil.rmtree(self._folder, ignore_errors=True)
