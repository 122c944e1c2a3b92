"""Who is not let in: strangers, telephones without the password, numbers that nobody can dial."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calls.errors import SanshengError
from simulation.script import CallerScript, HangUp
from tests.support_centre import PATIENCE_S, Centre, within
from tests.support_play import ledger_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_invite_from_an_unknown_address_is_refused(centre: Centre) -> None:
    """Only trunks and registered telephones may call: the stranger gets an answer, and no call (I1)."""
    await centre.home()
    async with ledger_of(centre) as (_, ids), centre.people() as people:
        before = await ids()
        stranger = await people.call(CallerScript((HangUp(),)), address=centre.place.address(3))
        outcome = await people.outcome(stranger)
        assert not outcome.ok
        assert any(f"SIP/2.0 {status}" in outcome.log for status in (401, 403, 404)), outcome.log
        assert await within(centre.is_quiet, PATIENCE_S)
        assert await ids() == before


async def test_wrong_password_of_a_telephone_is_refused(centre: Centre) -> None:
    """A telephone without its agent's password stays outside (P1)."""
    await centre.home()
    right = centre.people()
    async with right, replace(right, passwords=dict.fromkeys(right.passwords, "wrong")) as people:
        with pytest.raises(SanshengError, match="could not be registered"):
            await people.register("1001")
        await right.register("1001")


@pytest.mark.parametrize("dialled", ["$%7BEXTEN%7D", "95000%0d%0aEvent%3A%20Forged", "9" * 60, "95000.", ".."])
async def test_number_that_nobody_can_dial_is_no_call(centre: Centre, dialled: str) -> None:
    """What is dialled never reaches the dialplan as more than a plain number (I1)."""
    await centre.home()
    async with ledger_of(centre) as (_, ids), centre.people() as people:
        before = await ids()
        centre.events.clear()
        outcome = await people.outcome(await people.call(CallerScript((HangUp(),), dialled=dialled)))
        assert not outcome.ok
        assert "SIP/2.0 404" in outcome.log, outcome.log
        assert await within(centre.is_quiet, PATIENCE_S)
        assert await ids() == before
        assert "Forged" not in centre.events
