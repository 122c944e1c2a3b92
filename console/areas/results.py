"""What the samples say: means per agent with their intervals; how often rules are overruled (Q3, Q5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from statistics import fmean

from aiohttp import web

from calls.ids import AgentNumber
from calls.people import Right
from calls.quality import FormVersion, Score
from calls.sampling import Part
from calls.verdicts import Outcome
from console.ask import Ask
from console.parts import Parts
from console.quality.desk import Desk, reach
from console.routes import Route, get
from qa.estimates import Estimate, estimate_mean, wilson
from storage.quality_figures import Overruled

_READERS = (Right.SCORE, Right.LEAD_QUALITY, Right.COACH)
_RULES = (Right.LEAD_QUALITY, Right.SEE_CONFIGURATION)
_SINCE = timedelta(days=90)
_HIGHEST = 110.0


@dataclass(frozen=True, slots=True)
class AgentResult:
    """One agent's scores of a plan and period."""

    agent: AgentNumber
    estimate: Estimate
    """Of the calls drawn at random."""
    risk_mean: float | None
    risk_n: int
    forms: tuple[str, ...]
    """The versions that the scores were made under (Q5)."""
    unsettled: int
    """Scores whose appeal is not decided."""


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule's verdicts as people saw them."""

    counted: Overruled
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.counted.overruled / self.counted.looked_at


class Results:
    """``/quality/results`` and ``/quality/rules``."""

    def __init__(self, parts: Parts) -> None:
        self._desk = Desk(parts)

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            get("/quality/results", _READERS, self.results),
            get("/quality/rules", _RULES, self.rules),
        ]

    async def results(self, ask: Ask) -> web.Response:
        """Every agent's mean of a plan and period, and the share of calls that passed."""
        plans = await self._desk.samples.plans()
        asked = ask.query.get("plan", "")
        plan = next((each for each in plans if str(each.plan_id) == asked), plans[0] if plans else None)
        periods = await self._desk.samples.periods(plan.plan_id) if plan else []
        period = ask.query.get("period", "")
        if period not in periods:
            period = periods[0] if periods else ""
        scores: list[Score] = []
        population: dict[AgentNumber, int] = {}
        if plan and period:
            scores = await self._desk.scores.standing(plan.plan_id, period, reach(ask, *_READERS))
            population = await self._desk.samples.populations(plan.plan_id, period)
        versions = await self._versions(scores)
        at_random = [score for score in scores if score.part is Part.RANDOM]
        passed = sum((score.total or 0) >= versions[_label(score)].form.pass_mark for score in at_random)
        return await self._desk.page(
            ask,
            "results",
            plans=plans,
            plan=plan,
            periods=periods,
            period=period,
            lines=results_of(scores, population),
            passed=passed,
            scored=len(at_random),
            share=wilson(passed, len(at_random)),
        )

    async def rules(self, ask: Ask) -> web.Response:
        """How often people overruled each rule in the last ninety days; the reasons for who leads."""
        since, scope = self._desk.now() - _SINCE, reach(ask, *_RULES)
        lines = [_rule_result(each) for each in await self._desk.figures.overruled(scope, since)]
        rule = ask.query.get("rule", "")
        leads = ask.who.may(Right.LEAD_QUALITY)
        objections = (
            await self._desk.figures.objections(ask.scope(Right.LEAD_QUALITY), rule, since)
            if rule and leads
            else []
        )
        return await self._desk.page(
            ask,
            "rules",
            naming=[each.call_id for each in objections],
            lines=sorted(lines, key=lambda line: (-line.share, line.counted.rule)),
            rule=rule,
            objections=objections,
            leads=leads,
            broken=Outcome.BROKEN,
        )

    async def _versions(self, scores: Sequence[Score]) -> dict[str, FormVersion]:
        found: dict[str, FormVersion] = {}
        for score in scores:
            if _label(score) not in found and score.form_version is not None:
                found[_label(score)] = await self._desk.version(score.form_id, score.form_version)
        return found


def results_of(scores: Sequence[Score], population: dict[AgentNumber, int]) -> list[AgentResult]:
    """Scores by agent, in the order of the agents' numbers. ``scores`` are sorted by agent."""
    found = []
    for agent, group in groupby(scores, key=lambda score: score.agent):
        own = [score for score in group if score.total is not None]
        at_random = [score.total or 0.0 for score in own if score.part is Part.RANDOM]
        risky = [score.total or 0.0 for score in own if score.part is Part.RISK]
        found.append(
            AgentResult(
                agent=agent,
                estimate=estimate_mean(at_random, population.get(agent), lowest=0, highest=_HIGHEST),
                risk_mean=fmean(risky) if risky else None,
                risk_n=len(risky),
                forms=tuple(sorted({_label(score) for score in own})),
                unsettled=sum(score.state.value == "appealed" for score in own),
            )
        )
    return found


def _label(score: Score) -> str:
    return f"{score.form_id}@{score.form_version}"


def _rule_result(counted: Overruled) -> RuleResult:
    bounds = wilson(counted.overruled, counted.looked_at)
    assert bounds is not None, "a rule without rulings has no line"
    return RuleResult(counted, *bounds)
