"""The public form and the files of cases, as an operator has set them up (C1)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from calls.cases import DepartmentId, Login
from calls.errors import AttachmentRefused
from calls.ids import SectionId
from console.intake.ports import IntakeTerms
from console.systems.ports import CallingTerms
from service.attachments import AttachmentVault, attachments_beside
from service.callbacks import numbers_of, policy_of
from service.custody import Custody
from service.settings import Settings

log = logging.getLogger(__name__)

_HARMFUL = 1


def intake_terms(settings: Settings) -> IntakeTerms:
    """The form's terms. Complaints go to the section that is open day and night (A8)."""
    told = settings.intake
    return IntakeTerms(
        enabled=told.enabled,
        owner=Login(told.owner) if told.owner else None,
        complaints=SectionId("complaint"),
        questions=SectionId("inquiry"),
        department=DepartmentId(told.department),
        answer_hours=told.answer_hours,
        most_by_address=told.most_by_address,
        most=told.most,
        hotline=settings.hotline_number,
    )


def calling_terms(settings: Settings) -> CallingTerms:
    """Whom another system may have called back, and until when."""
    within = timedelta(minutes=settings.callbacks.promise_within_min)
    return CallingTerms(numbers_of(settings), policy_of(settings), within)


@dataclass(frozen=True, slots=True)
class Scanner:
    """Asks a program whether a file is harmful, such as ``clamdscan -``."""

    command: tuple[str, ...]
    timeout_s: float

    async def __call__(self, body: bytes) -> None:
        """Return if it is harmless. Raises AttachmentRefused: harmful, or not to be scanned now."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError as error:
            log.error("attachment.scanner_missing", extra={"reason": str(error)})
            raise AttachmentRefused("unscanned") from error
        try:
            async with asyncio.timeout(self.timeout_s):
                await process.communicate(body)
        except TimeoutError as error:
            log.error("attachment.scanner_slow", extra={"seconds": self.timeout_s})
            raise AttachmentRefused("unscanned") from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode == _HARMFUL:
            raise AttachmentRefused("harmful")
        if process.returncode:
            log.error("attachment.scanner_failed", extra={"status": process.returncode})
            raise AttachmentRefused("unscanned")


def attachments_of(settings: Settings, custody: Custody) -> AttachmentVault:
    """The files of cases, scanned before they are kept if there is a scanner."""
    told, vault = settings.intake, attachments_beside(custody)
    if not told.scan_command:
        return vault
    return replace(vault, scan=Scanner(told.scan_command, told.scan_timeout_s))
