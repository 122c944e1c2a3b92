"""The API against requests that are made from its own description, to break it (I3): schemathesis.

Whatever is sent, nothing fails on our side, and every answer is one that the description has.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from calls.people import Grant, Right, Role
from storage.cases import SqlCases
from tests.support_cases import local, registered
from tests.support_console import ServedConsole, SetTime, Somebody, served

CLOCK = SetTime(local("2026-11-23 10:00"))
SYSTEM = Somebody("crm", "CRM", (Grant(Role.SUPERVISOR),))
DOCUMENTS = tuple(f"/api/v1/{part}openapi.json" for part in ("", "cases/", "orders/", "systems/"))
EXAMPLES = 20
"""Requests for each operation: enough to find what falls over at all, little enough for every build."""
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


@pytest_asyncio.fixture
async def console(tmp_path: Path) -> AsyncIterator[ServedConsole]:
    async with served(tmp_path, people=(SYSTEM,), clock=CLOCK) as console:
        await SqlCases(console.engine, console.parts.zone, console.parts.case_clocks).register(registered(), "a")
        yield console


async def token_of(console: ServedConsole) -> str:
    keeper = console.parts.doorkeeper
    owner = await keeper.people.find("crm")
    assert owner is not None
    rights = owner.person.rights & {
        Right.READ_CASES,
        Right.FILE_CASES,
        Right.WORK_CASES,
        Right.REVIEW_CASES,
        Right.SEE_FIGURES,
    }
    return (await keeper.make_token(owner, "schemathesis", frozenset(rights), 1, "tests"))[1]


@pytest.mark.parametrize("path", DOCUMENTS)
async def test_nothing_that_the_description_allows_or_forbids_breaks_it(console: ServedConsole, path: str) -> None:
    token = await token_of(console)
    client = await console.client()
    headers = {"Authorization": f"Bearer {token}"}
    async with client.get(console.url + path, headers=headers) as answer:
        assert answer.status == 200
        document = await answer.json()
    sent = await asyncio.to_thread(attacked, document, console.url, headers)
    assert sent >= EXAMPLES // 4


def attacked(document: dict[str, Any], url: str, headers: dict[str, str]) -> int:
    """Send requests to every operation; how many. Fails at the first answer that may not be."""
    sent = 0
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def attack(case: Any) -> None:
            nonlocal sent
            sent += 1
            case.headers = {**(case.headers or {}), **headers}
            response = case.call(base_url=url, timeout=300)
            case.validate_response(response, checks=CHECKS)

        attack()
    return sent
