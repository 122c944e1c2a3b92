"""The format of a recording in the vault: AES-256-GCM in chunks, so that a player can seek (P2).

A sealed object is a header and chunks. Each chunk is sealed on its own, with a nonce that says its number and
whether it is the last, and with the header and the object's name as associated data: a chunk that was changed,
left out, moved, cut off, or taken from another object does not open.

```
header  magic "SANSEAL1" · chunk size (4 bytes, big-endian) · nonce prefix (7 bytes, random)
chunk   up to `chunk size` plain bytes, sealed, and 16 bytes of tag
nonce   prefix (7) · number of the chunk (4) · 1 if it is the last, else 0 (1)
```
"""

from __future__ import annotations

import io
import os
import struct
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from calls.errors import AudioDamaged

CHUNK_BYTES = 64 * 1024
KEY_BYTES = 32

_MAGIC = b"SANSEAL1"
_HEADER = struct.Struct(">8sI7s")
_COUNTER = struct.Struct(">7sIB")
_TAG_BYTES = 16
_MOST_CHUNK_BYTES = 16 * 2**20


def new_key() -> bytes:
    """A data key. Each object has one of its own, so that destroying it destroys that object."""
    return AESGCM.generate_key(KEY_BYTES * 8)


def seal(plain: BinaryIO, sealed: BinaryIO, key: bytes, name: str, chunk_bytes: int = CHUNK_BYTES) -> int:
    """Write what is left of ``plain`` as a sealed object called ``name``; how many plain bytes there were."""
    cipher = AESGCM(key)
    prefix = os.urandom(7)
    header = _HEADER.pack(_MAGIC, chunk_bytes, prefix)
    sealed.write(header)
    total, number = 0, 0
    chunk = plain.read(chunk_bytes)
    while True:
        following = plain.read(chunk_bytes)
        nonce = _COUNTER.pack(prefix, number, not following)
        sealed.write(cipher.encrypt(nonce, chunk, header + name.encode()))
        total += len(chunk)
        if not following:
            return total
        chunk, number = following, number + 1


class SealedReader(io.RawIOBase):
    """The plain bytes of a sealed object, to be read from anywhere. Raises AudioDamaged.

    ``sealed`` is seekable; it is closed with the reader.
    """

    def __init__(self, sealed: BinaryIO, key: bytes, name: str) -> None:
        self._sealed = sealed
        self._cipher = AESGCM(key)
        self._name = name
        self._header = sealed.read(_HEADER.size)
        if len(self._header) < _HEADER.size:
            raise AudioDamaged(f"{name}: the object is cut off in its header")
        self._chunk_bytes: int
        magic, self._chunk_bytes, self._prefix = _HEADER.unpack(self._header)
        if magic != _MAGIC or not 0 < self._chunk_bytes <= _MOST_CHUNK_BYTES:
            raise AudioDamaged(f"{name}: this is no sealed recording")
        body: int = sealed.seek(0, io.SEEK_END) - _HEADER.size
        whole = self._chunk_bytes + _TAG_BYTES
        self._chunks = -(-body // whole)
        self._size = body - self._chunks * _TAG_BYTES
        if self._chunks == 0 or self._size < 0:
            raise AudioDamaged(f"{name}: the object is cut off")
        self._at = 0
        self._open: tuple[int, bytes] | None = None
        self._chunk(self._chunks - 1)  # whether the end is the end

    @property
    def size(self) -> int:
        """Plain bytes in all."""
        return self._size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError("before the beginning")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        view = memoryview(buffer).cast("B")
        if self._at >= self._size or not view:
            return 0
        number, skip = divmod(self._at, self._chunk_bytes)
        piece = self._chunk(number)[skip : skip + len(view)]
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def close(self) -> None:
        self._sealed.close()
        super().close()

    def _chunk(self, number: int) -> bytes:
        if self._open and self._open[0] == number:
            return self._open[1]
        whole = self._chunk_bytes + _TAG_BYTES
        self._sealed.seek(_HEADER.size + number * whole)
        nonce = _COUNTER.pack(self._prefix, number, number == self._chunks - 1)
        try:
            plain = self._cipher.decrypt(nonce, self._sealed.read(whole), self._header + self._name.encode())
        except InvalidTag:
            raise AudioDamaged(f"{self._name}: what lies in the vault is not what was put there") from None
        self._open = (number, plain)
        return plain


def unsealed(sealed: BinaryIO, key: bytes, name: str) -> io.BufferedReader:
    """A buffered reader of the plain bytes. Raises AudioDamaged."""
    return io.BufferedReader(SealedReader(sealed, key, name), CHUNK_BYTES)
