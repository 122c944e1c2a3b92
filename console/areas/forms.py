"""Scoring forms: the list, the builder, publishing (Q4, Q5)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from aiohttp import web

from calls.errors import Overtaken
from calls.ids import FormId
from calls.people import Right
from calls.quality import Form, FormVersion
from console.ask import Ask
from console.painter import seen_elsewhere
from console.parts import Parts
from console.quality.building import Act, Pressed, blank_form, changed, read_form, read_pressed
from console.quality.desk import Desk, number_in
from console.routes import Route, get, post
from qa.forms import Fault, check_form, default_form

_READ = (Right.LEAD_QUALITY, Right.SCORE, Right.SEE_CONFIGURATION)


class Forms:
    """``/quality/forms``."""

    def __init__(self, parts: Parts) -> None:
        self._desk = Desk(parts)

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            get("/quality/forms", _READ, self.forms),
            post("/quality/forms", Right.LEAD_QUALITY, self.begin),
            get("/quality/forms/{form_id}/versions/{version}", _READ, self.version),
            get("/quality/forms/{form_id}/draft", Right.LEAD_QUALITY, self.draft),
            post("/quality/forms/{form_id}/draft", Right.LEAD_QUALITY, self.change),
        ]

    async def forms(self, ask: Ask) -> web.Response:
        """All forms with their versions."""
        everything = await self._desk.forms.all()
        grouped = [(form_id, list(versions)) for form_id, versions in groupby(everything, lambda v: v.form_id)]
        return await self._desk.page(ask, "forms", forms=grouped)

    async def begin(self, ask: Ask) -> web.Response:
        """A new form: blank, or as the one that comes with the product; or the next version of one there is."""
        now, who = self._desk.now(), ask.who.login
        of = ask.form.get("of", "")
        if of:
            made = await self._desk.forms.begin_draft(FormId(of), who, now)
            if made is None:
                raise web.HTTPNotFound
        else:
            form = default_form() if ask.form.get("template") == "default" else blank_form()
            made = await self._desk.forms.create(form, who, now)
        return seen_elsewhere(_draft_of(made))

    async def version(self, ask: Ask) -> web.Response:
        """A version, to read."""
        found = await self._desk.forms.version(FormId(ask.params["form_id"]), number_in(ask, "version"))
        if found is None:
            raise web.HTTPNotFound
        return await self._desk.page(ask, "form", version=found)

    async def draft(self, ask: Ask) -> web.Response:
        """The builder."""
        return await self._builder(ask, draft := await self._draft(ask), draft.form)

    async def change(self, ask: Ask) -> web.Response:
        """A button of the builder: what is typed is saved first, whatever the button."""
        draft = await self._draft(ask)
        pressed = read_pressed(ask.form.get("act", ""))
        typed = read_form(ask.form, self._desk.parts.quality.rule_ids)
        if ask.form.get("edit") != str(draft.edit) and pressed.act is not Act.COPY:
            return await self._builder(ask, draft, typed, overtaken=True)
        try:
            return await self._press(ask, draft, typed, pressed)
        except Overtaken:
            return await self._builder(ask, await self._draft(ask), typed, overtaken=True)

    async def _press(self, ask: Ask, draft: FormVersion, typed: Form, pressed: Pressed) -> web.Response:
        forms, who, now = self._desk.forms, ask.who.login, self._desk.now()
        if pressed.act is Act.COPY:
            return seen_elsewhere(_draft_of(await forms.create(typed, who, now)))
        if pressed.act is Act.DISCARD:
            await forms.discard(draft)
            return seen_elsewhere("/quality/forms")
        saved = await forms.save(draft, changed(typed, pressed), who, now)
        if pressed.act is not Act.PUBLISH:
            return seen_elsewhere(_draft_of(saved) + _anchor(pressed), "quality_flash.saved")
        if faults := check_form(saved.form):
            return await self._builder(ask, saved, saved.form, faults)
        await forms.publish(saved, who, now)
        return seen_elsewhere(
            f"/quality/forms/{saved.form_id}/versions/{saved.version}", "quality_flash.published"
        )

    async def _builder(
        self, ask: Ask, draft: FormVersion, form: Form, faults: Sequence[Fault] = (), *, overtaken: bool = False
    ) -> web.Response:
        return await self._desk.page(
            ask,
            "form_draft",
            status=409 if overtaken else 422 if faults else 200,
            draft=draft,
            form=form,
            faults=faults,
            overtaken=overtaken,
            rules=self._desk.parts.quality.rule_ids,
            weights=sum(section.weight for section in form.sections),
        )

    async def _draft(self, ask: Ask) -> FormVersion:
        draft = await self._desk.forms.draft(FormId(ask.params["form_id"]))
        if draft is None:
            raise web.HTTPNotFound
        return draft


def _draft_of(version: FormVersion) -> str:
    return f"/quality/forms/{version.form_id}/draft"


def _anchor(pressed: Pressed) -> str:
    """Where the page opens again: at the section that was worked on."""
    match pressed.act:
        case Act.ADD_SECTION:
            return "#end"
        case Act.SAVE:
            return ""
        case Act.RAISE_SECTION:
            return f"#section-{max(0, pressed.section - 1)}"
        case _:
            return f"#section-{pressed.section}"
