"""One hotline for each worker of pytest-xdist: real Asterisk, real service, real SIP telephones."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support_centre import Centre, own_worker


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def centre() -> AsyncIterator[Centre]:
    """The worker's hotline, with everybody logged out."""
    centre = Centre(own_worker())
    try:
        await centre.start()
        yield centre
    finally:
        await centre.stop()
