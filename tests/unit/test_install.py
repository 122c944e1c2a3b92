"""Getting an Asterisk: found, or unpacked whole; and in words what is missing. The programs are stand-ins."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from asterisk_conf import install
from asterisk_conf.install import debian_mirror, find_asterisk, get_asterisk, main
from calls.errors import AsteriskError

MIRROR = "http://mirror.example/debian"
VERSION = "Asterisk 22.10.1~dfsg+~cs6.15.60671435-1"


@pytest.fixture
def bin_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where programs are found, the shell's own apart."""
    made = tmp_path / "bin"
    made.mkdir()
    monkeypatch.setenv("PATH", str(made))
    monkeypatch.setattr(install, "_system_asterisk", lambda: None)
    return made


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def apt(bin_dir: Path, *lines: str) -> None:
    program(bin_dir / "apt-get", "\n".join(f"echo '{line}'" for line in lines) or ":")


def private_tree(tree: Path, says: str = VERSION) -> Path:
    """What unpacking leaves: a loader that here plays Asterisk, too."""
    program(tree / "usr/lib64/ld-linux-x86-64.so.2", f'[ "$4" = -V ] && echo "{says}"')
    (tree / "usr/lib/x86_64-linux-gnu/asterisk/modules").mkdir(parents=True)
    return tree


def says_nothing(_text: str) -> None:
    """Progress that nobody reads."""


# ── Finding ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_private_tree_is_run_through_its_own_loader(bin_dir: Path, tmp_path: Path) -> None:
    tree = private_tree(tmp_path / "asterisk")
    build = find_asterisk(tree)
    assert build is not None
    loader, option, libraries, asterisk = build.command
    assert loader == str(tree / "usr/lib64/ld-linux-x86-64.so.2")
    assert (option, libraries) == ("--library-path", str(tree / "usr/lib/x86_64-linux-gnu"))
    assert asterisk == str(tree / "usr/sbin/asterisk")
    assert build.modules_dir == tree / "usr/lib/x86_64-linux-gnu/asterisk/modules"
    assert (build.data_dir, build.version) == (tree / "usr/share/asterisk", VERSION.removeprefix("Asterisk "))


@pytest.mark.parametrize("says", ["", "Segmentation fault", "Asterisk unknown"])
def test_a_tree_whose_asterisk_does_not_start_is_none(bin_dir: Path, tmp_path: Path, says: str) -> None:
    assert find_asterisk(private_tree(tmp_path / "asterisk", says)) is None


def test_an_empty_or_missing_tree_is_none(bin_dir: Path, tmp_path: Path) -> None:
    assert find_asterisk(tmp_path / "nowhere") is None
    (tmp_path / "asterisk").mkdir()
    assert find_asterisk(tmp_path / "asterisk") is None


SYSTEM = [
    ("Asterisk 22.10.1~dfsg", True),
    ("Asterisk 18.0.0", True),
    ("Asterisk certified/20.7-cert1", True),
    ("Asterisk certified-20.7-cert1", True),
    ("Asterisk 16.28.0~dfsg-0+deb11u4", False),
    ("Asterisk GIT-master-1234", False),
    ("", False),
]


@pytest.mark.parametrize(("says", "used"), SYSTEM)
def test_a_system_asterisk_is_used_from_version_18_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, used: bool
) -> None:
    """Its modules are looked for below /usr/lib, which this machine need not have: the version decides first."""
    program(tmp_path / "bin/asterisk", f'[ "$1" = -V ] && echo "{says}"')
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    looked: list[str] = []

    def glob(self: Path, pattern: str) -> list[Path]:
        looked.append(pattern)
        return []

    monkeypatch.setattr(Path, "glob", glob)
    install._system_asterisk()
    assert bool(looked) is used


# ── Unpacking ────────────────────────────────────────────────────────────────────────────────────────────────


def unpacker(bin_dir: Path, ends: str = "") -> None:
    """Stands for mmdebstrap: makes a tree at the place it is told, after saying what it was asked."""
    made = private_tree(bin_dir.parent / "packages")
    copy = f'/bin/cp -r {made} "$6" && echo "$@" > "$6/asked"'
    program(bin_dir / "mmdebstrap", f"{copy}\n{ends}")


def test_unpacked_once_from_the_machines_own_mirror(bin_dir: Path, tmp_path: Path) -> None:
    apt(bin_dir, f"{MIRROR} bookworm main", f"{MIRROR} bookworm-updates main")
    unpacker(bin_dir)
    tree, said = tmp_path / "var/asterisk", list[str]()
    build = get_asterisk(tree, said.append)
    assert build.version == VERSION.removeprefix("Asterisk ")
    asked = (tree / "asked").read_text()
    assert MIRROR in asked
    assert f" {install.RELEASE} " in asked
    assert "asterisk,asterisk-modules" in asked
    assert len(said) == 2
    (bin_dir / "mmdebstrap").unlink()
    assert get_asterisk(tree, said.append) == build  # again without unpacking, and without a word
    assert len(said) == 2


def test_what_a_killed_installation_left_is_removed(bin_dir: Path, tmp_path: Path) -> None:
    apt(bin_dir, f"{MIRROR} bookworm main")
    unpacker(bin_dir)
    tree = tmp_path / "var/asterisk"
    (tree.with_name("asterisk.partial") / "half").mkdir(parents=True)
    (tree / "damaged").mkdir(parents=True)
    get_asterisk(tree, says_nothing)
    assert not (tree / "half").exists()
    assert not (tree / "damaged").exists()
    assert not tree.with_name("asterisk.partial").exists()


def test_a_failure_tells_the_end_of_the_log_and_leaves_no_tree(bin_dir: Path, tmp_path: Path) -> None:
    apt(bin_dir, f"{MIRROR} bookworm main")
    unpacker(
        bin_dir, ends="for i in 1 2 3 4 5 6 7 8 9; do echo line $i; done; echo E: no route to mirror; exit 25"
    )
    tree = tmp_path / "var/asterisk"
    with pytest.raises(AsteriskError, match="no route to mirror") as failed:
        get_asterisk(tree, says_nothing)
    assert "asterisk-install.log" in str(failed.value)
    assert "line 1\n" not in str(failed.value)
    assert not tree.exists()


def test_an_unpacked_asterisk_that_does_not_start_is_told(bin_dir: Path, tmp_path: Path) -> None:
    apt(bin_dir, f"{MIRROR} bookworm main")
    program(bin_dir / "mmdebstrap", '/bin/mkdir -p "$6"')
    with pytest.raises(AsteriskError, match="does not start; remove it"):
        get_asterisk(tmp_path / "var/asterisk", says_nothing)


def test_without_mmdebstrap_the_way_to_get_it_is_told(bin_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(AsteriskError, match="apt-get install mmdebstrap"):
        get_asterisk(tmp_path / "var/asterisk", says_nothing)


# ── The mirror ───────────────────────────────────────────────────────────────────────────────────────────────

MIRRORS = [
    ("plain", [f"{MIRROR} bookworm main"]),
    ("with a slash", [f"{MIRROR}/ bookworm main"]),
    ("after others", ["http://x.example/debian-security bookworm-security main", f"{MIRROR} bookworm main"]),
    ("after its updates", ["http://y.example/debian bookworm-updates main", f"{MIRROR} bookworm main"]),
    ("after its other parts", ["http://y.example/debian bookworm contrib", f"{MIRROR} bookworm main"]),
    ("after a flat archive", ["file:/opt/flat/ ", "file:/opt/other", f"{MIRROR} bookworm main"]),
    ("after something longer", ["http://y.example/debian x y z", f"{MIRROR} bookworm main"]),
]


@pytest.mark.parametrize("lines", [row[1] for row in MIRRORS], ids=[row[0] for row in MIRRORS])
def test_the_mirror_that_apt_uses(bin_dir: Path, lines: list[str]) -> None:
    apt(bin_dir, *lines)
    assert debian_mirror() == MIRROR


@pytest.mark.parametrize("lines", [[], ["http://ppa.example/ubuntu jammy main"], [""]])
def test_no_mirror(bin_dir: Path, lines: list[str]) -> None:
    apt(bin_dir, *lines)
    with pytest.raises(AsteriskError, match="apt knows no Debian mirror"):
        debian_mirror()


def test_no_apt(bin_dir: Path) -> None:
    with pytest.raises(AsteriskError, match="no apt"):
        debian_mirror()
    program(bin_dir / "apt-get", "exit 100")
    with pytest.raises(AsteriskError, match="no apt"):
        debian_mirror()


# ── As a command ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_says_what_it_has_or_why_not(
    bin_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["install", str(tmp_path / "asterisk")])
    assert main() == 1
    assert capsys.readouterr().err.startswith("error: mmdebstrap is missing")
    private_tree(tmp_path / "asterisk")
    assert main() == 0
    assert capsys.readouterr().out == f"{VERSION}\n"
    assert not list(bin_dir.iterdir())
