"""Envelope keys: each recording has a data key, which is kept only as wrapped by a master key (P2).

Master keys come from a key file by default, from the environment where an operator keeps files away from
secrets, or from a key management service through a hook. Rotation makes a new master key the current one and
wraps data keys again; the audio itself is not touched.
"""

from __future__ import annotations

import base64
import binascii
import importlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from calls.errors import KeyMissing, SettingsError
from recordings.sealed import KEY_BYTES

ENVIRONMENT = "SANSHENG_MASTER_KEYS"
"""``id:base64`` of each key, separated by spaces; the last is the current one."""

_NONCE_BYTES = 12


class MasterKeys(Protocol):
    """What wraps data keys; a key management service is plugged in as one of these."""

    @property
    def current(self) -> str:
        """The id of the key that new data keys are wrapped by."""

    def wrap(self, data_key: bytes, name: str) -> bytes:
        """The data key of the object called ``name``, wrapped by the current key."""

    def unwrap(self, wrapped: bytes, key_id: str, name: str) -> bytes:
        """The data key again. Raises KeyMissing if there is no such master key, or it is another one."""


@dataclass(frozen=True, slots=True)
class HeldKeys:
    """Master keys that are held in memory."""

    keys: Mapping[str, bytes] = field(repr=False)
    current: str
    where: str
    """Where they came from, for messages."""

    def wrap(self, data_key: bytes, name: str) -> bytes:
        """See MasterKeys.wrap."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self.keys[self.current]).encrypt(nonce, data_key, name.encode())

    def unwrap(self, wrapped: bytes, key_id: str, name: str) -> bytes:
        """See MasterKeys.unwrap."""
        if key_id not in self.keys:
            raise KeyMissing(f"master key {key_id} is needed and not in {self.where}")
        try:
            nonce, sealed = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
            return AESGCM(self.keys[key_id]).decrypt(nonce, sealed, name.encode())
        except InvalidTag:
            raise KeyMissing(f"master key {key_id} of {self.where} is not the one that wrapped {name}") from None


def keys_of_file(path: Path) -> HeldKeys:
    """The keys of a file, which is made with one new key if it is not there. Raises SettingsError."""
    if not path.exists():
        _write(path, {_new_id({}): secrets.token_bytes(KEY_BYTES)})
    return _read(path)


def rotated(path: Path) -> HeldKeys:
    """The same file with a new key, which is the current one from now on. Old keys stay: they open old backups."""
    known = keys_of_file(path)
    _write(path, {**known.keys, _new_id(known.keys): secrets.token_bytes(KEY_BYTES)})
    return _read(path)


def keys_of_environment(text: str) -> HeldKeys:
    """The keys of a variable's text. Raises SettingsError, which does not quote them."""
    try:
        pairs = [entry.split(":", 1) for entry in text.split()]
        return _held({name: base64.b64decode(key, validate=True) for name, key in pairs}, ENVIRONMENT)
    except (ValueError, binascii.Error) as error:
        raise SettingsError(f"{ENVIRONMENT} is not a list of id:base64 keys of {KEY_BYTES} bytes each") from error


def keys_of_hook(hook: str) -> MasterKeys:
    """What ``module:factory`` makes: the hook for a key management service. Raises SettingsError."""
    module, _, factory = hook.partition(":")
    try:
        made: MasterKeys = getattr(importlib.import_module(module), factory)()
    except (ImportError, AttributeError, TypeError) as error:
        raise SettingsError(f"custody.key_provider {hook!r} cannot be used: {error}") from error
    return made


def _read(path: Path) -> HeldKeys:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return _held(
            {name: base64.b64decode(key, validate=True) for name, key in stored["keys"].items()}, str(path)
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(
            f"the key file {path} cannot be read ({type(error).__name__}). Without it no recording can be heard: "
            "put it back from its backup"
        ) from error


def _held(keys: dict[str, bytes], where: str) -> HeldKeys:
    if not keys or any(len(key) != KEY_BYTES for key in keys.values()):
        raise ValueError("no key, or one of a wrong length")
    return HeldKeys(keys, list(keys)[-1], where)


def _new_id(known: Mapping[str, bytes]) -> str:
    """A name that sorts by time: people ask which key is how old."""
    name = f"{datetime.now().astimezone():%Y%m%d}"
    return name if name not in known else f"{name}-{secrets.token_hex(3)}"


def _write(path: Path, keys: Mapping[str, bytes]) -> None:
    """In one step, and safe on the disk before anything is sealed with them: a lost key is lost audio."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"keys": {name: base64.b64encode(key).decode() for name, key in keys.items()}}, indent=1)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
