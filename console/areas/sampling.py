"""Sampling plans, draws, and what was drawn (Q1)."""

from __future__ import annotations

import csv
import io
import secrets
from dataclasses import replace

from aiohttp import web
from multidict import MultiDictProxy

from calls.custody import Access, AccessKind
from calls.errors import Overtaken, PeriodError
from calls.ids import FormId, SectionId
from calls.people import Right
from calls.periods import Grain, Period
from calls.sampling import Draw, Risk, SamplingPlan, Stratum
from console.ask import Ask
from console.painter import seen_elsewhere
from console.parts import Parts
from console.quality.desk import PAGE, Desk, before_in, number_in, reach
from console.quality.drawing import Drawing, by_agent
from console.routes import Route, get, post
from qa.sampling import problems

_EITHER = (Right.SCORE, Right.LEAD_QUALITY)
_PERIODS = 6
"""Periods that a page offers, the newest first."""


class Sampling:
    """``/quality/plans`` and ``/quality/draws``."""

    def __init__(self, parts: Parts) -> None:
        self._desk = Desk(parts)
        self._drawing = Drawing(self._desk)

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            get("/quality/plans", _EITHER, self.plans),
            get("/quality/plans/new", Right.LEAD_QUALITY, self.new),
            post("/quality/plans", Right.LEAD_QUALITY, self.make),
            get("/quality/plans/{plan_id}", _EITHER, self.plan),
            post("/quality/plans/{plan_id}/retire", Right.LEAD_QUALITY, self.retire),
            post("/quality/plans/{plan_id}/draw", Right.SCORE, self.draw),
            get("/quality/draws/{draw_id}", _EITHER, self.drawn),
            get("/quality/draws/{draw_id}/frame", Right.EXPORT, self.frame),
        ]

    async def plans(self, ask: Ask) -> web.Response:
        """All plans."""
        return await self._desk.page(ask, "plans", plans=await self._desk.samples.plans())

    async def new(self, ask: Ask) -> web.Response:
        """The form of a plan that is to be made."""
        return await self._form(ask, self._blank(ask), [])

    async def make(self, ask: Ask) -> web.Response:
        """Make a plan; the machine throws the seed."""
        plan = read_plan(ask.form, self._blank(ask))
        faults = problems(plan)
        if await self._desk.forms.current(plan.form_id) is None:
            faults.append("form")
        mine = ask.scope(Right.LEAD_QUALITY)
        if not (mine.everything or (plan.sections and plan.sections <= mine.sections)):
            faults.append("sections")
        if faults:
            return await self._form(ask, plan, faults)
        made = await self._desk.samples.add(replace(plan, seed=secrets.token_hex(16)))
        return seen_elsewhere(f"/quality/plans/{made.plan_id}")

    async def plan(self, ask: Ask) -> web.Response:
        """A plan and what was drawn by it; of a period that is asked for, what a draw would come to."""
        plan = await self._plan(ask)
        asked = ask.query.get("period")
        period = self._period(asked, plan)
        preview = None
        if asked and plan.retired_at is None and ask.who.may(Right.SCORE) and period is not None:
            preview = await self._drawing.preview(plan, period, ask.who)
        draws = await self._desk.samples.draws(plan.plan_id, before=before_in(ask), limit=PAGE)
        return await self._desk.page(
            ask,
            "plan",
            plan=plan,
            form=await self._desk.forms.current(plan.form_id),
            periods=self._periods(plan),
            period=period.label if period else "",
            preview=preview,
            lines=by_agent(preview.drawn) if preview else [],
            draws=[each for each in draws if self._sees(ask, each)],
            last=draws[-1].draw_id if len(draws) == PAGE else None,
            trouble=ask.query.get("trouble", ""),
        )

    async def retire(self, ask: Ask) -> web.Response:
        """Nothing is drawn by this plan any more."""
        plan = await self._plan(ask)
        mine = ask.scope(Right.LEAD_QUALITY)
        if not (mine.everything or (plan.sections and plan.sections <= mine.sections)):
            raise web.HTTPNotFound
        await self._desk.samples.retire(plan.plan_id, self._desk.now())
        return seen_elsewhere(f"/quality/plans/{plan.plan_id}")

    async def draw(self, ask: Ask) -> web.Response:
        """Draw, and put the calls into the drawer's queue."""
        plan = await self._plan(ask)
        period = self._period(ask.form.get("period"), plan)
        here = f"/quality/plans/{plan.plan_id}"
        if period is None or plan.retired_at is not None:
            return seen_elsewhere(here)
        try:
            number = await self._drawing.record(plan, period, ask.who, self._desk.now())
        except Overtaken:
            return seen_elsewhere(f"{here}?period={period.label}&trouble=overtaken")
        if number is None:
            return seen_elsewhere(f"{here}?period={period.label}&trouble=nothing")
        return seen_elsewhere(f"/quality/draws/{number}")

    async def drawn(self, ask: Ask) -> web.Response:
        """A draw as it was recorded; if asked for, whether doing it again gives the same."""
        found = await self._draw(ask)
        plan = await self._desk.samples.plan(found.plan_id)
        return await self._desk.page(
            ask,
            "draw",
            naming=[pick.call_id for pick in found.drawn.picked],
            draw=found,
            plan=plan,
            lines=by_agent(found.drawn),
            again=await self._drawing.repeat(found) if ask.query.get("again") else None,
        )

    async def frame(self, ask: Ask) -> web.Response:
        """What was drawn from, as a file: with the seed it lets anybody repeat the draw."""
        found = await self._draw(ask)
        kept = await self._desk.samples.frame(found.draw_id)
        assert kept is not None, "a draw has its frame"
        why = f"frame of draw {found.draw_id}"
        await self._desk.parts.accesses.note(Access(ask.who.login, AccessKind.EXPORT, why))
        text = io.StringIO()
        lines = csv.writer(text)
        lines.writerow(["call_id", "agent", "section", "shift", "length", "risks"])
        for call in kept[1]:
            risks = " ".join(sorted(call.risks))
            lines.writerow([call.call_id, call.agent, call.section, call.shift, call.length, risks])
        name = f"frame-{found.draw_id}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(text=text.getvalue(), content_type="text/csv", headers=headers)

    async def _form(self, ask: Ask, plan: SamplingPlan, faults: list[str]) -> web.Response:
        newest = {each.form_id: each for each in reversed(await self._desk.forms.all()) if each.published}
        mine = ask.scope(Right.LEAD_QUALITY)
        return await self._desk.page(
            ask,
            "plan_new",
            status=422 if faults else 200,
            plan=plan,
            forms=list(newest.values()),
            faults=faults,
            sections=[each for each in self._desk.parts.sections if mine.covers(each)],
            everywhere=mine.everything,
            risks=list(Risk),
            strata=list(Stratum),
            grains=[Grain.WEEK, Grain.MONTH, Grain.QUARTER],
        )

    def _blank(self, ask: Ask) -> SamplingPlan:
        return SamplingPlan(0, "", FormId(""), "", ask.who.login, self._desk.now())

    async def _plan(self, ask: Ask) -> SamplingPlan:
        plan = await self._desk.samples.plan(number_in(ask, "plan_id"))
        if plan is None:
            raise web.HTTPNotFound
        return plan

    async def _draw(self, ask: Ask) -> Draw:
        found = await self._desk.samples.draw(number_in(ask, "draw_id"))
        if found is None or not self._sees(ask, found):
            raise web.HTTPNotFound
        return found

    def _sees(self, ask: Ask, draw: Draw) -> bool:
        """A draw is shown to whoever may see every section that it drew from."""
        mine = reach(ask, *_EITHER)
        return mine.everything or (draw.sections is not None and draw.sections <= mine.sections)

    def _period(self, label: str | None, plan: SamplingPlan) -> Period | None:
        """The period asked for; without one, the last that is over. ``None`` for nonsense and the future."""
        zone, now = self._desk.parts.zone, self._desk.now()
        if not label:
            return Period.containing(now, plan.grain, zone).previous()
        try:
            period = Period.parse(label, zone)
        except PeriodError:
            return None
        return period if period.grain is plan.grain and period.span[0] <= now else None

    def _periods(self, plan: SamplingPlan) -> list[Period]:
        found = [Period.containing(self._desk.now(), plan.grain, self._desk.parts.zone)]
        while len(found) < _PERIODS:
            found.append(found[-1].previous())
        return found


def read_plan(typed: MultiDictProxy[str], blank: SamplingPlan) -> SamplingPlan:
    """A plan as typed; what cannot be read becomes what ``qa.sampling.problems`` refuses."""
    grain = typed.get("grain", "")
    return replace(
        blank,
        name=typed.get("name", "").strip(),
        form_id=FormId(typed.get("form", "")),
        grain=Grain(grain) if grain in (Grain.WEEK, Grain.MONTH, Grain.QUARTER) else Grain.MONTH,
        per_agent=_number(typed.get("per_agent", "")),
        risk_percent=_number(typed.get("risk_percent", "")),
        strata=frozenset(Stratum(each) for each in typed.getall("strata", []) if each in list(Stratum)),
        shift_hours=_numbers(typed.get("shift_hours", "")),
        length_bounds_s=_numbers(typed.get("length_bounds", "")),
        least_talk_s=_number(typed.get("least_talk", "")),
        sections=frozenset(map(SectionId, typed.getall("sections", []))),
        risks=frozenset(Risk(each) for each in typed.getall("risks", []) if each in list(Risk)),
    )


def _number(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else -1


def _numbers(text: str) -> tuple[int, ...]:
    """Numbers set apart by spaces or commas of any language."""
    return tuple(_number(part) for part in text.replace(",", " ").replace("，", " ").replace("、", " ").split())
