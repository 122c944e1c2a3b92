"""Models on the disk: unpacked whole or not at all, with a record of every file, by which they can be checked."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import importlib.util
import json
import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from calls.errors import ModelError
from recordings.models.download import sha256_of
from recordings.models.manifest import Model, known_model

RECORD = ".sansheng-model.json"
"""In a model's folder: the archives it came from, and size and SHA-256 of its files."""

_MOST_FILES = 10_000
_GROWS = 12
"""A model's files together are at most so many times as large as its archives."""
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """A folder of files that are the model, or a part of it: in an archive, or on the disk."""

    path: Path
    folder: str = ""
    """Within an archive."""
    sha256: str = ""


# ── Where they lie ───────────────────────────────────────────────────────────────────────────────────────────────


def find_model(name: str, models_dir: Path) -> Path:
    """Where a model lies: in the folder of models, or in the Python package that it comes as.

    Raises ModelError if it is nowhere, or if files of it are missing or have another size than when it was put
    there. That is a quick look; ``problems`` is the thorough one.
    """
    folder = models_dir / name
    if folder.is_dir():
        for file, (size, _) in _recorded(folder).items():
            found = folder / file
            if not found.is_file() or found.stat().st_size != size:
                raise ModelError(f"the speech model {name} is damaged ({file}): sansheng models check {name}")
        return folder
    if package := _package_folder(name):
        return package
    raise ModelError(f"the speech model {name} is not installed: sansheng models fetch {name}")


def problems(name: str, models_dir: Path) -> Iterator[str]:
    """What is wrong with a model's files, by their checksums; nothing if nobody recorded any."""
    folder = models_dir / name
    if folder.is_dir():
        for file, (size, sha256) in _recorded(folder).items():
            found = folder / file
            if not found.is_file():
                yield f"{file} is missing"
            elif found.stat().st_size != size:
                yield f"{file} has {found.stat().st_size} bytes, and should have {size}"
            elif sha256_of(found) != sha256:
                yield f"{file} was changed"
    elif _package_folder(name):
        yield from _package_problems(name)


def is_recorded(name: str, models_dir: Path) -> bool:
    """Whether there are checksums to check it by."""
    return bool(_recorded(models_dir / name)) or not (models_dir / name).is_dir()


def _recorded(folder: Path) -> dict[str, tuple[int, str]]:
    try:
        text = (folder / RECORD).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}  # put there by hand
    try:
        return {file: (int(size), str(sha256)) for file, (size, sha256) in json.loads(text)["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{folder / RECORD} cannot be read: fetch the model {folder.name} again") from error


def _package_folder(name: str) -> Path | None:
    model = known_model(name)
    if model is None or len(model.archives) != 1 or not model.archives[0].package:
        return None
    module, _, within = model.archives[0].folder.partition("/")
    found = importlib.util.find_spec(module)
    if found is None or not found.submodule_search_locations:
        return None
    folder = Path(found.submodule_search_locations[0]) / within
    return folder if folder.is_dir() else None


def _package_problems(name: str) -> Iterator[str]:
    model = known_model(name)
    assert model, "it was found"
    package = model.archives[0].package.partition("==")[0]
    for file in importlib.metadata.files(package) or ():
        path = Path(str(file.locate()))
        if not path.is_file():
            yield f"{file} is missing"
        elif file.size is not None and path.stat().st_size != file.size:
            yield f"{file} has {path.stat().st_size} bytes, and should have {file.size}"


# ── Putting them there ───────────────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def alone(name: str, models_dir: Path) -> Iterator[None]:
    """Nobody else puts this model there meanwhile. Raises ModelError if somebody does."""
    models_dir.mkdir(parents=True, exist_ok=True)
    with (models_dir / f".{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ModelError(f"the model {name} is being fetched by somebody else at this moment") from None
        yield


def room_for(size: int, models_dir: Path) -> None:
    """Raises ModelError unless so many bytes of archives can be fetched and unpacked there."""
    needed = size * 4
    free = shutil.disk_usage(models_dir).free
    if free < needed:
        raise ModelError(
            f"{models_dir} has {free / 1e6:.0f} MB free; fetching and unpacking needs about {needed / 1e6:.0f} MB"
        )


def install(name: str, sources: Iterable[Source], models_dir: Path) -> Path:
    """Unpack a model beside its place, then put it there at once, instead of what was there.

    Files of several sources come together; those named ``X.part1``, ``X.part2`` … are joined into ``X``. Raises
    ModelError; then nothing has changed.
    """
    target = models_dir / name
    models_dir.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=models_dir))
    try:
        taken = list(sources)
        for source in taken:
            (_copy if source.path.is_dir() else _unpack)(source, fresh)
        _join_parts(fresh)
        if not any(fresh.iterdir()):
            raise ModelError(f"there is no model in {', '.join(str(source.path) for source in taken)}")
        files = {
            str(file.relative_to(fresh)): (file.stat().st_size, sha256_of(file))
            for file in sorted(fresh.rglob("*"))
            if file.is_file() and file.name != RECORD
        }
        record = {"name": name, "archives": [source.sha256 for source in taken], "files": files}
        (fresh / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
        _flush(fresh)
        _put(fresh, target)
    except OSError as error:
        raise ModelError(f"the model {name} cannot be put into {models_dir}: {error.strerror}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def _put(fresh: Path, target: Path) -> None:
    old = fresh.with_name(f"{fresh.name}.old")
    fresh.chmod(0o755)
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _copy(source: Source, fresh: Path) -> None:
    shutil.copytree(source.path, fresh, dirs_exist_ok=True)


def _unpack(source: Source, fresh: Path) -> None:
    """An archive is not trusted: neither where its files want to lie, nor how large they say they are."""
    left = source.path.stat().st_size * _GROWS
    try:
        with zipfile.ZipFile(source.path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > _MOST_FILES:
                raise ModelError(f"{source.path.name} has {len(entries)} files in it: that is no model")
            for entry in entries:
                place = _place(entry, source)
                if place is None:
                    continue
                target = fresh / place
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as packed, target.open("wb") as file:
                    while block := packed.read(_BLOCK):
                        left -= len(block)
                        if left < 0:
                            raise ModelError(f"{source.path.name} unpacks to far more than a model has")
                        file.write(block)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise ModelError(f"{source.path.name} is damaged: {error}") from error


def _place(entry: zipfile.ZipInfo, source: Source) -> PurePosixPath | None:
    """Where in the model a file lies; ``None`` if it is no part of it."""
    path = PurePosixPath(entry.filename)
    kind = entry.external_attr >> 16
    bad = path.is_absolute() or ".." in path.parts or "\\" in entry.filename or ":" in entry.filename
    if bad or (kind and not stat.S_ISREG(kind) and stat.S_IFMT(kind)):
        raise ModelError(f"{source.path.name} holds a file that wants to lie elsewhere: it was not unpacked")
    if source.folder and not path.is_relative_to(source.folder):
        return None
    return path.relative_to(source.folder) if source.folder else path


def _join_parts(folder: Path) -> None:
    for first in sorted(folder.rglob("*.part1")):
        whole, number = first.with_suffix(""), 1
        with whole.open("wb") as joined:
            while (part := whole.with_name(f"{whole.name}.part{number}")).exists():
                with part.open("rb") as opened:
                    shutil.copyfileobj(opened, joined, _BLOCK)
                part.unlink()
                number += 1


def _flush(folder: Path) -> None:
    """To the disk, before the folder gets its name: what has the name is whole."""
    for path in (*folder.rglob("*"), folder):
        if path.is_file() or path.is_dir():
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def archive_folder(path: Path, model: Model | None) -> Source:
    """What is a model in a file or folder that a person brings. Raises ModelError.

    A known archive must be the one that the manifest names; of others, the one folder in it is the model.
    """
    if path.is_dir():
        return Source(path)
    if not path.is_file():
        raise ModelError(f"{path} is not there")
    sha256 = sha256_of(path)
    for archive in model.archives if model else ():
        if archive.name == path.name:
            if archive.sha256 and archive.sha256 != sha256:
                raise ModelError(f"{path} is not the file it should be: its SHA-256 is {sha256}")
            return Source(path, archive.folder, sha256)
    try:
        with zipfile.ZipFile(path) as opened:
            tops = {PurePosixPath(name).parts[0] for name in opened.namelist() if PurePosixPath(name).parts}
    except (zipfile.BadZipFile, OSError) as error:
        raise ModelError(f"{path} is no folder, zip or wheel that can be read: {error}") from error
    return Source(path, tops.pop() if len(tops) == 1 else "", sha256)
