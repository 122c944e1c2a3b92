"""The demo has somebody of each role, with passwords of this start (P1)."""

from __future__ import annotations

from pathlib import Path

from calls.people import Role
from console.doorkeeper import From
from service.commands.people import doorkeeper
from service.demo_people import demo_people, nobody_yet
from service.settings import Settings


def pairs(told: str) -> dict[str, str]:
    return dict(line.split() for line in told.splitlines())


async def test_somebody_of_each_role_may_sign_in(tmp_path: Path) -> None:
    settings = Settings(var_dir=tmp_path / "var")
    assert await nobody_yet(settings)
    first = pairs(await demo_people(settings))
    assert set(first) == {f"demo-{role}" for role in Role}
    assert not await nobody_yet(settings)
    again = pairs(await demo_people(settings))
    assert not set(first.values()) & set(again.values())
    async with doorkeeper(settings) as keeper:
        for login, password in again.items():
            assert (await keeper.sign_in(login, password, From("127.0.0.1", "test"))).secret
        agent = await keeper.people.find("demo-agent")
        department = await keeper.people.find("demo-department")
    assert agent
    assert agent.agent == "1001"
    assert department
    assert department.grants[0].section
