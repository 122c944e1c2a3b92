"""Gathering a report: the right periods, few questions, nobody left out (C7, K1 to K7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from calls.measures import Dimension
from calls.periods import Grain
from metrics.reports.model import ReportKind, Trend
from tests.support_report_model import NOW, GivenBooks, made_up_report

EVERY = [
    (ReportKind.DAILY, "2026-11-21", "2026-11-20", "2025-11-21", 24),
    (ReportKind.WEEKLY, "2026-W47", "2026-W46", "2025-W47", 7),
    (ReportKind.MONTHLY, "2026-10", "2026-09", "2025-10", 31),
    (ReportKind.QUARTERLY, "2026-Q1", "2025-Q4", "2025-Q1", 3),
    (ReportKind.YEARLY, "2025", "2024", "2024", 12),
]


@pytest.mark.parametrize(("kind", "label", "before", "year_before", "steps"), EVERY)
async def test_compared_with_the_period_before_and_the_same_last_year(
    kind: ReportKind, label: str, before: str, year_before: str, steps: int
) -> None:
    report = await made_up_report(kind, label)
    assert report.lines
    for line in report.lines:
        assert [figure.period.label for figure in line.compared.values()] == [label, before, year_before]
    assert len(report.course) == steps
    assert report.course[0].period.start == report.period.start
    assert report.course[-1].period.end == report.period.end


async def test_a_year_costs_no_more_questions_than_a_day() -> None:
    day, year = GivenBooks(["2026-11"]), GivenBooks(["2025"])
    await made_up_report(ReportKind.DAILY, "2026-11-21", books=day)
    await made_up_report(ReportKind.YEARLY, "2025", books=year)
    assert len(day.asked) == len(year.asked) <= 6
    assert (12, None) in year.asked  # all months in one question
    assert [by for _, by in year.asked].count(Dimension.SECTION) == 1


async def test_every_indicator_is_there_with_what_it_was_made_of() -> None:
    report = await made_up_report()
    k1, k2, k2r, asa = (report.line(kpi_id) for kpi_id in ("K1", "K2", "K2r", "ASA"))
    assert k1 and k2 and k2r and asa
    assert (k1.now.numerator, k1.now.denominator) == (115, 120)
    assert (k2.now.numerator, k2.now.denominator) == (75 + 20, 120)
    assert (k2r.now.numerator, k2r.now.denominator) == (90, 124)
    assert asa.now.value == pytest.approx(500 / 115)
    assert {line.kpi.id for line in report.lines} >= {"K1", "K2", "K2r", "K3", "K4", "K5", "K5sum", "K6", "K7t"}
    shown = [line.kpi.id for line in (*report.official, *report.adjusted, *report.counts)]
    assert sorted(shown) == sorted(line.kpi.id for line in report.lines)  # each once
    assert "SL80_20" in [line.kpi.id for line in report.adjusted]


async def test_no_data_is_not_a_rate_of_0() -> None:
    report = await made_up_report()
    k1 = report.line("K1")
    assert k1
    assert k1.year_before.value is None
    assert k1.change(k1.year_before) is None
    assert k1.trend(k1.year_before) is None
    assert k1.trend(k1.before) is Trend.SAME


async def test_sections_and_agents_appear_even_without_a_call() -> None:
    report = await made_up_report()
    assert [group.name for group in report.sections] == ["inquiry", "ticketing", "complaint"]
    assert [group.name for group in report.agents] == ["1002", "1003", "1001"]
    ticketing = report.sections[1].line("K1")
    asked = report.sections[1].line("N_ASKED")
    assert ticketing and asked
    assert ticketing.now.value is None
    assert ticketing.now.slice.section == "ticketing"
    assert asked.now.value == 0
    inquiry = report.sections[0].line("K1")
    assert inquiry
    assert (inquiry.now.numerator, inquiry.now.denominator) == (95, 100)


async def test_another_version_is_used_everywhere() -> None:
    report = await made_up_report(versions={"K2": 2})
    k2, of_section = report.line("K2"), report.sections[0].line("K2")
    assert k2 and of_section
    assert (k2.kpi.version, k2.now.version, k2.now.numerator) == (2, 2, 60 + 20)
    assert (of_section.now.version, of_section.now.numerator) == (2, 60)
    assert all(step.figures["K2"].version == 2 for step in report.course)


async def test_clocks_by_limit() -> None:
    report = await made_up_report()
    assert report.waits.total == 120
    assert report.waits.done == 115
    assert dict(report.waits.within)[12] == 60 + 20
    assert report.waits.share(12) == 80 / 120
    assert report.waits.share(13) is None
    assert report.rings.total == 124
    assert dict(report.rings.within)[5] == 30
    assert report.waits_before == report.waits


async def test_outages_are_clipped_to_the_period_and_planned_ones_stand_apart() -> None:
    report = await made_up_report()
    trunk, ami = report.outages.of(planned=False)
    (disk,) = report.outages.of(planned=True)
    assert report.outages.duration(trunk) == timedelta(hours=1)
    assert report.outages.duration(ami) == timedelta(minutes=30)
    assert report.outages.duration(disk) == timedelta(hours=15)  # not over: to the end of the day
    assert [(name, times, lasted) for name, times, lasted in report.outages.by_component] == [
        ("ami", 1, timedelta(minutes=30)),
        ("trunk", 1, timedelta(hours=1)),
    ]
    k5, k5sum = report.line("K5"), report.line("K5sum")
    assert k5 and k5sum
    # Two hours are announced maintenance of everything: no scheduled time, and no outage in it.
    assert k5.now.denominator == k5sum.now.denominator == 22 * 3600


async def test_quality_notes() -> None:
    quality = (await made_up_report()).quality
    assert (quality.missing_recordings, quality.answered) == (2, 115)
    assert quality.unrecorded_calls == ("hotline-1.2",)
    assert quality.repaired_calls == 2
    assert quality.repairs_by_kind == ((("ami", "ended"), 2), (("ami", "connected"), 1))
    assert len(quality.discrepancies) == 1
    assert quality.tests == 3


async def test_a_period_that_is_not_over_is_provisional_as_a_whole() -> None:
    over = await made_up_report()
    assert not over.ongoing
    going_on = await made_up_report(now=datetime(2026, 11, 21, 8, tzinfo=UTC))
    assert going_on.ongoing and going_on.provisional
    assert all(line.now.provisional for line in going_on.lines)
    assert going_on.outages.until == datetime(2026, 11, 21, 8, tzinfo=UTC)


async def test_what_settles_later_does_not_make_the_rest_provisional() -> None:
    report = await made_up_report()
    k1, k4 = report.line("K1"), report.line("K4")
    assert k1 and k4
    assert (k1.now.provisional, k4.now.provisional) == (False, True)
    assert not report.provisional  # K4 has no data


async def test_nothing_at_all() -> None:
    report = await made_up_report(books=GivenBooks([]), troubles=False)
    assert report.sections == report.agents == ()
    assert report.waits.share(15) is None
    assert len(report.course) == 24
    assert report.as_of == NOW
    assert report.period.grain is Grain.DAY
