"""Calls judged by the rules in force, once they are transcribed; and judged again under new ones (A2-A6, Q1)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from calls.call import Call
from calls.ids import CallId, attempt_of
from calls.ports import Clock
from calls.transcript import Transcript
from calls.verdicts import CallFacts, Conversation, Outcome, Severity
from metrics import catalogue
from metrics.exporter import Exporter
from qa.rules import RuleSet, judge, load_rules, packs
from service.settings import Settings
from storage.ledger import SqlLedger
from storage.promises import promise_on_record
from storage.subjects import SqlSubjects, Subject
from storage.transcripts import SqlTranscripts
from storage.verdict_figures import Slice, SqlVerdictFigures
from storage.verdicts import SqlVerdicts
from storage.work import SqlWork

log = logging.getLogger(__name__)

_RECENT, _JUST_NOW = timedelta(days=1), timedelta(minutes=15)


def rule_sets(settings: Settings) -> tuple[RuleSet, ...]:
    """The rule sets in force: the operator's, or those that come with the product. Raises RuleError."""
    return _read(settings.judging.packs or tuple(packs()))


@lru_cache(maxsize=4)
def _read(paths: Sequence[Path]) -> tuple[RuleSet, ...]:
    return tuple(load_rules(path) for path in paths)


async def judge_call(settings: Settings, engine: AsyncEngine, call_id: CallId, clock: Clock) -> None:
    """Judge a call, or an attempt to call back, by every rule set of its language that is valid for its day.

    Again, it changes nothing. Raises RuleError, StorageUnavailable or StorageRefused.
    """
    transcript = await SqlTranscripts(engine).transcript(call_id)
    facts = await _facts(engine, call_id, transcript) if transcript else None
    if transcript is None or facts is None:
        return
    conversation = Conversation(facts, transcript)
    for rules in rule_sets(settings):
        if rules.language != facts.language or rules.valid_from > facts.arrived_at.date():
            continue
        found = judge(rules, conversation, clock.now())
        await SqlVerdicts(engine).judged(call_id, rules.id, found)
        for verdict in found:
            if verdict.outcome is Outcome.BROKEN and verdict.severity is Severity.IMMEDIATE:
                log.warning("verdict.immediate", extra={"call_id": call_id, "rule": verdict.rule})


async def _facts(engine: AsyncEngine, call_id: CallId, transcript: Transcript) -> CallFacts | None:
    """Of a call that arrived, or of an attempt to call back; ``None``: this is neither."""
    if attempt_of(call_id) is not None:
        attempt = await SqlSubjects(engine).of(call_id)
        if attempt is None:
            return None
        return facts_of_attempt(call_id, attempt, transcript, await promise_on_record(engine, call_id))
    call = await SqlLedger(engine).call(call_id)
    if call is None:
        return None
    promised = True if call.callback_promised_at else await promise_on_record(engine, call_id)
    return facts_of(call, transcript, promised)


def facts_of_attempt(
    call_id: CallId, attempt: Subject, transcript: Transcript, promised: bool | None
) -> CallFacts:
    """As ``facts_of``. A promise made while calling back is filed under the attempt's id, or not known."""
    return CallFacts(
        call_id=call_id,
        arrived_at=attempt.arrived_at,
        section=attempt.section,
        language=transcript.legs[0].language,
        agent=attempt.agent,
        talk_s=attempt.talk_s,
        has_callback=promised,
        outbound=True,
    )


def facts_of(call: Call, transcript: Transcript, promised: bool | None) -> CallFacts:
    """What rules need to know beside the words. The language is the one that was transcribed."""
    return CallFacts(
        call_id=call.call_id,
        arrived_at=call.arrived_at,
        section=call.section,
        language=transcript.legs[0].language,
        agent=next((offer.agent for offer in call.offers if offer.connected_at), None),
        talk_s=call.talk_s,
        has_callback=promised,
    )


class JudgingGauges:
    """Keeps the figures of judging in Prometheus, in the background."""

    def __init__(self, settings: Settings, engine: AsyncEngine, exporter: Exporter, clock: Clock) -> None:
        self._figures = SqlVerdictFigures(engine)
        self._work = SqlWork(engine)
        self._exporter = exporter
        self._clock = clock
        self._settings = settings

    async def refresh(self) -> None:
        """Count once. Raises StorageError, and RuleError: a rule set that cannot be read stops no call."""
        sets = rule_sets(self._settings)
        now, ids, tell = self._clock.now(), [rules.id for rules in sets], self._exporter.set
        tally: Counter[tuple[str, Outcome]] = Counter()
        for (_, rule, outcome), verdicts in (await self._figures.tally(ids, Slice(now - _RECENT))).items():
            tally[rule, outcome] += verdicts
        for rule in sorted({rule.id for rules in sets for rule in rules.rules}):
            for outcome in Outcome:
                tell(catalogue.VERDICTS, tally[rule, outcome], rule, outcome.value)
        recorded, judged = await self._figures.coverage(ids, now - _RECENT)
        tell(catalogue.RECORDED_CALLS, recorded)
        tell(catalogue.JUDGED, judged)
        for bandwidth, legs in (await self._work.agent_legs(now - _RECENT)).items():
            tell(catalogue.AGENT_LEGS, legs, bandwidth.value)
        tell(catalogue.IMMEDIATE, await self._figures.immediate(now - _JUST_NOW, now - _RECENT))
