"""One caller's walk through the menu, line by line, for a page: what is heard, what is pressed, where it ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ivr.menu.actions import (
    Connect,
    GaveUp,
    Hangup,
    KeyPressed,
    KeyRefused,
    LanguageSet,
    NodeVisited,
    SayPrompt,
    SayTime,
    SectionReplaced,
    Spoken,
    Step,
    TimedOut,
)
from ivr.menu.hours import OpeningHours
from ivr.menu.model import TELEPHONE_KEYS, Language, Menu, PromptId
from ivr.menu.tryout import SILENCE, Happening, LeftOver, happenings
from ivr.menu.walker import Walk

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
    walk = Walk(menu, now, hours, language=language, priority=priority)
    return [_line(each, walk, menu, texts) for each in happenings(walk, keys)]


def _line(happening: Happening, walk: Walk, menu: Menu, texts: Mapping[Language, Mapping[PromptId, str]]) -> Line:
    match happening:
        case SayPrompt() | SayTime():
            return Line("heard", _heard(happening, texts))
        case Connect(section=section, priority=level):
            return Line("person", _section(menu, section, walk.language), str(level))
        case Hangup():
            return Line("ended")
        case LeftOver(keys=left):
            return Line("left_over", " ".join(left))
        case _:
            return _told(happening, menu, walk.language)


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
