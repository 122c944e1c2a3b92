"""Settings of the console: its name to the outside, and how people sign in (P1)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from calls.people import Role


class GroupRole(BaseModel):
    """What a group of the identity provider's means here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: str = Field(min_length=1, description="the group's name in the identity token")
    role: Role = Field(description="the role that it gives")
    section: str = Field("", description="the section or department; empty: all of them")


class OidcSettings(BaseModel):
    """Signing in at an identity provider (OpenID Connect)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = Field("", description="the identity provider's issuer URL; empty: there is none")
    client_id: str = Field("", description="our name there")
    client_secret_file: Path | None = Field(None, description="file with our secret; empty: a public client")
    scopes: str = Field("openid profile", description="what is asked for")
    login_claim: str = Field("preferred_username", description="the claim that is the login here")
    name_claim: str = Field("name", description="the claim that is the name here")
    groups_claim: str = Field("groups", description="the claim with the groups")
    roles: tuple[GroupRole, ...] = Field((), description="lines: group, role, section; none: roles are kept here")
    create: bool = Field(False, description="whoever has a role by their groups becomes known by signing in")
    label: str = Field("", description="the words on the button")

    @model_validator(mode="after")
    def _whole(self) -> OidcSettings:
        parts = urlsplit(self.issuer)
        local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if self.issuer and (
            not self.client_id or (parts.scheme != "https" and not (local and parts.scheme == "http"))
        ):
            raise ValueError("an issuer over https and a client_id are needed")
        if "openid" not in self.scopes.split():
            raise ValueError("scopes: openid is needed")
        return self


class ConsoleSettings(BaseModel):
    """The pages for agents, monitors, supervisors, operations and administrators."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    public_url: str = Field(
        "", description="where people reach it, such as https://hotline.example; empty: on this machine only"
    )
    behind_proxy: bool = Field(
        False, description="requests come from a proxy on this machine, which adds X-Forwarded-For"
    )
    idle_minutes: int = Field(30, ge=5, le=1440, description="a session that is not used for so long is over")
    session_hours: int = Field(12, ge=1, le=168, description="a session is over after so long in any case")
    second_factor_roles: tuple[Role, ...] = Field(
        (), description='roles that need a second factor, such as ["admin", "lead"]; without it nothing opens'
    )

    grafana_url: str = Field("", max_length=300, description="where Grafana is; the operations pages link to it")

    @field_validator("grafana_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in ("http", "https"):
            raise ValueError("give an address, as https://grafana.example")
        return value

    requests_per_s: float = Field(
        20,
        ge=1,
        le=1000,
        description="requests a session may make, three times that at once; an address ten times",
    )

    oidc: OidcSettings = OidcSettings()

    @field_validator("public_url")
    @classmethod
    def _an_origin(cls, value: str) -> str:
        parts = urlsplit(value.rstrip("/"))
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query):
            raise ValueError("give scheme and host only, as https://hotline.example")
        return value.rstrip("/").lower()
