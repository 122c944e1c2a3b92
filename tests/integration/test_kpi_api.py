"""``/api/v1/kpi`` over real sockets and a real ledger, and what its OpenAPI document promises (I3, Q5)."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest
import pytest_asyncio
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from calls.workdays import Workdays
from console.api import MOST_PERIODS, KpiApi
from console.areas.login import Login
from console.parts import Parts
from metrics.kpi.catalogue import Catalogue
from metrics.kpi.figures import KpiFigures, Sources
from storage.books import SqlBooks
from storage.engine import open_engine, upgrade
from storage.ledger import SqlLedger
from storage.rollups import RollUps
from tests.support_books import SetClock
from tests.support_console import served
from tests.support_ledger import CALLER, Ring, story

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)


@dataclass(frozen=True)
class Site:
    """The served application."""

    url: str
    client: aiohttp.ClientSession

    async def get(self, query: str, status: int = 200) -> Any:
        async with self.client.get(f"{self.url}/api/v1/kpi{query}") as answer:
            text = await answer.text()
            assert answer.status == status, text
            assert answer.content_type == "application/json"
            assert answer.headers["Cache-Control"] == "no-store"
            assert CALLER not in text
            return json.loads(text)

    async def document(self) -> dict[str, Any]:
        async with self.client.get(f"{self.url}/api/v1/openapi.json") as answer:
            assert answer.status == 200
            document: dict[str, Any] = await answer.json()
            return document


@pytest.fixture
def folder(tmp_path: Path, made: Path) -> Path:
    """A ledger of one's own."""
    return Path(shutil.copytree(made, tmp_path / "books"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of two calls: one of yesterday, answered after 14 s, one of today, given up."""
    made = tmp_path_factory.mktemp("books")
    asyncio.run(fill(f"sqlite:///{made}/ledger.db"))
    return made


async def fill(url: str) -> None:
    await upgrade(url)
    engine = open_engine(url)
    ring = Ring("1001", rang=2, answered=14, connected=15, ended=60, cause=16, wrapped=72.5)
    ledger = SqlLedger(engine)
    await ledger.record(story("1.1", start=NOW - timedelta(days=1), asked=1, rings=[ring], ended=60))
    await ledger.record(story("2.1", start=NOW - timedelta(minutes=5), asked=1, ended=30))
    rollups = RollUps(engine, ZONE, 15.0, SetClock(NOW))
    await rollups.make((await rollups.stale())[0])
    await engine.dispose()


@pytest_asyncio.fixture
async def site(folder: Path) -> AsyncIterator[Site]:
    clock = SetClock(NOW)

    def area(parts: Parts) -> list[KpiApi | Login]:
        books = SqlBooks(parts.engine, ZONE, 15.0, Workdays(frozenset(), frozenset()))
        return [Login(parts), KpiApi(KpiFigures(Sources(books), clock, Catalogue(15.0)), clock, ZONE)]

    async with served(folder, url=f"sqlite:///{folder}/ledger.db", areas=area) as console:
        yield Site(console.url, await console.client("ops"))


async def test_a_figure_carries_everything(site: Site) -> None:
    told = await site.get("?kpi=K2&period=2026-11-19&section=inquiries")
    [figure] = told["figures"]
    assert figure == {
        "kpi": "K2",
        "version": 1,
        "names": {"zh-CN": "三声接起率", "en": "three-ring rate"},
        "period": {
            "grain": "day",
            "label": "2026-11-19",
            "start": "2026-11-19T00:00:00+08:00",
            "end": "2026-11-20T00:00:00+08:00",
        },
        "slice": {
            **{"section": "inquiries", "queue": "inquiries"},
            **{"agent": None, "language": None, "trunk": None, "days": None},
        },
        "numerator": 1.0,
        "denominator": 1.0,
        "value": 1.0,
        "unit": "ratio",
        "as_of": "2026-11-20T04:00:00Z",
        "provisional": False,
    }
    assert told["time_zone"] == "Asia/Shanghai"
    [definition] = told["definitions"]
    assert (definition["id"], definition["version"], definition["limit_s"]) == ("K2", 1, 15.0)


async def test_the_same_day_under_another_version(site: Site) -> None:
    [figure] = (await site.get("?kpi=K2&period=2026-11-19&version=K2%3D2"))["figures"]
    assert (figure["version"], figure["numerator"], figure["denominator"]) == (2, 0, 1)


async def test_handling_time_with_what_follows_the_talk_and_as_it_was_before_that_was_kept(site: Site) -> None:
    [now] = (await site.get("?kpi=AHT&period=2026-11-19"))["figures"]
    assert (now["version"], now["numerator"], now["denominator"]) == (2, 45 + 12.5, 1)
    told = await site.get("?kpi=AHT&period=2026-11-19&version=AHT%3D1")
    [of_then], [definition] = told["figures"], told["definitions"]
    assert (of_then["version"], of_then["numerator"], of_then["denominator"]) == (1, 45, 1)
    assert definition["names"]["en"] == "average handle time (talk only)"


async def test_without_a_question_today_is_told_of_every_indicator(site: Site) -> None:
    told = await site.get("")
    assert [figure["kpi"] for figure in told["figures"]] == list(Catalogue().ids)
    assert {figure["period"]["label"] for figure in told["figures"]} == {"2026-11-20"}
    assert all(figure["provisional"] for figure in told["figures"])
    abandoned = next(figure for figure in told["figures"] if figure["kpi"] == "ABR")
    assert (abandoned["numerator"], abandoned["denominator"]) == (1, 1)
    satisfaction = next(figure for figure in told["figures"] if figure["kpi"] == "K3")
    assert (satisfaction["value"], satisfaction["denominator"]) == (None, 0)


async def test_several_periods_and_a_range(site: Site) -> None:
    told = await site.get("?kpi=N_ARRIVED&period=2026&period=2026-11-18&period=2026-11-20T11")
    assert [(f["period"]["label"], f["value"]) for f in told["figures"]] == [
        ("2026", 2), ("2026-11-18", 0), ("2026-11-20T11", 1),
    ]  # fmt: skip
    days = await site.get("?kpi=N_ARRIVED&from=2026-11-17&to=2026-11")
    assert [figure["value"] for figure in days["figures"]] == [0, 0, 1, 1] + [0] * 10
    months = await site.get("?kpi=N_ARRIVED&from=2026&to=2026&grain=month")
    assert [figure["value"] for figure in months["figures"]] == [0] * 10 + [2, 0]


async def test_by_a_dimension(site: Site) -> None:
    told = await site.get("?kpi=K2r&kpi=AHT&period=2026-11&by=agent")
    assert [(f["kpi"], f["slice"]["agent"], f["denominator"]) for f in told["figures"]] == [
        ("K2r", "1001", 1), ("AHT", "1001", 1),
    ]  # fmt: skip
    queues = await site.get("?kpi=K2&period=2026-11-19&by=queue")
    assert [(f["slice"]["queue"], f["denominator"]) for f in queues["figures"]] == [("inquiries", 1)]
    assert (await site.get("?kpi=K2&period=2026-11-19&queue=inquiries"))["figures"] == queues["figures"]
    every = await site.get("?period=2026-11&by=agent")
    assert "K1" not in {figure["kpi"] for figure in every["figures"]}


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("?kpi=K9", "K9"),
        ("?kpi=K1&version=K1%3D7", "version 7"),
        ("?kpi=K1&version=K1", "version"),
        ("?kpi=K1&version=K2%3D1", "K2"),
        ("?period=yesterday", "yesterday"),
        ("?period=2026-02-30", "2026-02-30"),
        ("?from=2026-11", "`to`"),
        ("?from=2026-11&to=2026-10", "before"),
        ("?from=2026-11&to=2026-11&period=2026", "not both"),
        ("?from=1990&to=2030&grain=hour", str(MOST_PERIODS)),
        ("?from=2026-01-01&to=2028-09-01&grain=day", "20000"),
        ("?grain=fortnight", "grain"),
        ("?kpi=K1&by=agent", "agent"),
        ("?kpi=K5&section=inquiries", "section"),
        ("?by=caller", "by"),
        ("?caller=1", "caller"),
        ("?section=a&section=b", "section"),
        ("?section=", "section"),
        ("?section=inquiries&queue=ticketing", "queue"),
        ("?kpi=" + "K" * 3000, "kpi"),
        ("?days=sunny", "days"),
    ],
)
async def test_a_question_without_an_answer_is_told_why(site: Site, query: str, word: str) -> None:
    told = await site.get(query, status=400)
    assert set(told) == {"error"}
    assert word in told["error"]
    assert len(told["error"]) < 600 and "Traceback" not in told["error"]


async def test_while_the_books_are_away_that_is_what_is_said(site: Site, folder: Path) -> None:
    await site.get("?kpi=K1")
    with closing(sqlite3.connect(folder / "ledger.db")) as books:
        books.execute("ALTER TABLE calls RENAME TO gone")
    told = await site.get("?kpi=K1", status=503)
    assert "books" in told["error"]


async def test_the_catalogue_names_the_current_versions(site: Site) -> None:
    told = await site.get("/catalogue")
    assert told["current"]["K2"] == 1
    assert {(one["id"], one["version"]) for one in told["definitions"]} >= {("K2", 1), ("K2", 2), ("K5sum", 1)}


async def test_other_host_names_are_refused_here_too(site: Site) -> None:
    async with site.client.get(f"{site.url}/api/v1/kpi", headers={"Host": "evil.example"}) as answer:
        assert answer.status == 421


async def test_the_document_is_openapi_3_1_and_the_answers_keep_to_it(site: Site) -> None:
    document = await site.document()
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1")
    for path, status, query in (
        ("/api/v1/kpi", 200, "?by=section&period=2026-11"),
        ("/api/v1/kpi/catalogue", 200, ""),
        ("/api/v1/kpi", 400, "?kpi=K9"),
    ):
        answer = await site.get(path.removeprefix("/api/v1/kpi") + query, status=status)
        schema = document["paths"][path]["get"]["responses"][str(status)]["content"]["application/json"]["schema"]
        OAS31Validator({**schema, "components": document["components"]}).validate(answer)
    names = {parameter["name"] for parameter in document["paths"]["/api/v1/kpi"]["get"]["parameters"]}
    assert names == {
        *("kpi", "period", "from", "to", "grain", "days", "by", "version"),
        *("section", "queue", "agent", "language", "trunk"),
    }
