"""One-time links to the survey: made for a share, sent by somebody else, used once (Q2, K6)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from aiohttp import web
from multidict import MultiDict, MultiDictProxy
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.errors import AccessDenied, LinkGone
from calls.people import Grant, Person, Role
from calls.periods import Grain, Period
from calls.ports import Tally
from calls.workdays import Workdays
from cases.surveys.design import AFTER_CALL, load_design
from console.areas.survey import SurveyPages
from console.ask import Ask
from console.doors import Doors
from console.parts import Parts
from console.routes import Open
from console.texts import load_texts
from service.prompts import prompts_available
from service.settings import Settings
from service.survey_links import LinkMaker
from storage.engine import open_engine
from storage.ledger import SqlLedger
from storage.survey_links import SqlSurveyLinks
from storage.survey_tables import survey_links
from storage.survey_tallies import SqlSurveyTallies
from tests.support_books import SetClock
from tests.support_ledger import CALLER, NOON
from tests.support_prepared import dropped, patient_engine, prepared
from tests.support_surveys import surveyed

NOW = NOON + timedelta(minutes=5)
DESIGN = load_design(AFTER_CALL, prompts_available())
DAY = Period.containing(NOON, Grain.DAY, ZoneInfo("Asia/Shanghai"))
ALL_BEST = {dimension.id: "1" for dimension in DESIGN.dimensions}


class NotedPainter:
    """Notes what it is to paint."""

    def page(self, ask: Ask, template: str, *, status: int = 200, **values: object) -> web.Response:
        self.last = (template, ask.texts.language, values)
        return web.Response(status=status, text=template)


class NotedAccesses:
    """Notes who saw what."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    async def note(self, access: Any) -> None:
        self.seen.append(access)


@dataclass
class Web:
    """The pages, and the clock that they go by."""

    engine: AsyncEngine
    clock: SetClock = field(default_factory=lambda: SetClock(NOW))
    painter: NotedPainter = field(default_factory=NotedPainter)
    accesses: NotedAccesses = field(default_factory=NotedAccesses)

    def __post_init__(self) -> None:
        self.survey, self.doors = DESIGN, Doors("https://hotline.example")
        self.pages = SurveyPages(cast("Parts", self))
        self.links = SqlSurveyLinks(self.engine)

    async def call(self, told: list[Any]) -> None:
        await SqlLedger(self.engine).record(told)

    async def look(self, share: float = 1.0) -> None:
        settings = Settings.model_validate({"survey": {"links_share": share}})
        await LinkMaker(settings, self.engine, self.clock).look()

    async def token(self) -> str:
        """Of the only link in the outbox."""
        (link,) = await self.links.outbox(self.clock.now())
        return link.token

    def ask(self, token: str, *, language: str = "zh-CN", **form: str) -> Ask:
        return Ask(
            method="POST" if form else "GET",
            path=f"/s/{token}",
            texts=load_texts(language),  # type: ignore[arg-type]
            person=None,
            params={"token": token},
            form=MultiDictProxy(MultiDict(form)),
        )

    async def points(self) -> tuple[float, float]:
        tallies = SqlSurveyTallies(self.engine, self.clock, Workdays(frozenset(), frozenset()))
        ((found,),) = [each.values() for each in await tallies.tallies([DAY])]
        return found.of(Tally.SURVEYS), found.of(Tally.SURVEY_POINTS)


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Web]:
    url = await prepared(request.param, tmp_path)
    engine = patient_engine(url)
    yield Web(engine)
    await engine.dispose()
    dropped(url)


async def test_who_gets_a_link(site: Web) -> None:
    """Who was invited, is gone, and has not answered by voice; no test, and once however often it is looked."""
    await site.call(
        [
            *surveyed("1.1", level=2),
            *surveyed("2.1", level=1, answers=dict.fromkeys(ALL_BEST, 100.0)),
            *surveyed("3.1", ended=None),
            *surveyed("4.1", spared=True),
            *surveyed("5.1", trunk="1001"),
            *surveyed("6.1", start=NOON - timedelta(days=2)),
        ]
    )
    for _ in range(2):
        await site.look()
    (link,) = await site.links.outbox(NOW)
    assert (link.call_id, link.telephone, link.language) == ("1.1", CALLER, "zh-CN")
    assert CALLER not in repr(link) and link.token not in repr(link)


async def test_a_share_is_a_share(site: Web) -> None:
    await site.call([event for number in range(200) for event in surveyed(f"{number}.1")])
    await site.look(0.0)
    assert await site.links.outbox(NOW, 500) == []
    await site.look(0.25)
    some = await site.links.outbox(NOW, 500)
    assert 25 < len(some) < 75
    await site.look(0.25)
    assert await site.links.outbox(NOW, 500) == some


async def test_answered_once_and_never_again(site: Web) -> None:
    await site.call(surveyed("1.1", level=2))
    await site.look()
    token = await site.token()
    assert (await site.pages.form(site.ask(token))).status == 200
    chosen = {**ALL_BEST, "solving": "5"}
    assert (await site.pages.answer(site.ask(token, **chosen))).status == 200
    assert site.painter.last[0] == "survey/thanks.html.j2"
    assert await site.points() == (1, 70)
    for again in (site.pages.form(site.ask(token)), site.pages.answer(site.ask(token, **ALL_BEST))):
        assert (await again).status == 410
    assert await site.points() == (1, 70)
    assert await site.links.outbox(NOW) == []


async def test_two_answers_at_once_are_one(site: Web) -> None:
    await site.call(surveyed("1.1"))
    await site.look()
    token = await site.token()
    answers = [site.pages.answer(site.ask(token, **ALL_BEST)) for _ in range(4)]
    done = await asyncio.gather(*answers)
    assert {each.status for each in done} <= {200, 410} and 200 in {each.status for each in done}
    assert await site.points() == (1, 100)


async def test_what_is_missing_is_asked_again_and_nothing_chosen_is_lost(site: Web) -> None:
    await site.call(surveyed("1.1"))
    await site.look()
    token = await site.token()
    page = await site.pages.answer(site.ask(token, attitude="2", solving="9", accuracy="12", efficiency=""))
    template, _, values = site.painter.last
    assert (page.status, template) == (422, "survey/form.html.j2")
    assert (values["chosen"], values["incomplete"]) == ({"attitude": "2"}, True)
    assert await site.points() == (0, 0)


@pytest.mark.parametrize("token", ["", "x", "x" * 10_000, "\udcff", "' OR 1=1 --"])
async def test_a_link_that_never_was(site: Web, token: str) -> None:
    await site.call(surveyed("1.1"))
    await site.look()
    assert (await site.pages.form(site.ask(token))).status == 410
    assert (await site.pages.answer(site.ask(token, **ALL_BEST))).status == 410


async def test_a_link_that_has_expired_and_what_is_forgotten(site: Web) -> None:
    await site.call(surveyed("1.1"))
    await site.look()
    token = await site.token()
    site.clock.moment = NOW + timedelta(days=7)
    assert (await site.pages.form(site.ask(token))).status == 410
    with pytest.raises(LinkGone):
        await site.links.answer(token, [], site.clock.now())
    await site.look(0.0)
    async with site.engine.connect() as connection:
        (row,) = await connection.execute(select(survey_links))
    assert (row.token, row.number, row.used_at) == (None, None, None)


async def test_the_outbox_is_for_who_sees_all_and_on_record(site: Web) -> None:
    await site.call(surveyed("1.1"))
    await site.look()
    everywhere = Person("gateway", "", (Grant(Role.SUPERVISOR),))
    own = Person("lead", "", (Grant(Role.SUPERVISOR, "inquiry"),))  # type: ignore[arg-type]

    def ask(person: Person, call_id: str = "") -> Ask:
        texts = load_texts("en")  # type: ignore[arg-type]
        return Ask(method="GET", path="/", texts=texts, person=person, params={"call_id": call_id})

    with pytest.raises(AccessDenied):
        await site.pages.outbox(ask(own))
    page = await site.pages.outbox(ask(everywhere))
    token = await site.token()
    assert page.text and f"https://hotline.example/s/{token}" in page.text and CALLER in page.text
    assert [(each.actor, each.call_id) for each in site.accesses.seen] == [("gateway", "1.1")]
    assert (await site.pages.sent(ask(everywhere, "1.1"))).status == 204
    assert (await site.pages.sent(ask(everywhere, "1.1"))).status == 404
    assert await site.links.outbox(NOW) == []
    assert (await site.pages.form(site.ask(token))).status == 200  # sent, and good


def test_anyone_may_open_a_link_and_nobody_else_may_see_the_outbox(tmp_path: Path) -> None:
    pages = Web(open_engine(f"sqlite:///{tmp_path}/none.db")).pages
    needs = {(route.method, route.path): route.needs for route in pages.routes()}
    assert [path for (_, path), rule in needs.items() if rule is Open.ANYONE] == ["/s/{token}", "/s/{token}"]
