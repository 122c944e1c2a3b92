"""Complaints counted for management, on SQLite and a real PostgreSQL; the report made of them (C7, K7)."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.call import Call
from calls.case_figures import CaseSums, Facet, Group, Span
from calls.cases import CauseId, Channel, ComplaintType, DepartmentId, Login
from calls.custody import Leg
from calls.errors import ReportError
from calls.ids import CallId, SectionId
from calls.people import Scope
from calls.periods import Grain, Period
from calls.transcript import Turn, Word
from cases.catalogue import read_catalogue
from cases.forecast import TooLittle
from cases.report.html import to_html
from cases.report.model import gather
from cases.report.words import LANGUAGES, load_words
from cases.report.xlsx import to_xlsx
from service.complaint_reports import ComplaintWish, make_complaint_reports, read_formats
from service.settings import Settings
from storage.case_statistics import SqlCaseStatistics
from storage.cases import SqlCases
from storage.engine import open_engine
from storage.ledger import SqlLedger
from storage.search import MaskedLeg, Said, SqlSearch
from storage.work_orders import SqlOrders
from tests.support_cases import CLOCKS, COMPLAINT, SHANGHAI, SetClock, asked, local, registered, steps
from tests.support_ledger import story
from tests.support_prepared import dropped, prepared

EVERYTHING = Scope(everything=True)
NOVEMBER = Period.containing(local("2026-11-10 00:00"), Grain.MONTH, SHANGHAI)
SPAN = Span(*NOVEMBER.span)
NOW = local("2026-12-01 10:00")
SPOKEN = ((Leg.CALLER, "空调坏了"), (Leg.AGENT, "您好"))


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    address = await prepared(request.param, tmp_path)
    yield address
    dropped(address)


@pytest_asyncio.fixture
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    found = open_engine(url)
    yield found
    await found.dispose()


async def filled(engine: AsyncEngine) -> None:
    """November: three about facilities, two of them one department's, one of it dissatisfied first; one open about
    service, by letter. October: one. A year of months before that, one more each.
    """
    book, number = SqlCases(engine, SHANGHAI, CLOCKS), 0

    async def one(day: str, returned: int = 0, dissatisfied: int = 0, **fields: object) -> None:
        nonlocal number
        number += 1
        case = await book.register(registered(local(f"{day} 09:00"), **fields), f"k{number}")
        if fields.get("channel") is Channel.LETTER:
            return
        for event in steps(
            [case.registered_at + timedelta(hours=1)], returned=returned, dissatisfied=dissatisfied
        ):
            case = await book.append(case.number, case.version, event)

    fault = {"cause": CauseId("equipment_fault"), "place": "西站"}
    await one("2026-11-03", **fault)
    await one("2026-11-04", dissatisfied=1, **fault)
    await one("2026-11-05", place="东站", key_customer=True)
    await one(
        "2026-11-06",
        type=ComplaintType.SERVICE,
        channel=Channel.LETTER,
        section=SectionId("ticketing"),
        owner=Login("x"),
    )
    await one("2026-10-09", cause=CauseId("staff_attitude"), type=ComplaintType.SERVICE)


async def test_groups_add_up_to_the_whole(engine: AsyncEngine) -> None:
    await filled(engine)
    statistics = SqlCaseStatistics(engine, SetClock(NOW))
    whole = await statistics.whole(SPAN, EVERYTHING)
    assert whole == CaseSums(
        cases=4,
        key_customers=1,
        registered_late=0,
        closed=3,
        again=1,
        steps_due=5 + 10 + 5 + 1,
        steps_in_time=5 + 10 + 5,
        asked=3,
        satisfied=3,
        first_satisfied=2,
    )
    for facet in set(Facet) - {Facet.DEPARTMENT}:
        groups = await statistics.groups(SPAN, facet, EVERYTHING)
        assert sum((group.sums for group in groups), CaseSums()) == whole, facet
    types = await statistics.groups(SPAN, Facet.TYPE, EVERYTHING)
    assert [(group.value, group.sums.cases) for group in types] == [("facilities", 3), ("service", 1)]


async def test_a_department_answers_for_its_own_steps_alone(engine: AsyncEngine) -> None:
    await filled(engine)
    groups = await SqlCaseStatistics(engine, SetClock(NOW)).groups(SPAN, Facet.DEPARTMENT, EVERYTHING)
    by_value = {group.value: group.sums for group in groups}
    assert by_value["stations"].steps_due == 2 + 4 + 2 and by_value["stations"].cases == 3
    assert by_value[None].cases == 1 and by_value[None].steps_due == 0


async def test_figures_are_within_reach(engine: AsyncEngine) -> None:
    await filled(engine)
    statistics = SqlCaseStatistics(engine, SetClock(NOW))
    own = Scope(sections=frozenset({COMPLAINT}))
    assert (await statistics.whole(SPAN, own)).cases == 3
    assert (await statistics.groups(SPAN, Facet.SECTION, Scope())) == []
    assert await statistics.cross(SPAN, Facet.DEPARTMENT, Facet.TYPE, EVERYTHING) == {
        ("stations", "facilities"): 3,
        ("", "service"): 1,
    }
    months = [Span(*each.span) for each in (NOVEMBER.previous(), NOVEMBER)]
    assert await statistics.series(months, EVERYTHING) == [1, 4]
    assert await statistics.series(months, EVERYTHING, DepartmentId("stations")) == [1, 3]
    assert await statistics.series([], EVERYTHING) == []
    assert await statistics.first(EVERYTHING) == local("2026-10-09 09:00")


async def test_words_come_from_cases_inquiries_and_what_callers_said(engine: AsyncEngine) -> None:
    await filled(engine)
    await SqlOrders(engine, SHANGHAI).file(asked(local("2026-11-10 10:00"), content="退票"), "i")
    told = story("h-1.1", asked=1, ended=9)
    await SqlLedger(engine).record(told)
    call = Call.of(told)
    turns = [Turn(leg, (Word(text, 0.0, 1.0, 0.9),)) for leg, text in SPOKEN]
    said = Said(CallId("h-1.1"), local("2026-11-11 10:00"), call.section, None)
    masked = {turn.leg: MaskedLeg((turn,), ()) for turn in turns}
    await SqlSearch(engine).index(said, masked, NOW)
    found = [each.text for each in await SqlCaseStatistics(engine, SetClock(NOW)).wordings(SPAN)]
    assert len(found) == 4 + 1 + 1 and "空调坏了" in found and "您好" not in found


async def test_the_report_says_what_matters_in_both_languages(engine: AsyncEngine) -> None:
    await filled(engine)
    report = await gather(SqlCaseStatistics(engine, SetClock(NOW)), NOVEMBER, NOW)
    assert report.provisional and isinstance(report.expected, TooLittle)
    assert report.pareto[0].value == "equipment_fault" and report.pareto[0].share == 1.0
    for language in LANGUAGES:
        words = load_words(language, read_catalogue())
        findings = words.findings(report)
        assert len(findings) >= 5 and "4" in findings[0]
        page = to_html(report, words, "95000", "http://console").decode()
        assert "http://console/cases?type=facilities&amp;since=2026-11-01&amp;until=2026-12-01" in page
        assert "<svg" in page and "13800138000" not in page and "张三" not in page
        printed = to_html(report, words, "95000", "http://console", printed=True).decode()
        assert "http://console" not in printed
        book = openpyxl.load_workbook(io.BytesIO(to_xlsx(report, words, "95000")))
        assert len(book.sheetnames) == 10
        types = book.worksheets[1]
        assert types["B2"].value == 3 and types["C2"].value == 0 and types["E2"].value == 1.0


async def test_a_period_without_complaints_says_so(engine: AsyncEngine) -> None:
    report = await gather(SqlCaseStatistics(engine, SetClock(NOW)), NOVEMBER, NOW)
    words = load_words("zh-CN", read_catalogue())
    assert words.findings(report) == ["本期没有登记投诉。"]
    assert "没有登记投诉" in to_html(report, words, "95000").decode() and to_xlsx(report, words, "95000")


def test_every_text_of_the_report_is_there_and_used() -> None:
    chinese, english = (load_words(language, read_catalogue()) for language in LANGUAGES)
    assert chinese.keys == english.keys
    for key in chinese.keys:
        places = [set(re.findall(r"\{(\w+)[:}]", words._texts[key])) for words in (chinese, english)]
        assert places[0] == places[1], key
    folder = Path(__file__).parents[2] / "cases" / "report"
    source = "".join(
        path.read_text("utf-8") for pattern in ("*.py", "templates/*.j2") for path in folder.glob(pattern)
    )
    by_name = ("type.", "channel.", "kind.", "column.", "definition.", "period.", "say.")
    assert [key for key in chinese.keys if key not in source and not key.startswith(by_name)] == []


def test_what_is_asked_for_must_be_sensible(tmp_path: Path) -> None:
    with pytest.raises(ReportError):
        read_formats("pdf")
    with pytest.raises(ReportError):
        load_words("ko", read_catalogue())
    settings, clock = Settings(var_dir=tmp_path), SetClock(NOW)
    for wish in (
        ComplaintWish(Grain.MONTH, "2026-Q4"),
        ComplaintWish(Grain.MONTH, "2027-01"),
        ComplaintWish(Grain.MONTH),
    ):
        with pytest.raises(ReportError):
            make_complaint_reports(settings, wish, clock)


def test_the_files_are_written(tmp_path: Path) -> None:
    import asyncio

    address = asyncio.run(prepared("sqlite", tmp_path))
    settings = Settings(var_dir=tmp_path, database_url=address)
    wish = ComplaintWish(Grain.QUARTER, formats=read_formats("html, xlsx,print"), language="en")
    files = make_complaint_reports(settings, wish, SetClock(NOW))
    stem = "complaints-95000-2026-Q3-en"
    assert [file.name for file in files] == [f"{stem}.html", f"{stem}.xlsx", f"{stem}-print.html"]
    assert all(file.stat().st_size > 2000 for file in files)
    assert Group(None, CaseSums()).sums.timeliness.value is None
