"""Walks a menu in text: what a caller hears, what the keys do, and where the call ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from calls.errors import MenuError
from ivr.menu.actions import (
    Ask,
    Connect,
    GaveUp,
    Hangup,
    KeyPressed,
    KeyRefused,
    LanguageSet,
    NodeVisited,
    Play,
    SayPrompt,
    SayTime,
    SectionReplaced,
    Spoken,
    Step,
    TimedOut,
)
from ivr.menu.hours import OpeningHours
from ivr.menu.model import TELEPHONE_KEYS, Key, Language, Menu, PromptId
from ivr.menu.walker import Walk

SILENCE = "-"
"""Among the keys: let one question go unanswered."""

Texts = Mapping[Language, Mapping[PromptId, str]]


def walk_in_text(
    menu: Menu,
    keys: Sequence[Key],
    now: datetime,
    hours: OpeningHours,
    texts: Texts,
    *,
    language: Language | None = None,
    priority: bool = False,
) -> list[str]:
    """The walk of a caller who answers each question with the next of `keys`, then stays silent; one
    line per thing heard or done.

    Announcements are heard to the end. A prompt without a text shows its id. Raises MenuError if a
    key is not one of a telephone (or `SILENCE`).
    """
    for key in keys:
        if key != SILENCE and (len(key) != 1 or key not in TELEPHONE_KEYS):
            message = f"'{key}' is not a key: use one of {TELEPHONE_KEYS}, or {SILENCE} for silence"
            raise MenuError(message)
    walk = Walk(menu, now, hours, language=language, priority=priority)
    return [_line(each, menu, texts) for each in happenings(walk, keys)]


@dataclass(frozen=True, slots=True)
class LeftOver:
    """Keys that nobody asked for before the walk ended."""

    keys: tuple[Key, ...]


Happening: TypeAlias = Step | Spoken | Connect | Hangup | LeftOver


def happenings(walk: Walk, keys: Sequence[Key]) -> Iterator[Happening]:
    """All that happens to a caller who answers each question with the next of `keys`, then stays silent: steps
    and what is heard, then where the walk ends, and the keys that were not needed. Read it as it goes on: what
    the walk tells of itself (its language) is as of that moment.
    """
    told, left = 0, list(keys)
    while True:
        action = walk.action
        yield from walk.steps[told:]
        told = len(walk.steps)
        yield from action.say
        if not isinstance(action, Play | Ask):
            break
        key = left.pop(0) if isinstance(action, Ask) and left else SILENCE
        walk.feed(None if key == SILENCE else key)
    yield action
    if left:
        yield LeftOver(tuple(left))


def _line(happening: Happening, menu: Menu, texts: Texts) -> str:
    match happening:
        case SayPrompt() | SayTime():
            return f"    {_heard(happening, texts)}"
        case Connect():
            name = menu.sections[happening.section].names.get(happening.language, happening.section)
            place = f"queue {happening.queue}, language {happening.language}, priority {happening.priority}"
            return f"=> a person of {name} ({place}): {happening.why.value}"
        case Hangup():
            return "=> the call is ended"
        case LeftOver(keys=keys):
            return f"   keys not needed: {' '.join(keys)}"
        case _:
            return _told(happening)


def _heard(spoken: Spoken, texts: Texts) -> str:
    if isinstance(spoken, SayPrompt):
        return texts.get(spoken.language, {}).get(spoken.prompt, f"<{spoken.prompt}>")
    return f"{spoken.time:%H:%M}"


def _told(step: Step) -> str:
    match step:
        case NodeVisited(node=node):
            return f"[{node}]"
        case KeyPressed(key=key):
            return f"  > {key}"
        case KeyRefused(key=key):
            return f"  > {key} (means nothing here)"
        case TimedOut():
            return "  > (silence)"
        case GaveUp():
            return "  (no more tries)"
        case LanguageSet(language=language):
            return f"  (language: {language})"
        case SectionReplaced(wanted=wanted, instead=instead):
            return f"  ({wanted} is closed, {instead} answers)"
