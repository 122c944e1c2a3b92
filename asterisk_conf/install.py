"""Find an Asterisk, or get one.

A system Asterisk of version 18 or newer is used when there is one. Debian 12 has no such package, so
otherwise the packages of a newer Debian are unpacked into a private tree below ``var/`` and run from there
through that tree's own dynamic loader: no chroot, no mounts, nothing outside the checkout.

Run as a module it installs and reports: ``python -m asterisk_conf.install DIRECTORY``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from calls.errors import AsteriskError

OLDEST = 18
"""The oldest major version of a system Asterisk that we use."""

RELEASE = "forky"
"""The Debian release whose Asterisk (22, long-term support) is unpacked where there is none."""

_LIBRARIES = "usr/lib/{}-linux-gnu"


@dataclass(frozen=True, slots=True)
class AsteriskBuild:
    """An Asterisk that can be started."""

    command: tuple[str, ...]
    """The program, with its loader where it is a private one."""
    modules_dir: Path
    data_dir: Path
    version: str


def find_asterisk(tree: Path) -> AsteriskBuild | None:
    """The system's Asterisk if it is new enough, else the one in the private tree, else ``None``."""
    return _system_asterisk() or _private_asterisk(tree)


def get_asterisk(tree: Path, say: Callable[[str], None]) -> AsteriskBuild:
    """An Asterisk, unpacked into ``tree`` if there is none yet. Raises AsteriskError with what is missing."""
    found = find_asterisk(tree)
    if found:
        return found
    say(f"no Asterisk {OLDEST}+ on this machine: unpacking Debian {RELEASE}'s into {tree} (about a minute)")
    _unpack(tree, say)
    unpacked = _private_asterisk(tree)
    if not unpacked:
        raise AsteriskError(f"Asterisk was unpacked into {tree} but does not start; remove it and try again")
    return unpacked


def _version(command: tuple[str, ...]) -> str | None:
    try:
        answer = subprocess.run([*command, "-V"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.match(r"Asterisk (?:certified[/-])?(\d+)\.\S*", answer.stdout)
    return found[0].removeprefix("Asterisk ") if found else None


def _system_asterisk() -> AsteriskBuild | None:
    program = shutil.which("asterisk") or shutil.which("asterisk", path="/usr/sbin:/usr/local/sbin")
    if not program:
        return None
    version = _version((program,))
    if not version or int(re.findall(r"\d+", version)[0]) < OLDEST:
        return None
    for modules in (*Path("/usr/lib").glob("*-linux-gnu/asterisk/modules"), Path("/usr/lib/asterisk/modules")):
        if (modules / "app_queue.so").exists():
            data = next((d for d in (Path("/usr/share/asterisk"), Path("/var/lib/asterisk")) if d.is_dir()), None)
            return AsteriskBuild((program,), modules, data, version) if data else None
    return None


def _private_asterisk(tree: Path) -> AsteriskBuild | None:
    loader = next(iter(sorted((tree / "usr").glob("lib*/ld-linux*.so.*"))), None)
    libraries = next(iter(sorted(tree.glob(_LIBRARIES.format("*")))), None)
    if not loader or not libraries:
        return None
    command = (str(loader), "--library-path", str(libraries), str(tree / "usr/sbin/asterisk"))
    version = _version(command)
    if not version:
        return None
    return AsteriskBuild(command, libraries / "asterisk/modules", tree / "usr/share/asterisk", version)


def _unpack(tree: Path, say: Callable[[str], None]) -> None:
    if not shutil.which("mmdebstrap"):
        raise AsteriskError("mmdebstrap is missing; get it with: apt-get install mmdebstrap")
    fresh = tree.with_name(tree.name + ".partial")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.parent.mkdir(parents=True, exist_ok=True)
    command = [
        "mmdebstrap",
        "--variant=apt",
        "--mode=root",
        "--include=asterisk,asterisk-modules",
        # The mirror's release file can be past its date.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        RELEASE,
        str(fresh),
        debian_mirror(),
    ]
    log = tree.with_name(tree.name + "-install.log")
    with log.open("wb") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
        raise AsteriskError(f"unpacking Asterisk failed; the end of {log}:\n{tail}")
    # Complete or not at all: a killed installation leaves only the partial tree, which the next one removes.
    shutil.rmtree(tree, ignore_errors=True)
    fresh.rename(tree)
    say("Asterisk is unpacked")


def debian_mirror() -> str:
    """The Debian mirror that this machine's apt uses. Raises AsteriskError where there is none."""
    try:
        listed = subprocess.run(
            ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise AsteriskError("this machine has no apt: install Asterisk 18 or newer by hand") from error
    for line in listed.splitlines():
        uri, release, component, *_ = [*line.split(" "), "", ""]
        if component == "main" and uri.rstrip("/").endswith("/debian") and "-" not in release:
            return uri.rstrip("/")
    raise AsteriskError(
        "apt knows no Debian mirror (main): add one to its sources, or install Asterisk 18 or newer"
    )


def main() -> int:
    try:
        build = get_asterisk(Path(sys.argv[1]).resolve(), lambda text: print(text, flush=True))  # noqa: T201
    except AsteriskError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print(f"Asterisk {build.version}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
