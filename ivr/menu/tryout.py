"""Walks a menu in text: what a caller hears, what the keys do, and where the call ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from calls.errors import MenuError
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
    return list(_lines(menu, walk, list(keys), texts))


def _lines(menu: Menu, walk: Walk, keys: list[Key], texts: Texts) -> Iterator[str]:
    told = 0
    while True:
        action = walk.action
        yield from (_told(step) for step in walk.steps[told:])
        told = len(walk.steps)
        yield from (f"    {_heard(spoken, texts)}" for spoken in action.say)
        if not isinstance(action, Play | Ask):
            break
        key = keys.pop(0) if isinstance(action, Ask) and keys else SILENCE
        walk.feed(None if key == SILENCE else key)
    if isinstance(action, Connect):
        name = menu.sections[action.section].names.get(action.language, action.section)
        place = f"queue {action.queue}, language {action.language}, priority {action.priority}"
        yield f"=> a person of {name} ({place}): {action.why.value}"
    else:
        yield "=> the call is ended"
    if keys:
        yield f"   keys not needed: {' '.join(keys)}"


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
