"""What a report says in one language: texts, and how figures, changes, periods and moments are written."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from pathlib import Path

from calls.errors import ReportError
from calls.figures import Figure, Unit
from calls.ids import Language
from calls.outages import EVERYTHING, Component
from calls.periods import Grain, Period
from metrics.kpi.model import Kpi
from metrics.reports.model import Line

LANGUAGES = (Language("zh-CN"), Language("en"))
"""What reports are written in; the first is the one that nobody asked for."""

NOTHING = "–"
"""In place of a figure without data, which is not the same as 0."""

_FOLDER = Path(__file__).parent / "words"
_ALMOST_ALL = 0.999
"""From here to 1 a share is shown with four decimals: the last tenth of a percent is what K5 is about."""


class Words:
    """The words of one language, by keys such as ``part.summary``, and names from outside."""

    def __init__(self, language: Language, by_key: Mapping[str, str], section_names: Mapping[str, str]) -> None:
        self.language = language
        self._by_key = by_key
        self._section_names = section_names

    def __call__(self, key: str, **values: object) -> str:
        """The text, its ``{places}`` filled. Raises KeyError if there is no such text."""
        text = self.text(key)
        return text.format(**values) if values else text

    def text(self, key: str) -> str:
        """The text as it stands in the file."""
        return self._by_key[key]

    def named(self, group: str, name: str) -> str:
        """The text of something whose names come from outside; the name itself if it has none here."""
        return self._by_key.get(f"{group}.{name}", name)

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all texts."""
        return frozenset(self._by_key)

    def title(self, hotline: str, kind: str, period: Period) -> str:
        """What the report is called."""
        return f"{self('head.title', hotline=hotline, kind=self(f'kind.{kind}'))} {self.period(period)}"

    def section(self, name: str) -> str:
        """The section's name in this language; its id if it has none."""
        return self._section_names.get(name, name)

    def components(self, components: Iterable[Component]) -> str:
        """Components by name; in a word if it is all of them."""
        named = frozenset(components)
        if named == EVERYTHING:
            return self("component.all")
        return self("value.and").join(self.named("component", each) for each in Component if each in named)

    def of(self, texts: Mapping[str, str]) -> str:
        """One of the catalogue's texts, which are in both languages."""
        return texts[self.language]

    # ── Figures ──────────────────────────────────────────────────────────────────────────────────────────────────

    def value(self, figure: Figure) -> str:
        """The figure's value for people, or that there is none."""
        if figure.value is None:
            return self("mark.no_data")
        if figure.unit is Unit.RATIO:
            return self("value.percent", n=share(figure.value))
        if figure.unit is Unit.SECONDS:
            return self("value.seconds", n=f"{figure.value:,.1f}")
        return self("value.number", n=number(figure.value, 1))

    def change(self, line: Line, earlier: Figure) -> str:
        """The difference with its sign: percentage points of a rate, else the unit; ``–`` without data."""
        change = line.change(earlier)
        if change is None:
            return NOTHING
        if line.now.unit is Unit.RATIO:
            return self("change.points", n=signed(change * 100, 2))
        if line.now.unit is Unit.SECONDS:
            return self("change.seconds", n=signed(change, 1))
        if line.now.unit is Unit.CALLS and earlier.value:
            return self("change.of_before", n=signed(change, 0), percent=signed(100 * change / earlier.value, 1))
        return self("change.number", n=self.short_change(line, earlier))

    def short_change(self, line: Line, earlier: Figure) -> str:
        """The difference without its unit, where there is little room."""
        change = line.change(earlier)
        if change is None:
            return NOTHING
        if line.now.unit is Unit.RATIO:
            return signed(100 * change, 2)
        return signed(change, 0 if line.now.unit is Unit.CALLS else 1)

    def share(self, value: float | None) -> str:
        """A share in percent; ``–`` of nothing."""
        return NOTHING if value is None else self("value.percent", n=share(value))

    def trend(self, line: Line, earlier: Figure) -> str:
        """Whether the difference is good, in a word; nothing if that cannot be told."""
        trend = line.trend(earlier)
        return self(f"trend.{trend}") if trend else ""

    def version(self, kpi: Kpi) -> str:
        """For example ``K2 v1``."""
        return f"{kpi.id} v{kpi.version}"

    # ── Times ────────────────────────────────────────────────────────────────────────────────────────────────────

    def moment(self, moment: datetime, like: Period) -> str:
        """A moment to the second in the operator's time zone."""
        return f"{moment.astimezone(like.zone):%Y-%m-%d %H:%M:%S}"

    def span(self, period: Period) -> str:
        """The period's first and last instant."""
        return self("head.span", start=f"{period.start:%Y-%m-%d %H:%M}", end=f"{period.end:%Y-%m-%d %H:%M}")

    def period(self, period: Period) -> str:
        """The period as people call it."""
        return (_in_chinese if self.language == LANGUAGES[0] else _in_english)(period)

    def limit(self, seconds: float) -> str:
        """A limit of a clock, for example ``≤ 15 s``."""
        return self("band.within", s=number(seconds, 1))


def load_words(language: str, section_names: Mapping[str, Mapping[str, str]]) -> Words:
    """The words of a language; ``section_names`` by section and language. Raises ReportError for another one."""
    if language not in LANGUAGES:
        raise ReportError(f"there are no reports in {language}: choose {' or '.join(LANGUAGES)}")
    groups: dict[str, dict[str, str]] = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    by_key = {f"{group}.{name}": text for group, texts in groups.items() for name, text in texts.items()}
    names = {section: texts.get(language, section) for section, texts in section_names.items()}
    return Words(Language(language), by_key, names)


def number(value: float, decimals: int = 0) -> str:
    """A number with thousands apart and at most so many decimals: ``1,204``, ``12.5``."""
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def share(value: float) -> str:
    """A share in percent, without the sign. Cut, not rounded: 100 means all of them."""
    decimals = 4 if _ALMOST_ALL <= value < 1 else 2
    # The shortest decimal that means this float: 0.29 * 100 must not become 28.99.
    cut = (Decimal(repr(value)) * 100).quantize(Decimal(1).scaleb(-decimals), ROUND_DOWN)
    return f"{cut:.{decimals}f}"


def signed(value: float, decimals: int) -> str:
    """A difference with its sign; ``±0`` if nothing is left of it at this many decimals."""
    text = f"{value:+,.{decimals}f}"
    return text if any(digit in text for digit in "123456789") else "±0"


def axis_begin(lowest: float) -> float:
    """Where an axis of shares up to 1 begins, so that differences are seen: a round share, the lowest or below."""
    return next((begin for begin in (0.9, 0.8, 0.5) if lowest >= begin), 0.0)


def lasting(duration: timedelta) -> str:
    """A duration as ``h:mm:ss``, days counted in hours."""
    minutes, seconds = divmod(round(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def step_label(period: Period, of: Grain) -> str:
    """How a step is called on the axis of a chart, in as few signs as it can be."""
    match period.grain, of:
        case Grain.HOUR, _:
            return f"{period.start.hour}"
        case Grain.DAY, Grain.WEEK:
            return f"{period.start:%m-%d}"
        case Grain.DAY, _:
            return f"{period.start.day}"
        case _:
            return f"{period.start.month}"


def _in_chinese(period: Period) -> str:
    start = period.start
    match period.grain:
        case Grain.HOUR:
            return f"{start.year}年{start.month}月{start.day}日{start.hour}时"
        case Grain.DAY:
            return f"{start.year}年{start.month}月{start.day}日"
        case Grain.WEEK:
            year, week, _ = period.day.isocalendar()
            return f"{year}年第{week}周"
        case Grain.MONTH:
            return f"{start.year}年{start.month}月"
        case Grain.QUARTER:
            return f"{start.year}年第{'一二三四'[(start.month - 1) // 3]}季度"
        case Grain.YEAR:
            return f"{start.year}年"


_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def _in_english(period: Period) -> str:
    start = period.start
    month = _MONTHS[start.month - 1]
    match period.grain:
        case Grain.HOUR:
            return f"{start.day} {month} {start.year}, {start.hour:02}:00"
        case Grain.DAY:
            return f"{start.day} {month} {start.year}"
        case Grain.WEEK:
            year, week, _ = period.day.isocalendar()
            return f"week {week} of {year}"
        case Grain.MONTH:
            return f"{month} {start.year}"
        case Grain.QUARTER:
            return f"quarter {(start.month + 2) // 3} of {start.year}"
        case Grain.YEAR:
            return f"{start.year}"
