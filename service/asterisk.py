"""Our Asterisk: its directories, its configuration from our settings, its process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from asterisk_conf.install import AsteriskBuild, get_asterisk
from asterisk_conf.modules import MODULES
from asterisk_conf.render import render, write_private
from calls.errors import AsteriskError, AsteriskNotReady, SettingsError
from calls.ids import SYNTHETIC_TRUNK
from calls.wrap_up import AFTER_CALL_WORK
from ivr.menu.model import Menu
from service.children import DIES_WITH_US, end
from service.priority import AHEAD, set_priority
from service.secrets import Secrets, load_secrets
from service.settings import SECTIONS, Agent, Settings

AMI_USER = "sansheng"

OVERFLOW_PENALTY = 10
"""Queue penalty of the overflow group's members; a section's own agents have 0."""

PAUSE_REASONS = {"1": "break", "2": "meal", "3": "training", "4": AFTER_CALL_WORK}
"""What an agent dials after *13, and the reason that is kept."""

SYNTHETIC_LONGEST_S = 180
"""After so many seconds a synthetic call ends, whatever it is doing."""

_SOCKET_PATH_LIMIT = 107
_FINISH_RECORDING = """#!/bin/sh
# Called by Asterisk when all three files of a call are closed. Moves them into the intake in one step, so that
# a recording is there completely or not at all. A call that nobody answered left only headers: removed.
set -eu
cd '{recording}'
if [ "$(wc -c < "$1/mixed.wav16")" -le 44 ]; then rm -r "$1"; exit 0; fi
for leg in mixed caller agent; do mv "$1/$leg.wav16" "$1/$leg.wav"; done
mv "$1" '{intake}/'
"""


@dataclass(frozen=True, slots=True)
class Phone:
    """An agent's telephone as Asterisk's configuration sees it."""

    number: str
    password: str
    sections: str
    penalty: int


@dataclass(frozen=True, slots=True)
class Dirs:
    """Where one Asterisk keeps its things."""

    base: Path
    recordings: Path
    etc: Path = field(init=False)
    lib: Path = field(init=False)
    data: Path = field(init=False)
    spool: Path = field(init=False)
    run: Path = field(init=False)
    log: Path = field(init=False)
    hold_music: Path = field(init=False)
    sounds: Path = field(init=False)
    recording: Path = field(init=False)
    intake: Path = field(init=False)
    ends: Path = field(init=False)
    """When Asterisk ended: a line each time, in seconds since 1970. Calls that were up ended then."""

    def __post_init__(self) -> None:
        for name in ("etc", "lib", "data", "spool", "run", "log", "hold_music"):
            object.__setattr__(self, name, self.base / name.replace("_", "-"))
        object.__setattr__(self, "sounds", self.data / "sounds")
        object.__setattr__(self, "recording", self.recordings / "recording")
        object.__setattr__(self, "intake", self.recordings / "intake")
        object.__setattr__(self, "ends", self.base / "ends")

    @property
    def event_log(self) -> Path:
        """The channel event log, of which the books are made."""
        return self.log / "cel-custom" / "Master.csv"

    def make(self) -> None:
        control = self.run / "asterisk.ctl"
        if len(str(control)) > _SOCKET_PATH_LIMIT:
            raise SettingsError(f"var_dir is too long a path for a socket ({control}): choose a shorter one")
        for path in (self.etc, self.lib, self.data, self.spool, self.run, self.hold_music, self.recording,
                     self.intake, self.log / "cel-custom", self.log / "cdr-custom"):  # fmt: skip
            path.mkdir(parents=True, exist_ok=True, mode=0o700)


class Asterisk:
    """One Asterisk of ours, from the rendered configuration to the running process."""

    def __init__(self, settings: Settings, menu: Menu) -> None:
        self.settings = settings
        self.menu = menu
        self.dirs = Dirs(settings.var_dir / "pbx", settings.recordings_dir)
        self._build: AsteriskBuild | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None

    def secrets(self) -> Secrets:
        numbers = [agent.number for agent in self.settings.agents]
        return load_secrets(self.settings.var_dir / "secrets.json", numbers)

    def prepare(self, build: AsteriskBuild) -> None:
        """Make directories, prompts and configuration. Raises SettingsError or PromptError."""
        from service.prompts import install_prompts

        self._build = build
        self.dirs.make()
        secrets = self.secrets()
        finish = self.dirs.base / "finish-recording"
        write_private(
            finish,
            _FINISH_RECORDING.format(recording=self.dirs.recording, intake=self.dirs.intake),
            mode=0o700,
        )
        documentation = self.dirs.data / "documentation"
        if not documentation.is_symlink() and (build.data_dir / "documentation").is_dir():
            documentation.symlink_to(build.data_dir / "documentation")
        install_prompts(self.settings, self.dirs)
        render(self._context(build, secrets, finish), self.dirs.etc)

    def _context(self, build: AsteriskBuild, secrets: Secrets, finish: Path) -> dict[str, object]:
        from service.surveys import survey_plan

        phones = [
            Phone(
                number=agent.number,
                password=secrets.phones[agent.number],
                sections=":".join(agent.queues),
                penalty=queue_penalty(agent),
            )
            for agent in self.settings.agents
        ]
        return {
            "settings": self.settings,
            "build": build,
            "dirs": self.dirs,
            "secrets": secrets,
            "ami_user": AMI_USER,
            "modules": MODULES,
            "sections": SECTIONS,
            "phones": phones,
            "pause_reasons": PAUSE_REASONS,
            "finish_recording": finish,
            "default_language": self.menu.languages[0],
            "default_section": self.menu.default_section,
            "section_penalty": OVERFLOW_PENALTY - 1,
            "overflow_penalty": OVERFLOW_PENALTY,
            "synthetic_trunk": SYNTHETIC_TRUNK,
            "synthetic_longest_s": SYNTHETIC_LONGEST_S,
            "survey": survey_plan(self.settings),
        }

    async def start(self) -> None:
        """Get an Asterisk if need be, configure it, start it and wait until it takes calls.

        Raises AsteriskError, or AsteriskNotReady with the end of its log.
        """
        build = await asyncio.to_thread(get_asterisk, self.settings.asterisk_dir, _say)
        await asyncio.to_thread(self.prepare, build)
        if await self.command("core show uptime") is not None:
            raise AsteriskError(
                f"an Asterisk is already running from {self.dirs.base}; end it first (Ctrl-C where it was started)"
            )
        output = (self.dirs.log / "console").open("wb")
        with output:
            self._process = await asyncio.create_subprocess_exec(
                *DIES_WITH_US,
                *self._command("-f"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Its own session: Ctrl-C goes to us, and we end things in order.
                start_new_session=True,
            )
        # Late sound stutters, for callers and in recordings: where that is allowed, Asterisk goes first.
        set_priority(self._process.pid, AHEAD)
        self._watch = asyncio.create_task(self._note_end(self._process), name="asterisk's end")
        try:
            async with asyncio.timeout(60):
                while await self.command("core waitfullybooted") is None:
                    if self._process.returncode is not None:
                        raise AsteriskNotReady(f"Asterisk ended at once:\n{self.log_tail()}")
                    await asyncio.sleep(0.1)  # its control socket is not there yet; nothing announces it
        except TimeoutError as error:
            await self.stop()
            raise AsteriskNotReady(f"Asterisk did not become ready in 60 s:\n{self.log_tail()}") from error

    async def _note_end(self, process: asyncio.subprocess.Process) -> None:
        """Write down when it ended: calls that it took along ended then, and nobody else may have seen it."""
        await process.wait()
        # On a full disk the end is known less exactly, by the link's fall; nothing else depends on it.
        with contextlib.suppress(OSError), self.dirs.ends.open("a") as ends:
            ends.write(f"{time.time():.6f}\n")

    async def stop(self, graceful_s: float = 10) -> None:
        """End the process: politely, then with force."""
        await end(self._process, graceful_s)
        if self._watch is not None:
            await self._watch

    async def wait(self) -> int:
        """Wait until the process ends; its exit status."""
        if self._process is None:
            raise AsteriskError("Asterisk was not started")
        return await self._process.wait()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.returncode is None

    def kill(self) -> None:
        """End it without warning, as a crash would."""
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    async def command(self, line: str) -> str | None:
        """What Asterisk's command line answers; ``None`` if no Asterisk of ours is running."""
        process = await asyncio.create_subprocess_exec(
            *self._command("-rx", line),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        output, _ = await process.communicate()
        return output.decode("utf-8", "replace") if process.returncode == 0 else None

    def log_tail(self, lines: int = 15) -> str:
        texts = [
            path.read_text(encoding="utf-8", errors="replace")
            for path in (self.dirs.log / "messages", self.dirs.log / "console")
            if path.exists()
        ]
        return "\n".join("\n".join(texts).splitlines()[-lines:])

    def _command(self, *arguments: str) -> list[str]:
        if self._build is None:
            raise AsteriskError("Asterisk was not prepared")
        return [*self._build.command, "-C", str(self.dirs.etc / "asterisk.conf"), *arguments]


def queue_penalty(agent: Agent) -> int:
    """The penalty with which an agent is a member of a queue."""
    return OVERFLOW_PENALTY if agent.overflow else 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - progress of an installation, for the person who waits
