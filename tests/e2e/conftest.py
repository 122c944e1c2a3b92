"""One hotline for each worker of pytest-xdist: real Asterisk, real service, real SIP telephones."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support_centre import ASIDE, Centre, own_worker


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def centre() -> AsyncIterator[Centre]:
    """The worker's hotline, with everybody logged out."""
    centre = Centre(own_worker())
    try:
        await centre.start()
        yield centre
    finally:
        await centre.stop()


NETWORK_PORT = 15060
"""Where the callers' telephones are when they are called back."""
AFTER_CALLS = """[survey]
every_days = 30
dimensions_share = 1.0

[callbacks]
hours = "00:00-24:00"
pauses_min = [0]
ring_s = 5
agent_ring_s = 15
give_when_ready = 0
"""
MORE_AGENTS = "".join(f'[[agents]]\nnumber = "{number}"\nsections = ["inquiry"]\n' for number in range(1003, 1009))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def rating() -> AsyncIterator[Centre]:
    """A hotline that asks its callers to rate the call; with more agents, so that many call at once."""
    centre = Centre(ASIDE + 4 + own_worker())
    usual = centre.config.read_text(encoding="utf-8").replace("[survey]\nenabled = false\n", AFTER_CALLS)
    network = f'match = "{centre.place.address(1)}"'
    usual = usual.replace(network, f'{network}\ndial = "{centre.place.address(1)}:{NETWORK_PORT}"')
    centre.config.write_text(usual + MORE_AGENTS, encoding="utf-8")
    centre.reload()
    try:
        await centre.start()
        yield centre
    finally:
        await centre.stop()
