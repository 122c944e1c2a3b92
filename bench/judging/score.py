"""How often the rules are right: verdicts held against what is true."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.judging.labelled import Labelled
from calls.verdicts import Outcome, Verdict
from qa.rules import RuleSet, judge

_AT = datetime(2026, 11, 23, tzinfo=UTC)
NOISES = ("none", "light", "medium", "strong", "narrow")


@dataclass(frozen=True, slots=True)
class Judged:
    """One rule on one dialogue."""

    rule_set: str
    noise: str
    truth: Outcome
    verdict: Verdict
    dialogue: Labelled


@dataclass(frozen=True, slots=True)
class Score:
    """Of a number of verdicts. What cannot be judged is neither right nor wrong: it is counted apart."""

    verdicts: int
    broken: int
    """In truth."""
    found: int
    """Broken in truth, and said to be."""
    accused: int
    """Said to be broken, and not broken in truth."""
    missed: int
    """Broken in truth, and said to be kept or not applicable."""
    unjudged: int
    """Cannot judge, whatever is true."""

    @property
    def precision(self) -> float | None:
        """Of the verdicts "broken", those that are right; ``None`` if there are none."""
        said = self.found + self.accused
        return self.found / said if said else None

    @property
    def recall(self) -> float | None:
        """Of what is broken and was judged, what was found."""
        judged = self.found + self.missed
        return self.found / judged if judged else None

    @property
    def found_of_all(self) -> float | None:
        """Of what is broken, judged or not, what was found."""
        return self.found / self.broken if self.broken else None


def verdicts(dialogues: Iterable[Labelled], rule_sets: Iterable[RuleSet]) -> Iterator[Judged]:
    """Every dialogue, judged by the rule sets of its language. Rules without a label are left out."""
    sets = defaultdict[str, list[RuleSet]](list)
    for rules in rule_sets:
        sets[rules.language].append(rules)
    for each in dialogues:
        for rules in sets[each.conversation.facts.language]:
            for verdict in judge(rules, each.conversation, _AT):
                if verdict.rule in each.truth:
                    yield Judged(rules.name, each.noise, each.truth[verdict.rule], verdict, each)


def score(judged: Iterable[Judged]) -> Score:
    """Counted."""
    counts = Counter((each.truth is Outcome.BROKEN, each.verdict.outcome) for each in judged)
    unjudged = sum(counts[truth, Outcome.CANNOT_JUDGE] for truth in (True, False))
    return Score(
        verdicts=counts.total(),
        broken=sum(number for (broken, _), number in counts.items() if broken),
        found=counts[True, Outcome.BROKEN],
        accused=counts[False, Outcome.BROKEN],
        missed=counts[True, Outcome.KEPT] + counts[True, Outcome.NOT_APPLICABLE],
        unjudged=unjudged,
    )


def tables(judged: Iterable[Judged]) -> str:
    """Markdown: by rule, by strength of noise, and each rule at each strength."""
    every = list(judged)
    rules = list(dict.fromkeys((each.rule_set, each.verdict.rule) for each in every))
    by_rule = {key: [each for each in every if (each.rule_set, each.verdict.rule) == key] for key in rules}
    lines = [_HEAD.format(first="rule set and rule"), _RULE_LINE]
    lines += [_row(f"{name} `{rule}`", score(these)) for (name, rule), these in by_rule.items()]
    lines += ["", _HEAD.format(first="noise"), _RULE_LINE]
    lines += [_row(noise, score(each for each in every if each.noise == noise)) for noise in NOISES]
    lines += [_row("**all**", score(every)), ""]
    lines += [f"| rule set and rule | {' | '.join(NOISES)} |", "| --- |" + " --- |" * len(NOISES)]
    for (name, rule), these in by_rule.items():
        cells = [_cell(score(each for each in these if each.noise == noise)) for noise in NOISES]
        lines.append(f"| {name} `{rule}` | {' | '.join(cells)} |")
    return "\n".join(lines)


_HEAD = (
    "| {first} | verdicts | broken in truth | found | accused wrongly | missed "
    "| cannot judge | precision | recall |"
)
_RULE_LINE = "| --- |" + " ---: |" * 8


def _row(name: str, of: Score) -> str:
    return (
        f"| {name} | {of.verdicts} | {of.broken} | {of.found} | {of.accused} | {of.missed} | "
        f"{of.unjudged} ({of.unjudged / of.verdicts:.0%}) | {_share(of.precision)} | {_share(of.recall)} |"
    )


def _cell(of: Score) -> str:
    return f"{_share(of.precision)} / {_share(of.recall)} / {of.unjudged / of.verdicts:.0%}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
