"""What the samples say: means per agent with their intervals; how often rules are overruled (Q3, Q5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from statistics import fmean

from aiohttp import web

from calls.custody import Access, AccessKind
from calls.ids import AgentNumber
from calls.people import Right, Scope
from calls.quality import FormVersion, Score
from calls.sampling import Part, SamplingPlan
from calls.verdicts import Outcome
from console.ask import Ask
from console.painter import address, seen_elsewhere
from console.parts import Parts
from console.quality.desk import Desk, reach
from console.routes import Route, get, post
from console.sheets import Cell, Sheet, answer
from console.texts import Texts
from qa.estimates import Caution, Estimate, estimate_mean, wilson
from storage.quality_figures import Overruled

_READERS = (Right.SCORE, Right.LEAD_QUALITY, Right.COACH)
_RULES = (Right.LEAD_QUALITY, Right.SEE_CONFIGURATION)
_SINCE = timedelta(days=90)
_HIGHEST = 110.0
_COLUMNS: tuple[str, ...] = (
    *("quality.agent_number", "quality.mean", "quality.low", "quality.high", "quality.scored_at_random"),
    *("quality.population", "quality.risk_mean", "quality.risk_scored", "quality.versions", "quality.caution"),
    "quality.under_appeal",
)
"""Of a file."""


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
class _Found:
    """What stands of a plan and period."""

    plan: SamplingPlan | None
    periods: Sequence[str]
    period: str
    scores: Sequence[Score]
    lines: Sequence[AgentResult]


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
            post("/quality/results/export", Right.EXPORT, self.export),
            get("/quality/rules", _RULES, self.rules),
        ]

    async def results(self, ask: Ask) -> web.Response:
        """Every agent's mean of a plan and period, and the share of calls that passed."""
        plans = await self._desk.samples.plans()
        found = await self._found(plans, ask.query, reach(ask, *_READERS))
        versions = await self._versions(found.scores)
        at_random = [score for score in found.scores if score.part is Part.RANDOM]
        passed = sum((score.total or 0) >= versions[_label(score)].form.pass_mark for score in at_random)
        return await self._desk.page(
            ask,
            "results",
            plans=plans,
            plan=found.plan,
            periods=found.periods,
            period=found.period,
            lines=found.lines,
            passed=passed,
            scored=len(at_random),
            share=wilson(passed, len(at_random)),
            may_export=ask.who.may(Right.EXPORT),
            failed=ask.query.get("failed", ""),
        )

    async def export(self, ask: Ask) -> web.Response:
        """The agents' results as a file, under their numbers; on record, with the reason, before (P3)."""
        found = await self._found(await self._desk.samples.plans(), ask.form, ask.scope(Right.EXPORT))
        if found.plan is None or not found.period:
            raise web.HTTPNotFound
        kind = "xlsx" if ask.form.get("kind") == "xlsx" else "csv"
        reason = " ".join(ask.form.get("reason", "").split())
        what = f"plan {found.plan.plan_id}, {found.period}"
        if not reason:
            again = {"plan": found.plan.plan_id, "period": found.period, "failed": "reason"}
            return seen_elsewhere(address("/quality/results", **again))
        access = Access(ask.who.login, AccessKind.EXPORT, f"{reason[:250]} (quality results, {what}, {kind})")
        await self._desk.parts.accesses.note(access)
        columns = [ask.texts(name) for name in _COLUMNS]
        rows = [_row(line, ask.texts) for line in found.lines]
        notes = [f"{found.plan.name} · {found.period}", ask.texts("quality.method")]
        return await answer(Sheet("quality-results", columns, rows, notes), kind, self._desk.parts.zone)

    async def _found(self, plans: Sequence[SamplingPlan], asked: Mapping[str, str], scope: Scope) -> _Found:
        """Of the plan and period that are asked for, or the newest ones."""
        wanted = asked.get("plan", "")
        plan = next((each for each in plans if str(each.plan_id) == wanted), plans[0] if plans else None)
        periods = await self._desk.samples.periods(plan.plan_id) if plan else []
        period = asked.get("period", "")
        if period not in periods:
            period = periods[0] if periods else ""
        if plan is None or not period:
            return _Found(plan, periods, period, [], [])
        scores = await self._desk.scores.standing(plan.plan_id, period, scope)
        population = await self._desk.samples.populations(plan.plan_id, period)
        return _Found(plan, periods, period, scores, results_of(scores, population))

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


def _row(line: AgentResult, texts: Texts) -> list[Cell]:
    told = line.estimate
    caution = "" if told.caution is Caution.NONE else texts(f"quality_caution.{told.caution}")
    means: list[Cell] = [None if each is None else round(each, 2) for each in (told.mean, told.low, told.high)]
    risk_mean = None if line.risk_mean is None else round(line.risk_mean, 2)
    numbers: list[Cell] = [told.n, told.population, risk_mean, line.risk_n]
    return [line.agent, *means, *numbers, " ".join(line.forms), caution, line.unsettled]


def _label(score: Score) -> str:
    return f"{score.form_id}@{score.form_version}"


def _rule_result(counted: Overruled) -> RuleResult:
    bounds = wilson(counted.overruled, counted.looked_at)
    assert bounds is not None, "a rule without rulings has no line"
    return RuleResult(counted, *bounds)
