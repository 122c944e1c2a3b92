"""What the console's areas are made from; joined in ``service/wiring.py``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncEngine

from calls.attachments import Attachments
from calls.cases import Reading
from calls.custody import Access, Leg, Recording
from calls.ids import AgentNumber, CallId, Language, SectionId
from calls.ports import AccessLog, Clock
from calls.transcript import Transcript
from calls.waveform import Waveform
from cases.catalogue import Catalogue
from cases.surveys.design import SurveyDesign
from console.admin.ports import ConfigurationParts
from console.desk.ports import DeskParts
from console.doorkeeper import Doorkeeper
from console.doors import Doors
from console.intake.ports import IntakeTerms
from console.oidc import Provider
from console.ops.ports import OpsParts
from console.painter import Painter
from console.quality.terms import QualityTerms
from console.systems.ports import CallingTerms
from console.team.ports import TeamParts
from metrics.kpi.figures import KpiFigures


class Listening(Protocol):
    """Sound and words out of custody, noted in the access log before anything is given out (P1, P4)."""

    async def open_masked(self, call_id: CallId, leg: Leg, access: Access) -> BinaryIO:
        """A WAV file to be read from anywhere, beeped over. Raises AccessDenied while it cannot be masked yet."""

    async def open_original(self, call_id: CallId, leg: Leg, access: Access, *, allowed: bool) -> BinaryIO:
        """The sound as recorded. Raises AccessDenied without the right or a reason."""

    async def read_masked(self, call_id: CallId, access: Access) -> Transcript:
        """What was said, masked. Raises TranscriptionError if nothing is there."""

    async def read_original(self, call_id: CallId, access: Access, *, allowed: bool) -> Transcript:
        """What was said. Raises AccessDenied without the right or a reason."""

    async def outline(self, call_id: CallId, leg: Leg) -> Waveform | None:
        """How loud a leg is over its length, beeped spans flat; ``None`` while there is no such recording.

        Made now, if it has not been, which takes half a second for an hour.
        """

    async def recordings(self, call_id: CallId) -> list[Recording]:
        """What can be heard of a call; nothing that was deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """All of it belongs to the back room's loop."""

    engine: AsyncEngine
    doorkeeper: Doorkeeper
    doors: Doors
    clock: Clock
    zone: ZoneInfo
    painter: Painter
    accesses: AccessLog
    listening: Listening
    attachments: Attachments
    figures: KpiFigures
    desk: DeskParts
    sections: Mapping[SectionId, Mapping[Language, str]]
    """The sections' names."""
    roster: tuple[AgentNumber, ...]
    survey: SurveyDesign
    """What the survey's web form asks (Q2)."""
    quality: QualityTerms
    """Made by ``service.quality.quality_terms``."""
    team: TeamParts
    ops: OpsParts
    configuration: ConfigurationParts
    intake: IntakeTerms
    """What the public form goes by."""
    calling: CallingTerms
    """What a call back goes by that another system promises."""
    case_catalogue: Catalogue
    """What cases are sorted by."""
    case_clocks: Reading
    """Reads the clocks of a case by the operator's calendar."""
    identity: Provider | None = None
    """Where people may sign in instead, if the operator has such a thing."""
