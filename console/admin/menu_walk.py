"""One caller's walk through the menu, line by line, for a page: what is heard, what is pressed, where it ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ivr.menu.actions import (
    Ask,
    Connect,
    GaveUp,
    KeyPressed,
    KeyRefused,
    LanguageSet,
    NodeVisited,
    Play,
    SayPrompt,
    SectionReplaced,
    Spoken,
    Step,
    TimedOut,
)
from ivr.menu.hours import OpeningHours
from ivr.menu.model import TELEPHONE_KEYS, Language, Menu, PromptId
from ivr.menu.walker import Walk

SILENCE = "-"
MOST_KEYS = 60


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened; its words are ``walk.<what>``."""

    what: str
    text: str = ""
    other: str = ""


def keys_of(text: str) -> list[str] | None:
    """Keys as they are typed, with or without blanks; ``None`` if something is no key, or there are too many."""
    keys = [sign for sign in text if not sign.isspace()]
    if len(keys) > MOST_KEYS or any(key not in TELEPHONE_KEYS and key != SILENCE for key in keys):
        return None
    return keys


def walked(
    menu: Menu,
    keys: Sequence[str],
    now: datetime,
    hours: OpeningHours,
    texts: Mapping[Language, Mapping[PromptId, str]],
    *,
    language: Language,
    priority: bool,
) -> list[Line]:
    """A caller who answers each question with the next key, then stays silent."""
    return list(_lines(menu, Walk(menu, now, hours, language=language, priority=priority), list(keys), texts))


def _lines(
    menu: Menu, walk: Walk, keys: list[str], texts: Mapping[Language, Mapping[PromptId, str]]
) -> Iterator[Line]:
    told = 0
    while True:
        action = walk.action
        yield from (_told(step, menu, walk.language) for step in walk.steps[told:])
        told = len(walk.steps)
        yield from (Line("heard", _heard(spoken, texts)) for spoken in action.say)
        if not isinstance(action, Play | Ask):
            break
        key = keys.pop(0) if isinstance(action, Ask) and keys else SILENCE
        walk.feed(None if key == SILENCE else key)
    if isinstance(action, Connect):
        yield Line("person", _section(menu, action.section, walk.language), str(action.priority))
    else:
        yield Line("ended")
    if keys:
        yield Line("left_over", " ".join(keys))


def _section(menu: Menu, section: str, language: Language) -> str:
    return menu.sections[section].names.get(language, section) if section in menu.sections else section


def _heard(spoken: Spoken, texts: Mapping[Language, Mapping[PromptId, str]]) -> str:
    if isinstance(spoken, SayPrompt):
        return texts.get(spoken.language, {}).get(spoken.prompt, f"‹{spoken.prompt}›")
    return f"{spoken.time:%H:%M}"


def _told(step: Step, menu: Menu, language: Language) -> Line:
    match step:
        case NodeVisited(node=node):
            return Line("node", node)
        case KeyPressed(key=key):
            return Line("pressed", key)
        case KeyRefused(key=key):
            return Line("refused", key)
        case TimedOut():
            return Line("silent")
        case GaveUp():
            return Line("gave_up")
        case LanguageSet(language=chosen):
            return Line("language", chosen)
        case SectionReplaced(wanted=wanted, instead=instead):
            return Line("replaced", _section(menu, wanted, language), _section(menu, instead, language))
