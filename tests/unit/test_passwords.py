"""Passwords: what is too weak, and what is kept (P1)."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from calls.errors import WeakPassword
from console.passwords import Passwords, check_password, make_password


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "short"),
        ("elevenchars", "short"),
        ("x" * 129, "long"),
        ("three rings\x00then", "unprintable"),
        ("wang.xiaomei!", "login"),
        ("My-WANG.XIAOMEI-99", "login"),
        ("password1234", "common"),
        ("123456789012", "common"),
        ("1234567890123456", "common"),
        ("qwertyuiopasd", "common"),
        ("aaaaaaaaaaaaaaaa", "common"),
        ("abababababab", "common"),
        ("hello!hello!", "common"),
        ("ABCDEFGHIJKLM", "common"),
        ("Welcome-2026-2026", "common"),
        ("woaini-5201314", "common"),
        ("Administrator!1", "common"),
        ("1qaz-2WSX-3edc", "common"),
        ("987654321-manutd", "common"),
        ("2026-Butterfly-88", "common"),
        ("a b c d e f g h", "common"),
    ],
)
def test_what_others_would_guess_is_refused(password: str, why: str) -> None:
    with pytest.raises(WeakPassword, match=f"^{why}$"):
        check_password(password, "wang.xiaomei")


def test_the_commonest_3000_of_breached_passwords_are_refused_with_whatever_digits_around() -> None:
    """ASVS 2.1.7. Alone most of them are too short."""
    worst = FREQUENCY_LISTS["passwords"][:3000]
    assert len(worst) == 3000 and {"password", "dragon", "trustno1"} <= set(worst)
    for word in worst:
        with pytest.raises(WeakPassword, match=r"^common$"):
            check_password(f"{word}.20262026", "wang.xiaomei")


@pytest.mark.parametrize("password", ["three rings, then a person", "三声之内有人接听您的电话吗", "kq8#mW2$vL9@"])
def test_what_is_long_and_ones_own_is_taken(password: str) -> None:
    check_password(password, "wang.xiaomei")


def test_made_passwords_differ() -> None:
    made = {make_password() for _ in range(1000)}
    assert len(made) == 1000
    for password in made:
        check_password(password, "wang.xiaomei")


async def test_one_way_of_writing_is_as_good_as_another() -> None:
    """A keyboard may write é as one sign or as two, and digits in full width."""
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    kept = await passwords.hash("caf\u00e9 １２３ sentences")
    assert kept.startswith("$argon2id$")
    assert await passwords.fits("cafe\u0301 123 sentences", kept)
    assert not await passwords.fits("cafe 123 sentences", kept)
    assert not await passwords.fits("anything", None)
    assert not await passwords.fits("anything", "no hash at all")


async def test_for_somebody_who_is_not_there_as_much_is_computed() -> None:
    """Compared with a record that is a real one, at today's cost, and does not fit."""
    for hasher in (PasswordHasher(), PasswordHasher(time_cost=1, memory_cost=16, parallelism=2, hash_len=24)):
        passwords = Passwords(hasher)
        with pytest.raises(VerifyMismatchError):
            hasher.verify(passwords._nobodys, "anything")
        assert not passwords.outdated(passwords._nobodys)


def test_the_usual_cost_is_that_of_the_standard() -> None:
    """OWASP: argon2id with 19 MiB and two passes, or more."""
    hasher = PasswordHasher()
    assert hasher.memory_cost >= 19 * 1024
    assert hasher.time_cost >= 2
    assert Passwords(hasher).outdated("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$YWJjZGVmZ2hpamtsbW5vcA")
