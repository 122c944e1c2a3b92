"""Why a rule says what it says, in the reader's language (A2–A6): for the console and the command line."""

from __future__ import annotations

from dataclasses import dataclass

from calls.explanations import Explanation, Reason, Value
from console.texts import Texts
from qa.masking import mask_text

_MOST_PHRASES = 6
_WITH_A_PART = (Reason.NOT_HEARD, Reason.PARTLY_HEARD)
"""Of the call, that counts."""
_SHARES = {(Reason.HEARD, "alike"), (Reason.SOUNDS_LIKE, "alike")}
_SHARES |= {(Reason.SHARE, name) for name in ("share", "least", "most")}
"""Values that people read as percentages."""


@dataclass(frozen=True, slots=True)
class Told:
    """An explanation in words."""

    text: str
    language: str
    """What it is written in: verdicts of earlier versions are in English."""


def because(texts: Texts, explanation: Explanation) -> Told:
    """The explanation as the reader reads it."""
    reason = explanation.reason
    if reason is Reason.WRITTEN:
        return Told(mask_text(str(explanation.values["text"])), "en")
    values = {name: _shown(texts, reason, name, each) for name, each in explanation.values.items()}
    if reason in _WITH_A_PART:
        values["part"] = _part(texts, values)
    text = texts(f"because.{reason}", **values)
    if explanation.weakness is not None:
        text = texts("because.weak", text=text, weakness=texts(f"weakness.{explanation.weakness}"))
    return Told(text, texts.language)


def _shown(texts: Texts, reason: Reason, name: str, value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        quoted = [texts("because.phrase", phrase=each) for each in value[:_MOST_PHRASES]]
        listed = texts("because.list_separator").join(quoted)
        return texts("because.and_others", phrases=listed) if len(value) > _MOST_PHRASES else listed
    return f"{value:.0%}" if (reason, name) in _SHARES else f"{round(value, 1):g}"


def _part(texts: Texts, values: dict[str, str]) -> str:
    since_s, until_s = values.get("since_s"), values.get("until_s")
    if since_s is None and until_s is None:
        return texts("because.in_call")
    if since_s is None:
        return texts("because.until", until_s=until_s)
    if until_s is None:
        return texts("because.since", since_s=since_s)
    return texts("because.between", since_s=since_s, until_s=until_s)
