"""Passwords: what is too weak, and how they are kept (argon2id)."""

from __future__ import annotations

import asyncio
import base64
import secrets
import unicodedata
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from calls.errors import WeakPassword

SHORTEST = 12
LONGEST = 128

_AT_ONCE = 2
"""Hashing takes 64 MiB and half a tenth of a second of a processor; callers in the menu come first."""
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
"""None that people mix up when they read them out."""
_DIGITS = "0123456789"
_OURS = frozenset(
    "abc abcdefg administrator asterisk beijing callcenter hotline mima nihao root sansheng shanghai".split()
)
"""Words that everybody would try here, beside the commonest passwords of the world."""
_ROWS = ("abcdefghijklmnopqrstuvwxyz" * 2, "01234567890" * 3, "qwertyuiopasdfghjklzxcvbnm", "09876543210" * 3)


class Passwords:
    """Hashes and compares, in threads, a few at a time."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._nobodys = _of_no_password(self._hasher)

    async def hash(self, password: str) -> str:
        """What is kept of a password."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, _plain(password))

    async def fits(self, password: str, kept: str | None) -> bool:
        """Whether it is the one. Takes as long for somebody who is not there (``None``), and says no."""
        if len(password) > LONGEST:
            return False
        async with self._turn:
            fits = await asyncio.to_thread(self._fits, _plain(password), kept or self._nobodys)
        return fits and kept is not None

    def outdated(self, kept: str) -> bool:
        """Whether it was hashed at a cost that is not today's."""
        return self._hasher.check_needs_rehash(kept)

    def _fits(self, password: str, kept: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False


def _of_no_password(hasher: PasswordHasher) -> str:
    """What would be kept of a password that nobody knows: to compare with it takes as long as with any."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (hasher.salt_len, hasher.hash_len)
    )
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${digest}"


def make_password() -> str:
    """One at random, of about 79 bits, in groups that can be read out."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def check_password(password: str, login: str) -> None:
    """Raises WeakPassword for one that others would guess; the message is one of ``console-texts``' names."""
    plain = _plain(password)
    bare = "".join(letter for letter in plain.lower() if letter.isalnum())
    if len(plain) < SHORTEST:
        raise WeakPassword("short")
    if len(plain) > LONGEST:
        raise WeakPassword("long")
    if any(ord(letter) < 32 for letter in plain):
        raise WeakPassword("unprintable")
    if login in plain.lower() or (bare and bare in login):
        raise WeakPassword("login")
    if len(set(plain)) < 5 or any(bare in row for row in _ROWS) or _is_common(bare):
        raise WeakPassword("common")


def _is_common(bare: str) -> bool:
    """A word that everybody tries, alone or with digits around it, or one word over and over."""
    common, length = _commonest(), len(bare)
    before, after = length - len(bare.lstrip(_DIGITS)), length - len(bare.rstrip(_DIGITS))
    if any(bare[a:b] in common for a in range(before + 1) for b in range(length - after, length + 1)):
        return True
    half = bare[: len(bare) // 2]
    return bool(half) and half + half == bare


@lru_cache(maxsize=1)
def _commonest() -> frozenset[str]:
    """The 30,000 commonest breached passwords (ASVS 2.1.7) and our own, without signs; read when first asked."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    breached = ("".join(filter(str.isalnum, word)) for word in FREQUENCY_LISTS["passwords"])
    return frozenset({*breached, *_OURS, ""})


def _plain(password: str) -> str:
    """One form for what keyboards may write in several."""
    return unicodedata.normalize("NFKC", password)
