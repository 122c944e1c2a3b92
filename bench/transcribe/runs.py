"""One run each of ours and of ``vosk-transcriber``, as processes of their own on the same processors."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

from bench.transcribe.legs import MadeLeg

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Run:
    """What a run took, loading the model included, and what it heard."""

    wall_s: float
    cpu_s: float
    rss_mb: float
    heard: dict[str, str]
    """By the file's name."""


def ours(
    legs: Sequence[MadeLeg],
    model: Path,
    cores: int,
    engine: str = "vosk",
    language: str = "ko",
    processes: int = 1,
) -> Run:
    """Our engine, in ``cores`` threads, or in so many processes with a share of the threads each."""
    shares = [legs[number::processes] for number in range(processes)]
    commands = [
        [
            *(sys.executable, "-m", "bench.transcribe.ours", engine, str(model), language),
            *(str(max(1, cores // processes)), *(str(leg.file) for leg in share)),
        ]
        for share in shares
        if share
    ]
    before, began = _children(), time.perf_counter()
    started = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, preexec_fn=_on(cores))
        for command in commands
    ]
    outputs = [process.communicate()[0] for process in started]
    wall_s = time.perf_counter() - began
    if any(process.returncode for process in started):
        raise SystemExit("a run of ours failed; what it says stands above")
    lines = [json.loads(line) for output in outputs for line in output.splitlines()]
    heard = {Path(line["file"]).name: line["text"] for line in lines if "file" in line}
    rss_mb = sum(line["rss_mb"] for line in lines if "rss_mb" in line)
    return Run(wall_s, _children() - before, rss_mb, heard)


def theirs(legs: Sequence[MadeLeg], model: Path, cores: int, folder: Path) -> Run:
    """``vosk-transcriber``, which comes with vosk, on a folder of files, with as many tasks as cores."""
    taken, written, tools = (folder / name for name in ("in", "out", "tools"))
    for each in (taken, written):
        shutil.rmtree(each, ignore_errors=True)
        each.mkdir()
    tools.mkdir(exist_ok=True)
    if not (tools / "ffmpeg").exists():
        (tools / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
    for leg in legs:
        (taken / leg.file.name).symlink_to(leg.file)
    program = Path(sys.executable).with_name("vosk-transcriber")
    command = [
        *(str(program), "--model", str(model), "--input", str(taken), "--output", str(written)),
        *("--output-type", "txt", "--tasks", str(cores), "--log-level", "WARNING"),
    ]
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    before, began = _children(), time.perf_counter()
    done = subprocess.run(
        command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, preexec_fn=_on(cores)
    )
    wall_s = time.perf_counter() - began
    heard = {file.with_suffix(".wav").name: file.read_text(encoding="utf-8") for file in written.iterdir()}
    if done.returncode or len(heard) != len(legs):
        raise SystemExit(f"vosk-transcriber failed:\n{done.stderr.decode()[-2000:]}")
    return Run(wall_s, _children() - before, 0.0, heard)


def _on(cores: int) -> Callable[[], None]:
    """Puts a process on the first processors only."""
    some = set(sorted(os.sched_getaffinity(0))[:cores])
    return lambda: os.sched_setaffinity(0, some)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
