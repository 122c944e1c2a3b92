"""Calibration: rounds, blind sheets, the discussion with kappa (Q3)."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from calls.errors import Overtaken
from calls.ids import CallId, FormId, SectionId
from calls.people import Right
from calls.quality import BlindSheet, Round, Sheet
from console.ask import Ask
from console.painter import seen_elsewhere
from console.parts import Parts
from console.quality.desk import PAGE, Desk, before_in, number_in, reach
from console.quality.sheets import first_sheet, read_sheet, shown_sheet
from console.routes import Route, get, post
from qa.calibration import agreements, may_see, visible
from qa.forms import Fault, check_sheet, mark
from storage.scores import ScoreFilter

_EITHER = (Right.SCORE, Right.LEAD_QUALITY)
_MOST_CALLS = 30
_MOST_SCORERS = 12


class Calibration:
    """``/quality/calibration``."""

    def __init__(self, parts: Parts) -> None:
        self._desk = Desk(parts)

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            get("/quality/calibration", _EITHER, self.rounds),
            get("/quality/calibration/new", Right.LEAD_QUALITY, self.new),
            post("/quality/calibration", Right.LEAD_QUALITY, self.begin),
            get("/quality/calibration/{round_id}", _EITHER, self.round),
            post("/quality/calibration/{round_id}/close", Right.LEAD_QUALITY, self.close),
            get("/quality/calibration/{round_id}/sheets/{call_id}", Right.SCORE, self.sheet),
            post("/quality/calibration/{round_id}/sheets/{call_id}", Right.SCORE, self.hand_in),
            post("/quality/calibration/{round_id}/sheets/{call_id}/draft", Right.SCORE, self.keep),
        ]

    async def rounds(self, ask: Ask) -> web.Response:
        """Rounds that the reader scores in, or leads."""
        found = await self._desk.calibrations.rounds(before=before_in(ask), limit=PAGE)
        last = found[-1].round_id if len(found) == PAGE else None
        mine = [each for each in found if self._takes_part(ask, each) or self._leads(ask, each)]
        return await self._desk.page(ask, "rounds", rounds=mine, last=last)

    async def new(self, ask: Ask) -> web.Response:
        """The form of a round."""
        return await self._new(ask, [])

    async def begin(self, ask: Ask) -> web.Response:
        """Begin a round with the calls and people that were named."""
        faults = []
        name = ask.form.get("name", "").strip()
        current = await self._desk.forms.current(FormId(ask.form.get("form", "")))
        people = tuple(sorted(set(ask.form.getall("scorers", []))))
        typed = (*ask.form.getall("calls", []), *ask.form.get("more_calls", "").split())
        chosen = tuple(dict.fromkeys(typed))[: _MOST_CALLS + 1]
        sections: set[SectionId] = set()
        for call_id in chosen:
            try:
                call = await self._desk.call_within(ask, call_id, Right.LEAD_QUALITY)
            except web.HTTPNotFound:
                faults.append("call_unknown")
                break
            if call.section is not None:
                sections.add(call.section)
        if not 0 < len(name) <= 80:
            faults.append("name")
        if current is None:
            faults.append("form")
        able = {person.login for person in await self._desk.scorers(sections)}
        if not (2 <= len(people) <= _MOST_SCORERS and able >= set(people)):
            faults.append("scorers")
        if not 1 <= len(chosen) <= _MOST_CALLS:
            faults.append("calls")
        if faults or current is None:
            return await self._new(ask, faults)
        made = await self._desk.calibrations.begin(
            Round(
                round_id=0,
                name=name,
                form_id=current.form_id,
                form_version=current.version,
                sections=frozenset(sections),
                calls=tuple(map(CallId, chosen)),
                scorers=people,
                made_by=ask.who.login,
                made_at=self._desk.now(),
            )
        )
        return seen_elsewhere(f"/quality/calibration/{made.round_id}")

    async def round(self, ask: Ask) -> web.Response:
        """Who has handed in what; of calls that all have, the answers side by side; and kappa."""
        round_ = await self._round(ask)
        sheets = await self._desk.calibrations.sheets(round_.round_id)
        version = await self._desk.version(round_.form_id, round_.form_version)
        open_calls = [call_id for call_id in round_.calls if may_see(round_, sheets, call_id)]
        discussed = [each for each in sheets if each.call_id in open_calls]
        for call_id in open_calls:
            await self._desk.note(ask, call_id, f"calibration {round_.round_id}")
        return await self._desk.page(
            ask,
            "round",
            naming=round_.calls,
            round=round_,
            form=version.form,
            handed_in={(each.call_id, each.by) for each in sheets},
            shown={(each.call_id, each.by): each for each in visible(round_, sheets, ask.who.login)},
            open_calls=open_calls,
            agreements=agreements(version.form, discussed),
            scores_too=self._takes_part(ask, round_) and round_.closed_at is None,
            leads=self._leads(ask, round_),
        )

    async def close(self, ask: Ask) -> web.Response:
        """No more sheets; all are open for discussion."""
        round_ = await self._round(ask)
        if not self._leads(ask, round_):
            raise web.HTTPNotFound
        await self._desk.calibrations.close(round_.round_id, self._desk.now())
        return seen_elsewhere(f"/quality/calibration/{round_.round_id}")

    async def sheet(self, ask: Ask) -> web.Response:
        """A blind sheet: what was typed before, else what the rules suggest, and nothing of what others say."""
        round_, call_id = await self._mine(ask)
        draft = await self._desk.calibrations.draft(round_.round_id, call_id, ask.who.login)
        if draft is not None:
            return await self._sheet(ask, round_, call_id, draft.sheet, edit=draft.edit)
        version = await self._desk.version(round_.form_id, round_.form_version)
        verdicts = await self._desk.verdicts.verdicts(call_id)
        return await self._sheet(ask, round_, call_id, first_sheet(version.form, verdicts))

    async def hand_in(self, ask: Ask) -> web.Response:
        """Hand in a blind sheet: once."""
        round_, call_id = await self._mine(ask)
        version = await self._desk.version(round_.form_id, round_.form_version)
        verdicts = await self._desk.verdicts.verdicts(call_id)
        sheet, edit = read_sheet(ask.form, version.form, verdicts), _edit_in(ask)
        if ask.form.get("act") == "draft":
            return await self._keep_and_stay(ask, round_, call_id, sheet)
        if faults := check_sheet(version.form, sheet):
            return await self._sheet(ask, round_, call_id, sheet, faults, edit=edit)
        total = mark(version.form, sheet).total
        blind = BlindSheet(round_.round_id, call_id, ask.who.login, sheet, total, self._desk.now())
        try:
            await self._desk.calibrations.hand_in(blind)
        except Overtaken:
            return seen_elsewhere(f"/quality/calibration/{round_.round_id}", "quality_flash.overtaken_short")
        return seen_elsewhere(f"/quality/calibration/{round_.round_id}", "quality_flash.handed_in")

    async def keep(self, ask: Ask) -> web.Response:
        """Keep a draft while it is being typed: answers with the number that the next one builds on."""
        round_, call_id = await self._mine(ask)
        version = await self._desk.version(round_.form_id, round_.form_version)
        sheet = read_sheet(ask.form, version.form, await self._desk.verdicts.verdicts(call_id))
        try:
            kept = await self._save(ask, round_, call_id, sheet)
        except Overtaken:
            return web.json_response({"overtaken": True}, status=409)
        return web.json_response({"edit": kept})

    async def _keep_and_stay(self, ask: Ask, round_: Round, call_id: CallId, sheet: Sheet) -> web.Response:
        """The same without a script."""
        try:
            await self._save(ask, round_, call_id, sheet)
        except Overtaken:
            return await self._sheet(ask, round_, call_id, sheet, edit=_edit_in(ask), overtaken=True)
        return seen_elsewhere(f"/quality/calibration/{round_.round_id}/sheets/{call_id}", "quality_flash.saved")

    async def _save(self, ask: Ask, round_: Round, call_id: CallId, sheet: Sheet) -> int:
        book, login = self._desk.calibrations, ask.who.login
        return await book.save_draft(round_.round_id, call_id, login, sheet, _edit_in(ask), self._desk.now())

    async def _sheet(
        self,
        ask: Ask,
        round_: Round,
        call_id: CallId,
        sheet: Sheet,
        faults: Sequence[Fault] = (),
        *,
        edit: int = 0,
        overtaken: bool = False,
    ) -> web.Response:
        version = await self._desk.version(round_.form_id, round_.form_version)
        verdicts = await self._desk.verdicts.verdicts(call_id)
        await self._desk.note(ask, call_id, f"calibration {round_.round_id}")
        return await self._desk.page(
            ask,
            "blind",
            status=409 if overtaken else 422 if faults else 200,
            naming=[call_id],
            round=round_,
            call_id=call_id,
            version=version,
            sheet=shown_sheet(version.form, sheet, verdicts),
            faults=faults,
            wrong={fault.where for fault in faults},
            edit=edit,
            overtaken=overtaken,
            target=f"/quality/calibration/{round_.round_id}/sheets/{call_id}",
            blind=True,
        )

    async def _new(self, ask: Ask, faults: list[str]) -> web.Response:
        forms = {each.form_id: each for each in reversed(await self._desk.forms.all()) if each.published}
        recent = await self._desk.scores.page(ScoreFilter(scope=ask.scope(Right.LEAD_QUALITY)), limit=20)
        calls = dict.fromkeys(score.call_id for score in recent)
        return await self._desk.page(
            ask,
            "round_new",
            naming=calls,
            status=422 if faults else 200,
            faults=faults,
            forms=list(forms.values()),
            calls=list(calls),
            people=await self._desk.scorers(ask.scope(Right.LEAD_QUALITY).sections),
            scorers=set(ask.form.getall("scorers", [])),
            typed=ask.form,
            chosen=set(ask.form.getall("calls", [])),
        )

    async def _round(self, ask: Ask) -> Round:
        round_ = await self._desk.calibrations.round(number_in(ask, "round_id"))
        if round_ is None or not (self._takes_part(ask, round_) or self._leads(ask, round_)):
            raise web.HTTPNotFound
        return round_

    async def _mine(self, ask: Ask) -> tuple[Round, CallId]:
        """A call of an open round that the reader is to score. Raises HTTPNotFound."""
        round_, call_id = await self._round(ask), CallId(ask.params["call_id"])
        if round_.closed_at is not None or not self._takes_part(ask, round_) or call_id not in round_.calls:
            raise web.HTTPNotFound
        await self._desk.call_within(ask, call_id, Right.SCORE)
        return round_, call_id

    def _takes_part(self, ask: Ask, round_: Round) -> bool:
        scope = ask.scope(Right.SCORE)
        return ask.who.login in round_.scorers and all(scope.covers(section) for section in round_.sections)

    def _leads(self, ask: Ask, round_: Round) -> bool:
        scope = reach(ask, Right.LEAD_QUALITY)
        if not round_.sections:
            return scope.everything
        return all(scope.covers(section) for section in round_.sections)


def _edit_in(ask: Ask) -> int:
    """The draft that the form builds on; 0 for none."""
    text = ask.form.get("edit", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
