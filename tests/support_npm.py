"""npm packages for tests and pictures: fetched once below ``var``, exactly those of the lock file."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from service.settings import ROOT

_FETCH_S = 300


def fetched(folder: Path, *options: str) -> Path:
    """Where the packages of a folder's ``package-lock.json`` lie, beside copies of its files.

    No package may run a script of its own. Several processes may ask at once; the first one fetches.
    """
    assert shutil.which("npm"), "npm is missing; get it with: apt-get install npm"
    lock = folder / "package-lock.json"
    version = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    work = ROOT / "var" / "npm" / f"{folder.name}-{version}"
    work.mkdir(parents=True, exist_ok=True)
    with (work.parent / f"{folder.name}.lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        for file in folder.iterdir():
            if file.is_file() and not _same(file, work / file.name):
                shutil.copy(file, work)  # only then: others may be reading what is there
        if not (work / "done").exists():
            subprocess.run(
                ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", *options],
                cwd=work,
                check=True,
                timeout=_FETCH_S,
            )
            # npm leaves out, without a word, an optional package that it could not get: a compiler's program, say.
            subprocess.run(["npm", "run", "--silent", "check"], cwd=work, check=True, timeout=_FETCH_S)
            (work / "done").touch()
    return work


def told(folder: Path, script: str) -> str:
    """What a script of a folder's ``package.json`` says; run once for what is in the folder, whoever asks."""
    work = fetched(folder)
    inside = hashlib.sha256()
    for file in sorted(file for file in folder.iterdir() if file.is_file()):
        inside.update(f"{file.name} {file.stat().st_size}\n".encode() + file.read_bytes())
    kept = work / f"said-{script}-{inside.hexdigest()[:12]}"
    with (work.parent / f"{folder.name}.lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        if not kept.exists():
            said = subprocess.run(
                ["npm", "run", "--silent", script],
                cwd=work,
                check=True,
                capture_output=True,
                text=True,
                timeout=_FETCH_S,
            ).stdout
            fresh = kept.with_name(f".{kept.name}")
            fresh.write_text(said, encoding="utf-8")
            fresh.replace(kept)
    return kept.read_text(encoding="utf-8")


def _same(file: Path, there: Path) -> bool:
    return there.exists() and there.read_bytes() == file.read_bytes()
