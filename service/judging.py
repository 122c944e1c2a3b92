"""Calls judged by the rules in force, once they are transcribed; and judged again under new ones (A2-A6, Q1)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from calls.call import Call
from calls.ids import CallId
from calls.ports import Clock
from calls.transcript import Transcript
from calls.verdicts import CallFacts, Conversation, Outcome, Severity
from metrics import catalogue
from metrics.exporter import Exporter
from qa.rules import RuleSet, judge, load_rules, packs
from service.settings import Settings
from storage.ledger import SqlLedger
from storage.transcripts import SqlTranscripts
from storage.verdicts import SqlVerdicts

log = logging.getLogger(__name__)


def rule_sets(settings: Settings) -> tuple[RuleSet, ...]:
    """The rule sets in force: the operator's, or those that come with the product. Raises RuleError."""
    return _read(settings.judging.packs or tuple(packs()))


@lru_cache(maxsize=4)
def _read(paths: Sequence[Path]) -> tuple[RuleSet, ...]:
    return tuple(load_rules(path) for path in paths)


async def judge_call(settings: Settings, engine: AsyncEngine, call_id: CallId, clock: Clock) -> None:
    """Judge a call by every rule set of its language that is valid for its day. Again, it changes nothing.

    Raises RuleError, StorageUnavailable or StorageRefused.
    """
    call = await SqlLedger(engine).call(call_id)
    transcript = await SqlTranscripts(engine).transcript(call_id)
    if call is None or transcript is None:
        return
    conversation = Conversation(facts_of(call, transcript), transcript)
    for rules in rule_sets(settings):
        if rules.language != conversation.facts.language or rules.valid_from > call.arrived_at.date():
            continue
        found = judge(rules, conversation, clock.now())
        await SqlVerdicts(engine).judged(call_id, rules.id, found)
        for verdict in found:
            if verdict.outcome is Outcome.BROKEN and verdict.severity is Severity.IMMEDIATE:
                log.warning("verdict.immediate", extra={"call_id": call_id, "rule": verdict.rule})


def facts_of(call: Call, transcript: Transcript) -> CallFacts:
    """What rules need to know beside the words. The language is the one that was transcribed."""
    return CallFacts(
        call_id=call.call_id,
        arrived_at=call.arrived_at,
        section=call.section,
        language=transcript.legs[0].language,
        agent=next((offer.agent for offer in call.offers if offer.connected_at), None),
        talk_s=call.talk_s,
        has_callback=True if call.callback_promised_at else None,
    )


class JudgingGauges:
    """Keeps the figures of judging in Prometheus, in the background."""

    def __init__(self, settings: Settings, engine: AsyncEngine, exporter: Exporter) -> None:
        self._verdicts = SqlVerdicts(engine)
        self._exporter = exporter
        self._sets = rule_sets(settings)

    async def refresh(self) -> None:
        """Count once. Raises StorageError."""
        tally = await self._verdicts.tally([rules.id for rules in self._sets])
        for rule in sorted({rule.id for rules in self._sets for rule in rules.rules}):
            for outcome in Outcome:
                self._exporter.set(catalogue.VERDICTS, tally[rule, outcome], rule, outcome.value)
        self._exporter.set(catalogue.JUDGED, await self._verdicts.judged_calls())
