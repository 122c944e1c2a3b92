"""Every row of the table, played on real telephones."""

from __future__ import annotations

import pytest

from tests.e2e.scenarios import SCENARIOS
from tests.support_centre import Centre
from tests.support_checks import problems
from tests.support_play import play
from tests.support_scenario import Scenario


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
@pytest.mark.asyncio(loop_scope="session")
async def test_scenario(centre: Centre, scenario: Scenario) -> None:
    evidence = await play(centre, scenario)
    assert not (wrong := problems(evidence, centre)), "\n".join(wrong)
