"""What the complaint report says in one language: texts, and the sentences that management reads first (C7)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime, tzinfo
from pathlib import Path

from calls.case_figures import CaseSums, Facet
from calls.errors import ReportError
from calls.ids import Language
from calls.periods import Grain, Period
from calls.ports import Ratio
from cases.catalogue import Catalogue
from cases.forecast import Forecast, Method, TooLittle
from cases.report.model import Report
from cases.statistics import FEW, Compared

LANGUAGES = (Language("zh-CN"), Language("en"))
NOTHING = "–"
_FOLDER = Path(__file__).parent / "words"


class Words:
    """The texts of one language, by keys such as ``part.types``."""

    def __init__(self, language: Language, texts: Mapping[str, str], catalogue: Catalogue) -> None:
        self.language = language
        self._texts = texts
        self._catalogue = catalogue

    def __call__(self, key: str, **values: object) -> str:
        """The text, its ``{places}`` filled. Raises KeyError if there is none."""
        text = self._texts[key]
        return text.format(**values) if values else text

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all texts."""
        return frozenset(self._texts)

    def value(self, facet: Facet, value: str | None) -> str:
        """What a group is called."""
        if not value:
            return self("group.unknown")
        match facet:
            case Facet.CAUSE:
                return self._catalogue.cause_name(value, self.language)
            case Facet.DEPARTMENT:
                return self._catalogue.department_name(value, self.language)
            case Facet.TYPE | Facet.CHANNEL:
                return self._texts.get(f"{facet.value}.{value}", value)
            case _:
                return value

    def title(self, hotline: str, period: Period) -> str:
        """What the report is called."""
        return self(
            "head.title", hotline=hotline, kind=self(f"kind.{period.grain.value}"), period=self.period(period)
        )

    def period(self, period: Period) -> str:
        """A month, quarter or year as people write it."""
        day = period.day
        names = {
            Grain.MONTH: lambda: self("period.month", year=day.year, month=day.month),
            Grain.QUARTER: lambda: self("period.quarter", year=day.year, quarter=(day.month + 2) // 3),
            Grain.YEAR: lambda: self("period.year", year=day.year),
        }
        return names[period.grain]() if period.grain in names else period.label

    def moment(self, moment: datetime, zone: tzinfo) -> str:
        """To the minute."""
        return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"

    def rate(self, ratio: Ratio) -> str:
        """A share in percent, with one decimal, never rounded up to a hundred."""
        if ratio.value is None:
            return NOTHING
        percent = int(ratio.value * 1000) / 10 if ratio.value < 1 else 100.0
        return f"{percent:.1f} %"

    def rate_of(self, ratio: Ratio) -> str:
        """A share with what it is made of."""
        return f"{self.rate(ratio)} ({ratio.numerator}/{ratio.denominator})" if ratio.denominator else NOTHING

    def change(self, now: int, before: int) -> str:
        """The difference, and as a share where that means something."""
        if now == before:
            return "±0"
        share = f" ({(now - before) / before:+.0%})" if before >= FEW else ""
        return f"{now - before:+d}{share}"

    def points(self, now: Ratio, before: Ratio) -> str:
        """The difference of two shares in percentage points."""
        if now.value is None or before.value is None:
            return NOTHING
        return self("value.points", n=f"{100 * (now.value - before.value):+.1f}")

    # ── Sentences ────────────────────────────────────────────────────────────────────────────────────────────

    def findings(self, report: Report) -> list[str]:
        """What the figures say, the most important first; nothing is concluded from few cases."""
        whole = report.whole
        if not whole.cases:
            return [self("say.none")]
        found = [self._number(report)]
        found += [self._rate("say.timeliness", whole.timeliness, report.whole_before.timeliness)]
        found += [self._rate("say.satisfaction", whole.satisfaction, report.whole_before.satisfaction)]
        found += self._causes(report) + self._worst(report) + self._attention(whole)
        return [*found, self.expected(report.expected)]

    def _number(self, report: Report) -> str:
        now, before, then = report.whole.cases, report.whole_before.cases, report.whole_year_ago.cases
        return self(
            "say.number",
            n=now,
            before=self.change(now, before),
            year_ago=self.change(now, then) if then else NOTHING,
        )

    def _rate(self, key: str, now: Ratio, before: Ratio) -> str:
        if not now.denominator:
            return self(f"{key}_none")
        return self(key, rate=self.rate_of(now), change=self.points(now, before))

    def _causes(self, report: Report) -> list[str]:
        vital = [line for line in report.pareto if line.vital]
        if not vital or report.whole.cases < FEW:
            return []
        names = self("value.and").join(self.value(Facet.CAUSE, line.value) for line in vital[:3])
        return [self("say.causes", causes=names, share=f"{vital[:3][-1].cumulated:.0%}")]

    def _worst(self, report: Report) -> list[str]:
        judged = [each for each in report.departments if each.now.steps_due >= FEW]
        if len(judged) < 2 or judged[0].now.timeliness.value == 1.0:
            return []  # the only one is neither the best nor the worst
        first = judged[0]
        name = self.value(Facet.DEPARTMENT, first.value)
        return [self("say.worst", department=name, rate=self.rate_of(first.now.timeliness))]

    def _attention(self, whole: CaseSums) -> list[str]:
        found = []
        if whole.registered_late:
            found.append(self("say.registered_late", n=whole.registered_late))
        if whole.again:
            found.append(self("say.again", n=whole.again))
        if whole.closed < whole.cases:
            found.append(self("say.open", n=whole.cases - whole.closed))
        return found

    def expected(self, expected: Forecast | TooLittle) -> str:
        """The forecast in words, and how far such forecasts have been off."""
        if isinstance(expected, TooLittle):
            return self("say.too_little", months=expected.months, needed=expected.needed)
        first = expected.months[0]
        key = "say.expected" if expected.method is Method.ETS else "say.expected_plain"
        return self(
            key,
            n=f"{first.cases:.0f}",
            low=f"{first.low:.0f}",
            high=f"{first.high:.0f}",
            error=f"{expected.error:.1f}",
            plain=f"{expected.plain_error:.1f}",
            inside=expected.inside,
            share=f"{expected.inside / expected.tried:.0%}",
            tried=expected.tried,
        )

    def note(self, line: Compared) -> str:
        """What must be said with a group."""
        return self("value.few") if line.says_little else ""


def load_words(language: str, catalogue: Catalogue) -> Words:
    """Raises ReportError for a language that reports are not written in."""
    if language not in LANGUAGES:
        raise ReportError(f"reports are written in {' and '.join(LANGUAGES)}, not in {language[:20]}")
    told = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    texts = {f"{group}.{name}": text for group, names in told.items() for name, text in names.items()}
    return Words(Language(language), texts, catalogue)
