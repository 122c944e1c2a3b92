"""Files of cases in the vault: sealed as recordings are, under keys of their own, let go when it is time (P2)."""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO

from calls.attachments import LARGEST, Attachment
from calls.cases import CaseNumber, Login
from calls.custody import Access, AccessKind
from calls.errors import AttachmentRefused, AudioDamaged, AudioGone
from calls.ports import AccessLog, Clock
from recordings.file_kinds import harmless_name, kind_of_file
from recordings.keys import MasterKeys
from recordings.sealed import new_key, seal, unsealed
from recordings.store import SUFFIX, Store
from service.custody import Custody
from storage.attachments import KeptFile, SqlAttachments

log = logging.getLogger(__name__)

FOLDER = "attachments"
"""In the store, beside the years of recordings."""


@dataclass(frozen=True, slots=True)
class AttachmentVault:
    """``calls.attachments.Attachments`` over the store of recordings."""

    store: Store
    keys: MasterKeys
    books: SqlAttachments
    accesses: AccessLog
    clock: Clock
    scan: Callable[[bytes], Awaitable[None]] | None = None
    """Raises AttachmentRefused for what is harmful; ``None``: nobody looks."""

    async def add(self, number: CaseNumber, name: str, body: bytes, by: Login) -> Attachment:
        """See ``Attachments.add``. The object is in the store before it is on the books."""
        if not body:
            raise AttachmentRefused("empty")
        if len(body) > LARGEST:
            raise AttachmentRefused("large")
        kind = await asyncio.to_thread(kind_of_file, body)
        if kind is None:
            raise AttachmentRefused("kind")
        if self.scan is not None:
            await self.scan(body)
        attachment = Attachment(
            id=secrets.token_hex(16),
            number=number,
            name=harmless_name(name, kind),
            content_type=kind,
            size_bytes=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
            added_at=self.clock.now(),
            added_by=by,
        )
        kept = await asyncio.to_thread(self._sealed, attachment, body)
        try:
            await self.books.store(kept)
        except AttachmentRefused:
            await asyncio.to_thread(self.store.delete, kept.location)
            raise
        return attachment

    async def of_case(self, number: CaseNumber) -> Sequence[Attachment]:
        """See ``Attachments.of_case``."""
        return await self.books.of_case(number)

    async def find(self, attachment_id: str) -> Attachment | None:
        """See ``Attachments.find``."""
        kept = await self.books.find(attachment_id)
        return kept.attachment if kept else None

    async def open(self, attachment: Attachment) -> BinaryIO:
        """See ``Attachments.open``."""
        kept = await self.books.find(attachment.id)
        if kept is None:
            raise AudioGone("the file was deleted")
        return await asyncio.to_thread(self._unsealed, kept)

    async def rewrap(self) -> int:
        """Wrap data keys by the current master key that are not yet; how many."""
        done = 0
        while found := await self.books.wrapped_by_others(self.keys.current):
            for kept in found:
                name = _name(kept.attachment.id)
                key = await asyncio.to_thread(self.keys.unwrap, kept.wrapped_key, kept.key_id, name)
                wrapped = await asyncio.to_thread(self.keys.wrap, key, name)
                await self.books.rewrapped(kept, self.keys.current, wrapped)
                done += 1
        return done

    async def let_go(self, days: int) -> int:
        """Destroy files of settled matters that were added so many days ago; how many. On record."""
        done = 0
        while found := await self.books.due(self.clock.now() - timedelta(days=days)):
            for kept in found:
                reason = f"retention: {days} days; a file of {kept.attachment.number}"
                await self.accesses.note(Access("service:retention", AccessKind.DELETE, reason))
                await self.books.bury(kept, self.clock.now(), reason)
                await asyncio.to_thread(self.store.delete, kept.location)
                log.info("attachment.deleted", extra={"attachment": kept.attachment.id})
                done += 1
        return done

    def _sealed(self, attachment: Attachment, body: bytes) -> KeptFile:
        key, name, sealed = new_key(), _name(attachment.id), io.BytesIO()
        wrapped = self.keys.wrap(key, name)
        seal(io.BytesIO(body), sealed, key, name)
        sealed.seek(0)
        place = _place(attachment.id, attachment.added_at)
        self.store.put(place, sealed)
        return KeptFile(attachment, place, self.keys.current, wrapped)

    def _unsealed(self, kept: KeptFile) -> BinaryIO:
        name = _name(kept.attachment.id)
        key = self.keys.unwrap(kept.wrapped_key, kept.key_id, name)
        try:
            sealed = self.store.open(kept.location)
        except FileNotFoundError:
            raise AudioDamaged(f"{name}: the object is not in the store") from None
        return unsealed(sealed, key, name)


def attachments_beside(custody: Custody) -> AttachmentVault:
    """The files of cases in the vault that recordings lie in."""
    return AttachmentVault(custody.store, custody.keys, custody.files, custody.accesses, custody.clock)


def _name(attachment_id: str) -> str:
    return f"attachment/{attachment_id}"


def _place(attachment_id: str, added_at: datetime) -> str:
    return f"{FOLDER}/{added_at:%Y/%m/%d}/{attachment_id[:2]}/{attachment_id}{SUFFIX}"
