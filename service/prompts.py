"""Prompts on this installation: put where Asterisk finds them, and found again by the menu."""

from __future__ import annotations

import functools
import hashlib
import logging
import wave
from collections.abc import Iterable, Sequence
from pathlib import Path

from asterisk_conf.hold_music import compose_hold_music
from asterisk_conf.prompt_audio import compose
from asterisk_conf.prompt_manifest import PROMPTS_DIR, Manifest, load_manifest, prompt_file
from asterisk_conf.prompt_phrases import agent_at_your_service, clock_time
from asterisk_conf.prompts_check import Problem, check_prompts
from calls.errors import PromptError
from ivr.agi.menu import Sound
from ivr.menu.actions import SayPrompt, Spoken
from service.asterisk import Dirs
from service.settings import Settings

log = logging.getLogger(__name__)

EXTENSION = "wav16"
"""Asterisk's name for 16 kHz WAV files."""


def install_prompts(settings: Settings, dirs: Dirs) -> None:
    """Link every prompt into Asterisk's sound folder, and compose every agent's number once (A2).

    Raises PromptError if a prompt is not there.
    """
    for language, ids in prompts_available().items():
        folder = dirs.sounds / language
        (folder / "agents").mkdir(parents=True, exist_ok=True)
        for stale in folder.glob(f"*.{EXTENSION}"):
            if stale.stem not in ids:
                stale.unlink()
        for prompt in ids:
            _link(prompt_file(language, prompt), folder / f"{prompt}.{EXTENSION}")
        for agent in settings.agents:
            phrase = agent_at_your_service(agent.number, language)
            parts = [prompt_file(language, part) for part in phrase]
            _compose(parts, folder / "agents" / f"{agent.number}.{EXTENSION}")
    compose_hold_music(dirs.hold_music / f"hold.{EXTENSION}")


@functools.cache
def _manifest() -> Manifest:
    """That of this version: it does not change while we run."""
    return load_manifest()


def prompts_available() -> dict[str, frozenset[str]]:
    """The prompt ids of every language in the manifest."""
    return _manifest().available


def prompt_texts() -> dict[str, dict[str, str]]:
    """What every prompt says, by language and id."""
    return {language: dict(texts) for language, texts in _manifest().texts.items()}


def prompt_problems() -> list[Problem]:
    """Every prompt that is missing, empty, clipped or wrongly sampled."""
    return check_prompts(PROMPTS_DIR, load_manifest())


def _compose(parts: Sequence[Path], spoken: Path) -> None:
    """Join the parts, unless the very same ones were joined before (a note beside the file tells which)."""
    digest = hashlib.sha256(b"".join(_digest(part, part.stat().st_mtime_ns) for part in parts)).hexdigest()
    note = spoken.with_suffix(".parts")
    if spoken.exists() and note.exists() and note.read_text() == digest:
        return
    compose(parts, spoken)
    note.write_text(digest)


@functools.cache
def _digest(path: Path, _mtime_ns: int) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


def _link(source: Path, target: Path) -> None:
    """A symbolic link, replaced in one step where it points elsewhere."""
    if not source.is_file():
        raise PromptError(f"the prompt {source} is missing")
    if target.is_symlink() and target.readlink() == source:
        return
    fresh = target.with_name(f".{target.name}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(source)
    fresh.replace(target)


class InstalledPrompts:
    """The phrasebook of the menus: sounds by absolute path, with their lengths."""

    def __init__(self, sounds: Path, languages: Iterable[str]) -> None:
        self._sounds = sounds
        self._lengths: dict[str, float] = {}
        for language in languages:
            for path in (sounds / language).glob(f"*.{EXTENSION}"):
                with wave.open(str(path), "rb") as audio:
                    self._lengths[str(path.with_suffix(""))] = audio.getnframes() / audio.getframerate()

    def sounds(self, spoken: Sequence[Spoken]) -> tuple[Sound, ...]:
        """The sounds that say it. Raises PromptError for one that was not installed."""
        found: list[Sound] = []
        for item in spoken:
            ids = (item.prompt,) if isinstance(item, SayPrompt) else clock_time(item.time, item.language)
            for prompt in ids:
                path = str(self._sounds / item.language / prompt)
                if path not in self._lengths:
                    raise PromptError(f"the prompt {prompt} is not installed in {item.language}")
                found.append(Sound(path, self._lengths[path]))
        return tuple(found)
