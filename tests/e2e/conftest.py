"""One hotline for each worker of pytest-xdist: real Asterisk, real service, real SIP telephones."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support_centre import Centre


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def centre() -> AsyncIterator[Centre]:
    """The worker's hotline, with everybody logged out."""
    centre = Centre(int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")))
    try:
        await centre.start()
        yield centre
    finally:
        await centre.stop()
