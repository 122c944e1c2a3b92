"""Rules with how they judged lately, for a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from calls.ports import Ratio
from calls.verdicts import Outcome
from qa.rules.examples import Failure, failures
from qa.rules.model import Rule, RuleSet
from storage.quality_figures import Overruled

_NOT_SHOWN = {"id", "names", "requirement", "severity", "weight", "examples", "kind", "sections", "valid_from"}


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule of one set."""

    rule_set: RuleSet
    rule: Rule
    counts: Mapping[Outcome, int]
    looked_at: int
    """Verdicts that a person confirmed or overruled."""
    overruled: int
    failed: int
    """Examples of its own that it judges otherwise."""
    examples: int

    @property
    def broken(self) -> Ratio:
        """Of what was judged."""
        broken = self.counts[Outcome.BROKEN]
        return Ratio(broken, broken + self.counts[Outcome.KEPT])

    @property
    def cannot(self) -> Ratio:
        """Of what the rule is about."""
        cannot = self.counts[Outcome.CANNOT_JUDGE]
        return Ratio(cannot, cannot + self.counts[Outcome.BROKEN] + self.counts[Outcome.KEPT])

    @property
    def objected(self) -> Ratio:
        """Of what people looked at."""
        return Ratio(self.overruled, self.looked_at)


def rule_rows(
    sets: Iterable[RuleSet],
    tally: Counter[tuple[str, str, Outcome]],
    overruled: Sequence[Overruled],
    failed: Mapping[tuple[str, str], Sequence[Failure]],
) -> list[RuleRow]:
    """Every rule, in the order of the files."""
    return [
        RuleRow(
            rules,
            rule,
            {outcome: tally[str(rules.id), rule.id, outcome] for outcome in Outcome},
            sum(each.looked_at for each in overruled if (each.rule_set, each.rule) == (rules.id, rule.id)),
            sum(each.overruled for each in overruled if (each.rule_set, each.rule) == (rules.id, rule.id)),
            len(failed.get((str(rules.id), rule.id), ())),
            sum(len(getattr(rule.examples, outcome.value)) for outcome in Outcome),
        )
        for rules in sets
        for rule in rules.rules
    ]


def tried(sets: Iterable[RuleSet]) -> dict[tuple[str, str], list[Failure]]:
    """``sansheng rules test``: examples that fail, by rule set and rule. Takes a second."""
    found: dict[tuple[str, str], list[Failure]] = {}
    for rules in sets:
        for failure in failures(rules):
            found.setdefault((str(rules.id), failure.rule), []).append(failure)
    return found


def terms_of(rule: Rule) -> list[tuple[str, str]]:
    """What a rule goes by, as it stands in the file."""
    return [
        (name, "、".join(map(str, value)) if isinstance(value, tuple) else str(value))
        for name, value in rule.model_dump(exclude=_NOT_SHOWN, exclude_none=True).items()
        if value not in ((), "")
    ]
