"""Local special days, from a file: days off, and days worked, that the State Council knows nothing of (C4).

off = [2026-09-09]        # founding day
working = [2026-05-09]
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

from calls.errors import SettingsError
from calls.workdays import Days

_KINDS = {"off": Days.OFF, "working": Days.WORKING}


def read_special_days(path: Path) -> Mapping[date, Days]:
    """The days of a file. Raises SettingsError, with the file's name and what is wrong."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"special days {path}: cannot be read ({type(error).__name__})") from error
    found: dict[date, Days] = {}
    for name, days in told.items():
        if name not in _KINDS or not isinstance(days, list):
            raise SettingsError(f"special days {path}: expected lists named off and working, found {name!r}")
        for day in days:
            if not isinstance(day, date) or isinstance(day, datetime):
                raise SettingsError(f"special days {path}: {day!r} is not a day such as 2026-05-09")
            if found.setdefault(day, _KINDS[name]) is not _KINDS[name]:
                raise SettingsError(f"special days {path}: {day} is both off and working")
    return found
