"""The books against the truth, call by call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from statistics import median

from bench.faults.truth import Death, Ring, Seen, Shares, shares
from calls.call import Call, Offer, Result
from calls.events import EndedBy
from calls.figures import Figure
from calls.ports import DayFigures

_SAME_TIME_S = 0.1
"""Both sides hung up within this time: either may be called the first."""
_UNHEARD_S = 0.05
"""From asking to the ringing tone, at most."""
_AT_ONCE_S = 1.0
"""From asking to the offer of a call back, if nobody is there; else it comes after half a minute."""


@dataclass(slots=True)
class Clocks:
    """By how many ms the books' clocks differ from SIPp's, for each kind of instant or duration."""

    errors: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, what: str, books: datetime, sipp: datetime) -> float:
        """An instant; returns its error in ms, positive where the books are later."""
        return self._add(what, (books - sipp).total_seconds())

    def add_seconds(self, what: str, books: float, sipp: float) -> float:
        """A duration."""
        return self._add(what, books - sipp)

    def _add(self, what: str, seconds: float) -> float:
        self.errors[what].append(seconds * 1000)
        return seconds * 1000

    @property
    def worst_ms(self) -> float:
        return max((abs(error) for errors in self.errors.values() for error in errors), default=0.0)

    def table(self) -> Iterator[str]:
        for what, errors in self.errors.items():
            yield (
                f"{what:32} n {len(errors):4}  median {median(errors):7.1f}  "
                f"least {min(errors):7.1f}  most {max(errors):7.1f} ms"
            )


@dataclass(frozen=True, slots=True)
class Figures:
    """K1, K2 and K2r by the books: the live page's, and the catalogue's over all calls and for each section."""

    day: DayFigures
    kpis: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of a run. ``wrong``: number of the caller and what differs, for every call that differs."""

    calls: int
    lost: tuple[str, ...]
    double: tuple[str, ...]
    wrong: tuple[tuple[str, str], ...]
    figures_wrong: tuple[str, ...]
    late: tuple[tuple[str, str], ...]
    """Clocks that are off by more than the limit."""
    clocks: Clocks
    truth: Shares
    unrecorded: int
    """Answered calls without a recording: those in progress when Asterisk was killed may have none."""
    unheard: int
    """Calls that asked without a ringing tone to hear: when, is the books' word."""

    @property
    def sound(self) -> bool:
        """Whether nothing is lost, double, or otherwise than SIPp saw it; clocks apart."""
        return not (self.lost or self.double or self.wrong or self.figures_wrong)


def compare(
    truth: Sequence[Seen],
    also_placed: Iterable[str],
    books: Sequence[Call],
    figures: Figures,
    limit_s: float,
    clock_limit_ms: float,
) -> Comparison:
    """``also_placed``: numbers of calls that Asterisk may have seen but never took; they may be in the books."""
    by_number: dict[str | None, list[Call]] = defaultdict(list)
    for call in books:
        by_number[call.caller].append(call)
    by_sipp, truth = truth, [_asked_unheard(one, by_number.get(one.number, [])) for one in truth]
    clocks = Clocks()
    wrong, late = [], []
    for one in truth:
        booked = by_number.get(one.number, [])
        if len(booked) == 1:
            wrong += [(one.number, what) for what in _differences(one, booked[0])]
            for what, error_ms in _clocks(one, booked[0], clocks):
                if abs(error_ms) > clock_limit_ms:
                    late.append((one.number, f"{what} is off by {error_ms:.0f} ms"))
    placed = {one.number for one in truth} | set(also_placed)
    wrong += [(str(number), "in the books, never placed") for number in by_number if number not in placed]
    return Comparison(
        calls=len(truth),
        lost=tuple(one.number for one in truth if one.number not in by_number),
        double=tuple(str(number) for number, calls in by_number.items() if len(calls) > 1),
        wrong=tuple(wrong),
        figures_wrong=tuple(_figures(truth, figures, limit_s)),
        late=tuple(late),
        clocks=clocks,
        truth=shares(truth, limit_s),
        unrecorded=figures.day.missing_recordings,
        unheard=sum(one is not other for one, other in zip(truth, by_sipp, strict=True)),
    )


def _asked_unheard(one: Seen, booked: Sequence[Call]) -> Seen:
    """The call; asked as the books say where there was no ringing tone to hear, so that SIPp cannot know.

    That is so if it ended between asking and the tone, or if nobody was there to be rung and a call back was
    offered at once.
    """
    if len(booked) != 1 or booked[0].asked_at is None:
        return one
    call, asked_at = booked[0], booked[0].asked_at
    end = one.death.until if one.death else one.ended_at
    at_the_end = one.asked_at is None and (end - asked_at).total_seconds() <= _UNHEARD_S
    offered_at = call.callback_offered_at
    nobody_there = (
        offered_at is not None
        and (offered_at - asked_at).total_seconds() <= _AT_ONCE_S
        and (one.asked_at is None or one.asked_at > offered_at)
    )
    if not (at_the_end or nobody_there):
        return one
    result = one.result
    if one.connected_at is None:
        by_us = Result.CALLBACK if call.callback_promised_at and nobody_there else Result.LOST
        result = by_us if one.ended_by is EndedBy.SYSTEM else Result.ABANDONED
    return replace(one, asked_at=asked_at, section=one.section if one.rings else call.section, result=result)


def _figures(truth: Sequence[Seen], figures: Figures, limit_s: float) -> Iterator[str]:
    day = figures.day
    found: list[tuple[str, str | None, tuple[float, float]]] = [
        (f"{name} of the day", None, (ratio.numerator, ratio.denominator))
        for name, ratio in (("K1", day.answered), ("K2", day.within_limit), ("K2r", day.rings_kept))
    ]
    found += [
        (figure.kpi, figure.slice.section, (figure.numerator, figure.denominator)) for figure in figures.kpis
    ]
    for name, section, booked in found:
        of = shares([one for one in truth if section in (None, one.section)], limit_s)
        by_sipp = {"K1": (of.answered, of.asked), "K2": (of.within, of.asked), "K2r": (of.rings_kept, of.rings)}
        expected = by_sipp[name.partition(" ")[0]]
        if expected != booked:
            where = f" of {section}" if section else ""
            yield f"{name}{where} is {expected} by SIPp, {booked} in the books (numerator, denominator)"


def _differences(seen: Seen, call: Call) -> Iterator[str]:
    ended_by = EndedBy.SYSTEM if seen.going_down and call.ended_by is EndedBy.SYSTEM else seen.ended_by
    if seen.result != call.result and (ended_by is seen.ended_by or call.result is not Result.LOST):
        yield f"{seen.result} by SIPp, {call.result} in the books"
    if seen.section != call.section:
        yield f"section {seen.section} by SIPp, {call.section} in the books"
    if call.asked_at and call.priority != seen.plan.priority and call.asked_by == "menu":
        yield f"priority {seen.plan.priority} by plan, {call.priority} in the books"
    if ended_by is not call.ended_by and not _both_at_once(seen, call):
        yield f"ended by {seen.ended_by} by SIPp, {call.ended_by} in the books"
    rang, booked = [ring.agent for ring in seen.rings], [offer.agent for offer in _offers(call)]
    if rang != booked:
        yield f"telephones that rang: {rang} by SIPp, {booked} in the books"
    elif [bool(ring.connected_at) for ring in seen.rings] != [bool(o.connected_at) for o in _offers(call)]:
        yield "another agent is connected in the books"


def _both_at_once(seen: Seen, call: Call) -> bool:
    ends = [ring.over_at for ring in seen.rings if ring.connected_at and ring.over_at]
    at_once = any(abs((end - seen.ended_at).total_seconds()) < _SAME_TIME_S for end in ends)
    return at_once and EndedBy.SYSTEM not in (seen.ended_by, call.ended_by)


def _offers(call: Call) -> list[Offer]:
    return sorted(call.offers, key=lambda offer: offer.rang_at)


def _clocks(seen: Seen, call: Call, clocks: Clocks) -> Iterator[tuple[str, float]]:
    """Each clock that both know, with its error in ms."""

    def instant(what: str, books: datetime | None, sipp: datetime | None) -> Iterator[tuple[str, float]]:
        if books is not None and sipp is not None:
            yield what, clocks.add(what, books, sipp)

    def duration(what: str, books: float | None, sipp: float | None) -> Iterator[tuple[str, float]]:
        if books is not None and sipp is not None:
            yield what, clocks.add_seconds(what, books, sipp)

    yield from instant("arrived", call.arrived_at, seen.arrived_at)
    yield from instant("asked", call.asked_at, seen.asked_at)
    yield from duration("caller's clock (K2)", call.wait_s, seen.wait_s)
    if seen.death is None:
        yield from instant("ended", call.ended_at, seen.ended_at)
    elif call.ended_at is not None:
        yield "ended with Asterisk", clocks.add("ended with Asterisk", call.ended_at, _nearest(seen.death, call))
    if len(seen.rings) == len(call.offers):
        for ring, offer in zip(seen.rings, _offers(call), strict=True):
            yield from _of_offer(ring, offer, seen.death, instant, duration)


_Yield = Iterator[tuple[str, float]]


def _of_offer(
    ring: Ring,
    offer: Offer,
    death: Death | None,
    instant: Callable[[str, datetime | None, datetime | None], _Yield],
    duration: Callable[[str, float | None, float | None], _Yield],
) -> _Yield:
    yield from instant("rang", offer.rang_at, ring.rang_at)
    yield from instant("agent answered", offer.answered_at, ring.answered_at)
    yield from instant("connected", offer.connected_at, ring.connected_at)
    if ring.answered_at:
        yield from duration("agent's clock (K2r)", offer.ring_s, (ring.answered_at - ring.rang_at).total_seconds())
    if death is None or ring.over_at != death.since:
        yield from instant("agent's telephone over", offer.ended_at, ring.over_at)


def _nearest(death: Death, call: Call) -> datetime:
    """The instant of the death that the books' end is nearest to."""
    assert call.ended_at is not None
    return min(max(call.ended_at, death.since), death.until)
