"""What every quality page needs: the books, who may reach what, how things are called in the reader's language."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from calls.call import Call
from calls.custody import Access, AccessKind
from calls.ids import CallId, FormId, SectionId, is_unique_id
from calls.people import Person, Right, Role, Scope
from calls.quality import FormVersion, Names, Score
from calls.sampling import Risk
from console import shown
from console.ask import Ask
from console.call_names import call_names
from console.parts import Parts
from console.rule_names import rule_name
from storage.calibrations import SqlCalibrations
from storage.coaching import SqlCoaching
from storage.forms import SqlForms
from storage.frames import SqlFrames
from storage.ledger import SqlLedger
from storage.people import SqlPeople
from storage.quality_figures import SqlQualityFigures
from storage.samples import SqlSamples
from storage.scores import SqlScores
from storage.verdicts import SqlVerdicts

PAGE = 50
"""Lines of a list."""

_MOST_PEOPLE = 500
"""Monitors and leads that can be chosen from."""


class Desk:
    """The books, opened once for all areas of quality work."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        engine, risky = parts.engine, parts.quality.risky_rules
        self.forms = SqlForms(engine)
        self.samples = SqlSamples(engine)
        self.frames = SqlFrames(
            engine, parts.quality.complaints, risky[Risk.INTERRUPTION], risky[Risk.LONG_SILENCE]
        )
        self.scores = SqlScores(engine)
        self.calibrations = SqlCalibrations(engine)
        self.coaching = SqlCoaching(engine)
        self.figures = SqlQualityFigures(engine)
        self.verdicts = SqlVerdicts(engine)
        self.ledger = SqlLedger(engine)
        self.people = SqlPeople(engine, parts.clock)

    def now(self) -> datetime:
        return self.parts.clock.now()

    async def page(
        self,
        ask: Ask,
        template: str,
        *,
        status: int = 200,
        naming: Iterable[CallId | None] = (),
        **values: object,
    ) -> web.Response:
        """A page of ``templates/quality``, with the words of the reader's language as ``w``.

        ``naming``: the calls that it names, by their time and section.
        """
        words = Words(self.parts, ask, await call_names(self.parts, ask.texts, naming))
        return self.parts.painter.page(ask, f"quality/{template}.html.j2", status=status, w=words, **values)

    async def version(self, form_id: FormId, version: int) -> FormVersion:
        """A version that something refers to."""
        found = await self.forms.version(form_id, version)
        assert found is not None, f"{form_id}@{version} is referred to"
        return found

    async def score_within(self, ask: Ask, *rights: Right) -> Score:
        """The score that the address names, if any of these rights reaches it. Raises HTTPNotFound."""
        score = await self.scores.score(number_in(ask, "score_id"))
        if score is None or not reach(ask, *rights).covers(score.section, score.agent):
            raise web.HTTPNotFound
        return score

    async def call_within(self, ask: Ask, call_id: str, right: Right) -> Call:
        """An answered call that the right reaches. Raises HTTPNotFound."""
        call = await self.ledger.call(CallId(call_id)) if is_unique_id(call_id) else None
        if call is None or call.connected is None:
            raise web.HTTPNotFound
        if not ask.scope(right).covers(call.section, call.connected.agent):
            raise web.HTTPNotFound
        return call

    async def scorers(self, sections: Collection[SectionId | None]) -> list[Person]:
        """People who may score calls of all of these sections, by their names."""
        found: dict[str, Person] = {}
        for role in (Role.MONITOR, Role.LEAD):
            for account in await self.people.page(role=role, limit=_MOST_PEOPLE):
                scope = account.person.scope(Right.SCORE)
                if account.enabled and all(scope.covers(section) for section in sections):
                    found[account.login] = account.person
        return sorted(found.values(), key=lambda person: (person.name, person.login))

    async def note(self, ask: Ask, call_id: CallId, why: str) -> None:
        """Write down that something of a call is about to be shown (P1). ``why``: for whoever reads the log."""
        await self.parts.accesses.note(Access(ask.who.login, AccessKind.READ, why, call_id))


def reach(ask: Ask, *rights: Right) -> Scope:
    """How far these rights reach, taken together."""
    scopes = [ask.scope(right) for right in rights]
    return Scope(
        everything=any(scope.everything for scope in scopes),
        sections=frozenset(section for scope in scopes for section in scope.sections),
        agent=next((scope.agent for scope in scopes if scope.agent is not None), None),
    )


def number_in(ask: Ask, name: str) -> int:
    """A number that is part of the address. Raises HTTPNotFound."""
    text = ask.params.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise web.HTTPNotFound
    return int(text)


def before_in(ask: Ask) -> int | None:
    """Where the next page begins: ``?before=``; nonsense is the first page."""
    text = ask.query.get("before", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


@dataclass(frozen=True, slots=True)
class Words:
    """Names and times as the reader reads them."""

    parts: Parts
    ask: Ask
    calls: Mapping[CallId, str]
    """What the calls are called that the page names."""

    def section(self, section: SectionId | str | None) -> str:
        if not section:
            return shown.NOTHING
        names = self.parts.sections.get(SectionId(section), {})
        return names.get(self.ask.texts.language, str(section))

    def call_name(self, call_id: CallId) -> str:
        """Its time and section; the id of a call that the page does not know by them."""
        return self.calls.get(call_id, call_id)

    def rule(self, rule: str) -> str:
        return rule_name(rule, self.ask.texts.language)

    def names(self, names: Names) -> str:
        """The name in the reader's language, or in whichever there is."""
        return names.get(self.ask.texts.language) or next(iter(names.values()), "")

    def when(self, at: datetime | None) -> str:
        return shown.moment(at, self.parts.zone)

    def clock(self, seconds: float | None) -> str:
        return shown.clock(seconds)

    def points(self, value: float | None) -> str:
        """A total: ``91.5``."""
        return shown.NOTHING if value is None else f"{value:.2f}".rstrip("0").rstrip(".")

    def percent(self, value: float | None) -> str:
        return shown.NOTHING if value is None else f"{100 * value:.1f} %"

    def call(self, call_id: CallId, at_s: float | None = None) -> str:
        """The address of a call's page, at a second of the recording."""
        return f"/calls/{call_id}" + ("" if at_s is None else f"?at={at_s:g}")

    def may(self, right: str) -> bool:
        return self.ask.who.may(Right(right))
