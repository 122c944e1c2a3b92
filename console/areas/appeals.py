"""A score as its agent and its lead see it: acknowledge, appeal, decide; all of it on record (Q3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from calls.errors import NotNow, Overtaken
from calls.people import Person, Right
from calls.quality import Appeal, Score, ScoreState, Step
from console.ask import Ask
from console.painter import seen_elsewhere
from console.parts import Parts
from console.quality.desk import PAGE, Desk, before_in, reach
from console.quality.sheets import handed_in
from console.routes import Route, get, post
from qa.appeals import Act, after, can
from storage.scores import ScoreFilter

_READERS = (Right.SCORE, Right.LEAD_QUALITY, Right.COACH, Right.OWN_SCORES)
_LONGEST = 2000
_Store = Callable[[Score, Step], Awaitable[None]]
_SHOWN_TO_AGENTS = tuple(state for state in ScoreState if state is not ScoreState.OPEN)


class Appeals:
    """``/quality/scores/{score_id}``, ``/quality/own``, ``/quality/appeals``."""

    def __init__(self, parts: Parts) -> None:
        self._desk = Desk(parts)

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            get("/quality/scores/{score_id}", _READERS, self.score),
            post("/quality/scores/{score_id}/acknowledge", Right.OWN_SCORES, self.acknowledge),
            post("/quality/scores/{score_id}/appeal", Right.OWN_SCORES, self.object),
            post("/quality/scores/{score_id}/uphold", Right.LEAD_QUALITY, self.uphold),
            get("/quality/own", Right.OWN_SCORES, self.own),
            get("/quality/appeals", Right.LEAD_QUALITY, self.appeals),
        ]

    async def score(self, ask: Ask) -> web.Response:
        """A score with its revisions and all that was done to it."""
        score = await self._desk.score_within(ask, *_READERS)
        own = not reach(ask, *_READERS[:3]).covers(score.section, score.agent) or score.agent == ask.who.agent
        if own and score.state is ScoreState.OPEN:
            raise web.HTTPNotFound  # an agent does not know which calls were drawn
        await self._desk.note(ask, score.call_id, "score")
        now = self._desk.now()
        verdicts = await self._desk.verdicts.verdicts(score.call_id)
        pages = []
        for revision in reversed(await self._desk.scores.revisions(score.score_id)):
            version = await self._desk.version(revision.form_id, revision.form_version)
            pages.append((revision, version, handed_in(version.form, revision.sheet, verdicts)))
        leads = ask.scope(Right.LEAD_QUALITY).covers(score.section, score.agent) and not own
        scores = ask.scope(Right.SCORE).covers(score.section, score.agent) and not own
        coaches = ask.scope(Right.COACH).covers(score.section, score.agent) and not own
        changing = Act.HAND_IN if score.state is ScoreState.OPEN else Act.REVISE
        return await self._desk.page(
            ask,
            "score",
            naming=[score.call_id],
            score=score,
            pages=pages,
            steps=await self._desk.scores.steps(score.score_id),
            appeal=await self._desk.scores.appeal(score.score_id),
            own=own,
            may_acknowledge=own and can(score, Act.ACKNOWLEDGE, now),
            may_appeal=own and can(score, Act.APPEAL, now),
            may_decide=leads and can(score, Act.UPHOLD, now),
            may_score=scores and can(score, changing, now),
            others=await self._others(score) if leads and score.state is ScoreState.OPEN else [],
            may_coach=coaches and score.state is not ScoreState.OPEN,
            trouble=ask.query.get("trouble", ""),
        )

    async def _others(self, score: Score) -> list[Person]:
        """Who else may score it."""
        able = await self._desk.scorers([score.section])
        return [person for person in able if person.login != score.assigned_to and person.agent != score.agent]

    async def own(self, ask: Ask) -> web.Response:
        """An agent's own scores."""
        which = ScoreFilter(scope=ask.scope(Right.OWN_SCORES), states=_SHOWN_TO_AGENTS)
        found = await self._desk.scores.page(which, before=before_in(ask), limit=PAGE)
        last = found[-1].score_id if len(found) == PAGE else None
        now = self._desk.now()
        to_do = {score.score_id for score in found if can(score, Act.ACKNOWLEDGE, now)}
        return await self._desk.page(
            ask, "own", naming=[each.call_id for each in found], scores=found, last=last, to_do=to_do
        )

    async def appeals(self, ask: Ask) -> web.Response:
        """Appeals that wait for a decision."""
        which = ScoreFilter(scope=ask.scope(Right.LEAD_QUALITY), states=(ScoreState.APPEALED,))
        found = await self._desk.scores.page(which, before=before_in(ask), limit=PAGE)
        last = found[-1].score_id if len(found) == PAGE else None
        lines = [(score, await self._desk.scores.appeal(score.score_id)) for score in found]
        return await self._desk.page(
            ask, "appeals", naming=[each.call_id for each in found], lines=lines, last=last
        )

    async def acknowledge(self, ask: Ask) -> web.Response:
        """The agent has taken note."""
        score = await self._own(ask)
        step = self._step(ask, Act.ACKNOWLEDGE, "")
        return await self._try(ask, score, Act.ACKNOWLEDGE, self._desk.scores.acknowledge, step)

    async def object(self, ask: Ask) -> web.Response:
        """The agent appeals, with a reason and within the term."""
        score = await self._own(ask)
        reason = ask.form.get("reason", "").strip()
        if not reason or len(reason) > _LONGEST:
            return seen_elsewhere(f"/quality/scores/{score.score_id}?trouble=reason#appeal")
        step = self._step(ask, Act.APPEAL, reason)
        appeal = Appeal(score.score_id, reason, step.by, step.at)

        async def store(seen: Score, done: Step) -> None:
            await self._desk.scores.object(seen, appeal, done)

        return await self._try(ask, score, Act.APPEAL, store, step)

    async def uphold(self, ask: Ask) -> web.Response:
        """The lead leaves the score as it is, and says why."""
        score = await self._desk.score_within(ask, Right.LEAD_QUALITY)
        if score.agent == ask.who.agent:
            raise web.HTTPNotFound
        reason = ask.form.get("reason", "").strip()
        if not reason or len(reason) > _LONGEST:
            return seen_elsewhere(f"/quality/scores/{score.score_id}?trouble=reason#decide")
        return await self._try(
            ask, score, Act.UPHOLD, self._desk.scores.uphold, self._step(ask, Act.UPHOLD, reason)
        )

    async def _try(self, ask: Ask, score: Score, act: Act, store: _Store, step: Step) -> web.Response:
        here = f"/quality/scores/{score.score_id}"
        try:
            after(score, act, step.at)
            await store(score, step)
        except (NotNow, Overtaken):
            return seen_elsewhere(f"{here}?trouble=not_now")
        return seen_elsewhere(here, "quality_flash.done")

    async def _own(self, ask: Ask) -> Score:
        """A score of the asker's own calls. Raises HTTPNotFound."""
        score = await self._desk.score_within(ask, Right.OWN_SCORES)
        if score.agent != ask.who.agent or score.state is ScoreState.OPEN:
            raise web.HTTPNotFound
        return score

    def _step(self, ask: Ask, act: Act, note: str) -> Step:
        return Step(self._desk.now(), ask.who.login, act.value, note)
