"""What the quality pages go by beside the database: joined in ``service/wiring.py``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from calls.ids import SectionId
from calls.sampling import Risk
from calls.workdays import Days, Workdays
from qa.rules import RuleSet
from qa.rules.model import InterruptionRule, SilenceRule


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityTerms:
    """Rules in force, and terms."""

    rules: tuple[RuleSet, ...]
    workdays: Workdays
    kind_of_day: Callable[[date], Days]
    """By the operator's calendar, special days included, as the clocks of cases go by it."""
    appeal_workdays: int
    """Working days that an agent has for an appeal."""
    complaints: SectionId
    """The section that takes complaints (A8)."""

    @property
    def risky_rules(self) -> Mapping[Risk, frozenset[str]]:
        """Ids of the rules about interruptions and about silence."""
        rules = [rule for each in self.rules for rule in each.rules]
        return {
            Risk.INTERRUPTION: frozenset(rule.id for rule in rules if isinstance(rule, InterruptionRule)),
            Risk.LONG_SILENCE: frozenset(rule.id for rule in rules if isinstance(rule, SilenceRule)),
        }

    @property
    def rule_ids(self) -> tuple[str, ...]:
        """Every rule once, in the order of the sets."""
        return tuple(dict.fromkeys(rule.id for each in self.rules for rule in each.rules))
