"""Why a rule says what it says, as data: put into words for each reader, in the reader's language (A2–A6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

Value = str | int | float | tuple[str, ...]
"""Seconds, counts, shares from 0 to 1, an agent's number, phrases of a rule. Never words of the caller."""


class Reason(StrEnum):
    """What was found; beside each what is measured, by the names of ``Explanation.values``."""

    SHORT_CALL = "short_call"
    """``least_s``."""
    HEARD = "heard"
    """``phrases``, ``alike``: how alike the least of them sounds."""
    SOUNDS_LIKE = "sounds_like"
    """``phrases``, ``alike``."""
    OUT_OF_ORDER = "out_of_order"
    """``phrases``, as they should follow each other."""
    NOT_HEARD = "not_heard"
    """``phrases``, and ``since_s`` and ``until_s`` where only a part of the call counts; may have a weakness."""
    PARTLY_HEARD = "partly_heard"
    """As above; some of it was heard, and words around it are unsure."""
    NONE_HEARD = "none_heard"
    """None of the words that must not be said; may have a weakness."""
    NOTHING_SAID = "nothing_said"
    MATCHED = "matched"
    """A pattern was found; the words are in the evidence."""
    NOT_MATCHED = "not_matched"
    """May have a weakness."""
    NO_AGENT = "no_agent"
    NUMBER_ANNOUNCED = "number_announced"
    """``number``."""
    NUMBER_HEARD = "number_heard"
    """``number``."""
    OTHER_NUMBER = "other_number"
    """``number``, that of the roster."""
    NUMBER_PARTLY = "number_partly"
    """``digits``: how many there should be."""
    NUMBER_UNSURE = "number_unsure"
    NO_NUMBER = "no_number"
    """``until_s``; may have a weakness."""
    ONE_SIDE = "one_side"
    """The voices of both are needed."""
    INTERRUPTED = "interrupted"
    """``found`` times, of at least ``overlap_s``; ``most`` are tolerated."""
    MAY_INTERRUPT = "may_interrupt"
    """As above, and ``doubtful``: how often it may only say that one listens."""
    LITTLE_SPEECH = "little_speech"
    """``least_s``."""
    RATE = "rate"
    """Units of sound in a minute: ``rate``, ``least``, ``most``; may have a weakness."""
    NOBODY_SPEAKS = "nobody_speaks"
    SILENCE = "silence"
    """Seconds: ``longest_s``, ``most_s``, ``most_on_hold_s``."""
    SILENCE_MAY_HOLD = "silence_may_hold"
    """As above; the caller may have been asked to wait."""
    SHARE = "share"
    """Of the speech: ``share``, ``least``, ``most``."""
    NO_TRANSCRIPT = "no_transcript"
    NOTHING_PUT_OFF = "nothing_put_off"
    NO_TIME = "no_time"
    """An answer was put off, and no time named; may have a weakness."""
    NO_TIME_UNSURE = "no_time_unsure"
    PROMISE_ON_BOOKS = "promise_on_books"
    PROMISE_NOT_ON_BOOKS = "promise_not_on_books"
    PROMISE_UNKNOWN = "promise_unknown"
    WRITTEN = "written"
    """``text``: an English sentence, as verdicts had until there were reasons. May quote the caller."""


class Weakness(StrEnum):
    """Why nothing can be concluded from what was *not* heard."""

    NO_TRANSCRIPT = "no_transcript"
    NARROW = "narrow"
    HARDLY_ANY_SPEECH = "hardly_any_speech"
    NOT_RECOGNISED = "not_recognised"
    LITTLE_CONFIDENCE = "little_confidence"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which threshold, what was measured."""

    reason: Reason
    values: Mapping[str, Value] = field(default_factory=dict)
    weakness: Weakness | None = None
    """Why this is no proof."""

    @staticmethod
    def of(reason: Reason, /, **values: Value) -> Explanation:
        return Explanation(reason, values)

    def but(self, weakness: Weakness) -> Explanation:
        """The same, where it proves nothing."""
        return replace(self, weakness=weakness)

    @staticmethod
    def written(text: str) -> Explanation:
        """A sentence that somebody or an older version wrote."""
        return Explanation(Reason.WRITTEN, {"text": text})
