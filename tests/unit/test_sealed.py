"""The sealed format: it gives back what was put in from anywhere, and nothing that was tampered with (P2)."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.errors import AudioDamaged, KeyMissing, SettingsError
from recordings.keys import HeldKeys, keys_of_environment, keys_of_file, keys_of_hook, rotated
from recordings.sealed import SealedReader, new_key, seal, unsealed

NAME = "hotline-1.2/agent"
CHUNK = 64


def sealed(plain: bytes, key: bytes, name: str = NAME) -> bytes:
    out = io.BytesIO()
    assert seal(io.BytesIO(plain), out, key, name, CHUNK) == len(plain)
    return out.getvalue()


def opened(data: bytes, key: bytes, name: str = NAME) -> bytes:
    return unsealed(io.BytesIO(data), key, name).read()


@given(
    plain=st.binary(max_size=400),
    reads=st.lists(st.tuples(st.integers(0, 450), st.integers(0, 450)), max_size=8),
)
def test_any_part_is_read_as_it_was(plain: bytes, reads: list[tuple[int, int]]) -> None:
    key = new_key()
    data = sealed(plain, key)
    assert SealedReader(io.BytesIO(data), key, NAME).size == len(plain)
    reader = unsealed(io.BytesIO(data), key, NAME)
    for start, length in reads:
        reader.seek(start)
        assert reader.read(length) == plain[start : start + length]


@settings(max_examples=200)
@given(plain=st.binary(min_size=1, max_size=300), at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_bit_can_be_changed(plain: bytes, at: int, bit: int) -> None:
    key = new_key()
    data = bytearray(sealed(plain, key))
    data[at % len(data)] ^= 1 << bit
    with pytest.raises(AudioDamaged):
        opened(bytes(data), key)


@given(plain=st.binary(min_size=1, max_size=300), cut=st.integers(1, 400))
def test_nothing_can_be_cut_off(plain: bytes, cut: int) -> None:
    key = new_key()
    data = sealed(plain, key)
    with pytest.raises(AudioDamaged):
        opened(data[: max(0, len(data) - cut)], key)


def test_chunks_cannot_change_places_nor_objects() -> None:
    key, plain = new_key(), bytes(range(256))
    data = sealed(plain, key)
    head, size = 19, CHUNK + 16
    swapped = (
        data[:head] + data[head + size : head + 2 * size] + data[head : head + size] + data[head + 2 * size :]
    )
    for broken, name in ((swapped, NAME), (data, "hotline-1.2/caller"), (data[: head + size], NAME)):
        with pytest.raises(AudioDamaged):
            opened(broken, key, name)


def test_something_else_is_told_from_a_recording() -> None:
    with pytest.raises(AudioDamaged, match="no sealed recording"):
        SealedReader(io.BytesIO(b"RIFF" * 100), new_key(), NAME)


def test_a_key_file_is_made_once_and_for_us_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys = keys_of_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    wrapped = keys.wrap(b"data key", NAME)
    assert keys_of_file(path).unwrap(wrapped, keys.current, NAME) == b"data key"


def test_old_keys_stay_when_a_new_one_is_made(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    old = keys_of_file(path)
    wrapped = old.wrap(b"data key", NAME)
    new = rotated(path)
    assert new.current != old.current
    assert new.unwrap(wrapped, old.current, NAME) == b"data key"


def test_a_missing_or_wrong_master_key_is_told(tmp_path: Path) -> None:
    keys, others = keys_of_file(tmp_path / "a.json"), keys_of_file(tmp_path / "b.json")
    wrapped = keys.wrap(b"data key", NAME)
    with pytest.raises(KeyMissing, match="not the one that wrapped"):
        others.unwrap(wrapped, others.current, NAME)
    with pytest.raises(KeyMissing, match="is needed and not in"):
        keys.unwrap(wrapped, "nobody", NAME)
    with pytest.raises(KeyMissing):
        keys.unwrap(wrapped, keys.current, "another/agent")


@pytest.mark.parametrize("text", ["", "a", "a:b", "a:aGVsbG8=", "a:\x00"])
def test_a_wrong_environment_is_told_without_quoting_it(text: str) -> None:
    with pytest.raises(SettingsError, match="SANSHENG_MASTER_KEYS is not") as told:
        keys_of_environment(text)
    assert "aGVsbG8=" not in str(told.value)


def test_the_last_key_of_the_environment_is_the_current_one(tmp_path: Path) -> None:
    stored = json.loads(_text_of(tmp_path / "keys.json"))["keys"]
    ((name, key),) = stored.items()
    assert keys_of_environment(f"older:{key} {name}:{key}").current == name


@pytest.mark.parametrize("text", ["", "{", "[]", '{"keys": {}}', '{"keys": {"a": "aGVsbG8="}}'])
def test_a_damaged_key_file_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys.json").write_text(text)
    with pytest.raises(SettingsError, match="put it back from its backup"):
        keys_of_file(tmp_path / "keys.json")


def of_a_management_service() -> HeldKeys:
    """A stand-in for the hook of a key management service."""
    return HeldKeys({"kms-1": b"k" * 32}, "kms-1", "the service")


def test_a_key_management_service_is_plugged_in() -> None:
    assert keys_of_hook(f"{__name__}:of_a_management_service").current == "kms-1"
    with pytest.raises(SettingsError, match="cannot be used"):
        keys_of_hook("nowhere:nothing")


def _text_of(path: Path) -> str:
    keys_of_file(path)
    return path.read_text()
