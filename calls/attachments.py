"""Files that belong to a case: letters, photographs, proofs (C3). Kept as safely as recordings are (P2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from calls.cases import CaseNumber, Login

LARGEST = 10 * 2**20
"""Bytes of one file."""
MOST = 20
"""Files of one case."""
LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file of a case, as the books know it."""

    id: str
    """At random: it cannot be guessed."""
    number: CaseNumber
    """Of the complaint or work order."""
    name: str
    """As its owner called it, made harmless. Personal data (P1)."""
    content_type: str
    """By what is in it, never as the sender says."""
    size_bytes: int
    sha256: str
    added_at: datetime
    added_by: Login


class Attachments(Protocol):
    """The files of cases. Raises StorageError, CustodyError, and what is said below."""

    async def add(self, number: CaseNumber, name: str, body: bytes, by: Login) -> Attachment:
        """Keep a file.

        Raises AttachmentRefused: empty, too large, too many, of a kind that is not taken, or harmful.
        """

    async def of_case(self, number: CaseNumber) -> Sequence[Attachment]:
        """What belongs to a case, the oldest first; none that was deleted."""

    async def find(self, attachment_id: str) -> Attachment | None:
        """What is known of a file; ``None`` if there is none, or it was deleted."""

    async def open(self, attachment: Attachment) -> BinaryIO:
        """The plain bytes; whoever asks has noted the access before. Raises AudioDamaged, KeyMissing."""
