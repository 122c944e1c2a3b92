"""What a change of a call adds to the counters: a comparison of the call before and after, nothing else.

An event told again changes no call and so adds nothing. Each thing is counted once in a call's life, when it
first becomes known; what the ledger corrects after that stays as it was first counted. Tests, the synthetic
caller's above all, count nowhere (``calls.ids.is_test_trunk``).
"""

from __future__ import annotations

from collections.abc import Iterator

from calls.call import Call, Offer, Result, seconds
from calls.events import AskedBy, OfferEnd
from calls.ids import is_test_trunk
from calls.ports import Change
from calls.surveys import Invitation
from metrics import catalogue
from metrics.catalogue import NO_SECTION, AbandonedIn, Metric, OfferResult

Count = tuple[Metric, tuple[str, ...]]
"""A counter and the values of its labels, to be raised by one."""

Observation = tuple[Metric, tuple[str, ...], float]
"""A histogram, the values of its labels, and the seconds observed."""


def counts(change: Change, limit_s: float) -> Iterator[Count]:
    """The counters that a change raises; ``limit_s`` is A1's limit, inclusive."""
    before, after = change.before, change.after
    if is_test_trunk(after.trunk):
        return
    section = _section(after)
    for metric, known_before, known in (
        (catalogue.OFFERED, before and before.asked_at, after.asked_at),
        (catalogue.ANSWERED, before and before.connected, after.connected),
        (catalogue.OVERFLOWED, before and before.overflowed_at, after.overflowed_at),
        (catalogue.PROMISED, before and before.callback_promised_at, after.callback_promised_at),
    ):
        if known and not known_before:
            yield metric, (section,)
    if settled(after) and not (before and settled(before)):
        yield catalogue.SETTLED, (section,)
    in_time, was_in_time = after.answered_within(limit_s), bool(before and before.answered_within(limit_s))
    if in_time and not was_in_time:
        yield catalogue.WITHIN_LIMIT, (section,)
    if was_in_time and not in_time:
        yield catalogue.WITHIN_LIMIT_CORRECTED, ()
    if after.asked_by is AskedBy.FALLBACK and not (before and before.asked_by):
        yield catalogue.FALLBACKS, ()
    if after.ended_at and not (before and before.ended_at):
        yield catalogue.ENDED, (section, after.result)
        if after.result is Result.ABANDONED:
            yield catalogue.ABANDONED, (section, abandoned_in(after))
    yield from _surveyed(before, after, section)
    counted = {offer.leg_id for offer in _offers(before) if offer_result(offer, limit_s)}
    for offer in after.offers:
        result = offer_result(offer, limit_s)
        if result and offer.leg_id not in counted:
            yield catalogue.OFFERS, (section, result)


def _surveyed(before: Call | None, after: Call, section: str) -> Iterator[Count]:
    """The survey after the call (Q2): each step once, when it is first known."""
    was, now = before.survey if before else None, after.survey
    known = before and before.invitation not in (None, Invitation.OPEN)
    if not known and after.invitation not in (None, Invitation.OPEN):
        yield catalogue.SURVEYS, (section, str(after.invitation))
    if now and now.began_at and not (was and was.began_at):
        yield catalogue.SURVEYS_BEGUN, (section,)
    if now and now.rated_at and not (was and was.rated_at):
        yield catalogue.RATINGS, (section, "dissatisfied" if now.dissatisfied else "satisfied")


def settled(call: Call) -> bool:
    """Whether a call's fate in K1 and K2 is known: it heard a person, or asked for one and has ended.

    Once known it stays so, whatever else is told later: a late event may turn an abandoned call into an
    answered one, never into one that counts twice.
    """
    return call.connected is not None or (call.asked_at is not None and call.ended_at is not None)


def observations(change: Change) -> Iterator[Observation]:
    """The two clocks, where the change stopped one: the caller's (K2) and the agent's (K2r), never mixed."""
    before, after = change.before, change.after
    if is_test_trunk(after.trunk):
        return
    section = _section(after)
    if after.wait_s is not None and (before is None or before.wait_s is None):
        yield catalogue.WAIT, (section,), after.wait_s
    observed = {offer.leg_id for offer in _offers(before) if answer_s(offer) is not None}
    for offer in after.offers:
        ring_s = answer_s(offer)
        if ring_s is not None and offer.leg_id not in observed:
            yield catalogue.RING, (section,), ring_s


def answer_s(offer: Offer) -> float | None:
    """Seconds that the telephone rang until it was picked up; ``None`` if nobody knows that it was."""
    # Being heard proves being picked up, should that event have been missed.
    picked_up = offer.answered_at or offer.connected_at
    return seconds(offer.rang_at, picked_up) if picked_up else None


def offer_result(offer: Offer, limit_s: float) -> OfferResult | None:
    """How an offer came out; ``None`` while it rings, or when it ended and nobody knows how."""
    ring_s = answer_s(offer)
    if ring_s is not None:
        return OfferResult.ANSWERED_IN_TIME if ring_s <= limit_s else OfferResult.ANSWERED_LATE
    return OfferResult(offer.failure) if offer.failure else None


def abandoned_in(call: Call) -> AbandonedIn:
    """Where the caller of an abandoned call was when they hung up.

    The end of the call and of the ringing that it cut short are told in either order.
    """
    cut_short = (
        offer.ended_at is None
        or offer.failure is OfferEnd.CALLER_GONE
        or (call.ended_at is not None and offer.ended_at >= call.ended_at)
        for offer in call.offers
    )
    return AbandonedIn.RINGING if any(cut_short) else AbandonedIn.QUEUE


def _offers(call: Call | None) -> tuple[Offer, ...]:
    return call.offers if call else ()


def _section(call: Call) -> str:
    return call.section or NO_SECTION
