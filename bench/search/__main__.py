"""``python -m bench.search``: see bench/README.md. ``QUICK=1`` in the environment makes it small."""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import Leg
from calls.ids import AgentNumber, CallId, SectionId
from calls.transcript import Turn, Word
from storage.engine import for_writing, open_engine, upgrade
from storage.search import Query, Said, SqlSearch, row_of
from storage.search_tables import spoken_turns

SEED = 2026
_LONG, _QUICK = 1_000_000, 20_000
_QUERIES = 200
_TURNS_A_CALL = 20
_BATCH = 5_000
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_PIECES = (
    "您好 请问 我想 退票 改签 手续费 多少 列车 晚点 什么时候 到站 身份证 丢了 车票 发票 可以 补开"
    " 投诉 服务态度 行李 "
    "寄存 儿童票 学生票 优惠 换乘"
    " 站台 出口 候车室 wifi 充值 余额 密码 登录 验证码 收不到 谢谢 再见 麻烦 稍等 帮您 "
    "查询 办理 已经 提交 三个 工作日"
    " 回复 另外 还有 问题 满意 评价 对不起 不好意思 明白了 好的 没关系"
).split()
_RARE = 3000


def turns(seed: int, number: int) -> Iterator[dict[str, object]]:
    """Rows as the index keeps them. Common pieces, and rare words that few turns have."""
    dice = random.Random(seed)
    rare = rare_words(seed)
    said = Said(CallId("0.0"), _BEGAN, None, None)
    for index in range(number):
        if index % _TURNS_A_CALL == 0:
            said = Said(
                CallId(f"{index}.1"),
                _BEGAN + timedelta(seconds=300 * index / _TURNS_A_CALL),
                SectionId(dice.choice(("inquiries", "complaints", "ticketing", "coordination"))),
                AgentNumber(str(8000 + dice.randrange(100))),
            )
        words = dice.choices(_PIECES, k=dice.randint(3, 12))
        if dice.random() < 0.1:
            words.append(dice.choice(rare))
        start_s = 5.0 * (index % _TURNS_A_CALL)
        leg = Leg.AGENT if index % 2 else Leg.CALLER
        yield row_of(said, Turn(leg, (Word("".join(words), start_s, start_s + 3, 0.9),)))


def rare_words(seed: int) -> list[str]:
    dice = random.Random(seed + 1)
    return ["".join(chr(dice.randrange(0x4E00, 0x9FA5)) for _ in range(dice.choice((2, 3)))) for _ in range(_RARE)]


def queries(seed: int) -> Iterator[tuple[str, Query]]:
    """What people look for: common and rare, one letter to a sentence, with filters and without."""
    dice = random.Random(seed + 2)
    rare = rare_words(seed)
    makes: dict[str, Callable[[], str]] = {
        "one letter": lambda: dice.choice("票退车站费请"),
        "one rare letter": lambda: dice.choice(rare)[0],
        "two letters": lambda: dice.choice([piece for piece in _PIECES if len(piece) == 2]),
        "two rare letters": lambda: dice.choice(rare)[:2],
        "phrase": lambda: "".join(dice.choices(_PIECES, k=2)),
        "rare word": lambda: dice.choice(rare),
        "two words": lambda: " ".join(dice.choices(_PIECES, k=2)),
        "nothing": lambda: "没有这样的话",
    }
    filters: tuple[dict[str, object], ...] = (
        {},
        {},
        {"section": SectionId("ticketing")},
        {"agent": AgentNumber("8042")},
        {"speaker": Leg.AGENT},
        {"since": _BEGAN + timedelta(days=2), "until": _BEGAN + timedelta(days=4)},
    )
    for index in range(_QUERIES):
        name = list(makes)[index % len(makes)]
        yield name, Query(makes[name](), **dice.choice(filters))  # type: ignore[arg-type]


async def measure(kind: str, url: str, number: int, seed: int) -> float:
    """Fill, search, print; the 95th percentile in milliseconds."""
    engine = open_engine(url, patience_s=3600)
    try:
        await upgrade(url)
        began = time.perf_counter()
        await fill(engine, number, seed)
        print(f"{kind}: {number} turns indexed in {time.perf_counter() - began:.0f} s", flush=True)
        search, took = SqlSearch(engine), dict[str, list[float]]()
        for name, query in queries(seed):
            began = time.perf_counter()
            await search.search(query)
            took.setdefault(name, []).append(1000 * (time.perf_counter() - began))
    finally:
        await engine.dispose()
    print(f"  {'query':18} {'p50 ms':>8} {'p95 ms':>8} {'max ms':>8}")
    every = [each for times in took.values() for each in times]
    for name, times in [*took.items(), ("all", every)]:
        print(f"  {name:18} {statistics.median(times):8.1f} {_p95(times):8.1f} {max(times):8.1f}")
    return _p95(every)


async def fill(engine: AsyncEngine, number: int, seed: int) -> None:
    batch: list[dict[str, object]] = []
    async with for_writing(engine).begin() as connection:
        for row in turns(seed, number):
            batch.append(row)
            if len(batch) == _BATCH:
                await connection.execute(insert(spoken_turns), batch)
                batch.clear()
        if batch:
            await connection.execute(insert(spoken_turns), batch)
    async with engine.connect() as connection:
        kept = await connection.scalar(select(func.count()).select_from(spoken_turns))
        if kept != number:
            sys.exit(f"{kept} turns are kept, {number} were told")
    async with for_writing(engine).begin() as connection:
        await connection.execute(text("ANALYZE"))


def _p95(times: list[float]) -> float:
    return sorted(times)[int(0.95 * (len(times) - 1))]


def main() -> None:
    from tests.support_postgres import PostgresServer

    seed, number = int(os.environ.get("SEED", SEED)), _QUICK if os.environ.get("QUICK") == "1" else _LONG
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory(prefix="sansheng-search-") as folder:
        sqlite_ms = asyncio.run(measure("sqlite", f"sqlite:///{Path(folder)}/ledger.db", number, seed))
    server = PostgresServer()
    try:
        postgres_ms = asyncio.run(measure("postgresql", server.create_database(), number, seed))
    finally:
        server.remove()
    print(
        f"RESULT name=search p95_ms={max(sqlite_ms, postgres_ms):.1f} sqlite_p95_ms={sqlite_ms:.1f} "
        f"postgresql_p95_ms={postgres_ms:.1f} turns={number}"
    )


if __name__ == "__main__":
    main()
