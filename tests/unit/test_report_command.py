"""``sansheng report``: which period, and errors in the words of who asked."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from calls.errors import SanshengError
from metrics.reports.model import ReportKind
from service.cli import main
from service.reports import Wish, chosen_period, read_wish
from service.settings import Settings

NOW = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)
"""Half past midnight on Monday the 23rd in Shanghai."""

Run = Callable[..., tuple[int, str, str]]

LAST_WHOLE = [
    (ReportKind.DAILY, "2026-11-22"),
    (ReportKind.WEEKLY, "2026-W47"),
    (ReportKind.MONTHLY, "2026-10"),
    (ReportKind.QUARTERLY, "2026-Q3"),
    (ReportKind.YEARLY, "2025"),
]


@pytest.mark.parametrize(("kind", "label"), LAST_WHOLE)
def test_the_last_whole_period_unless_another_is_named(kind: ReportKind, label: str) -> None:
    assert chosen_period(Wish(kind), Settings(), NOW).label == label


def test_the_operators_time_zone_decides_which_day_it_is() -> None:
    assert chosen_period(Wish(ReportKind.DAILY), Settings(timezone="UTC"), NOW).label == "2026-11-21"


DAYS = [
    (ReportKind.DAILY, "2026-11-23", "2026-11-23"),  # today, as far as it has gone
    (ReportKind.WEEKLY, "2026-11-22", "2026-W47"),
    (ReportKind.MONTHLY, "2026-02-28", "2026-02"),
    (ReportKind.QUARTERLY, "2026-06-30", "2026-Q2"),
    (ReportKind.YEARLY, "2024-02-29", "2024"),
]


@pytest.mark.parametrize(("kind", "day", "label"), DAYS)
def test_the_period_with_a_day_in_it(kind: ReportKind, day: str, label: str) -> None:
    assert chosen_period(Wish(kind, day=day), Settings(), NOW).label == label


REFUSED = [
    (Wish(ReportKind.DAILY, day="2026-11-24"), "2026-11-24 has not begun yet"),
    (Wish(ReportKind.MONTHLY, period="2026-12"), "2026-12 has not begun yet"),
    (Wish(ReportKind.DAILY, day="2026-02-30"), "no day 2026-02-30"),
    (Wish(ReportKind.DAILY, day="yesterday"), "'yesterday'"),
    (Wish(ReportKind.DAILY, day="2026-11"), "--date wants a day"),
    (Wish(ReportKind.MONTHLY, period="2026-13"), "no month 2026-13"),
    (Wish(ReportKind.MONTHLY, period="2026-Q4"), "a monthly report is about a month, and 2026-Q4 is a quarter"),
    (Wish(ReportKind.YEARLY, period="last"), "'last' is not a period"),
]


@pytest.mark.parametrize(("wish", "told"), REFUSED, ids=[told for _, told in REFUSED])
def test_periods_that_cannot_be_reported_on(wish: Wish, told: str) -> None:
    with pytest.raises(SanshengError, match=told):
        chosen_period(wish, Settings(), NOW)


def test_words_of_the_command_line() -> None:
    wish = read_wish(
        "monthly",
        date=None,
        period="2026-10",
        formats="csv,html, csv",
        folder=None,
        language="en",
        versions=["K2=2", "K2r=1012"],
    )
    assert wish.formats == ("csv", "html")
    assert wish.versions == {"K2": 2, "K2r": 1012}


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command with settings of its own; status, output and errors."""
    config = tmp_path / "centre.toml"
    config.write_text(f'var_dir = "{tmp_path / "var"}"', encoding="utf-8")

    def run_command(*words: str, config: Path = config) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["--config", str(config), "report", *words])
        printed = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, printed.out, printed.err

    return run_command


WRONG = [
    (["daily", "--format", "pdf"], "there is no format pdf: choose from html, xlsx, csv"),
    (["daily", "--format", ","], "there is no format"),
    (["daily", "--language", "fr"], "there are no reports in fr"),
    (["daily", "--kpi-version", "K2"], "'K2' is not an indicator's version: write K2=1"),
    (["daily", "--period", "2026-11"], "a daily report is about a day"),
    (["daily", "--out", "/proc/reports"], "cannot write reports into /proc/reports"),
    (["daily"], "there is no ledger at"),
]


@pytest.mark.parametrize(("words", "told"), WRONG, ids=[told for _, told in WRONG])
def test_what_is_wrong_is_told_in_one_sentence(run: Run, words: list[str], told: str) -> None:
    status, out, err = run(*words)
    assert (status, out) == (1, "")
    assert err.startswith("sansheng: ")
    assert told in err
    assert len(err.splitlines()) == 1


def test_a_database_that_is_away_is_told(run: Run, tmp_path: Path) -> None:
    away = tmp_path / "away.toml"
    away.write_text(f'var_dir = "{tmp_path}"\ndatabase_url = "postgresql://hotline@/books?host={tmp_path}"')
    status, out, err = run("daily", config=away)
    assert (status, out) == (1, "")
    assert "the database cannot be reached" in err
    assert len(err.splitlines()) == 1
    assert not list((tmp_path / "reports").iterdir())


def test_a_ledger_of_an_older_version_is_told_and_left_as_it_is(run: Run, tmp_path: Path) -> None:
    ledger = tmp_path / "var" / "ledger.db"
    ledger.parent.mkdir()
    with sqlite3.connect(ledger) as connection:
        connection.execute("CREATE TABLE calls (call_id TEXT)")
    connection.close()
    status, out, err = run("daily")
    assert (status, out) == (1, "")
    assert "has the service of this version been started?" in err
    with sqlite3.connect(ledger) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("calls",)]
    connection.close()


@pytest.mark.parametrize("words", [[], ["hourly"], ["daily", "--date", "2026-11-21", "--period", "2026-11-21"]])
def test_words_that_make_no_command_show_how_it_is_used(run: Run, words: list[str]) -> None:
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert "usage: sansheng report" in err
