"""What reports say: the same in both languages, none missing, none left over; and how figures are written."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from calls.audit import Difference
from calls.errors import ReportError
from calls.events import Event, Source
from calls.figures import Unit
from calls.outages import EVERYTHING, Component
from calls.periods import Grain, Period
from metrics.reports import words as module
from metrics.reports.model import ReportKind, Trend
from metrics.reports.words import LANGUAGES, lasting, load_words, number, share, signed, step_label
from tests.support_report_model import SHANGHAI, made_up_report

FOLDER = Path(module.__file__).parent
ZH, EN = (load_words(language, {"inquiry": {"zh-CN": "咨询受理科"}}) for language in LANGUAGES)
_FROM_ENUMERATIONS = ("kind", "trend", "unit", "component", "event", "witness", "difference", "step")
_BY_NAME = ("agent", "clock", "chart", "column", "part")
"""Groups whose keys are put together in code and templates."""


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_both_languages_have_the_same_keys_and_the_same_places_to_fill() -> None:
    assert ZH.keys == EN.keys
    for key in ZH.keys:
        assert ZH.text(key).strip() and EN.text(key).strip(), key
        assert placeholders(ZH.text(key)) == placeholders(EN.text(key)), key


def test_english_is_not_left_untranslated() -> None:
    signs = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
    assert [key for key in EN.keys if signs.search(EN.text(key))] == []


def used() -> str:
    files = [*FOLDER.glob("*.py"), *(FOLDER / "templates").glob("*.j2")]
    return "".join(path.read_text("utf-8") for path in files)


def test_no_text_is_left_over() -> None:
    code = used()
    left = []
    for key in ZH.keys:
        group, name = key.split(".")
        by_name = group in _FROM_ENUMERATIONS or (group in _BY_NAME and f'"{name}"' in code)
        if f'"{key}"' not in code and not by_name:
            left.append(key)
    assert left == []


@pytest.mark.parametrize("words", [ZH, EN], ids=LANGUAGES)
def test_everything_from_outside_has_a_name(words: module.Words) -> None:
    for group, names in (
        ("kind", ReportKind),
        ("trend", Trend),
        ("unit", Unit),
        ("component", Component),
        ("witness", Source),
        ("difference", Difference),
        ("step", {kind.course_grain for kind in ReportKind}),
        ("event", {kind.kind for kind in _events(Event)}),
    ):
        for name in names:
            assert words(f"{group}.{name}")


def _events(base: type[Event]) -> list[type[Event]]:
    found = [sub for each in base.__subclasses__() for sub in (each, *_events(each))]
    return [each for each in found if hasattr(each, "kind")]


def test_names_from_outside_without_a_text_stand_for_themselves() -> None:
    assert ZH.section("inquiry") == "咨询受理科"
    assert EN.section("inquiry") == "inquiry"
    assert ZH.named("component", "tea kettle") == "tea kettle"
    assert EN.components(EVERYTHING) == "everything"
    assert EN.components({Component.DISK, Component.AMI}) == "Asterisk’s management link, disk"
    assert ZH.components({Component.DISK, Component.AMI}) == "Asterisk 管理连接、磁盘"


def test_an_unknown_language_is_told_with_those_there_are() -> None:
    with pytest.raises(ReportError, match="zh-CN or en"):
        load_words("fr", {})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "100.00"),
        (0.99999999, "99.9999"),
        (2999 / 3000, "99.9666"),
        (0.9989, "99.89"),
        (0.98996, "98.99"),
        (0.29, "29.00"),
        (0.0, "0.00"),
        (1e-9, "0.00"),
        (1.25, "125.00"),
        (-0.5, "-50.00"),
    ],
)
def test_shares_are_cut_so_that_100_means_all(value: float, text: str) -> None:
    assert share(value) == text


def test_numbers() -> None:
    assert [number(1204), number(12.50, 1), number(0), number(15.0, 1)] == ["1,204", "12.5", "0", "15"]
    assert number(316485.84, 1) == "316,485.8"
    assert number(100) == "100"
    assert [signed(0.004, 2), signed(-0.004, 2), signed(1.5, 2), signed(-1200, 0)] == [
        *("±0", "±0", "+1.50", "-1,200"),
    ]
    assert lasting(timedelta(days=1, hours=2, seconds=59.6)) == "26:01:00"
    assert lasting(timedelta()) == "0:00:00"


PERIODS = [
    ("2026-11-21T09", "2026年11月21日9时", "21 November 2026, 09:00"),
    ("2026-11-21", "2026年11月21日", "21 November 2026"),
    ("2027-W01", "2027年第1周", "week 1 of 2027"),
    ("2026-02", "2026年2月", "February 2026"),
    ("2026-Q4", "2026年第四季度", "quarter 4 of 2026"),
    ("2026", "2026年", "2026"),
]


@pytest.mark.parametrize(("label", "chinese", "english"), PERIODS)
def test_periods_as_people_call_them(label: str, chinese: str, english: str) -> None:
    period = Period.parse(label, SHANGHAI)
    assert (ZH.period(period), EN.period(period)) == (chinese, english)


def test_steps_on_an_axis_are_short() -> None:
    def label(of: str, grain: Grain) -> str:
        return step_label(Period.parse(of, SHANGHAI), grain)

    assert label("2026-11-21T09", Grain.DAY) == "9"
    assert label("2026-11-21", Grain.MONTH) == "21"
    assert label("2026-11-21", Grain.WEEK) == "11-21"
    assert label("2026-11", Grain.YEAR) == "11"


async def test_values_changes_and_what_they_mean() -> None:
    report = await made_up_report()
    k1, asa, asked, lost, k4 = (report.line(kpi_id) for kpi_id in ("K1", "ASA", "N_ASKED", "N_LOST", "K4"))
    assert k1 and asa and asked and lost and k4
    assert EN.value(k1.now) == "95.83 %"
    assert ZH.value(k1.year_before) == "无数据"
    assert EN.value(asa.now) == "4.3 s"
    assert EN.value(asked.now) == "120"
    assert EN.value(k4.now) == "no data"
    assert EN.change(k1, k1.before) == "±0 points"
    assert EN.change(k1, k1.year_before) == "–"
    assert EN.change(asked, asked.year_before) == "+120"  # nothing to make a percentage of
    assert EN.change(asked, asked.before) == "±0 (±0 %)"
    assert EN.trend(asked, asked.year_before) == ""
    assert EN.trend(lost, lost.before) == "same"
