"""What only the running service knows, for the console's pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from calls.live import LinkNow, Picture
from calls.outages import Component
from calls.ports import Clock
from console.ops.ports import Waiting
from service.main_loop import MainLoop


@dataclass(frozen=True, slots=True)
class Inside:
    """The service from within. Callables are called on its own loop only."""

    loop: MainLoop
    picture: Callable[[], Picture]
    working: Callable[[Component], bool | None]
    waiting: Callable[[], Waiting]
    version: str


@dataclass(frozen=True, slots=True)
class LiveNow:
    """See ``console.team.ports.Now``."""

    inside: Inside | None
    clock: Clock

    async def picture(self) -> Picture:
        """Of this moment."""
        if self.inside is None:
            return Picture(at=self.clock.now(), link=LinkNow.DOWN)
        return await self.inside.loop.run(_called(self.inside.picture))


async def _called(tell: Callable[[], Picture]) -> Picture:
    return tell()
