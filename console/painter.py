"""Pages inside the console's common frame."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from console.ask import Ask
from console.assets import Assets

_FOLDER = Path(__file__).parent / "templates"


class Painter:
    """Paints templates; every page extends ``frame.html.j2``, a part asked for by htmx does not."""

    def __init__(self, assets: Assets, zone: ZoneInfo) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._environment.globals |= {"asset": assets.url}
        self.zone = zone

    @property
    def environment(self) -> Environment:
        """For areas that add filters of their own."""
        return self._environment

    def page(self, ask: Ask, template: str, *, status: int = 200, **values: object) -> web.Response:
        """A page, or a part of one, as an answer. The template sees ``ask``, ``person``, ``t`` and ``values``."""
        text = self._environment.get_template(template).render(
            ask=ask, person=ask.person, t=ask.texts, language=ask.texts.language, csrf=ask.csrf, **values
        )
        headers = {"Content-Language": ask.texts.language, "Vary": "Accept-Language, HX-Request"}
        return web.Response(text=text, content_type="text/html", status=status, headers=headers)


def seen_elsewhere(location: str) -> web.Response:
    """After a form was taken: see there (303)."""
    return web.Response(status=303, headers={"Location": location})
