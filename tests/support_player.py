"""Pages about calls on a small server of their own: real books, vault and transcripts, and somebody let in.

Who is let in, and forms' tokens, are the gate's business and have tests of their own; here the cookie ``who``
names one of ``PEOPLE``.
"""

from __future__ import annotations

import math
import wave
from array import array
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from aiohttp.test_utils import TestServer
from multidict import MultiDict, MultiDictProxy
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import Bandwidth, Leg
from calls.events import AnyEvent, CallArrived, PersonAsked
from calls.explanations import Explanation, Reason
from calls.ids import AgentNumber, CallId, Language, SectionId
from calls.people import Grant, Person, Role
from calls.transcript import LegTranscript, Span, Word
from calls.verdicts import Evidence, Outcome, RuleSetId, Severity, Verdict
from console.areas.listening import listening_areas
from console.ask import Ask
from console.assets import Assets
from console.parts import Parts
from console.routes import Route
from console.security import add_headers
from console.texts import LANGUAGES, load_texts
from service.console import parts_of
from service.custody import Custody, custody_of
from service.listening import index_call
from service.settings import Settings
from storage.engine import open_engine
from storage.ledger import SqlLedger
from storage.transcripts import SqlTranscripts
from storage.verdicts import SqlVerdicts
from tests.support_books import SetClock
from tests.support_console import SECTION_NAMES
from tests.support_ledger import Ring, story

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
RATE = 8000
_ALL = {
    "lead": Role.LEAD,
    "monitor": Role.MONITOR,
    "supervisor": Role.SUPERVISOR,
    "ops": Role.OPS,
    "admin": Role.ADMIN,
}
PEOPLE = {
    **{name: Person(name, name.title(), (Grant(role),)) for name, role in _ALL.items()},
    "complaints": Person("complaints", "Complaints", (Grant(Role.MONITOR, SectionId("complaint")),)),
    "agent": Person("agent", "Agent", (Grant(Role.AGENT, SectionId("inquiry")),), AgentNumber("8001")),
}
_HOST = "127.0.0.1"


@dataclass
class Stage:
    """A console with calls in it."""

    engine: AsyncEngine
    settings: Settings
    custody: Custody
    parts: Parts
    clock: SetClock
    server: TestServer

    def url(self, path: str) -> str:
        return str(self.server.make_url(path))

    async def called(
        self, number: int, section: str = "inquiry", agent: str = "8001", *, caller: str = "13900001234"
    ) -> CallId:
        """A call on the books that an agent answered, a quarter of an hour after the one before it."""
        start = NOW - timedelta(hours=20) + timedelta(minutes=15 * number)
        ring = Ring(agent, 2, 9, 9, 60, 16)
        changed: list[AnyEvent] = []
        for event in story(f"1.{number}", start=start, asked=1, rings=[ring], ended=60, recorded=True):
            if isinstance(event, PersonAsked):
                event = replace(event, section=SectionId(section))
            elif isinstance(event, CallArrived):
                event = replace(event, caller=caller)
            changed.append(event)
        await SqlLedger(self.engine).record(changed)
        return CallId(f"1.{number}")

    async def recorded(self, call_id: CallId, seconds: float = 20.0) -> None:
        """A recording in the vault: the legs speak by turns, three seconds each."""
        folder = self.settings.recordings_dir / "intake" / call_id
        folder.mkdir(parents=True)
        for number, leg in enumerate((Leg.CALLER, Leg.AGENT, Leg.MIXED)):
            write_sound(folder / f"{leg}.wav", seconds, None if leg is Leg.MIXED else number)
        await self.custody.ingest(folder)

    async def transcribed(self, call_id: CallId, turns: Sequence[tuple[Leg, float, str]], seconds: float) -> None:
        """What was said: a word is what stands between blanks, half a second each."""
        for leg in (Leg.CALLER, Leg.AGENT):
            said = [
                Word(word, start + 0.5 * index, start + 0.5 * index + 0.45, 0.9)
                for which, start, text in turns
                for index, word in enumerate(text.split(" "))
                if which is leg
            ]
            voice = tuple(Span(word.start_s, word.end_s) for word in said)
            heard = LegTranscript(leg, "zh-CN", "vosk", "m", seconds, Bandwidth.NARROW, voice, tuple(said))
            await SqlTranscripts(self.engine).store(call_id, heard)
        await index_call(self.settings, self.engine, call_id, self.clock)

    async def judged(self, call_id: CallId, *verdicts: tuple[str, Outcome, Severity, float]) -> None:
        """Verdicts with evidence of the agent's at a second."""
        await SqlVerdicts(self.engine).judged(
            call_id,
            RuleSetId("zh-CN", "1"),
            [
                Verdict(
                    call_id=call_id,
                    rule=rule,
                    requirement="A2",
                    rule_set=RuleSetId("zh-CN", "1"),
                    outcome=outcome,
                    severity=severity,
                    weight=1.0,
                    confidence=0.9,
                    evidence=(Evidence(Leg.AGENT, at_s, at_s + 2, "电话 13812345678"),),
                    explanation=Explanation.of(Reason.NOT_HEARD, phrases=("您好",), until_s=12.4),
                    judged_at=NOW,
                )
                for rule, outcome, severity, at_s in verdicts
            ],
        )


@asynccontextmanager
async def stage(url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """The pages about calls over an empty ledger."""
    settings = Settings(var_dir=tmp_path / "var", database_url=url)
    settings.var_dir.mkdir(exist_ok=True)
    engine, clock = open_engine(url), SetClock(NOW)
    custody = custody_of(settings, engine, clock)
    parts = parts_for(settings, engine, clock)
    app = web.Application()
    app.add_routes([*_bound(parts), web.get("/static/{digest}/{name}", _static)])
    app.on_response_prepare.append(add_headers)
    server = TestServer(app, host=_HOST)
    await server.start_server()
    try:
        yield Stage(engine, settings, custody, parts, clock, server)
    finally:
        await server.close()
        await engine.dispose()


def parts_for(settings: Settings, engine: AsyncEngine, clock: SetClock) -> Parts:
    """What the areas are made from."""
    return parts_of(settings, engine, clock, SECTION_NAMES, _ASSETS)


_ASSETS = Assets()
_TEXTS = {language: load_texts(language) for language in LANGUAGES}


def asked(
    who: str,
    path: str = "/",
    params: dict[str, str] | None = None,
    query: Iterable[tuple[str, str]] = (),
    form: Iterable[tuple[str, str]] = (),
    language: str = "zh-CN",
    headers: dict[str, str] | None = None,
) -> Ask:
    """A question as the gate hands it on."""
    return Ask(
        method="GET",
        path=path,
        texts=_TEXTS[Language(language)],
        person=PEOPLE[who],
        params=params or {},
        query=MultiDictProxy(MultiDict(query)),
        form=MultiDictProxy(MultiDict(form)),
        headers=headers or {},
        session=f"session of {who}",
    )


def routes_of(parts: Parts) -> list[Route]:
    return [route for area in listening_areas(parts) for route in area.routes()]


def _bound(parts: Parts) -> list[web.RouteDef]:
    return [web.route(route.method, route.path, _handler(route)) for route in routes_of(parts)]


def _handler(route: Route) -> Any:
    async def handle(request: web.Request) -> web.StreamResponse:
        who = request.cookies.get("who", "")
        person = PEOPLE.get(who)
        needs = route.needs if isinstance(route.needs, tuple) else (route.needs,)
        if person is None or not any(person.may(right) for right in needs):  # type: ignore[arg-type]
            raise web.HTTPForbidden
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        language = "en" if request.query.get("lang") == "en" else "zh-CN"
        ask = asked(
            who,
            request.path,
            dict(request.match_info),
            request.query.items(),
            form.items(),
            language,
            dict(request.headers),
        )
        assert route.handler is not None
        return await route.handler(ask)

    return handle


async def _static(request: web.Request) -> web.Response:
    asset = _ASSETS.get(request.match_info["digest"], request.match_info["name"])
    if asset is None:
        raise web.HTTPNotFound
    return web.Response(body=asset.body, headers={"Content-Type": asset.content_type})


def write_sound(path: Path, seconds: float, speaks: int | None) -> None:
    """A WAV file: tones by turns of three seconds; ``speaks`` 0 begins, 1 follows, ``None`` is both."""
    tones = [_second(400), _second(900)]
    silence = array("h", bytes(2 * RATE))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        for second in range(math.ceil(seconds)):
            turn = second // 3 % 2
            file.writeframes((tones[turn] if speaks in (None, turn) else silence).tobytes())


@cache
def _second(hertz: int) -> array[int]:
    return array(
        "h",
        (
            round(9000 * math.sin(2 * math.pi * hertz * i / RATE) * abs(math.sin(9 * math.pi * i / RATE)))
            for i in range(RATE)
        ),
    )
