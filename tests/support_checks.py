"""What must hold after a scenario: books, counters, recordings and Asterisk's own files against what people did.

Every check yields what is wrong, in words, so that one run of a scenario shows everything at once.
"""

from __future__ import annotations

import math
import re
import wave
from array import array
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from calls.call import Call, Offer, Result, seconds
from calls.events import AskedBy, EndedBy, MenuChosen, OfferEnd
from calls.live import AgentNow, AgentState
from service.asterisk import Dirs
from tests.support_centre import Centre
from tests.support_play import Evidence
from tests.support_scenario import Do, Expect, Offered

LIMIT_S = 15.0
"""Three rings of five seconds (A1)."""

TAKEOVER_S = 3.0
"""In which a caller whose menu died is in an agent's queue."""

_LATE_S = 2.0
"""By which a machine that does other things beside may be late: how exact the times are is measured in bench/."""

CANARY = Path("/tmp/sansheng-canary")
"""The file that a hostile caller's command would make."""

_RING_TOLERANCE_S = _LATE_S
_TIDY_S = _LATE_S
"""In which nothing is left of a call whose caller or agent has hung up."""

_SAME_MOMENT = timedelta(seconds=_LATE_S)
_RECORDING_TOLERANCE_S = 1.5
_AUDIBLE = 300
"""Loudness (RMS) of 16 bit samples that nobody would take for silence."""


def problems(evidence: Evidence, centre: Centre) -> list[str]:
    """Everything that is wrong."""
    return [
        *_of_callers(evidence),
        *_of_the_count(evidence),
        *_of_calls(evidence),
        *_of_order(evidence),
        *_of_takeover(evidence),
        *_of_counters(evidence),
        *_of_recordings(evidence, centre.heard, centre.asterisk.dirs),
        *_of_channel_log(evidence),
        *_of_queue_log(evidence),
        *_of_logs(evidence),
        *_of_agents(evidence),
        *(f"channel left over: {name}" for name in evidence.channels_left),
    ]


# ── Callers and the books ────────────────────────────────────────────────────────────────────────────────────


def _of_callers(evidence: Evidence) -> Iterator[str]:
    for caller, outcome in evidence.outcomes:
        if not outcome.ok and not caller.cut_off:
            yield f"the caller's telephone saw something else than scripted: {outcome.log[-1500:]}"


def _of_the_count(evidence: Evidence) -> Iterator[str]:
    placed = Counter[str | None]()
    for caller in evidence.scenario.callers:
        placed[caller.number_kept] += caller.calls
    booked = Counter(call.caller for call in evidence.calls)
    if placed != booked:
        yield f"calls placed {dict(placed)}, in the books {dict(booked)}"


def _of_calls(evidence: Evidence) -> Iterator[str]:
    for caller in evidence.scenario.callers:
        for call in evidence.calls:
            if call.caller == caller.number_kept:
                found = list(_of_call(call, caller.expect, evidence))
                if found:
                    yield f"call {call.call_id}: " + "; ".join(found)


def _of_call(call: Call, expect: Expect, evidence: Evidence) -> Iterator[str]:
    for name in ("result", "section", "language", "priority", "asked_by", "ended_by"):
        if getattr(call, name) != getattr(expect, name):
            yield f"{name} is {getattr(call, name)}, not {getattr(expect, name)}"
    for offer in call.offers:
        if call.ended_at and offer.ended_at and seconds(call.ended_at, offer.ended_at) > _TIDY_S:
            yield f"agent {offer.agent}'s telephone stayed on for {seconds(call.ended_at, offer.ended_at):.2f} s"
        if call.ended_at and offer.connected_at and offer.ended_at and not expect.interrupted:
            left_alone_until = (call.survey and call.survey.left_at) or call.ended_at
            alone_s = seconds(offer.ended_at, left_alone_until)
            if alone_s > _TIDY_S:
                yield f"agent {offer.agent} left, and the caller stayed alone for {alone_s:.2f} s"
    if call.callback_number != expect.callback:
        yield f"promised to call back {call.callback_number}, not {expect.callback}"
    if expect.overflowed is not None and expect.overflowed != bool(call.overflowed_at):
        yield f"overflowed at {call.overflowed_at}"
    if expect.in_three_rings is not None and call.answered_within(LIMIT_S) != expect.in_three_rings:
        yield f"the caller waited {call.wait_s} s"
    if expect.offers is not None:
        yield from _of_offers(call.offers, expect.offers)
    if expect.menu is not None:
        steps = [event for event in evidence.events[call.call_id] if isinstance(event, MenuChosen)]
        way = tuple(f"{step.node}={step.choice}" for step in steps)
        if way != expect.menu:
            yield f"the way through the menu was {way}"


def _of_offers(offers: tuple[Offer, ...], expected: tuple[Offered, ...]) -> Iterator[str]:
    rang = sorted(offers, key=lambda offer: offer.rang_at)
    said = [(offer.agent, offer.failure, offer.ring_s) for offer in rang]
    if len(rang) != len(expected):
        yield f"offers were {said}"
        return
    for offer, wanted in zip(rang, expected, strict=True):
        if (offer.agent, offer.failure) != (wanted.agent, wanted.end):
            yield f"offers were {said}"
        if wanted.ring_s is not None and abs((offer.ring_s or 0) - wanted.ring_s) > _RING_TOLERANCE_S:
            yield f"agent {offer.agent}'s telephone rang for {offer.ring_s} s, not {wanted.ring_s} s"
        if wanted.end is None and not offer.answered_at:
            yield f"agent {offer.agent} never answered"


def _of_order(evidence: Evidence) -> Iterator[str]:
    heard = {call.caller: call.connected.connected_at for call in evidence.calls if call.connected}
    moments = [heard.get(number) for number in evidence.scenario.connected_order]
    known = [moment for moment in moments if moment]
    if len(known) < len(moments) or known != sorted(known):
        yield f"connected at {heard}, not in the order {evidence.scenario.connected_order}"


def _of_takeover(evidence: Evidence) -> Iterator[str]:
    """A caller whose menu died or never spoke is in the queue in time."""
    broke = [evidence.done_at.get(do) for do in (Do.KILL_SERVICE, Do.FREEZE_SERVICE, Do.STOP_SERVICE)]
    faults = [moment for moment in broke if moment]
    for call in evidence.calls:
        if call.asked_by is not AskedBy.FALLBACK or call.asked_at is None:
            continue
        if not faults:
            yield f"call {call.call_id} lost its menu without a fault"
            continue
        waited_s = seconds(max(call.arrived_at, faults[0]), call.asked_at)
        if waited_s > TAKEOVER_S + _LATE_S:
            yield f"call {call.call_id} was without a menu for {waited_s:.2f} s"


# ── Counters ─────────────────────────────────────────────────────────────────────────────────────────────────


def _of_counters(evidence: Evidence) -> Iterator[str]:
    if evidence.scenario.counted_in_part:
        return
    expected = Counter[str]()
    for call in evidence.calls:
        expected.update(_counted(call))
    counted = {
        name: value
        for name, value in evidence.increase.items()
        if value and name.startswith(_COUNTERS) and not name.startswith(_DETAILS)
    }
    if counted != dict(expected):
        wrong = {name for name in {*counted, *expected} if counted.get(name, 0) != expected.get(name, 0)}
        for name in sorted(wrong):
            yield f"{name} rose by {counted.get(name, 0):g}, not {expected.get(name, 0)}"


_COUNTERS = ("hotline_calls_offered", "hotline_calls_answered", "hotline_calls_abandoned", "hotline_calls_ended",
             "hotline_calls_overflowed", "hotline_callbacks_promised", "hotline_offers", "hotline_menu_fallbacks",
             "hotline_caller_wait_seconds", "hotline_agent_ring_seconds")  # fmt: skip
_DETAILS = tuple(f"{name}_{part}" for name in _COUNTERS[-2:] for part in ("sum", "bucket", "created"))


def _counted(call: Call) -> Iterator[str]:
    """The counters that a finished call must have raised, spelt out here once more on purpose."""
    section = f" section={call.section or 'none'}"
    yield f"hotline_calls_ended_total result={call.result}{section}"
    if call.asked_at:
        yield f"hotline_calls_offered_total{section}"
    if call.asked_by is AskedBy.FALLBACK:
        yield "hotline_menu_fallbacks_total"
    if call.overflowed_at:
        yield f"hotline_calls_overflowed_total{section}"
    if call.callback_promised_at:
        yield f"hotline_callbacks_promised_total{section}"
    if call.connected:
        yield f"hotline_calls_answered_total{section}"
        yield f"hotline_caller_wait_seconds_count{section}"
    if call.result is Result.ABANDONED:
        ringing = any(offer.failure is OfferEnd.CALLER_GONE for offer in call.offers)
        yield f"hotline_calls_abandoned_total{section} stage={'ringing' if ringing else 'queue'}"
    for offer in call.offers:
        if offer.answered_at:
            in_time = (offer.ring_s or 0) <= LIMIT_S
            yield f"hotline_offers_total result={'answered_in_time' if in_time else 'answered_late'}{section}"
            yield f"hotline_agent_ring_seconds_count{section}"
        elif offer.failure:
            yield f"hotline_offers_total result={offer.failure}{section}"


# ── Recordings ───────────────────────────────────────────────────────────────────────────────────────────────


def _of_recordings(evidence: Evidence, heard: Path, dirs: Dirs) -> Iterator[str]:
    if left := [path.name for path in dirs.intake.iterdir()]:
        yield f"plain recordings are left: {left}"
    # Of talks that had just begun when Asterisk was killed nothing may have been on disk yet.
    killed = [
        call for call in evidence.calls if call.result is Result.ANSWERED and call.ended_by is EndedBy.SYSTEM
    ]
    unwritten = {call.call_id for call in killed if not call.recording}
    if killed and len(unwritten) == len(killed):
        unwritten = set()
    for call in evidence.calls:
        folder = heard / call.call_id
        if (dirs.recording / call.call_id).exists():
            yield f"call {call.call_id} is still being recorded"
        if call.result is not Result.ANSWERED:
            if folder.exists() or call.recording:
                yield f"call {call.call_id} was not answered, yet there is a recording"
        elif (call.recording is None or not folder.is_dir()) and call.call_id not in unwritten:
            yield f"call {call.call_id} was answered and there is no recording"
        else:
            for caller in evidence.scenario.callers:
                if caller.number_kept == call.caller:
                    wrong = _of_recording(call, folder, caller.expect)
                    yield from (f"call {call.call_id}: {what}" for what in wrong)


def _of_recording(call: Call, folder: Path, expect: Expect) -> Iterator[str]:
    files = {path.name for path in folder.iterdir()}
    wanted = {"mixed.wav", "caller.wav", "agent.wav"} | ({"interrupted"} if expect.interrupted else set())
    if files != wanted:
        yield f"its recording consists of {sorted(files)}"
        return
    assert call.recording is not None
    if call.recording.complete == expect.interrupted or call.recording.sample_rate_hz != 16_000:
        yield f"its recording is {call.recording}"
    talk_s = call.talk_s or 0.0
    if not expect.interrupted and abs(call.recording.duration_s - talk_s) > _RECORDING_TOLERANCE_S:
        yield f"{talk_s:.2f} s of talk, {call.recording.duration_s:.2f} s of recording"
    for leg in ("agent", "mixed"):
        # The agent's number (A2) is the first thing that the caller hears.
        if talk_s > 2 and loudness(folder / f"{leg}.wav", 0.0, 2.0) < _AUDIBLE:
            yield f"{leg}.wav begins with silence instead of the agent's number"
    if expect.wideband is not None:
        voice = samples(folder / "agent.wav", talk_s - 3, talk_s - 1)  # the number has been spoken by then
        deep, high = strength(voice, 1000), strength(voice, 6000)
        if (high > _AUDIBLE) != expect.wideband or (deep > _AUDIBLE) == expect.wideband:
            yield f"of the agent's voice {deep:.0f} is recorded at 1 kHz, {high:.0f} at 6 kHz"


def samples(path: Path, start_s: float, stop_s: float) -> array[int]:
    """A part of a recording."""
    with wave.open(str(path), "rb") as audio:
        rate = audio.getframerate()
        audio.setpos(min(audio.getnframes(), round(start_s * rate)))
        return array("h", audio.readframes(round((stop_s - start_s) * rate)))


def loudness(path: Path, start_s: float, stop_s: float) -> float:
    """Its root mean square there; 0 where there is nothing."""
    part = samples(path, start_s, stop_s)
    return (sum(sample * sample for sample in part) / len(part)) ** 0.5 if part else 0.0


def strength(part: array[int], pitch_hz: float, rate_hz: int = 16_000) -> float:
    """How much of a tone there is in it, as its root mean square (Goertzel's algorithm)."""
    turn = 2 * math.pi * pitch_hz / rate_hz
    one = two = 0.0
    for sample in part:
        one, two = sample + 2 * math.cos(turn) * one - two, one
    power = one * one + two * two - 2 * math.cos(turn) * one * two
    return math.sqrt(2 * max(power, 0.0)) / max(len(part), 1)


# ── Asterisk's own files ─────────────────────────────────────────────────────────────────────────────────────


def _of_channel_log(evidence: Evidence) -> Iterator[str]:
    """The file alone gives the same calls as the service wrote into the books."""
    for call in evidence.calls:
        told = [event for event in evidence.cel if event.call_id == call.call_id]
        if not told:
            yield f"call {call.call_id} is not in the channel event log"
        elif call.ended_by is not EndedBy.SYSTEM:
            again = Call.of(told)
            if _essence(again) != _essence(call) or not _same_moments(again, call):
                yield f"the channel event log has {again}, the books {call}"
    strangers = {event.call_id for event in evidence.cel} - {call.call_id for call in evidence.calls}
    if strangers:
        yield f"calls in the channel event log and not in the books: {sorted(strangers)}"


def _essence(call: Call) -> tuple[object, ...]:
    offers = tuple((offer.leg_id, offer.agent, offer.failure) for offer in call.offers)
    return (call.result, call.caller, call.section, call.language, call.priority, call.asked_by, call.ended_by,
            call.callback_number, call.trunk, sorted(offers))  # fmt: skip


def _same_moments(one: Call, other: Call) -> bool:
    return all(abs(a - b) < _SAME_MOMENT for a, b in zip(_moments(one), _moments(other), strict=True))


def _moments(call: Call) -> list[datetime]:
    found = [call.arrived_at, call.asked_at, call.overflowed_at, call.callback_promised_at, call.ended_at]
    for offer in sorted(call.offers, key=lambda offer: offer.leg_id):
        found += [offer.rang_at, offer.answered_at, offer.connected_at, offer.ended_at]
    return [moment for moment in found if moment]


def _of_queue_log(evidence: Evidence) -> Iterator[str]:
    connected = [line[1] for line in evidence.queue_log if len(line) > 4 and line[4] == "CONNECT"]
    answered = [str(call.call_id) for call in evidence.calls if call.result is Result.ANSWERED]
    if sorted(connected) != sorted(answered):
        yield f"queue_log has {sorted(connected)} answered, the books {sorted(answered)}"
    entered = {line[1] for line in evidence.queue_log if len(line) > 4 and line[4] == "ENTERQUEUE"}
    asked = {str(call.call_id) for call in evidence.calls if call.asked_at}
    if entered - asked:
        yield f"queued and not in the books as asking: {sorted(entered - asked)}"


_BOTH_HANG_UP = r"chan_pjsip\.c: Session already DISCONNECTED \[reason=200 \(OK\)\]"
"""Asterisk's word for two BYEs that crossed: whoever hangs up as it does can make it say so."""


_BUSY = r"task processor queue reached \d+ scheduled tasks|Exceptionally long (voice )?queue length queuing to"
"""And for a machine that is too slow for what it has to do."""


_GONE = r"func_export\.c: Channel '[^']+' not found! 'TRANSFER_CONTEXT' not set"
"""The agent hung up as the number was spoken, between the question whether the telephone is there and its use."""


def _of_logs(evidence: Evidence) -> Iterator[str]:
    allowed = [re.compile(pattern) for pattern in (_BOTH_HANG_UP, _BUSY, _GONE, *evidence.scenario.log_may_say)]
    for line in evidence.asterisk_log:
        if re.search(r"\b(WARNING|ERROR)\b", line) and not any(pattern.search(line) for pattern in allowed):
            yield f"Asterisk's log: {line}"
    logs = "\n".join([*evidence.asterisk_log, evidence.service_log])
    for caller in evidence.scenario.callers:
        for shown in {caller.number_kept, caller.number} - {None}:
            if len(shown or "") >= 5 and (shown or "") in logs:
                yield "a caller's number stands in a log"
    if "Forged" in evidence.ami_events:
        yield "a caller forged an AMI event"
    if CANARY.exists():
        CANARY.unlink()
        yield "a caller ran a command"
    if '"trace"' in evidence.service_log or "Traceback" in evidence.service_log:
        yield f"the service's log holds a trace: {evidence.service_log[-3000:]}"


def _of_agents(evidence: Evidence) -> Iterator[str]:
    for number, wanted in evidence.scenario.agents_after:
        now = evidence.agents[number]
        if _state(now) != wanted:
            yield f"agent {number} is {_state(now)}, not {wanted}"


def _state(agent: AgentNow) -> str:
    return f"paused {agent.reason}" if agent.state is AgentState.PAUSED else str(agent.state)
