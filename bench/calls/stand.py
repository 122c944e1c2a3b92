"""The stand: one Asterisk, our service beside it, and agents' telephones that answer at once.

The Asterisk is the product's own, from the same templates; one context is added to its dialplan, in which the
FastAGI menu is replaced by the dialplan's own means, and everything else is the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from asterisk_conf.install import AsteriskBuild
from asterisk_conf.render import write_private
from metrics import catalogue
from service.agents import ami, log_in
from service.asterisk import Asterisk
from service.processes import ServiceProcess
from service.settings import ROOT, Ports, Settings, Sip, load_settings
from service.wiring import menu_of

MENU = Path(__file__).parent / "menu.toml"
TRUNK = "127.0.0.2"
AGENTS = 120
FULL = "95000"
"""The number under which callers get our whole path."""
BARE = "95001"
"""The number under which they get the same call in bare dialplan."""

_BARE = f"""
; ── Added by the benchmark: the same call, its menu in bare dialplan ─────────────────────────────────────────
[from-trunk](+)
exten => {BARE},1,Goto(bench-bare,s,1)

[bench-bare]
exten => s,1,Set(CALLERID(name)=)
 same => n,Set(CALLERID(num)=${{FILTER(0-9+,${{CALLERID(num):0:64}}):0:20}})
 same => n,Set(CHANNEL(language)=zh-CN)
 same => n,CELGenUserEvent(ARRIVED,${{TRUNK}})
 same => n,Answer()
 same => n,Background(choose-language)
 same => n,WaitExten(5)
exten => 1,1,Goto(bench-bare-sections,s,1)

[bench-bare-sections]
exten => s,1,Background(sections)
 same => n,WaitExten(5)
exten => 1,1,Set(ASK_SECTION=inquiry)
 same => n,Set(ASK_PRIORITY=0)
 same => n,Set(ASK_BY=menu)
 same => n,Goto(person,s,1)
"""


class BenchAsterisk(Asterisk):
    """The product's Asterisk with the bare menu beside ours."""

    def prepare(self, build: AsteriskBuild) -> None:
        """See Asterisk.prepare."""
        super().prepare(build)
        dialplan = self.dirs.etc / "extensions.conf"
        write_private(dialplan, dialplan.read_text(encoding="utf-8") + _BARE)


class Stand:
    """What the measurements share. Make it with ``stand()``."""

    def __init__(self, settings: Settings, config: Path) -> None:
        self.settings = settings
        self.asterisk = BenchAsterisk(settings, menu_of(settings))
        self._arguments = ("--config", str(config))
        self.service: ServiceProcess | None = None

    async def start_service(self) -> None:
        """Our service, ready for calls; nothing changes if it runs already."""
        if self.service is None:
            self.service = ServiceProcess(self.settings, self._arguments)
            await self.service.start()
            await self.service.ready()
            await self._in_step()

    async def _in_step(self) -> None:
        """Return when the service has caught up with what Asterisk did without it."""
        url = f"http://127.0.0.1:{self.settings.ports.web}/metrics"
        async with asyncio.timeout(60), aiohttp.ClientSession() as web:
            while True:
                async with web.get(url) as answer:
                    if f"\n{catalogue.LINK_UP.name} 1.0" in await answer.text():
                        return
                await asyncio.sleep(0.2)

    async def stop_service(self) -> None:
        """No service: nobody listens to Asterisk."""
        if self.service is not None:
            await self.service.stop()
            self.service = None

    async def seat_agents(self) -> None:
        """Every agent logged in and not paused, whatever the calls before have left behind."""
        async with ami(self.settings) as link:
            for agent in self.settings.agents:
                await log_in(link, agent)

    def pids(self) -> dict[str, int]:
        """The processes whose processor time is ours to account for."""
        found = {"asterisk": self.asterisk.pid, "service": self.service.pid if self.service else None}
        return {name: pid for name, pid in found.items() if pid}


def bench_settings(config: Path | None) -> tuple[Settings, Path]:
    """Settings of the stand, and the file that tells them to the service.

    ``config`` may give ``var_dir``, ``asterisk_dir``, ``sip`` and ``ports``; the rest is the benchmark's.
    """
    base = (
        load_settings(config)
        if config
        else Settings(
            var_dir=ROOT / "var" / "bench",
            sip=Sip(port=15060, rtp_first_port=40000, rtp_last_port=43999),
            ports=Ports(ami=15038, agi=14573, web=18080),
        )
    )
    file = base.var_dir / "bench.toml"
    base.var_dir.mkdir(parents=True, exist_ok=True)
    file.write_text(settings_text(base), encoding="utf-8")
    return load_settings(file), file


def settings_text(
    base: Settings, *, var_dir: Path | None = None, ports: Ports | None = None, agents: int = AGENTS
) -> str:
    """A settings file: the places of ``base``, or others, and what the benchmark needs."""
    ports = ports or base.ports
    roster = "".join(f'[[agents]]\nnumber = "{10001 + n}"\nsections = ["inquiry"]\n' for n in range(agents))
    return f"""# Written by the benchmark.
var_dir = {json.dumps(str(var_dir or base.var_dir))}
asterisk_dir = {json.dumps(str(base.asterisk_dir))}
menu_file = {json.dumps(str(MENU))}
rehearse_at = 2026-11-24T10:00:00

[queueing]
wrap_up_s = 0

[reliability]
synthetic_every_s = 0

[transcription]
enabled = false

[survey]
enabled = false

[sip]
port = {base.sip.port}
rtp_first_port = {base.sip.rtp_first_port}
rtp_last_port = {base.sip.rtp_last_port}

[ports]
ami = {ports.ami}
agi = {ports.agi}
web = {ports.web}

[[trunks]]
name = "bench"
match = "{TRUNK}"

{roster}"""


def forget_calls(settings: Settings) -> None:
    """Remove what earlier calls left: ledger, recordings, Asterisk's logs."""
    for pattern in ("ledger.db*", "*-checkpoint.json", "asterisk-life.json"):
        for file in settings.var_dir.glob(pattern):
            file.unlink()
    for folder in (
        settings.recordings_dir,
        *(settings.var_dir / name for name in ("pbx/log", "spool", "reliability")),
    ):
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.asynccontextmanager
async def stand(config: Path | None) -> AsyncIterator[Stand]:
    """A fresh stand: what an earlier run left of calls is removed first. Stops everything at the end."""
    settings, file = bench_settings(config)
    forget_calls(settings)
    made = Stand(settings, file)
    await made.asterisk.start()
    try:
        yield made
    finally:
        await made.stop_service()
        made.asterisk.kill()  # hundreds of calls may be up: nobody waits for their good-byes
        await made.asterisk.stop()
        forget_calls(settings)
