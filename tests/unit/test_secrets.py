"""Secrets of an installation: made once, kept, and readable by nobody else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from calls.errors import SettingsError
from service.secrets import load_secrets


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "secrets.json"


def test_made_at_first_and_the_same_ever_after(path: Path) -> None:
    made = load_secrets(path, ["1001", "1002"])
    assert load_secrets(path, ["1001", "1002"]) == made
    assert load_secrets(path, []) == made
    assert set(made.phones) == {"1001", "1002"}


def test_each_is_its_own_and_long_enough(path: Path, tmp_path: Path) -> None:
    one = load_secrets(path, ["1001", "1002"])
    other = load_secrets(tmp_path / "other.json", ["1001", "1002"])
    every = [one.ami, *one.phones.values(), other.ami, *other.phones.values()]
    assert len(set(every)) == 6
    assert all(secret.isalnum() and secret.isascii() and len(secret) >= 12 for secret in every)


def test_a_new_agent_gets_one_and_the_others_keep_theirs(path: Path) -> None:
    before = load_secrets(path, ["1001"])
    after = load_secrets(path, ["1001", "1002"])
    assert (after.ami, after.phones["1001"]) == (before.ami, before.phones["1001"])
    assert load_secrets(path, []).phones == after.phones


def test_who_has_left_the_roster_keeps_the_password_for_a_return(path: Path) -> None:
    before = load_secrets(path, ["1001", "1002"])
    assert load_secrets(path, ["1002"]).phones == before.phones


def test_nobody_else_can_read_them_whatever_the_umask(path: Path) -> None:
    old = os.umask(0)
    try:
        load_secrets(path, ["1001"])
        assert path.stat().st_mode & 0o777 == 0o600
        load_secrets(path, ["1001", "1002"])
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_was_opened_to_others_is_closed_again(path: Path) -> None:
    made = load_secrets(path, ["1001"])
    path.chmod(0o644)
    assert load_secrets(path, []) == made
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_untouched_file_is_not_written_again(path: Path) -> None:
    load_secrets(path, ["1001"])
    before = path.stat().st_ino
    load_secrets(path, ["1001"])
    assert path.stat().st_ino == before


GOOD = {"ami": "0123456789abcdef", "phones": {"1001": "0123456789ab"}}
DAMAGED = {
    "empty": b"",
    "cut": b'{"ami": "01234',
    "not UTF-8": b"\xff\xfe",
    "a list": b"[]",
    "a text": b'"secret"',
    "no AMI secret": json.dumps({"phones": {}}).encode(),
    "no telephones": json.dumps({"ami": GOOD["ami"]}).encode(),
    "telephones in a list": json.dumps(GOOD | {"phones": ["1001"]}).encode(),
    "a number": json.dumps(GOOD | {"ami": 5}).encode(),
    "an empty one": json.dumps(GOOD | {"phones": {"1001": ""}}).encode(),
    "a guessable one": json.dumps(GOOD | {"phones": {"1001": "1001"}}).encode(),
    "a line break": json.dumps(GOOD | {"phones": {"1001": "0123456789ab\n[x]"}}).encode(),
    "a comment sign": json.dumps(GOOD | {"ami": "0123456789abcdef;x"}).encode(),
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_refused_and_kept(path: Path, data: bytes) -> None:
    """Making new secrets silently would lock every telephone out."""
    path.parent.mkdir()
    path.write_bytes(data)
    with pytest.raises(SettingsError, match="is damaged") as refused:
        load_secrets(path, ["1001"])
    assert "0123456789" not in str(refused.value)
    assert path.read_bytes() == data


def test_secrets_do_not_show_in_a_log(path: Path) -> None:
    made = load_secrets(path, ["1001"])
    assert made.ami not in repr(made)
    assert made.phones["1001"] not in repr(made)
