"""Settings of the console: its name to the outside, and how people sign in (P1)."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator


class ConsoleSettings(BaseModel):
    """The pages for agents, monitors, supervisors, operations and administrators."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    public_url: str = Field(
        "", description="where people reach it, such as https://hotline.example; empty: on this machine only"
    )
    behind_proxy: bool = Field(
        False, description="requests come from a proxy on this machine, which adds X-Forwarded-For"
    )
    idle_minutes: int = Field(60, ge=5, le=1440, description="a session that is not used for so long is over")
    session_hours: int = Field(12, ge=1, le=168, description="a session is over after so long in any case")

    grafana_url: str = Field("", max_length=300, description="where Grafana is; the operations pages link to it")

    @field_validator("grafana_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in ("http", "https"):
            raise ValueError("give an address, as https://grafana.example")
        return value

    @field_validator("public_url")
    @classmethod
    def _an_origin(cls, value: str) -> str:
        parts = urlsplit(value.rstrip("/"))
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query):
            raise ValueError("give scheme and host only, as https://hotline.example")
        return value.rstrip("/").lower()
