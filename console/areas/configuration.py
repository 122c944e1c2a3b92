"""``/admin``: menu, rules, retention, holds, custody and settings, as they are (A8, P1, P2)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from aiohttp import web

from calls.custody import Access, AccessKind, Leg
from calls.ids import CallId, is_unique_id
from calls.people import Right, Scope
from calls.verdicts import Outcome
from console.admin.menu_tree import MenuTree
from console.admin.menu_walk import keys_of, walked
from console.admin.ports import ConfigurationParts
from console.admin.rule_rows import rule_rows, terms_of, tried
from console.ask import Ask
from console.call_names import call_names
from console.painter import seen_elsewhere
from console.parts import Parts
from console.routes import Route, get, post
from console.view import percent
from ivr.menu.hours import OpeningHours
from ivr.menu.linter import lint
from qa.rules.examples import Failure
from storage.access import Hold, SqlHolds
from storage.custody import Kept, SqlRecordings
from storage.quality_figures import SqlQualityFigures
from storage.verdict_figures import Slice, SqlVerdictFigures

_SEE = Right.SEE_CONFIGURATION
_KEEP = Right.KEEP_RECORDS
_RECENT = timedelta(days=30)
_LINES = 100
_LONGEST = 300


class ConfigurationArea:
    """What is configured is changed in files that are under version control; here it is seen, tried and judged."""

    def __init__(self, parts: Parts, configuration: ConfigurationParts) -> None:
        self._parts = parts
        self._known = configuration
        self._holds = SqlHolds(parts.engine)
        self._recordings = SqlRecordings(parts.engine)
        self._verdicts = SqlVerdictFigures(parts.engine)
        self._quality = SqlQualityFigures(parts.engine)
        self._failed: Mapping[tuple[str, str], Sequence[Failure]] | None = None

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            get("/admin/menu", _SEE, self.menu),
            get("/admin/menu/try", _SEE, self.walk),
            get("/admin/rules", _SEE, self.rules),
            get("/admin/rules/{name}/{version}/{rule}", _SEE, self.rule),
            get("/admin/settings", _SEE, self.settings),
            get("/admin/retention", (_SEE, _KEEP), self.retention),
            get("/admin/holds", _KEEP, self.holds),
            post("/admin/holds", _KEEP, self.hold),
            post("/admin/holds/release", _KEEP, self.release),
            get("/admin/custody", _KEEP, self.custody),
        ]

    # ── Menu ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def menu(self, ask: Ask) -> web.Response:
        """The menu as a tree, with what the linter says."""
        menu, known = self._known.menu, self._known
        findings = lint(menu, known.prompts)
        language = self._language(ask)
        tree = MenuTree(menu, language, known.prompt_texts.get(language, {}), findings)
        return self._parts.painter.page(
            ask,
            "admin/menu.html.j2",
            roots=tree.roots(),
            findings=findings,
            voice=menu,
            file=known.menu_file,
            chosen=language,
        )

    async def walk(self, ask: Ask) -> web.Response:
        """Walk the menu as a caller: by these keys, at that moment."""
        menu, known, query = self._known.menu, self._known, ask.query
        language = self._language(ask)
        keys = keys_of(query.get("keys", ""))
        at = self._moment(query.get("at", ""))
        lines = None
        if keys is not None and at is not None and query:
            hours = OpeningHours(self._parts.zone)
            priority = query.get("priority") == "1"
            lines = walked(menu, keys, at, hours, known.prompt_texts, language=language, priority=priority)
        return self._parts.painter.page(
            ask,
            "admin/walk.html.j2",
            lines=lines,
            languages=menu.languages,
            chosen=language,
            keys=query.get("keys", "")[:120],
            at=(at or known.menu_clock.now()).astimezone(self._parts.zone).strftime("%Y-%m-%dT%H:%M"),
            wrong="" if keys is not None and at is not None else "keys" if keys is None else "at",
            priority=query.get("priority") == "1",
        )

    def _language(self, ask: Ask) -> str:
        """The menu's language asked for, the reader's, or its first."""
        known = self._known.menu.languages
        for wished in (ask.query.get("in", ""), ask.texts.language):
            if wished in known:
                return wished
        return known[0]

    def _moment(self, text: str) -> datetime | None:
        if not text:
            return self._known.menu_clock.now()
        try:
            found = datetime.fromisoformat(text[:25])
        except ValueError:
            return None
        if not 1971 <= found.year < 9000:
            return None
        return found if found.tzinfo else found.replace(tzinfo=self._parts.zone)

    # ── Rules ────────────────────────────────────────────────────────────────────────────────────────────────

    async def rules(self, ask: Ask) -> web.Response:
        """Every rule in force: its examples, how it judged lately, how often people overruled it."""
        since = self._parts.clock.now() - _RECENT
        sets = self._known.rules
        tally = await self._verdicts.tally([rules.id for rules in sets], Slice(since=since))
        overruled = await self._quality.overruled(Scope(everything=True), since)
        return self._parts.painter.page(
            ask,
            "admin/rules.html.j2",
            rows=rule_rows(sets, tally, overruled, await self._tried()),
            sets=sets,
            since=since,
            day=since.astimezone(self._parts.zone).date(),
            now=self._parts.clock.now(),
            percent=percent,
            outcomes=Outcome,
            may_read=ask.who.may(Right.READ_CALLS),
        )

    async def rule(self, ask: Ask) -> web.Response:
        """One rule: terms, examples, and why people overruled it."""
        name, version = ask.params["name"], ask.params["version"]
        sets = [rules for rules in self._known.rules if (rules.name, rules.version) == (name, version)]
        rule = sets[0].rule(ask.params["rule"]) if sets else None
        if rule is None:
            raise web.HTTPNotFound
        failed = (await self._tried()).get((str(sets[0].id), rule.id), ())
        wrong = {(each.wanted, each.lines): each for each in failed}
        since = self._parts.clock.now() - _RECENT
        objections = []
        if ask.who.may(Right.READ_CALLS):
            objections = await self._quality.objections(ask.scope(Right.READ_CALLS), rule.id, since)
        return self._parts.painter.page(
            ask,
            "admin/rule.html.j2",
            rules=sets[0],
            rule=rule,
            terms=terms_of(rule),
            examples=[
                (outcome, lines, wrong.get((outcome, lines)))
                for outcome in Outcome
                for lines in getattr(rule.examples, outcome.value)
            ],
            objections=objections,
            call_names=await call_names(self._parts, ask.texts, [each.call_id for each in objections]),
            may_read=ask.who.may(Right.READ_CALLS),
        )

    async def _tried(self) -> Mapping[tuple[str, str], Sequence[Failure]]:
        """Once: rules do not change while the service runs."""
        if self._failed is None:
            self._failed = await asyncio.to_thread(tried, self._known.rules)
        return self._failed

    # ── Keeping ──────────────────────────────────────────────────────────────────────────────────────────────

    async def settings(self, ask: Ask) -> web.Response:
        """Every setting as it is."""
        return self._parts.painter.page(ask, "admin/settings.html.j2", settings=self._known.settings)

    async def retention(self, ask: Ask) -> web.Response:
        """How long recordings are kept, and what is due."""
        due = await self._known.retention.due(_LINES)
        return self._parts.painter.page(
            ask,
            "admin/retention.html.j2",
            policies=self._known.policies.policies,
            attachments_days=self._known.attachments_days,
            due=due,
            call_names=await call_names(self._parts, ask.texts, [call_id for call_id, _ in due.some]),
            held=len({hold.call_id for hold in await self._holds.standing()}),
            sections=self._section_names(ask),
            may_keep=ask.who.may(_KEEP),
        )

    async def holds(self, ask: Ask) -> web.Response:
        """Legal holds that stand."""
        return await self._holds_page(ask)

    async def _holds_page(self, ask: Ask, *, trouble: str = "", status: int = 200) -> web.Response:
        standing = await self._holds.standing()
        return self._parts.painter.page(
            ask,
            "admin/holds.html.j2",
            status=status,
            holds=standing,
            call_names=await call_names(self._parts, ask.texts, [hold.call_id for hold in standing]),
            call=(ask.form.get("call", "") or ask.query.get("call", ""))[:60],
            reason=ask.form.get("reason", "")[:_LONGEST],
            trouble=trouble,
        )

    async def hold(self, ask: Ask) -> web.Response:
        """From now on nothing of a call is deleted."""
        call_id, reason = _call_id(ask.form.get("call", "")), _words(ask.form.get("reason", ""))
        if call_id is None or not reason:
            return await self._holds_page(ask, trouble="holds.incomplete", status=422)
        await self._parts.accesses.note(Access(ask.who.login, AccessKind.HOLD, reason, call_id))
        await self._holds.hold(Hold(call_id, self._parts.clock.now(), ask.who.login, reason))
        # Looked at afterwards: a burial may have been quicker, and a hold may come before the recording.
        if await self._recordings.of_call(call_id):
            return seen_elsewhere("/admin/holds", "holds.placed")
        gone = any(await self._kept(call_id))
        return seen_elsewhere("/admin/holds", "holds.too_late" if gone else "holds.before")

    async def release(self, ask: Ask) -> web.Response:
        """End every hold of a call."""
        call_id, reason = _call_id(ask.form.get("call", "")), _words(ask.form.get("reason", ""))
        if call_id is None or not reason:
            return await self._holds_page(ask, trouble="holds.incomplete", status=422)
        if call_id not in {hold.call_id for hold in await self._holds.standing()}:
            raise web.HTTPNotFound
        await self._parts.accesses.note(Access(ask.who.login, AccessKind.RELEASE, reason, call_id))
        await self._holds.release(call_id, self._parts.clock.now(), ask.who.login)
        return seen_elsewhere("/admin/holds", "holds.released")

    async def custody(self, ask: Ask) -> web.Response:
        """What lies in the vault of one call, or lay there; nothing of what was said."""
        asked = ask.query.get("call", "")[:60].strip()
        call_id = _call_id(asked)
        legs: list[Kept] = []
        if call_id is not None:
            await self._parts.accesses.note(
                Access(ask.who.login, AccessKind.SEE_LOG, "custody state looked at", call_id)
            )
            legs = await self._kept(call_id)
        return self._parts.painter.page(
            ask,
            "admin/custody.html.j2",
            status=422 if asked and call_id is None else 200,
            asked=asked,
            call_id=call_id,
            call_names=await call_names(self._parts, ask.texts, [call_id]),
            legs=legs,
            holds=[hold for hold in await self._holds.standing() if hold.call_id == call_id],
        )

    async def _kept(self, call_id: CallId) -> list[Kept]:
        """Recordings and tombstones of a call."""
        found = [await self._recordings.find(call_id, leg) for leg in Leg]
        return [each for each in found if each is not None]

    def _section_names(self, ask: Ask) -> dict[str, str]:
        return {section: names.get(ask.texts.language, section) for section, names in self._parts.sections.items()}


def _call_id(text: str) -> CallId | None:
    text = text.strip()
    return CallId(text) if is_unique_id(text) else None


def _words(text: str) -> str:
    return " ".join(text.replace("\0", "").split())[:_LONGEST]
