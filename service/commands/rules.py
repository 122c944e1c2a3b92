"""``sansheng rules``: rule sets checked, tried on their own examples, explained, and put to past calls anew."""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from calls.errors import RuleError
from calls.ids import Language
from calls.verdicts import Outcome, Verdict
from qa.rules.model import RuleSet
from service.commands.audit import moment
from service.commands.transcripts import database
from service.settings import Settings
from storage.verdict_figures import Slice

_TOLD = {"id", "names", "requirement", "severity", "weight", "examples"}


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    verbs = commands.add_parser("rules", help="rule sets: list, check, test, explain, rejudge").add_subparsers(
        required=True, metavar="COMMAND"
    )
    verbs.add_parser("list", help="every rule in force").set_defaults(run=_list)
    check = verbs.add_parser("check", help="whether rule sets can be read, and what is missing in them")
    check.add_argument("files", nargs="*", type=Path, help="default: those in force")
    check.set_defaults(run=_check)
    test = verbs.add_parser("test", help="judge the rules' own examples; the exit status is 1 if one fails")
    test.add_argument("files", nargs="*", type=Path)
    test.add_argument("--language", choices=["zh-CN", "en"], default="en", help="of the explanations")
    test.set_defaults(run=_test)
    explain = verbs.add_parser("explain", help="what a rule demands, and how it is found out")
    explain.add_argument("rule")
    explain.set_defaults(run=_explain)
    rejudge = verbs.add_parser(
        "rejudge", help="judge every transcribed call by the rules in force; old versions' verdicts stay"
    )
    rejudge.add_argument("--since", help="only calls that arrived then or later: 2026-11-23 or 2026-11-23T10:00")
    rejudge.add_argument("--until", help="only calls that arrived before then")
    rejudge.set_defaults(run=_rejudge)


def _list(settings: Settings, _options: argparse.Namespace) -> int:
    from service.judging import rule_sets

    for rules in rule_sets(settings):
        print(f"{rules.id}  ({rules.language}, valid from {rules.valid_from})")
        for rule in rules.rules:
            print(f"  {rule.requirement:3} {rule.id:22} {rule.kind:13} {rule.severity:10} {rule.names['zh-CN']}")
    return 0


def _check(settings: Settings, options: argparse.Namespace) -> int:
    from qa.rules import load_rules
    from service.judging import rule_sets

    found = 0
    for rules in [load_rules(path) for path in options.files] or rule_sets(settings):
        for rule in rules.rules:
            for wanted in (Outcome.KEPT, Outcome.BROKEN):
                if not getattr(rule.examples, wanted.value):
                    print(f"{rules.id}: {rule.id} has no example of a call in which it is {wanted}")
                    found += 1
        print(f"{rules.id}: {len(rules.rules)} rules")
    print(f"{found or 'no'} finding{'' if found == 1 else 's'}")
    return 0


def _test(settings: Settings, options: argparse.Namespace) -> int:
    from console.because import because
    from console.texts import load_texts
    from qa.rules import load_rules
    from qa.rules.examples import failures
    from service.judging import rule_sets

    failed, texts = 0, load_texts(Language(options.language))
    for rules in [load_rules(path) for path in options.files] or rule_sets(settings):
        for failure in failures(rules):
            why = because(texts, failure.explanation).text
            said = " / ".join(failure.lines)
            print(f"{rules.id}: {failure.rule}: should be {failure.wanted}, is {failure.got} ({why}): {said}")
            failed += 1
    print(f"{failed or 'no'} example{'' if failed == 1 else 's'} failed")
    return 1 if failed else 0


def _explain(settings: Settings, options: argparse.Namespace) -> int:
    from service.judging import rule_sets

    known = False
    for rules in rule_sets(settings):
        rule = rules.rule(options.rule)
        if rule is None:
            continue
        known = True
        print(f"{rules.id}  {rule.id}: {rule.names['zh-CN']} / {rule.names['en']}")
        print(f"  {rule.requirement}, {rule.severity}, weight {rule.weight:g}; {type(rule).__doc__}")
        for name, value in rule.model_dump(exclude=_TOLD).items():
            print(f"  {name:18} {value}")
        limits = rules.limits
        print(
            f"  Said: at most {limits.alike:.0%} off by sound. Cannot judge: up to {limits.doubt:.0%} off, words "
            f"below a confidence\n  of {limits.confidence:g}, and what a narrow line or missing leg left unheard."
        )
    if not known:
        raise RuleError(f"no rule set in force has a rule {options.rule!r}; see sansheng rules list")
    return 0


def _rejudge(settings: Settings, options: argparse.Namespace) -> int:
    of = Slice(moment(settings, options.since), moment(settings, options.until))
    return asyncio.run(_all_again(settings, of))


async def _all_again(settings: Settings, of: Slice) -> int:
    from tqdm import tqdm

    from service.judging import judge_call, rule_sets
    from service.wiring import SystemClock
    from storage.verdicts import SqlVerdicts

    sets = rule_sets(settings)
    changed: Counter[tuple[str, str, str]] = Counter()
    async with database(settings) as engine:
        book, after, number = SqlVerdicts(engine), "", 0
        called_back = await book.transcribed_attempts(of)
        total = await book.count_transcribed(of) + len(called_back)
        with tqdm(total=total, unit=" calls", disable=None) as bar:
            while calls := await book.transcribed(of, after) or called_back:
                for call_id in calls:
                    before = _by_rule(await book.verdicts(call_id), sets)
                    await judge_call(settings, engine, call_id, SystemClock())
                    for rule, new in _by_rule(await book.verdicts(call_id), sets).items():
                        if new != (old := before.get(rule, "not judged")):
                            changed[rule, old, new] += 1
                    number += 1
                    bar.update()
                if calls is called_back:
                    break
                after = calls[-1]
    for (rule, old, new), count in sorted(changed.items()):
        print(f"{count:7}  {rule}: {old} -> {new}")
    print(f"{number} calls judged by {', '.join(str(rules.id) for rules in sets)}")
    return 0


def _by_rule(verdicts: Iterable[Verdict], sets: Sequence[RuleSet]) -> dict[str, str]:
    """Each rule's outcome under the version in force, or under the newest of the others that judged the call."""
    in_force = {rules.id for rules in sets}
    ordered = sorted(verdicts, key=lambda verdict: (verdict.rule_set in in_force, verdict.judged_at))
    return {verdict.rule: verdict.outcome.value for verdict in ordered}
