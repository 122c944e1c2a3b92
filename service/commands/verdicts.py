"""``sansheng verdicts``: what the rules said of calls (A2 to A6, Q1)."""

from __future__ import annotations

import argparse
import asyncio

from calls.custody import Access, AccessKind
from calls.errors import SanshengError
from calls.ids import AgentNumber, CallId, Language, SectionId
from calls.verdicts import Outcome, Severity
from service.commands.audit import moment
from service.commands.recordings import who
from service.commands.transcripts import clock, database
from service.settings import Settings
from storage.verdict_figures import Slice


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    nouns = commands.add_parser("verdicts", help="what the rules said: show, list, summary")
    verbs = nouns.add_subparsers(required=True, metavar="COMMAND")
    show = verbs.add_parser("show", help="every verdict on a call, and on what it rests (masked)")
    show.add_argument("call")
    show.add_argument("--all-versions", action="store_true", help="also of rule sets that are not in force")
    show.add_argument("--history", action="store_true", help="also what the same rules said before")
    show.add_argument("--language", choices=["zh-CN", "en"], default="en", help="of the explanations")
    show.set_defaults(run=_show)
    listed = verbs.add_parser("list", help="calls that broke a rule, the newest first")
    listed.add_argument("--rule")
    listed.add_argument("--severity", choices=[each.value for each in Severity])
    listed.add_argument("--outcome", choices=[each.value for each in Outcome], default=Outcome.BROKEN.value)
    summary = verbs.add_parser("summary", help="each rule: how often broken, kept, not to be judged")
    for parser in (listed, summary):
        parser.add_argument("--section")
        parser.add_argument("--agent", metavar="NUMBER")
        parser.add_argument("--since", help="the call arrived then or later: 2026-11-23 or 2026-11-23T10:00")
        parser.add_argument("--until", help="the call arrived before then")
    listed.add_argument("--limit", type=int, default=50)
    listed.set_defaults(run=_list)
    summary.set_defaults(run=_summary)


def _show(settings: Settings, options: argparse.Namespace) -> int:
    call_id = CallId(options.call)

    async def act() -> int:
        from console.because import because
        from console.texts import load_texts
        from qa.masking import mask_text
        from service.judging import rule_sets
        from service.wiring import SystemClock
        from storage.access import SqlAccessLog
        from storage.verdicts import SqlVerdicts

        async with database(settings) as engine:
            await SqlAccessLog(engine, SystemClock()).note(Access(who(), AccessKind.READ, "verdicts", call_id))
            book = SqlVerdicts(engine)
            found = [*(await book.earlier(call_id) if options.history else ()), *await book.verdicts(call_id)]
            found.sort(key=lambda each: (str(each.rule_set), each.rule, each.revision))
        texts = load_texts(Language(options.language))
        in_force = {rules.id for rules in rule_sets(settings)}
        shown = [each for each in found if options.all_versions or each.rule_set in in_force]
        if not shown:
            raise SanshengError(f"call {call_id} was not judged by the rules in force; sansheng transcripts list")
        for verdict in shown:
            print(
                f"{verdict.requirement:3} {verdict.rule:18} {verdict.outcome:14} {verdict.severity:9} "
                f"{verdict.confidence:.2f}  {verdict.rule_set}"
                f"{f', revision {verdict.revision}' if options.history else ''}"
            )
            print(f"      {because(texts, verdict.explanation).text}")
            for each in verdict.evidence:
                words = f"  “{mask_text(each.text)}”" if each.text else ""
                print(f"      {each.leg} {clock(each.start_s)} to {clock(each.end_s)}{words}")
        return 0

    return asyncio.run(act())


def _list(settings: Settings, options: argparse.Namespace) -> int:
    async def act() -> int:
        from service.judging import rule_sets
        from storage.verdict_figures import SqlVerdictFigures

        limit = max(1, options.limit)
        async with database(settings) as engine:
            found = await SqlVerdictFigures(engine).findings(
                [rules.id for rules in rule_sets(settings)],
                Outcome(options.outcome),
                _slice(settings, options),
                rule=options.rule,
                severity=Severity(options.severity) if options.severity else None,
                limit=limit + 1,
            )
        for each in found[:limit]:
            when = each.arrived_at.astimezone(settings.zone)
            print(
                f"{when:%Y-%m-%d %H:%M}  {each.call_id}  {each.section or '-':12} {each.agent or '-':6} "
                f"{each.severity:9} {each.rule}"
            )
        print(f"{min(len(found), limit)}{' and more' if len(found) > limit else ''} {options.outcome}")
        return 0

    return asyncio.run(act())


def _summary(settings: Settings, options: argparse.Namespace) -> int:
    async def act() -> int:
        from service.judging import rule_sets
        from storage.verdict_figures import SqlVerdictFigures

        sets = rule_sets(settings)
        async with database(settings) as engine:
            tally = await SqlVerdictFigures(engine).tally([rules.id for rules in sets], _slice(settings, options))
        print(f"{'rule':24} {'broken':>7} {'kept':>7} {'cannot':>7} {'n/a':>7}  broken of judged")
        for rules in sets:
            for rule in rules.rules:
                broken, kept, cannot, other = (
                    tally[str(rules.id), rule.id, outcome]
                    for outcome in (Outcome.BROKEN, Outcome.KEPT, Outcome.CANNOT_JUDGE, Outcome.NOT_APPLICABLE)
                )
                if broken + kept + cannot + other:
                    share = f"{broken / (broken + kept):.1%} of {broken + kept}" if broken + kept else "-"
                    name = f"{rules.id.name} {rule.id}"
                    print(f"{name:24} {broken:7} {kept:7} {cannot:7} {other:7}  {share}")
        print(f"under {', '.join(str(rules.id) for rules in sets)}")
        return 0

    return asyncio.run(act())


def _slice(settings: Settings, options: argparse.Namespace) -> Slice:
    return Slice(
        since=moment(settings, options.since),
        until=moment(settings, options.until),
        section=options.section and SectionId(options.section),
        agent=options.agent and AgentNumber(options.agent),
    )
