"""Calls for the books, and what they add up to, counted one by one in Python."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import strategies as st

from calls.call import Call, Offer, Result
from calls.events import AnyEvent, CallArrived, CallTransferred, PersonAsked
from calls.ids import Language, SectionId, is_test_trunk
from calls.measures import LIMITS_S, Dimension, Measures, Slice, total
from calls.periods import Period
from calls.workdays import Workdays
from tests.support_ledger import events_of_call

SECTIONS = ("inquiry", "complaint")
LANGUAGES = ("zh-CN", "en")
TRUNKS = ("city", "mobile", "synthetic", "1001")
AGENTS = ("1001", "1002")


@dataclass
class SetClock:
    """A clock that tests set."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


@st.composite
def calls_between(draw: st.DrawFn, call_id: str, first: datetime, days: int) -> list[AnyEvent]:
    """The events of one call that arrived at some time of some day."""
    at = first + timedelta(minutes=draw(st.integers(0, days * 1440 - 1)))
    section, language = SectionId(draw(st.sampled_from(SECTIONS))), Language(draw(st.sampled_from(LANGUAGES)))
    trunk = draw(st.sampled_from(TRUNKS))
    told: list[AnyEvent] = []
    for event in draw(events_of_call(call_id, at)):
        if isinstance(event, PersonAsked):
            event = replace(event, section=section, language=language)
        elif isinstance(event, CallArrived):
            event = replace(event, trunk=trunk)
        told.append(event)
    heard = next((event for event in told if event.kind == "connected"), None)
    if heard is not None and draw(st.booleans()):
        told.append(
            CallTransferred(call_id=heard.call_id, at=heard.at, leg_id=heard.leg_id, agent=heard.agent)  # type: ignore[union-attr]
        )
    return told


def counted_by_hand(
    calls: Iterable[Call],
    period: Period,
    part: Slice,
    by: Dimension | None,
    own_limit_s: float,
    workdays: Workdays,
) -> dict[str | None, Measures]:
    """What ``calls.ports.Books.measures`` says of one period, told from the calls themselves."""
    limits = sorted({*LIMITS_S, own_limit_s})
    found: dict[str | None, Measures] = {}

    def add(measures: Measures, **values: str | None) -> None:
        if all(values[dimension] == part.value(dimension) for dimension in part.held()):
            key = values[by] if by else None
            found[key] = total([found.get(key, Measures()), measures])

    for call in calls:
        local_day = call.arrived_at.astimezone(period.zone).date()
        if not period.start.timestamp() <= call.arrived_at.timestamp() < period.end.timestamp():
            continue
        if part.days is not None and workdays.kind(local_day) is not part.days:
            continue
        first = call.connected
        of_call = {"section": call.section, "language": call.language, "trunk": call.trunk or None}
        add(_of_call(call, limits), agent=first.agent if first else None, **of_call)
        if is_test_trunk(call.trunk) or not (first or (call.asked_at and call.ended_at)):
            continue
        for offer in call.offers:
            if offer.answered_at or offer.ended_at or call.ended_at:
                add(_of_offer(offer, limits), agent=offer.agent, **of_call)
    return (
        found
        if by or found
        else {None: Measures(within=dict.fromkeys(limits, 0), offers_kept=dict.fromkeys(limits, 0))}
    )


def _of_offer(offer: Offer, limits: Iterable[float]) -> Measures:
    kept = {limit: int(offer.answered_at is not None and (offer.ring_s or 0) <= limit) for limit in limits}
    return Measures(offers=1, offers_kept=kept, within=dict.fromkeys(limits, 0))


def _of_call(call: Call, limits: Iterable[float]) -> Measures:
    nothing = dict.fromkeys(limits, 0)
    if is_test_trunk(call.trunk):
        return Measures(tests=1, within=nothing, offers_kept=nothing)
    heard, result = call.connected is not None, call.result
    waited = call.waited_s
    return Measures(
        arrived=1,
        asked=int(heard or (call.asked_at is not None and call.ended_at is not None)),
        answered=int(heard),
        within={limit: int(call.answered_within(limit)) for limit in limits},
        abandoned=int(result is Result.ABANDONED),
        abandoned_short=int(result is Result.ABANDONED and waited is not None and waited < 5),
        callbacks=int(result is Result.CALLBACK),
        lost=int(result is Result.LOST),
        self_served=int(result is Result.SELF_SERVED),
        overflowed=int(call.overflowed_at is not None),
        transferred=int(heard and call.transferred_at is not None),
        open_calls=int(result is Result.IN_PROGRESS),
        talking=int(heard and call.ended_at is None),
        wait_us=round((call.wait_s or 0) * 1e6),
        talk_us=round((call.talk_s or 0) * 1e6),
        wrapped=int(call.wrap_up_s is not None),
        handled_us=0 if call.wrap_up_s is None else round((call.talk_s or 0) * 1e6) + round(call.wrap_up_s * 1e6),
        longest_wait_us=max(0, round((waited or 0) * 1e6)),
        missing_recordings=int(heard and call.ended_at is not None and call.recording is None),
        offers_kept=nothing,
    )
