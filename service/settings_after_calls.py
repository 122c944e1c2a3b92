"""Settings of what follows a call: the survey (Q2) and calling back (A5)."""

from __future__ import annotations

import re
from datetime import UTC
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from calls.errors import SettingsError
from calls.outages import DailyHours

_SURVEYS = Path(__file__).resolve().parent.parent / "cases" / "surveys"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def checked_hours(value: str) -> str:
    """Hours of every day, such as 08:30-20:30. Raises ValueError."""
    try:
        DailyHours.parse(value, UTC)
    except SettingsError as error:
        raise ValueError(str(error)) from error
    return value


class Survey(_Part):
    """Satisfaction, asked after the call (Q2, K3, K6)."""

    enabled: bool = Field(True, description="whether callers are asked to rate the call when the agent hangs up")
    file: Path = Field(_SURVEYS / "after-call.toml", description="the survey: levels, questions, weights")
    every_days: int = Field(
        30, ge=0, le=3650, description="a caller is invited once in so many days; 0: after every call"
    )
    dimensions_share: float = Field(
        0.1, ge=0, le=1, description="of callers who rated, so many are asked the four dimensions by voice (K6)"
    )
    links_share: float = Field(
        0.0, ge=0, le=1, description="of callers who were invited, so many get a one-time link to the web form"
    )
    links_days: int = Field(7, ge=1, le=90, description="a one-time link is good for so long")
    reason_longest_s: int = Field(60, ge=5, le=600, description="so long a dissatisfied caller may say why")


class Callbacks(_Part):
    """Calling back: promises, follow-ups, the dissatisfied (A5, C4)."""

    hours: str = Field("08:30-20:30", description="callers are called back at these hours only")
    promise_within_min: int = Field(
        120, ge=1, le=10_000, description="a promised call-back is due after so many minutes of these hours"
    )
    dissatisfied: bool = Field(True, description="whether dissatisfied callers are called back, too")
    dissatisfied_within_min: int = Field(
        720, ge=1, le=10_000, description="their call-back is due after so many minutes of these hours"
    )
    tries: int = Field(3, ge=1, le=20, description="a caller's telephone is rung so often at most")
    pauses_min: tuple[int, ...] = Field(
        (15, 60, 180), min_length=1, description="pauses after the first try, the second, and so on"
    )
    ring_s: int = Field(30, ge=5, le=120, description="a caller's telephone rings so long")
    agent_ring_s: int = Field(15, ge=5, le=120, description="the agent's telephone rings so long before that")
    taken_min: int = Field(5, ge=1, le=600, description="who took a call-back and does not call loses it")
    give_when_ready: int = Field(
        2, ge=0, le=1000, description="one is given while so many agents of its section are ready; 0: never"
    )
    prefixes: tuple[str, ...] = Field(
        (*(f"1{digit}" for digit in range(3, 10)), *(f"0{digit}" for digit in range(1, 10))),
        min_length=1,
        description="what numbers that are called begin with, without the country's code",
    )
    shortest: int = Field(10, ge=3, le=20, description="digits of the shortest number that is called")
    longest: int = Field(12, ge=3, le=20, description="digits of the longest")

    @field_validator("hours")
    @classmethod
    def _hours(cls, value: str) -> str:
        return checked_hours(value)

    @field_validator("prefixes")
    @classmethod
    def _digits(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not re.fullmatch("[0-9]{1,12}", prefix) for prefix in value):
            raise ValueError("a prefix consists of digits")
        return value

    @field_validator("pauses_min")
    @classmethod
    def _pauses(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(not 0 <= pause <= 10_000 for pause in value):
            raise ValueError("pauses have 0 to 10000 minutes")
        return value
