"""A run told to people: what happened, how exact the clocks are, and everything that differs, call by call."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime

from bench.faults.run import Run
from bench.faults.truth import Seen
from calls.call import Call


def report(run: Run) -> Iterator[str]:
    """The lines, in order."""
    found = run.comparison
    kinds = Counter(fault.kind.value for _, fault in run.faults)
    yield "faults: " + ", ".join(f"{count} × {kind}" for kind, count in kinds.items())
    refused = sum(not attempt.taken for attempt in run.attempts)
    died = sum(one.death is not None for one in run.truth)
    yield f"calls: {found.calls} taken, {died} of them died with Asterisk; {refused} attempts found no Asterisk"
    results = Counter(str(one.result) for one in run.truth)
    yield "by SIPp: " + ", ".join(f"{count} {result}" for result, count in sorted(results.items()))
    truth = found.truth
    yield (
        f"K1 {truth.answered}/{truth.asked}, K2 {truth.within}/{truth.asked}, "
        f"K2r {truth.rings_kept}/{truth.rings}; {found.unrecorded} answered calls without a recording, "
        f"{found.unheard} calls asked without a ringing tone to hear"
    )
    repaired = Counter(f"{repair.what} from {repair.source}" for repair in run.books.repairs)
    repairs = ", ".join(f"{count} {what}" for what, count in sorted(repaired.items()))
    yield f"by the books themselves: repaired {repairs or 'nothing'}"
    yield from (f"  open: {one.kind} {one.call_id or ''} {one.detail}" for one in run.books.open)
    yield ""
    yield from found.clocks.table()
    yield from differences(run)


def differences(run: Run) -> Iterator[str]:
    """What the books say otherwise than SIPp; nothing if they agree."""
    found = run.comparison
    of_call: dict[str, list[str]] = defaultdict(list)
    for number in found.lost:
        of_call[number].append("LOST: not in the books")
    for number in found.double:
        of_call[number].append("DOUBLE in the books")
    for number, what in (*found.wrong, *found.late):
        of_call[number].append(what)
    for number, whats in of_call.items():
        yield f"\nseed {run.plan.seed}, caller {number}: {'; '.join(whats)}"
        yield from _of_call(run, number)
    for what in found.figures_wrong:
        yield f"\nseed {run.plan.seed}: {what}"


def _of_call(run: Run, number: str) -> Iterator[str]:
    for one in run.truth:
        if one.number == number:
            yield f"  plan   {one.plan.behaviour}, section {one.plan.section}"
            yield f"  SIPp   {_by_sipp(one)}; keys {_keys(run, number)}"
    yield from (f"  books  {_in_books(call)}" for call in run.books.calls if call.caller == number)
    yield f"  faults {', '.join(run.near(number)) or 'none near'}"


def _keys(run: Run, number: str) -> str:
    return " ".join(_clock(at) for a in run.attempts if a.number == number for at in a.ear.keys_at)


def _by_sipp(one: Seen) -> str:
    rings = "; ".join(
        f"{ring.agent} rang {_clock(ring.rang_at)} answered {_clock(ring.answered_at)} "
        f"connected {_clock(ring.connected_at)} over {_clock(ring.over_at)}"
        for ring in one.rings
    )
    return (
        f"{one.result} {one.section}: arrived {_clock(one.arrived_at)} asked {_clock(one.asked_at)} "
        f"ended {_clock(one.ended_at)} by {one.ended_by}; {rings}"
    )


def _in_books(call: Call) -> str:
    offers = "; ".join(
        f"{offer.agent} rang {_clock(offer.rang_at)} answered {_clock(offer.answered_at)} "
        f"connected {_clock(offer.connected_at)} over {_clock(offer.ended_at)} {offer.failure or ''}"
        for offer in call.offers
    )
    return (
        f"{call.call_id} {call.result} {call.section} asked by {call.asked_by}: arrived {_clock(call.arrived_at)} "
        f"asked {_clock(call.asked_at)} ended {_clock(call.ended_at)} by {call.ended_by}; {offers}"
    )


def _clock(at: datetime | None) -> str:
    return f"{at:%H:%M:%S.%f}"[:-3] if at else "–"
