"""The console joined: what its pages are made from, and the application that serves them (P1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.errors import SettingsError
from calls.ids import AgentNumber, Language, SectionId
from calls.people import Grant
from calls.ports import Clock
from console.app import Now, make_app
from console.areas import areas
from console.assets import Assets
from console.doorkeeper import Doorkeeper, SessionLimits
from console.doors import Doors
from console.gate import Gate, Runner
from console.limits import Limits
from console.names import Names
from console.oidc import Provider, Terms
from console.painter import Painter
from console.parts import Parts
from console.passwords import Passwords
from console.refusals import Refusals
from console.team.ports import TeamParts
from service.books import kpi_figures_of
from service.cases import case_catalogue_of, clocks_of
from service.configuration import configuration_of
from service.console_desk import NOBODY_THERE, AtTelephones, desk_parts
from service.console_parts import ListeningRoom
from service.custody import custody_of, master_keys
from service.inside import Inside, LiveNow
from service.intake import attachments_of, calling_terms, intake_terms
from service.machines import ops_parts_of
from service.quality import quality_terms
from service.settings import SECTIONS, Agent, Settings
from service.surveys import design_of
from storage.access import SqlAccessLog
from storage.failed_sign_ins import SqlFailedSignIns
from storage.people import SqlPeople
from storage.sessions import SqlFailures, SqlSessions, SqlTokens


def doorkeeper_of(settings: Settings, engine: AsyncEngine, clock: Clock) -> Doorkeeper:
    """Who lets people in, on the books of an engine. Raises SettingsError for keys that cannot be used."""
    told = settings.console
    return Doorkeeper(
        SqlPeople(engine, clock),
        SqlSessions(engine, clock),
        SqlFailures(engine),
        SqlFailedSignIns(engine),
        SqlTokens(engine, clock),
        Passwords(),
        master_keys(settings),
        clock,
        SessionLimits(timedelta(minutes=told.idle_minutes), timedelta(hours=told.session_hours)),
        frozenset(told.second_factor_roles),
    )


def parts_of(
    settings: Settings,
    engine: AsyncEngine,
    clock: Clock,
    sections: Mapping[SectionId, Mapping[Language, str]],
    assets: Assets,
    at_telephones: AtTelephones = NOBODY_THERE,
    inside: Inside | None = None,
    menu_clock: Clock | None = None,
) -> Parts:
    """What the areas are made from; all of it belongs to the engine's loop.

    Without ``inside`` no service runs here: there is no link to Asterisk, and nobody probes.
    """
    custody = custody_of(settings, engine, clock)
    return Parts(
        engine=engine,
        doorkeeper=doorkeeper_of(settings, engine, clock),
        doors=Doors(settings.console.public_url, settings.console.behind_proxy),
        clock=clock,
        zone=settings.zone,
        painter=Painter(assets, settings.zone, Names(SqlPeople(engine, clock), clock)),
        accesses=SqlAccessLog(engine, clock),
        listening=ListeningRoom(custody, engine),
        figures=kpi_figures_of(settings, engine, clock),
        desk=desk_parts(settings, engine, clock, at_telephones),
        sections=sections,
        roster=tuple(AgentNumber(agent.number) for agent in settings.agents),
        survey=design_of(settings),
        identity=identity_of(settings, clock),
        quality=quality_terms(settings),
        team=TeamParts(
            now=LiveNow(inside, clock),
            telephones=at_telephones.telephones,
            roster={AgentNumber(agent.number): _home(agent) for agent in settings.agents},
        ),
        ops=ops_parts_of(settings, clock, inside),
        configuration=configuration_of(settings, engine, clock, menu_clock or clock),
        intake=intake_terms(settings),
        calling=calling_terms(settings),
        attachments=attachments_of(settings, custody),
        case_catalogue=case_catalogue_of(settings),
        case_clocks=clocks_of(settings),
    )


def _home(agent: Agent) -> tuple[SectionId, ...]:
    """The sections that an agent belongs to; none for the overflow group's, who take every section's calls."""
    return () if agent.overflow else tuple(SectionId(section) for section in agent.sections)


def identity_of(settings: Settings, clock: Clock) -> Provider | None:
    """The identity provider, if there is one. Raises SettingsError if its secret cannot be read."""
    told = settings.console.oidc
    if not told.issuer:
        return None
    try:
        secret = told.client_secret_file.read_text("utf-8").strip() if told.client_secret_file else ""
    except OSError as error:
        raise SettingsError(f"console.oidc.client_secret_file cannot be read: {error.strerror}") from error
    roles: dict[str, tuple[Grant, ...]] = {}
    units = {*SECTIONS, *case_catalogue_of(settings).departments, ""}
    for line in told.roles:
        if line.section not in units:
            raise SettingsError(f"console.oidc.roles: there is no section or department {line.section!r}")
        given = Grant(line.role, SectionId(line.section) if line.section else None)
        roles[line.group] = (*roles.get(line.group, ()), given)
    terms = Terms(
        issuer=told.issuer,
        client_id=told.client_id,
        client_secret=secret,
        scopes=told.scopes,
        login_claim=told.login_claim,
        name_claim=told.name_claim,
        groups_claim=told.groups_claim,
        roles=roles,
        create=told.create,
        label=told.label,
    )
    return Provider(terms, clock)


def console_of(parts: Parts, now: Now, run: Runner, limits: Limits) -> web.Application:
    """The application: every area behind one gate."""
    gate = Gate(parts.doorkeeper, run, parts.painter, parts.doors, limits, Refusals(parts.accesses))
    made = areas(parts)
    parts.painter.compile_all()
    return make_app(gate, now, made)
