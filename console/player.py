"""What the player shows of a call: turns of words, voices, and verdicts as marks on the time line.

Any page can have a player. In its handler: ``view = await Players(parts, originals).view(ask, line)``, once it has
made sure that the call is within the asker's reach; in its template ``{% include "calls/player.html.j2" %}`` with
the view as ``player``, and the files ``player.css`` and ``player.js`` in its head. Scripts talk to the element
``<call-player>`` as the head of ``static/player.js`` says.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from calls.custody import SPOKEN_LEGS, Access, AccessKind, Leg
from calls.errors import TranscriptionError
from calls.explanations import Explanation
from calls.ids import CallId
from calls.lists import CallLine
from calls.people import Right
from calls.transcript import LegTranscript, Span, Transcript, Turn
from calls.verdicts import Evidence, Outcome, RuleSetId, Severity, Verdict
from console.ask import Ask
from console.originals import Originals
from console.parts import Parts
from console.rule_names import rule_name
from storage.verdicts import SqlVerdicts

_LONGEST_WORD_S = 10.0
SPEEDS = (0.75, 1.0, 1.25, 1.5, 1.75, 2.0)


@dataclass(frozen=True, slots=True)
class Mark:
    """One piece of evidence of one verdict, or a verdict on the call as a whole (no seconds)."""

    rule: str
    name: str
    requirement: str
    outcome: Outcome
    severity: Severity
    explanation: Explanation
    earlier: tuple[Verdict, ...] = ()
    """What the same rule said before, the last first."""
    leg: Leg | None = None
    start_s: float | None = None
    end_s: float | None = None
    words: str = ""
    """What was said there, masked."""


@dataclass(frozen=True, slots=True)
class PlayerView:
    """All that the template needs."""

    call_id: CallId
    duration_s: float
    turns: tuple[Turn, ...]
    marks: tuple[Mark, ...]
    voices: str
    """JSON: by leg, pairs of seconds with a voice."""
    has_sound: bool
    """Whether there is a recording."""
    can_play: bool
    """Whether it can be heard now; it cannot while nobody knows what is to be masked."""
    original: bool
    """Whether sound and words are the original ones."""
    reason: str
    """Why, if they are."""
    at_s: float
    speeds: tuple[float, ...] = SPEEDS

    @property
    def transcribed(self) -> bool:
        return bool(self.turns)


class Players:
    """Makes views, once it is on record who reads."""

    def __init__(self, parts: Parts, originals: Originals) -> None:
        self._parts = parts
        self._originals = originals
        self._verdicts = SqlVerdicts(parts.engine)

    async def view(self, ask: Ask, line: CallLine) -> PlayerView:
        """The player of a call within the asker's reach, begun at ``?at=``, the original with ``?original=1``."""
        reason = self._originals.reason(ask, line.call_id) if ask.query.get("original") == "1" else None
        transcript = await self._read(ask, line.call_id, reason)
        recordings = {each.leg: each for each in await self._parts.listening.recordings(line.call_id)}
        legs = transcript.legs if transcript else ()
        lengths = [*(each.duration_s for each in recordings.values()), *(leg.duration_s for leg in legs)]
        masked_by = {leg.leg for leg in legs} >= set(SPOKEN_LEGS)
        return PlayerView(
            call_id=line.call_id,
            duration_s=max(lengths, default=0.0),
            turns=transcript.turns if transcript else (),
            marks=await self._marks(ask, line.call_id, legs),
            voices=json.dumps({leg.leg: _pairs(leg.voice) for leg in legs}, separators=(",", ":")),
            has_sound=bool(recordings),
            can_play=bool(recordings) and (masked_by or reason is not None),
            original=reason is not None,
            reason=reason or "",
            at_s=_seconds(ask.query.get("at")),
        )

    async def _read(self, ask: Ask, call_id: CallId, reason: str | None) -> Transcript | None:
        """What was said; noted also where there is no transcript: the call's facts are shown all the same."""
        listening, login = self._parts.listening, ask.who.login
        try:
            if reason is None:
                return await listening.read_masked(call_id, Access(login, AccessKind.READ, "console", call_id))
            access = Access(login, AccessKind.READ_ORIGINAL, reason, call_id)
            return await listening.read_original(call_id, access, allowed=ask.who.may(Right.HEAR_ORIGINAL))
        except TranscriptionError:
            return None

    async def _marks(self, ask: Ask, call_id: CallId, legs: Sequence[LegTranscript]) -> tuple[Mark, ...]:
        before: dict[tuple[RuleSetId, str], list[Verdict]] = {}
        for each in await self._verdicts.earlier(call_id):
            before.setdefault((each.rule_set, each.rule), []).append(each)
        marks = [
            mark
            for verdict in await self._verdicts.standing(call_id)
            for mark in _marks_of(
                verdict, before.get((verdict.rule_set, verdict.rule), ()), ask.texts.language, legs
            )
        ]
        return tuple(sorted(marks, key=lambda mark: (_WEIGHT[mark.outcome], mark.start_s or 0.0, mark.rule)))


_WEIGHT = {Outcome.BROKEN: 0, Outcome.CANNOT_JUDGE: 1, Outcome.KEPT: 2, Outcome.NOT_APPLICABLE: 3}


def _marks_of(
    verdict: Verdict, earlier: Sequence[Verdict], language: str, legs: Sequence[LegTranscript]
) -> Iterable[Mark]:
    places: list[Evidence | None] = [*verdict.evidence] or [None]
    for place in places:
        yield Mark(
            rule=verdict.rule,
            name=rule_name(verdict.rule, language),
            requirement=verdict.requirement,
            outcome=verdict.outcome,
            severity=verdict.severity,
            explanation=verdict.explanation,
            earlier=tuple(reversed(earlier)),
            leg=place.leg if place else None,
            start_s=place.start_s if place else None,
            end_s=place.end_s if place else None,
            words=_words(place, legs) if place else "",
        )


def _words(place: Evidence, legs: Sequence[LegTranscript]) -> str:
    """What was said there, out of the transcript that is shown: the evidence itself is not masked."""
    leg = next((each for each in legs if each.leg is place.leg), None)
    if leg is None or not place.text:
        return ""
    behind = bisect_left(leg.words, place.end_s, key=lambda word: word.start_s)
    first = bisect_left(leg.words, place.start_s - _LONGEST_WORD_S, key=lambda word: word.start_s)
    said = tuple(word for word in leg.words[first:behind] if word.end_s > place.start_s)
    return Turn(place.leg, said).text[:120] if said else ""


def _pairs(spans: Iterable[Span]) -> list[list[float]]:
    return [[round(span.start_s, 2), round(span.end_s, 2)] for span in spans]


def _seconds(text: str | None) -> float:
    try:
        found = float(text or 0)
    except ValueError:
        return 0.0
    return found if 0 <= found < 86_400 else 0.0
