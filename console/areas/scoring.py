"""Scoring: the queue, the sheet, drafts, revisions (Q1, Q3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from calls.errors import NotNow, Overtaken
from calls.ids import AgentNumber, CallId, FormId
from calls.people import Right
from calls.quality import FormVersion, Revision, Score, ScoreState, Sheet, Step
from calls.verdicts import Verdict
from console.ask import Ask
from console.painter import seen_elsewhere
from console.parts import Parts
from console.quality.desk import PAGE, Desk, before_in, reach
from console.quality.sheets import first_sheet, read_sheet, shown_sheet
from console.routes import Route, get, post
from qa.appeals import Act, after, can, term_end
from qa.forms import Fault, check_sheet, contradictions, mark
from storage.scores import ScoreFilter

_SCORERS = (Right.SCORE, Right.LEAD_QUALITY)


@dataclass(frozen=True, slots=True)
class _Work:
    """A score that is being worked on."""

    score: Score
    version: FormVersion
    verdicts: tuple[Verdict, ...]


class Scoring:
    """``/quality/queue``, ``/quality/scores``."""

    def __init__(self, parts: Parts) -> None:
        self._desk = Desk(parts)

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            get("/quality/queue", Right.SCORE, self.queue),
            get("/quality/scores", _SCORERS, self.scores),
            get("/quality/scores/{score_id}/sheet", Right.SCORE, self.sheet),
            post("/quality/scores/{score_id}/sheet", Right.SCORE, self.hand_in),
            post("/quality/scores/{score_id}/draft", Right.SCORE, self.keep),
            post("/quality/scores/{score_id}/assign", Right.LEAD_QUALITY, self.assign),
            get("/quality/pick/{call_id}", Right.SCORE, self.pick),
            post("/quality/pick/{call_id}", Right.SCORE, self.open),
        ]

    async def queue(self, ask: Ask) -> web.Response:
        """What the reader has to score."""
        which = ScoreFilter(scope=ask.scope(Right.SCORE), states=(ScoreState.OPEN,), assigned_to=ask.who.login)
        found = await self._desk.scores.page(which, before=before_in(ask), limit=PAGE)
        return await self._desk.page(ask, "queue", naming=_calls(found), scores=found, last=_last(found))

    async def scores(self, ask: Ask) -> web.Response:
        """All scores within reach, by state."""
        state = ask.query.get("state", "")
        states = (ScoreState(state),) if state in list(ScoreState) else None
        plan, agent, period = (ask.query.get(name, "") for name in ("plan", "agent", "period"))
        which = ScoreFilter(
            scope=reach(ask, *_SCORERS),
            states=states,
            agent=AgentNumber(agent) if agent else None,
            plan_id=int(plan) if plan.isascii() and plan.isdigit() and len(plan) < 10 else None,
            period=period or None,
        )
        found = await self._desk.scores.page(which, before=before_in(ask), limit=PAGE)
        return await self._desk.page(
            ask,
            "scores",
            naming=_calls(found),
            scores=found,
            last=_last(found),
            state=state,
            states=list(ScoreState),
            agent=agent,
            agents=self._agents(agent),
        )

    def _agents(self, asked: str) -> list[tuple[str, str]]:
        """The roster, and whoever was asked for."""
        numbers = dict.fromkeys([*self._desk.parts.roster, *([asked] if asked else [])])
        return [(number, self._desk.parts.painter.names.agent(number)) for number in numbers]

    async def sheet(self, ask: Ask) -> web.Response:
        """The sheet: what was typed before, else what stands, else what the rules suggest."""
        work = await self._work(ask)
        draft = await self._desk.scores.draft(work.score.score_id, ask.who.login)
        if draft is not None:
            return await self._sheet(ask, work, draft.sheet, edit=draft.edit)
        revisions = await self._desk.scores.revisions(work.score.score_id)
        sheet = revisions[-1].sheet if revisions else first_sheet(work.version.form, work.verdicts)
        return await self._sheet(ask, work, sheet)

    async def keep(self, ask: Ask) -> web.Response:
        """Keep a draft while it is being typed: answers with the number that the next one builds on."""
        work = await self._work(ask)
        sheet = read_sheet(ask.form, work.version.form, work.verdicts)
        edit = ask.form.get("edit", "")
        if not edit.isdigit():
            raise web.HTTPBadRequest
        try:
            kept = await self._desk.scores.save_draft(
                work.score, ask.who.login, sheet, int(edit), self._desk.now()
            )
        except Overtaken:
            return web.json_response({"overtaken": True}, status=409)
        return web.json_response({"edit": kept})

    async def hand_in(self, ask: Ask) -> web.Response:
        """Another revision, if the sheet is whole and nobody was faster; else the page again, as typed."""
        work = await self._work(ask)
        form = work.version.form
        sheet = read_sheet(ask.form, form, work.verdicts)
        typed = ask.form.get("edit", "0")
        edit = int(typed) if typed.isdigit() and len(typed) < 9 else 0
        if ask.form.get("act") == "draft":
            return await self._keep_and_stay(ask, work, sheet, edit)
        seen = (str(work.score.revision), work.score.state.value)
        if (ask.form.get("revision"), ask.form.get("state")) != seen:
            return await self._sheet(ask, work, sheet, edit=edit, overtaken=True)
        faults = [*check_sheet(form, sheet), *contradictions(form, sheet, work.verdicts)]
        why = ask.form.get("why", "").strip()
        if work.score.revision and not why:
            faults.append(Fault("why"))
        if faults:
            return await self._sheet(ask, work, sheet, edit=edit, faults=faults)
        try:
            await self._store(ask, work, sheet, why)
        except Overtaken:
            return await self._sheet(ask, await self._work(ask), sheet, edit=edit, overtaken=True)
        return seen_elsewhere(f"/quality/scores/{work.score.score_id}", "quality_flash.handed_in")

    async def _keep_and_stay(self, ask: Ask, work: _Work, sheet: Sheet, edit: int) -> web.Response:
        try:
            await self._desk.scores.save_draft(work.score, ask.who.login, sheet, edit, self._desk.now())
        except Overtaken:
            return await self._sheet(ask, work, sheet, edit=edit, overtaken=True)
        return seen_elsewhere(f"/quality/scores/{work.score.score_id}/sheet", "quality_flash.saved")

    async def _store(self, ask: Ask, work: _Work, sheet: Sheet, why: str) -> None:
        score, now, terms = work.score, self._desk.now(), self._desk.parts.quality
        act = self._act(score)
        revision = Revision(
            score_id=score.score_id,
            revision=score.revision + 1,
            call_id=score.call_id,
            form_id=score.form_id,
            form_version=work.version.version,
            sheet=sheet,
            marked=mark(work.version.form, sheet),
            by=ask.who.login,
            at=now,
            why=why,
        )
        state = after(score, act, now)
        until = term_end(now, terms.appeal_workdays, terms.kind_of_day, self._desk.parts.zone)
        await self._desk.scores.hand_in(
            score,
            revision,
            state,
            Step(now, ask.who.login, act.value, why),
            until if state is ScoreState.SCORED else score.appeal_until,
        )

    def _act(self, score: Score) -> Act:
        """What handing in means where the score stands."""
        match score.state:
            case ScoreState.OPEN:
                return Act.HAND_IN
            case ScoreState.APPEALED:
                return Act.CHANGE
            case _:
                return Act.REVISE

    async def assign(self, ask: Ask) -> web.Response:
        """Somebody else is to score it."""
        score = await self._desk.score_within(ask, Right.LEAD_QUALITY)
        to = ask.form.get("to", "").strip()
        here = f"/quality/scores/{score.score_id}"
        if to not in {person.login for person in await self._desk.scorers([score.section])}:
            raise web.HTTPNotFound
        try:
            await self._desk.scores.assign(score.score_id, to, Step(self._desk.now(), ask.who.login, "assign", to))
        except Overtaken:
            return seen_elsewhere(here, "quality_flash.overtaken_short")
        return seen_elsewhere(here, "quality_flash.saved")

    async def pick(self, ask: Ask) -> web.Response:
        """A call that is to be scored by hand: which form."""
        call = await self._desk.call_within(ask, ask.params["call_id"], Right.SCORE)
        forms = {each.form_id: each for each in reversed(await self._desk.forms.all()) if each.published}
        return await self._desk.page(ask, "pick", naming=[call.call_id], call=call, forms=list(forms.values()))

    async def open(self, ask: Ask) -> web.Response:
        """Score a call that no plan drew."""
        call = await self._desk.call_within(ask, ask.params["call_id"], Right.SCORE)
        assert call.connected is not None, "call_within lets no other through"
        current = await self._desk.forms.current(FormId(ask.form.get("form", "")))
        if current is None or call.connected.agent == ask.who.agent:
            raise web.HTTPNotFound
        number = await self._desk.scores.open(
            Score(
                score_id=0,
                call_id=call.call_id,
                agent=call.connected.agent,
                section=call.section,
                form_id=current.form_id,
                assigned_to=ask.who.login,
                opened_at=self._desk.now(),
            )
        )
        return seen_elsewhere(f"/quality/scores/{number}/sheet")

    async def _work(self, ask: Ask) -> _Work:
        """The score, while a sheet of the reader's can be handed in: to the lead alone after an appeal.

        Raises HTTPNotFound for what is out of reach, HTTPConflict for what is decided.
        """
        score = await self._desk.score_within(ask, Right.SCORE)
        if score.agent == ask.who.agent:
            raise web.HTTPNotFound
        act = self._act(score)
        if not can(score, act, self._desk.now()):
            raise web.HTTPConflict
        if act is Act.CHANGE and not ask.scope(Right.LEAD_QUALITY).covers(score.section, score.agent):
            raise web.HTTPConflict
        return _Work(
            score, await self._version_for(score), tuple(await self._desk.verdicts.verdicts(score.call_id))
        )

    async def _version_for(self, score: Score) -> FormVersion:
        """The form's newest version for a first revision; later ones stay with the version of the first (Q5)."""
        if score.form_version is not None:
            return await self._desk.version(score.form_id, score.form_version)
        current = await self._desk.forms.current(score.form_id)
        if current is None:
            raise NotNow("the form is not published")
        return current

    async def _sheet(
        self,
        ask: Ask,
        work: _Work,
        sheet: Sheet,
        *,
        edit: int = 0,
        faults: Sequence[Fault] = (),
        overtaken: bool = False,
    ) -> web.Response:
        score = work.score
        await self._desk.note(ask, score.call_id, "scoring")
        return await self._desk.page(
            ask,
            "sheet",
            status=409 if overtaken else 422 if faults else 200,
            naming=[score.call_id],
            score=score,
            version=work.version,
            sheet=shown_sheet(work.version.form, sheet, work.verdicts),
            edit=edit,
            faults=faults,
            wrong={fault.where for fault in faults},
            overtaken=overtaken,
            appeal=await self._desk.scores.appeal(score.score_id) if score.state is ScoreState.APPEALED else None,
            target=f"/quality/scores/{score.score_id}/sheet",
            keep=f"/quality/scores/{score.score_id}/draft",
            blind=False,
        )


def _calls(found: Sequence[Score]) -> list[CallId]:
    return [score.call_id for score in found]


def _last(found: Sequence[Score]) -> int | None:
    """Where the next page begins, if there is one."""
    return found[-1].score_id if len(found) == PAGE else None
