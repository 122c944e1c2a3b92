"""Settings of what comes over the web, and of files that belong to cases (C1)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Intake(BaseModel):
    """The public form."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(True, description="whether /form takes complaints and questions from anybody")
    owner: str = Field(
        "", max_length=60, description="login of whose the complaints are; empty: a supervisor of the section"
    )
    department: str = Field(
        "service-centre", description="who settles a question whose category names no department"
    )
    answer_hours: int = Field(
        48, ge=1, le=2000, description="a question is answered so soon, where its category says nothing"
    )
    most_by_address: int = Field(20, ge=1, le=10_000, description="matters from one address within an hour")
    most: int = Field(600, ge=1, le=100_000, description="matters from all addresses within an hour")
    scan_command: tuple[str, ...] = Field(
        (), description="reads a file of a case on its standard input; 0: harmless, 1: refused, else: try later"
    )
    scan_timeout_s: float = Field(60.0, ge=1, le=600, description="so long it may take")
