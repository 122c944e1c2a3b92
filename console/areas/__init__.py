"""The console's areas: groups of pages, each in a module of its own."""

from __future__ import annotations

from console.api import KpiApi
from console.areas.account import Account
from console.areas.listening import listening_areas
from console.areas.login import Login
from console.areas.start import Start
from console.parts import Parts
from console.routes import Area


def areas(parts: Parts) -> list[Area]:
    """All of them. What needs the service's own loop (the live board, metrics) is in ``console/app.py``."""
    return [
        Start(parts),
        Login(parts),
        Account(parts),
        KpiApi(parts.figures, parts.clock, parts.zone),
        *listening_areas(parts),
    ]
