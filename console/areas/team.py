"""``/team``: agents' states now, who let it ring, and what a supervisor does about it (A1, K2r)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from aiohttp import web

from calls.custody import Access, AccessKind
from calls.errors import AmiError
from calls.figures import Figure
from calls.ids import AgentNumber, SectionId
from calls.live import AgentNow, AgentState, LinkNow, told_reason
from calls.measures import Dimension, Slice
from calls.people import Right, Scope
from calls.periods import Grain, Period
from console.ask import Ask
from console.call_names import call_names
from console.painter import seen_elsewhere
from console.parts import Parts
from console.routes import Route, get, post
from console.team.ports import TeamParts
from console.team.view import ring_table
from console.view import percent
from storage.presence import SqlPresence
from storage.rings import Ringing, SqlRings

PAUSES = ("supervisor_talk", "break", "meal", "training", "paperwork")
"""Reasons for a pause that a supervisor orders."""

LONGEST_DAYS = 31
_LONGEST_WORDS = 60
_LINES = 500
_NEEDS = Right.STEER_AGENTS


@dataclass(frozen=True, slots=True)
class Days:
    """Whole local days, both included."""

    first: date
    last: date
    wrong: bool = False
    """What the address asked for makes no sense, or is too long."""

    def span(self, parts: Parts) -> tuple[datetime, datetime]:
        """From midnight to midnight."""
        begin = datetime.combine(self.first, time(), parts.zone)
        return begin, datetime.combine(self.last + timedelta(days=1), time(), parts.zone)


class TeamArea:
    """A supervisor reaches the agents of their sections, and the calls that asked for these (P1)."""

    def __init__(self, parts: Parts, team: TeamParts) -> None:
        self._parts = parts
        self._team = team
        self._rings = SqlRings(parts.engine)
        self._presence = SqlPresence(parts.engine)

    def routes(self) -> list[Route]:
        """What it answers."""
        agent = "/team/agents/{number:[0-9]{3,8}}"
        return [
            get("/team", _NEEDS, self.now),
            get("/team/rings", _NEEDS, self.rings),
            get("/team/rings/offers", _NEEDS, self.offers),
            get(agent, _NEEDS, self.agent),
            post(f"{agent}/state", _NEEDS, self.set_state),
        ]

    # ── Now ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def now(self, ask: Ask) -> web.Response:
        """Every agent within reach: state, since when, why."""
        scope = ask.scope(_NEEDS)
        picture = await self._team.now.picture()
        within = set(self._team.agents_within(scope))
        agents = sorted(
            (agent for agent in picture.agents if agent.number in within),
            key=lambda agent: (agent.state is AgentState.LOGGED_OUT, agent.number),
        )
        today = self._today()
        limit_s, begin, end = self._limit_s(), *Days(today, today).span(self._parts)
        table = ring_table((), await self._rings.tally(scope, begin, end, limit_s, self._parts.zone))
        return self._parts.painter.page(
            ask,
            "team/part_now.html.j2" if ask.partial else "team/now.html.j2",
            agents=agents,
            counts=[(state, sum(agent.state is state for agent in agents)) for state in AgentState],
            link=picture.link,
            link_up=picture.link is LinkNow.UP,
            missed={each.agent: each for each in table.agents},
            rang_out=Ringing.RANG_OUT,
            sections=self._section_names(ask),
            roster=self._team.roster,
            today=today,
            at=picture.at,
        )

    async def agent(self, ask: Ask) -> web.Response:
        """One agent: state, today's steps, and the forms."""
        return await self._agent_page(ask, self._mine(ask))

    async def _agent_page(self, ask: Ask, number: AgentNumber, *, trouble: str = "") -> web.Response:
        scope, today = ask.scope(_NEEDS), self._today()
        picture = await self._team.now.picture()
        begin, end = Days(today, today).span(self._parts)
        left = await self._rings.left_ringing(scope, begin, end, self._limit_s(), agent=number, most=_LINES)
        return self._parts.painter.page(
            ask,
            "team/agent.html.j2",
            status=503 if trouble else 200,
            number=number,
            agent=_of(picture.agents, number),
            link=picture.link,
            link_up=picture.link is LinkNow.UP,
            steps=await self._presence.steps(number, begin, end),
            left=left,
            call_names=await call_names(self._parts, ask.texts, [offer.call_id for offer in left]),
            pauses=PAUSES,
            sections=self._section_names(ask),
            own_sections=self._team.roster[number],
            today=today,
            trouble=trouble,
            may_read=ask.who.may(Right.READ_CALLS),
        )

    async def set_state(self, ask: Ask) -> web.Response:
        """Force a pause, end one, or log the agent out; on record before it is done, and again if it failed."""
        number, do = self._mine(ask), ask.form.get("do", "")
        words = " ".join(ask.form.get("why", "").split())[:_LONGEST_WORDS]
        kind = ask.form.get("reason", "")
        if do not in ("pause", "unpause", "logout") or (do == "pause" and kind not in PAUSES):
            return self._parts.painter.refusal(ask, 400)
        if do != "unpause" and not words:
            return seen_elsewhere(f"/team/agents/{number}", "team.why_missing")
        phones = self._team.telephones
        noted = f"agent {number}: {do} {kind if do == 'pause' else ''} {words}"
        await self._note(ask, noted)
        try:
            if do == "pause":
                await phones.pause(number, told_reason(ask.texts.named("reason", kind), words, ask.who.name))
            elif do == "unpause":
                await phones.unpause(number)
            else:  # the pause before it brings the reason into Asterisk's queue log, and so into the books
                await phones.pause(number, told_reason(ask.texts("team.log_out"), words, ask.who.name))
                await phones.log_out(number)
        except AmiError as error:
            await self._note(ask, f"agent {number}: {do} was not done")
            return await self._agent_page(ask, number, trouble=str(error))
        return seen_elsewhere(f"/team/agents/{number}", "team.done")

    async def _note(self, ask: Ask, what: str) -> None:
        await self._parts.accesses.note(Access(ask.who.login, AccessKind.STEER, " ".join(what.split())))

    # ── Who let it ring ──────────────────────────────────────────────────────────────────────────────────────

    async def rings(self, ask: Ask) -> web.Response:
        """By agent and hour: what was not answered within three rings. Every number opens to its calls."""
        scope, days = ask.scope(_NEEDS), self._days(ask)
        section = self._section(ask, scope)
        begin, end = days.span(self._parts)
        limit_s = self._limit_s()
        reach = Scope(sections=frozenset({section})) if section else scope
        figures = await self._figures(reach, days)
        table = ring_table(figures, await self._rings.tally(reach, begin, end, limit_s, self._parts.zone))
        kpi = self._parts.figures.catalogue.kpi("K2r")
        query = {"from": days.first.isoformat(), "to": days.last.isoformat(), "section": section or ""}
        return self._parts.painter.page(
            ask,
            "team/rings.html.j2",
            table=table,
            days=days,
            today=self._today(),
            how=list(Ringing),
            chosen=section or "",
            reachable=self._reachable(ask, scope),
            query=query,
            kpi=kpi,
            kpi_query={**query, "kpi": kpi.id, "version": kpi.version},
            urlencode=urlencode,
            percent=percent,
            limit_s=limit_s,
            as_of=figures[0].as_of if figures else self._parts.clock.now(),
            provisional=any(figure.provisional for figure in figures),
            may_read=ask.who.may(Right.READ_CALLS),
        )

    async def offers(self, ask: Ask) -> web.Response:
        """The calls behind one number."""
        scope, days = ask.scope(_NEEDS), self._days(ask)
        section = self._section(ask, scope)
        begin, end = days.span(self._parts)
        reach = Scope(sections=frozenset({section})) if section else scope
        agent, zone, limit_s = ask.query.get("agent", "")[:8], self._parts.zone, self._limit_s()
        hour, how = _hour(ask.query.get("hour", "")), _how(ask.query.get("how", ""))
        total = sum(
            each.number
            for each in await self._rings.tally(reach, begin, end, limit_s, zone)
            if agent in ("", each.agent) and hour in (None, each.hour) and how in (None, each.how)
        )
        wanted = AgentNumber(agent) if agent else None
        found = await self._rings.left_ringing(
            reach, begin, end, limit_s, agent=wanted, how=how, hour=hour, zone=zone, most=_LINES
        )
        return self._parts.painter.page(
            ask,
            "team/offers.html.j2",
            found=found,
            call_names=await call_names(self._parts, ask.texts, [offer.call_id for offer in found]),
            total=total,
            days=days,
            agent=agent,
            hour=hour,
            how=how,
            sections=self._section_names(ask),
            query={"from": days.first.isoformat(), "to": days.last.isoformat(), "section": section or ""},
            urlencode=urlencode,
            may_read=ask.who.may(Right.READ_CALLS),
        )

    async def _figures(self, scope: Scope, days: Days) -> list[Figure]:
        """K2r by agent and day, of what the scope reaches."""
        begin, _ = days.span(self._parts)
        periods = [Period.containing(begin, Grain.DAY, self._parts.zone)]
        while periods[-1].day < days.last:
            periods.append(periods[-1].following())
        slices = [Slice()] if scope.everything else [Slice(section=each) for each in sorted(scope.sections)]
        found: list[Figure] = []
        for each in slices:
            found += await self._parts.figures.figures(["K2r"], periods, each, Dimension.AGENT)
        return found

    # ── Asked for ────────────────────────────────────────────────────────────────────────────────────────────

    def _mine(self, ask: Ask) -> AgentNumber:
        """The agent of the address, if within reach; else 404."""
        number = AgentNumber(ask.params["number"])
        sections = self._team.roster.get(number)
        if sections is None or not self._team.covers(ask.scope(_NEEDS), sections):
            raise web.HTTPNotFound
        return number

    def _days(self, ask: Ask) -> Days:
        today = self._today()
        try:
            first = date.fromisoformat(ask.query.get("from") or today.isoformat())
            last = date.fromisoformat(ask.query.get("to") or first.isoformat())
        except ValueError:
            return Days(today, today, wrong=True)
        if not (first.year >= 1970 and last.year < 9000 and timedelta() <= last - first):
            return Days(today, today, wrong=True)
        if (last - first).days >= LONGEST_DAYS:
            return Days(last - timedelta(days=LONGEST_DAYS - 1), last, wrong=True)
        return Days(first, last)

    def _section(self, ask: Ask, scope: Scope) -> SectionId | None:
        """The section asked for, if within reach; anything else asks for all that is."""
        asked = SectionId(ask.query.get("section", ""))
        return asked if asked in self._parts.sections and scope.covers(asked) else None

    def _reachable(self, ask: Ask, scope: Scope) -> list[tuple[str, str]]:
        names = self._section_names(ask)
        return [(section, names[section]) for section in self._parts.sections if scope.covers(section)]

    def _section_names(self, ask: Ask) -> dict[str, str]:
        return {section: names.get(ask.texts.language, section) for section, names in self._parts.sections.items()}

    def _limit_s(self) -> float:
        limit_s = self._parts.figures.catalogue.kpi("K2r").limit_s
        assert limit_s is not None, "K2r has a limit"
        return limit_s

    def _today(self) -> date:
        return self._parts.clock.now().astimezone(self._parts.zone).date()


def _hour(text: str) -> int | None:
    """An hour of the day; anything else asks for all of them."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 3 and int(text) < 24 else None


def _how(text: str) -> Ringing | None:
    """How an offer came out; anything else asks for all of them."""
    return Ringing(text) if text in set(Ringing) else None


def _of(agents: Sequence[AgentNow], number: AgentNumber) -> AgentNow | None:
    return next((agent for agent in agents if agent.number == number), None)
