"""The survey on the web, behind a one-time link; and the outbox of links for who sends messages (Q2, K6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from aiohttp import web

from calls.custody import Access, AccessKind
from calls.errors import AccessDenied, LinkGone
from calls.events import SurveyAnswered
from calls.ids import CallId, is_unique_id
from calls.people import Right
from console.answers import json_of
from console.areas.systems_api import SURVEY_LINKS, failed, safe
from console.ask import Ask
from console.parts import Parts
from console.routes import Open, Route, get, post
from console.systems.api_model import SurveyLinkOut, SurveyLinksOut
from console.texts import choose_language, load_texts
from storage.survey_links import SqlSurveyLinks, SurveyLink

_LONGEST_TOKEN = 100


class SurveyPages:
    """``/s/TOKEN``: works without JavaScript, takes one answer."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._design = parts.survey
        self._url = parts.doors.public_url
        self._links = SqlSurveyLinks(parts.engine)

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            get("/s/{token}", Open.ANYONE, self.form),
            post("/s/{token}", Open.ANYONE, self.answer),
            Route(method="GET", path=SURVEY_LINKS, needs=Right.WORK_CASES, handler=safe(self.outbox), api=True),
            Route(
                method="POST",
                path=f"{SURVEY_LINKS}/{{call_id}}/sent",
                needs=Right.WORK_CASES,
                handler=safe(self.sent),
                api=True,
            ),
        ]

    async def form(self, ask: Ask) -> web.Response:
        """The questions."""
        link = await self._link(ask)
        return self._form(ask, link, {}) if link else self._gone(ask)

    async def answer(self, ask: Ask) -> web.Response:
        """Take the answers; what is missing is asked again, and nothing that was chosen is lost."""
        link = await self._link(ask)
        if link is None:
            return self._gone(ask)
        chosen = {
            dimension.id: key
            for dimension in self._design.dimensions
            if (key := ask.form.get(dimension.id, "")) in self._design.keys and len(key) == 1
        }
        if len(chosen) < len(self._design.dimensions):
            return self._form(ask, link, chosen, incomplete=True)
        now = self._parts.clock.now()
        try:
            await self._links.answer(ask.params["token"], self._answers(link, chosen, now), now)
        except LinkGone:
            return self._gone(ask)
        return self._parts.painter.page(self._in(ask, link), "survey/thanks.html.j2")

    async def outbox(self, ask: Ask) -> web.Response:
        """Links to send, each with the number it is for; on record as seen. Only who may see all calls."""
        _sees_all(ask)
        found = await self._links.outbox(self._parts.clock.now())
        for link in found:
            await self._parts.accesses.note(
                Access(ask.who.login, AccessKind.EXPORT, "survey link to be sent", link.call_id)
            )
        links = [
            SurveyLinkOut(
                call_id=link.call_id,
                number=link.telephone,
                url=f"{self._url}/s/{link.token}",
                language=link.language,
                expires_at=link.expires_at,
            )
            for link in found
        ]
        return json_of(SurveyLinksOut(links=links))

    async def sent(self, ask: Ask) -> web.Response:
        """A link was sent: 204; 404 if it is not in the outbox."""
        _sees_all(ask)
        call_id = ask.params["call_id"]
        if is_unique_id(call_id) and await self._links.sent(CallId(call_id), self._parts.clock.now()):
            return web.Response(status=204)
        return failed(404, "it is not in the outbox")

    async def _link(self, ask: Ask) -> SurveyLink | None:
        token = ask.params["token"]
        try:
            link = await self._links.find(token[:_LONGEST_TOKEN], self._parts.clock.now())
        except LinkGone:
            return None
        # A link of an earlier design asks what is not asked any more.
        return link if link.design == self._design.id else None

    def _answers(self, link: SurveyLink, chosen: dict[str, str], now: datetime) -> list[SurveyAnswered]:
        return [
            SurveyAnswered(
                call_id=link.call_id,
                at=now,
                dimension=dimension.id,
                level=int(chosen[dimension.id]),
                points=self._design.level(int(chosen[dimension.id])).points,
                weight=dimension.weight,
            )
            for dimension in self._design.dimensions
        ]

    def _form(
        self, ask: Ask, link: SurveyLink, chosen: dict[str, str], *, incomplete: bool = False
    ) -> web.Response:
        ask = self._in(ask, link)
        return self._parts.painter.page(
            ask,
            "survey/form.html.j2",
            status=422 if incomplete else 200,
            design=self._design,
            chosen=chosen,
            incomplete=incomplete,
            options=[(str(key), level.names) for key, level in enumerate(self._design.levels, start=1)],
        )

    def _gone(self, ask: Ask) -> web.Response:
        """Used, expired or never made: nobody can tell which."""
        return self._parts.painter.page(ask, "survey/gone.html.j2", status=410)

    def _in(self, ask: Ask, link: SurveyLink) -> Ask:
        """In the language of the call, unless the reader has asked for another."""
        if "lang" in ask.query:
            return ask
        return replace(ask, texts=load_texts(choose_language(link.language, "")))


def _sees_all(ask: Ask) -> None:
    """Raises AccessDenied: a link opens the call of anybody."""
    if not ask.scope(Right.WORK_CASES).everything:
        raise AccessDenied("links are for who may work on all cases")
