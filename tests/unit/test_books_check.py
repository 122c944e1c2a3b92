"""``sansheng books check``: an independent look at everything on disk, rotated files included."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from calls.audit import Difference, Discrepancy, Repair
from calls.events import AnyEvent, Source
from calls.ids import CallId
from ivr.ami.translate import CelRecord, translate
from service.books_check import BooksCheck, Checked, books_of
from service.cli import main
from service.settings import Settings
from storage.audit import SqlAudit
from storage.ledger import SqlLedger
from tests.support_cel import as_line
from tests.support_ledger import NOON, story
from tests.support_prepared import prepared
from tests.unit.test_one_truth import records_example


class Clock:
    def now(self) -> datetime:
        return NOON + timedelta(hours=1)


@dataclass
class Books:
    log: Path
    ledger: SqlLedger
    audit: SqlAudit

    def write(self, *records: CelRecord) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a") as file:
            file.writelines(map(as_line, records))

    async def check(self, *, repair: bool = False) -> Checked:
        return await BooksCheck(self.log, self.ledger, self.audit, Clock(), repair=repair).run()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_validate({"var_dir": tmp_path})


@pytest_asyncio.fixture
async def books(settings: Settings) -> AsyncIterator[Books]:
    await prepared("sqlite", settings.var_dir)
    async with books_of(settings) as (ledger, audit):
        yield Books(settings.var_dir / "pbx" / "log" / "cel-custom" / "Master.csv", ledger, audit)


def numbered(number: int) -> list[CelRecord]:
    """A call as the event log has it, a minute after the one before."""
    later = timedelta(minutes=number)
    return [
        replace(
            record,
            at=record.at + later,
            unique_id=record.unique_id.replace(".", f".{number}"),
            linked_id=record.linked_id.replace(".", f".{number}"),
        )
        for record in records_example()
    ]


def events(records: list[CelRecord]) -> list[AnyEvent]:
    return [event for record in records if (event := translate(replace(record, source=Source.FILE)))]


async def test_books_that_are_as_the_log_has_it(books: Books) -> None:
    for number in range(3):
        books.write(*numbered(number))
        await books.ledger.record(events(numbered(number)))
        books.log.rename(books.log.with_name(f"Master.csv-{number}"))
    assert await books.check() == Checked(calls=3)


async def test_what_the_books_lack_is_told_and_added_on_demand(books: Books) -> None:
    books.write(*numbered(0), *numbered(1))
    await books.ledger.record(events(numbered(0))[:4])
    found = await books.check()
    assert len(found.differences) == 3 + 7
    assert not any("13900001234" in line for line in found.differences)  # P1
    assert (await books.check(repair=True)).added == 10
    assert await books.check() == Checked(calls=2)


async def test_another_time_than_the_logs_is_told(books: Books) -> None:
    books.write(*numbered(0))
    told = events(numbered(0))
    await books.ledger.record(
        [replace(told[0], at=told[0].at + timedelta(seconds=1), source=Source.AMI), *told[1:]]
    )
    (line,) = (await books.check()).differences
    assert "'arrived' is of" in line
    await books.check(repair=True)
    assert await books.check() == Checked(calls=1)


async def test_a_call_that_the_log_does_not_know_is_told_unless_that_was_noted(books: Books) -> None:
    books.write(*numbered(0), *numbered(2))
    await books.ledger.record([*events(numbered(0)), *events(numbered(2))])
    stranger = story("hotline-9.9", start=NOON + timedelta(minutes=1), asked=2, ended=9)
    await books.ledger.record(stranger)
    assert (await books.check()).differences == ["call hotline-9.9: in the books, not in Asterisk's event log"]
    noted = Repair(stranger[0].key, CallId("hotline-9.9"), stranger[0].at, "arrived", Source.AMI)
    await books.audit.repaired([noted])
    assert await books.check() == Checked(calls=2)


async def test_what_happens_now_may_be_on_its_way(books: Books) -> None:
    books.write(*(replace(record, at=Clock().now()) for record in numbered(0)))
    assert await books.check() == Checked(calls=0)


def test_the_command_prints_what_differs_and_settles_it(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "centre.toml"
    config.write_text(f'var_dir = "{tmp_path}"\n')
    lost = Discrepancy("source_lost/cel/1/2", Difference.SOURCE_LOST, datetime.now(UTC), "cel, read up to byte 2")

    async def raise_one() -> None:
        await prepared("sqlite", settings.var_dir)
        async with books_of(settings) as (_, audit):
            await audit.raised([lost, lost])

    asyncio.run(raise_one())

    def run(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["--config", str(config), "books", *arguments])
        return int(ended.value.code or 0), capsys.readouterr().out

    status, said = run("check")
    assert (status, said.splitlines()[0]) == (1, f"source_lost: cel, read up to byte 2 [{lost.key}]")
    assert run("settle", lost.key) == (0, "1 settled\n")
    assert run("settle", lost.key)[0] == 1
    assert run("check") == (0, "0 calls in Asterisk's event log, 0 differences\n")
