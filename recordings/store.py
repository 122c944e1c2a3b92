"""Where sealed objects lie: a local folder, or any S3-compatible store by URL (P2).

An object's place is ``2026/11/23/7f/CALL-ID/agent.sealed``: by the day of the recording, because that is how
recordings are looked for, backed up and deleted, and below it by two letters of a hash of the call id. Ten
million files of a year are 27,000 a day, 110 in each of its 256 folders: no folder is ever long.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from calls.custody import Leg
from calls.errors import CustodyError, SettingsError
from calls.ids import CallId

SUFFIX = ".sealed"


def place_of(call_id: CallId, leg: Leg, recorded_at: datetime) -> str:
    """Where the object of a leg lies, relative to the store's root; ``recorded_at`` gives the day, in UTC."""
    part = hashlib.sha256(call_id.encode()).hexdigest()[:2]
    return f"{recorded_at:%Y/%m/%d}/{part}/{call_id}/{leg}{SUFFIX}"


class Store(Protocol):
    """Objects that are written whole, once, and read from anywhere. Every method blocks: call it in a thread.

    Raises CustodyError where the store fails, FileNotFoundError for an object that is not there.
    """

    def put(self, place: str, sealed: BinaryIO) -> None:
        """Keep an object, in place of an earlier one; whole and safe when this returns, or not at all."""

    def open(self, place: str) -> BinaryIO:
        """Its bytes, seekable."""

    def delete(self, place: str) -> None:
        """Remove it; nothing if it is not there."""

    def places(self) -> Iterator[str]:
        """Every object's place."""


class FolderStore:
    """A local folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, place: str, sealed: BinaryIO) -> None:
        """See Store.put."""
        target = self._root / place
        with _translated():
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", delete=False) as file:
                try:
                    while block := sealed.read(1 << 20):
                        file.write(block)
                    file.flush()
                    os.fsync(file.fileno())
                    Path(file.name).replace(target)
                except BaseException:
                    Path(file.name).unlink(missing_ok=True)
                    raise
            self._flush(target.parent)

    def open(self, place: str) -> BinaryIO:
        """See Store.open."""
        with _translated():
            return (self._root / place).open("rb")

    def delete(self, place: str) -> None:
        """See Store.delete; empty folders go with the last object."""
        target = self._root / place
        with _translated():
            target.unlink(missing_ok=True)
            for folder in target.relative_to(self._root).parents:
                with contextlib.suppress(OSError):  # not empty, or gone already
                    if folder != Path():
                        (self._root / folder).rmdir()

    def places(self) -> Iterator[str]:
        """See Store.places."""
        for path in sorted(self._root.rglob(f"*{SUFFIX}")):
            yield path.relative_to(self._root).as_posix()

    def _flush(self, folder: Path) -> None:
        """So that new folders' names are on the disk as well, up to the root."""
        for path in (folder, *folder.parents):
            number = os.open(path, os.O_RDONLY)
            try:
                os.fsync(number)
            finally:
                os.close(number)
            if path == self._root:
                return


class RemoteStore:
    """A store that ``fsspec`` reaches by URL, such as ``s3://bucket/folder``."""

    def __init__(self, url: str, options: dict[str, Any] | None = None) -> None:
        import fsspec

        try:
            self._files, root = fsspec.core.url_to_fs(url, **(options or {}))
        except (ImportError, ValueError) as error:
            raise SettingsError(f"custody.store_url {url!r} cannot be used: {error}") from error
        self._root = str(root).rstrip("/")

    def put(self, place: str, sealed: BinaryIO) -> None:
        """See Store.put. The object is read into memory first: an upload that breaks off must leave nothing."""
        with _translated():
            self._files.pipe_file(f"{self._root}/{place}", sealed.read())

    def open(self, place: str) -> BinaryIO:
        """See Store.open."""
        with _translated():
            return cast(BinaryIO, self._files.open(f"{self._root}/{place}", "rb"))

    def delete(self, place: str) -> None:
        """See Store.delete."""
        with _translated(), contextlib.suppress(FileNotFoundError):
            self._files.rm_file(f"{self._root}/{place}")

    def places(self) -> Iterator[str]:
        """See Store.places."""
        with _translated():
            self._files.invalidate_cache()
            for path in sorted(self._files.find(self._root)):
                if path.endswith(SUFFIX):
                    yield path.removeprefix(f"{self._root}/")


def store_of(url: str, folder: Path) -> Store:
    """The store that a URL names; the local folder where it is empty. Raises SettingsError."""
    return RemoteStore(url) if url else FolderStore(folder)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:  # drivers of stores raise whatever they like
        raise CustodyError(f"the store of recordings failed: {error}") from error
