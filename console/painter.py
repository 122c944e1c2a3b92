"""Pages inside the console's common frame."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from console.ask import Ask
from console.assets import Assets
from console.because import because
from console.doors import flash_cookie, flash_shown
from console.names import Names
from console.navigation import menu_for
from console.texts import LANGUAGES

_FOLDER = Path(__file__).parent / "templates"
_OF_THE_BOARD = ("board.html.j2", "parts.html.j2")
_STATUSES = (400, 401, 403, 404, 405, 409, 413, 429, 500, 503)
"""Those whose pages have words of their own."""


class Painter:
    """Paints templates; every page extends ``frame.html.j2``, a part asked for by htmx does not."""

    def __init__(self, assets: Assets, zone: ZoneInfo, names: Names) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._environment.globals |= {"asset": assets.url, "has_asset": assets.has, "address": address}
        self._environment.globals["because"] = because
        self._environment.filters |= {"day": self._day, "moment": self._moment, "clock": self._clock}
        self._environment.filters |= {
            "person": names.person_beside,
            "agent": names.agent_beside,
            "plain_person": names.person,
            "plain_agent": names.agent,
        }
        self.zone = zone
        self.names = names

    @property
    def environment(self) -> Environment:
        """For areas that add filters of their own."""
        return self._environment

    def compile_all(self) -> None:
        """Read and compile every template, once all filters are there: nobody waits for it later."""
        for name in self._environment.list_templates():
            if name not in _OF_THE_BOARD:
                self._environment.get_template(name)

    def page(self, ask: Ask, template: str, *, status: int = 200, **values: object) -> web.Response:
        """A page, or a part of one, as an answer.

        The template sees ``ask``, ``person``, ``t``, ``language``, ``csrf`` and ``values``; ``frame.html.j2``
        also ``menu`` (the groups of links that this person may follow) and ``flash``.
        """
        flash = ask.flash if ask.flash in ask.texts.keys and not ask.partial else ""
        text = self._environment.get_template(template).render(
            ask=ask,
            person=ask.person,
            t=ask.texts,
            language=ask.texts.language,
            csrf=ask.csrf,
            menu=menu_for(ask.person, ask.path),
            flash=flash,
            other_language=other_language(ask),
            **values,
        )
        headers = {
            "Content-Language": ask.texts.language,
            "Vary": "Accept-Language, Cookie, HX-Request",
            **({"Set-Cookie": flash_shown()} if flash else {}),
        }
        return web.Response(text=text, content_type="text/html", status=status, headers=headers)

    def refusal(self, ask: Ask, status: int) -> web.Response:
        """The page that says why there is no other."""
        known = status if status in _STATUSES else 400 if status < 500 else 500
        return self.page(ask, "refusal.html.j2", status=status, known=known)

    def _day(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%Y-%m-%d}"

    def _moment(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def _clock(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%H:%M:%S}"


def seen_elsewhere(location: str, flash: str = "") -> web.Response:
    """After a form was taken: see there (303). The text of the key ``flash`` is shown there, once."""
    answer = web.Response(status=303, headers={"Location": location})
    if flash:
        answer.headers.add("Set-Cookie", flash_cookie(flash))
    return answer


def address(path: str, query: object = (), **changed: object) -> str:
    """An address with its query; ``changed`` parameters replace those of ``query``, empty ones are left out."""
    pairs = [(name, value) for name, value in getattr(query, "items", lambda: ())() if name not in changed]
    pairs += [(name, str(value)) for name, value in changed.items()]
    told = urlencode([(name, value) for name, value in pairs if value not in ("", "None")])
    return f"{path}?{told}" if told else path


def other_language(ask: Ask) -> tuple[str, str]:
    """The language that the page is not in, and the same page in it."""
    at = LANGUAGES.index(ask.texts.language)
    other = LANGUAGES[(at + 1) % len(LANGUAGES)]
    path = ask.path if ask.method in ("GET", "HEAD") else "/"
    return other, address(path, ask.query, lang=other)
