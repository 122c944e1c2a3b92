"""``/ops``: what works and what does not, what waits, what is missing, and what is done about it (K5, P2, I3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from aiohttp import web

from calls.custody import Access, AccessKind
from calls.errors import FigureError
from calls.ids import CallId, is_unique_id
from calls.outages import EVERYTHING, Component, Maintenance
from calls.people import Right
from calls.periods import Grain, Period
from console.ask import Ask
from console.call_names import call_names
from console.ops.health import healths
from console.ops.ports import OpsParts
from console.outage_words import told
from console.painter import seen_elsewhere
from console.parts import Parts
from console.routes import Route, get, post
from storage.audit import SqlAudit
from storage.outages import SqlOutages
from storage.outbox import SqlOutbox
from storage.unrecorded import SqlUnrecorded
from storage.work import SqlWork
from storage.work_states import State

_NEEDS = Right.SEE_OPERATIONS
_GRAINS = (Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR)
_LINES = 200
_LONGEST = 200
"""Letters of a reason."""
_FAR = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)
_RECENT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Announced:
    """Maintenance as somebody typed it, and what is wrong with it."""

    start: str = ""
    end: str = ""
    reason: str = ""
    components: tuple[str, ...] = ()
    wrong: str = ""


class OperationsArea:
    """Who keeps the machines running sees no caller's data (P1)."""

    def __init__(self, parts: Parts, ops: OpsParts) -> None:
        self._parts = parts
        self._ops = ops
        self._outages = SqlOutages(parts.engine)
        self._audit = SqlAudit(parts.engine)
        self._work = SqlWork(parts.engine)
        self._unrecorded = SqlUnrecorded(parts.engine)
        self._outbox = SqlOutbox(parts.engine)

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            get("/ops", _NEEDS, self.health),
            post("/ops/maintenance", _NEEDS, self.announce),
            post("/ops/maintenance/{number:[0-9]{1,9}}/cancel", _NEEDS, self.cancel),
            get("/ops/backlog", _NEEDS, self.backlog),
            post("/ops/backlog/retry", _NEEDS, self.retry),
            get("/ops/books", _NEEDS, self.books),
            post("/ops/books/settle", _NEEDS, self.settle),
            post("/ops/books/follow", _NEEDS, self.follow),
            get("/ops/webhooks", _NEEDS, self.webhooks),
            post("/ops/webhooks/resend", _NEEDS, self.resend),
        ]

    # ── Health ───────────────────────────────────────────────────────────────────────────────────────────────

    async def health(self, ask: Ask) -> web.Response:
        """Components now, and the outages of a period."""
        return await self._health(ask, Announced())

    async def _health(self, ask: Ask, announced: Announced) -> web.Response:
        now, period, wrong = self._parts.clock.now(), self._period(ask), False
        if period is None:
            period, wrong = Period.containing(now, Grain.MONTH, self._parts.zone), True
        begin, end = period.span
        watched = await self._outages.watched_since()
        outages = await self._outages.outages(begin, max(min(end, now), begin + timedelta(microseconds=1)))
        lasting = await self._outages.outages(now, now + timedelta(microseconds=1))
        windows = await self._outages.maintenance(min(begin, now), _FAR)
        facts = await self._ops.machines.facts()
        known = {(outage.component, outage.began_at, outage.planned): outage for outage in [*outages, *lasting]}
        figures = await self._parts.figures.figures(["K5", "K5sum"], [period])
        return self._parts.painter.page(
            ask,
            "ops/health.html.j2",
            status=422 if announced.wrong else 200,
            facts=facts,
            period=period,
            wrong=wrong,
            grains=[(grain, Period.containing(now, grain, self._parts.zone).label) for grain in _GRAINS],
            before=period.previous().label,
            after=period.following().label if end <= now else "",
            components=healths(facts.working, known.values(), windows, period.span, now, self._ops.hours),
            outages=sorted(outages, key=lambda outage: outage.began_at, reverse=True)[:_LINES],
            windows=[window for window in windows if window.starts_at < end or window.ends_at > now],
            figures=[(figure, self._parts.figures.catalogue.kpi(figure.kpi)) for figure in figures],
            watched=watched,
            everything=EVERYTHING,
            every_component=list(Component),
            announced=announced,
            now=now,
            grafana=self._ops.grafana_url,
            zone=self._parts.zone.key,
            why=partial(told, texts=ask.texts),
        )

    def _period(self, ask: Ask) -> Period | None:
        """The period asked for, by its label; ``None`` for what is none."""
        label = ask.query.get("period", "")
        if not label:
            return Period.containing(self._parts.clock.now(), Grain.MONTH, self._parts.zone)
        try:
            period = Period.parse(label[:20], self._parts.zone)
        except FigureError:
            return None
        return period if 1971 <= period.day.year < 9000 else None

    async def announce(self, ask: Ask) -> web.Response:
        """Maintenance, beforehand: what is out then is no outage time."""
        components = tuple(ask.form.getall("component", []))
        told = Announced(
            ask.form.get("start", "")[:20],
            ask.form.get("end", "")[:20],
            _words(ask.form.get("reason", "")),
            tuple(name for name in components if name in set(Component)),
        )
        starts_at, ends_at = self._moment(told.start), self._moment(told.end)
        wrong = ""
        if starts_at is None or ends_at is None:
            wrong = "no_time"
        elif starts_at >= ends_at:
            wrong = "order"
        elif starts_at < self._parts.clock.now():
            wrong = "past"
        elif not told.reason:
            wrong = "no_reason"
        if wrong or starts_at is None or ends_at is None:
            return await self._health(ask, Announced(told.start, told.end, told.reason, told.components, wrong))
        named = frozenset(map(Component, told.components)) or EVERYTHING
        await self._note(ask, f"maintenance announced {told.start} to {told.end}: {told.reason}")
        await self._outages.announce(Maintenance(starts_at, ends_at, named, told.reason))
        return seen_elsewhere("/ops#maintenance", "ops.announced")

    async def cancel(self, ask: Ask) -> web.Response:
        """Take maintenance back, or end it now."""
        number = int(ask.params["number"])
        await self._note(ask, f"maintenance {number} taken back")
        done = number < 2**31 and await self._outages.cancel(number, self._parts.clock.now())
        return seen_elsewhere("/ops#maintenance", "ops.cancelled" if done else "ops.nothing_to_cancel")

    # ── Backlog ──────────────────────────────────────────────────────────────────────────────────────────────

    async def backlog(self, ask: Ask) -> web.Response:
        """What waits: events, transcription, and legs that somebody must look at."""
        now = self._parts.clock.now()
        stuck = [
            *await self._work.in_state(State.QUARANTINED, _LINES),
            *await self._work.in_state(State.FAILED, _LINES),
        ]
        return self._parts.painter.page(
            ask,
            "ops/backlog.html.j2",
            facts=await self._ops.machines.facts(),
            tally=await self._work.tally(now - _RECENT),
            workers=sorted((await self._work.beats()).items()),
            stuck=stuck[:_LINES],
            call_names=await call_names(self._parts, ask.texts, [work.call_id for work in stuck[:_LINES]]),
            now=now,
        )

    async def retry(self, ask: Ask) -> web.Response:
        """Owe the legs of a call again that failed or are in quarantine."""
        call_id, reason = ask.form.get("call", ""), _words(ask.form.get("reason", ""))
        if not is_unique_id(call_id) or not reason:
            return seen_elsewhere("/ops/backlog", "ops.reason_missing")
        await self._note(ask, f"transcription tried again: {reason}", CallId(call_id))
        legs = await self._work.retry(CallId(call_id))
        return seen_elsewhere("/ops/backlog", "ops.retried" if legs else "ops.nothing_to_retry")

    # ── Books ────────────────────────────────────────────────────────────────────────────────────────────────

    async def books(self, ask: Ask) -> web.Response:
        """Where books and files differ, what was not recorded, and how safe it all is."""
        now = self._parts.clock.now()
        period = Period.containing(now, Grain.MONTH, self._parts.zone)
        chosen = self._period(ask) or period
        number, missing = await self._unrecorded.between(*chosen.span)
        repairs = await self._audit.repairs(*chosen.span)
        by_kind: dict[tuple[str, str], int] = {}
        for repair in repairs:
            by_kind[repair.what, repair.source.value] = by_kind.get((repair.what, repair.source.value), 0) + 1
        differences = (await self._audit.discrepancies())[:_LINES]
        named = [*(each.call_id for each in differences), *(each.call_id for each in missing)]
        return self._parts.painter.page(
            ask,
            "ops/books.html.j2",
            facts=await self._ops.machines.facts(),
            period=chosen,
            before=chosen.previous().label,
            after=chosen.following().label if chosen.span[1] <= now else "",
            grains=[(grain, Period.containing(now, grain, self._parts.zone).label) for grain in _GRAINS],
            discrepancies=differences,
            missing=missing,
            call_names=await call_names(self._parts, ask.texts, named),
            missing_number=number,
            repairs=sorted(by_kind.items()),
            now=now,
            backup_old=timedelta(hours=26),
        )

    async def settle(self, ask: Ask) -> web.Response:
        """A person has looked at a difference; it is settled, with a reason."""
        key, reason = ask.form.get("key", "")[:300], _words(ask.form.get("reason", ""))
        if not key or not reason:
            return seen_elsewhere("/ops/books", "ops.reason_missing")
        if key not in {each.key for each in await self._audit.discrepancies()}:
            raise web.HTTPNotFound
        await self._note(ask, f"difference settled [{key}]: {reason}")
        await self._audit.settle(self._parts.clock.now(), [key])
        return seen_elsewhere("/ops/books", "ops.settled")

    async def follow(self, ask: Ask) -> web.Response:
        """Follow the access log from its beginning: whether anything was changed, left out or cut off."""
        await self._note(ask, "the access log followed")
        chain = await self._ops.machines.follow_access_log()
        return self._parts.painter.page(ask, "ops/chain.html.j2", chain=chain)

    # ── Webhooks ─────────────────────────────────────────────────────────────────────────────────────────────

    async def webhooks(self, ask: Ask) -> web.Response:
        """Which systems are told of cases, what waits for them, and what was given up."""
        waiting = await self._outbox.waiting()
        return self._parts.painter.page(
            ask,
            "ops/webhooks.html.j2",
            receivers=[(name, host, waiting.get(name, 0)) for name, host in self._ops.receivers.items()],
            left_over=sorted(name for name in waiting if name not in self._ops.receivers),
            dead=await self._outbox.dead(_LINES),
        )

    async def resend(self, ask: Ask) -> web.Response:
        """Send what was given up again."""
        hook, news = ask.form.get("hook", "")[:31], ask.form.get("news", "")
        if not news.isdecimal() or len(news) > 15:
            raise web.HTTPNotFound
        await self._note(ask, f"news {news} sent again to {hook}")
        done = await self._outbox.resend(hook, int(news), self._parts.clock.now())
        return seen_elsewhere("/ops/webhooks", "ops.resent" if done else "ops.nothing_to_resend")

    # ── Shared ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _note(self, ask: Ask, what: str, call_id: CallId | None = None) -> None:
        await self._parts.accesses.note(Access(ask.who.login, AccessKind.OPERATE, what[:400], call_id))

    def _moment(self, text: str) -> datetime | None:
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            return None
        if not 1971 <= found.year < 9000:
            return None
        return (found if found.tzinfo else found.replace(tzinfo=self._parts.zone)).astimezone(UTC)


def _words(text: str) -> str:
    return " ".join(text.replace("\0", "").split())[:_LONGEST]
