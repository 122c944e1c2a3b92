"""Verdicts as they are kept, on both databases (A2 to A6, Q5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import Leg
from calls.explanations import Explanation, Reason, Weakness
from calls.ids import CallId
from calls.verdicts import Evidence, Outcome, RuleSetId, Severity, Verdict
from storage.engine import open_engine
from storage.verdict_tables import verdicts as verdicts_table
from storage.verdicts import SqlVerdicts
from tests.support_prepared import dropped, prepared

CALL = CallId("hotline-1.1")
NOW = datetime(2026, 11, 23, tzinfo=UTC)
RULES = RuleSetId("zh-CN", "1")
GREETING = Verdict(
    call_id=CALL,
    rule="greeting",
    requirement="A2",
    rule_set=RULES,
    outcome=Outcome.CANNOT_JUDGE,
    severity=Severity.MINOR,
    weight=1.0,
    confidence=0.5,
    evidence=(Evidence(Leg.AGENT, 0.5, 1.0, "您好"),),
    explanation=Explanation.of(Reason.NOT_HEARD, phrases=("您好", "早上好"), until_s=12.4).but(Weakness.NARROW),
    judged_at=NOW,
)


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    url = await prepared(request.param, tmp_path)
    found = open_engine(url)
    yield found
    await found.dispose()
    dropped(url)


async def test_a_verdict_comes_back_with_its_reasons(engine: AsyncEngine) -> None:
    await SqlVerdicts(engine).judged(CALL, RULES, [GREETING])
    assert await SqlVerdicts(engine).verdicts(CALL) == [GREETING]


async def test_the_sentence_of_an_older_verdict_can_still_be_read(engine: AsyncEngine) -> None:
    """Until there were reasons, an English sentence was kept; of deleted recordings nothing is."""
    book = SqlVerdicts(engine)
    await book.judged(CALL, RULES, [GREETING])
    for told in ("not heard, but a narrowband line: 您好", ""):
        async with engine.begin() as connection:
            await connection.execute(update(verdicts_table).values(explanation=told))
        (verdict,) = await book.verdicts(CALL)
        assert verdict == replace(GREETING, explanation=Explanation.written(told))
