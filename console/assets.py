"""The static files, under an address that changes with their content, so browsers may keep them for ever.

Ours, and those in ``static/vendor`` that ``console/fetch.py`` brought.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent / "static"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    body: bytes
    content_type: str


class Assets:
    """All static files, read once. They share one digest: modules import each other by plain relative names."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        found = [*folder.iterdir(), *(folder / "vendor").glob("*")]
        files = sorted((path for path in found if path.suffix in _TYPES), key=lambda path: path.name)
        self._by_name = {path.name: Asset(path.read_bytes(), _TYPES[path.suffix]) for path in files}
        digest = hashlib.sha256()
        for name, asset in self._by_name.items():
            digest.update(f"{name}\0{len(asset.body)}\0".encode() + asset.body)
        self.digest = digest.hexdigest()[:16]

    def url(self, name: str) -> str:
        """The address of a file. Raises KeyError if there is none of that name."""
        assert self._by_name[name]
        return f"/static/{self.digest}/{name}"

    def has(self, name: str) -> bool:
        """Whether there is a file of that name: a page may do without it."""
        return name in self._by_name

    def get(self, digest: str, name: str) -> Asset | None:
        """What an address means; ``None`` for files of another version or none at all."""
        return self._by_name.get(name) if digest == self.digest else None
