"""What a backup folder holds, so that it can be checked to the last byte (P2).

```
manifest.json               written last, in one step: what it names is whole
20261123T040506123456Z/     the books of one backup, sealed: database, secrets, settings
  objects.sqlite            place, time of storing, checksum and size of every sealed recording
objects/3f/a2/3fa2…         sealed recordings by the SHA-256 of their bytes: each is copied once
keys.json                   master keys, only if they were asked for
```
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from calls.errors import BackupError

NAME = "manifest.json"
OBJECTS = "objects"
BOOKS = re.compile(r"[0-9]{8}T[0-9]{12}Z")
"""How the folder of one backup's books is called."""
INDEX = "objects.sqlite"
KEYS = "keys.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file of a backup."""

    path: str
    """In the backup folder."""
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole backup."""

    made_at: str
    folder: str
    """Of its books."""
    database: str
    """``sqlite`` or ``postgresql``."""
    key_id: str
    """The master key that wraps the key that the books are sealed by."""
    wrapped_key: str
    """In hexadecimal."""
    files: dict[str, FileEntry]
    objects: int
    audit_entries: int
    audit_hash: str
    """The last of the access log: the anchor that a restored one is compared with."""
    keys_needed: tuple[str, ...]
    """Master keys that wrap the recordings' keys."""
    absent: tuple[str, ...] = ()
    """Recordings of the books whose objects were not in the vault when it was made."""
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class ObjectEntry:
    """A sealed recording in a backup."""

    place: str
    stored_at: str
    sha256: str
    size: int


def read(folder: Path) -> Manifest:
    """The manifest of a backup folder. Raises BackupError."""
    try:
        stored = json.loads((folder / NAME).read_text(encoding="utf-8"))
        if stored["format"] != FORMAT:
            raise BackupError(f"{folder} is a backup of another format ({stored['format']})")
        stored["files"] = {name: FileEntry(**entry) for name, entry in stored["files"].items()}
        stored |= {key: tuple(stored[key]) for key in ("keys_needed", "absent")}
        return Manifest(**stored)
    except FileNotFoundError:
        raise BackupError(f"there is no whole backup in {folder}: {NAME} is missing") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupError(f"{folder / NAME} cannot be read ({type(error).__name__})") from error


def write(folder: Path, manifest: Manifest) -> None:
    """In one step, and on the disk when this returns."""
    fresh = folder / f"{NAME}.new"
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(asdict(manifest), file, indent=1, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / NAME)
    flush(folder)


def flush(path: Path) -> None:
    """What was written to a file or folder is on the disk when this returns."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def entry_of(folder: Path, path: Path) -> FileEntry:
    """A file as it is now."""
    return FileEntry(path.relative_to(folder).as_posix(), path.stat().st_size, digest_of(path))


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def object_path(folder: Path, sha256: str) -> Path:
    """Where a sealed recording lies in a backup."""
    return folder / OBJECTS / sha256[:2] / sha256[2:4] / sha256


@contextlib.contextmanager
def index(path: Path) -> Iterator[Index]:
    """The list of recordings of a backup; in a database, because there may be tens of millions."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        made = Index(connection)
        yield made
        connection.commit()


class Index:
    """The list of recordings of a backup."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute(
            "CREATE TABLE IF NOT EXISTS objects"
            " (place TEXT PRIMARY KEY, stored_at TEXT, sha256 TEXT, size INTEGER)"
        )
        connection.execute("CREATE INDEX IF NOT EXISTS by_sha256 ON objects (sha256)")

    def expect(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Places, and when they were stored: their checksums are not known yet."""
        self._connection.executemany("INSERT INTO objects VALUES (?, ?, '', 0)", wanted)

    def found(self, entry: ObjectEntry) -> None:
        """An object is in the backup."""
        self._connection.execute(
            "UPDATE objects SET sha256 = ?, size = ? WHERE place = ?", (entry.sha256, entry.size, entry.place)
        )

    def find(self, place: str) -> ObjectEntry | None:
        """The entry of a place, if there is one."""
        row = self._connection.execute("SELECT * FROM objects WHERE place = ?", (place,)).fetchone()
        return ObjectEntry(*row) if row else None

    def holds(self, sha256: str) -> bool:
        """Whether an object with this checksum is listed."""
        return bool(self._connection.execute("SELECT 1 FROM objects WHERE sha256 = ?", (sha256,)).fetchone())

    def drop_absent(self) -> list[str]:
        """Take out what was expected and not found; the places."""
        rows = self._connection.execute("SELECT place FROM objects WHERE sha256 = '' ORDER BY place")
        gone = [row[0] for row in rows]
        self._connection.execute("DELETE FROM objects WHERE sha256 = ''")
        return gone

    def __len__(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM objects").fetchone()[0])

    def __iter__(self) -> Iterator[ObjectEntry]:
        """By place, a piece at a time: the list may be changed meanwhile."""
        after = ""
        while rows := self._connection.execute(
            "SELECT * FROM objects WHERE place > ? ORDER BY place LIMIT 1000", (after,)
        ).fetchall():
            yield from (ObjectEntry(*row) for row in rows)
            after = rows[-1][0]
