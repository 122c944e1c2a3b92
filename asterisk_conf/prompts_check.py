"""Whether every prompt can be played: none missing, empty, clipped, wrongly sampled or unknown.

``python -m asterisk_conf.prompts_check`` names every problem and exits 1 if there is one.
"""

from __future__ import annotations

import sys
from array import array
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from asterisk_conf.prompt_audio import duration_s, read_wav, speech_dbfs
from asterisk_conf.prompt_manifest import (
    PROMPTS_DIR,
    STUDIO,
    Language,
    Manifest,
    PromptId,
    load_manifest,
    prompt_file,
)
from calls.errors import PromptError

NEAR_SILENT_DBFS = -45.0
CLIPPED_RUN = 3  # neighbouring samples at full scale: a wave that was cut off, not one that just touches it
FASTEST_SYLLABLES_PER_S = 9.0
LETTERS_PER_SYLLABLE = 4.0  # of an alphabet; a Chinese character is one syllable


class Fault(StrEnum):
    """What is wrong with a prompt."""

    MISSING = "missing"
    EMPTY = "empty"
    CLIPPED = "clipped"
    WRONG_FORMAT = "wrong-format"
    STRAY = "stray"


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of one file. `prompt` is the file's stem where the file is a stray."""

    language: Language
    prompt: PromptId
    fault: Fault
    detail: str

    def __str__(self) -> str:
        return f"{self.language}/{self.prompt}: {self.fault}: {self.detail}"


def check_prompts(root: Path, manifest: Manifest) -> list[Problem]:
    """Every problem of the recordings below `root`, in the order of the manifest, strays last."""
    problems: list[Problem] = []
    for language, texts in manifest.texts.items():
        for prompt, text in texts.items():
            fault = _fault(root, language, prompt, text)
            if fault is not None:
                problems.append(Problem(language, prompt, *fault))
    return problems + _strays(root, manifest)


def shortest_s(text: str) -> float:
    """How long the text takes at the least, in seconds, if it is spoken at all."""
    letters = [sign for sign in text if sign.isalpha()]
    latin = sum(sign.isascii() for sign in letters)
    return (len(letters) - latin + latin / LETTERS_PER_SYLLABLE) / FASTEST_SYLLABLES_PER_S


def _fault(root: Path, language: Language, prompt: PromptId, text: str) -> tuple[Fault, str] | None:
    try:
        path = prompt_file(language, prompt, root)
    except PromptError as error:
        return Fault.MISSING, str(error)
    try:
        samples = read_wav(path)
    except PromptError as error:
        return Fault.WRONG_FORMAT, str(error)
    level, seconds = speech_dbfs(samples), duration_s(samples)
    if level < NEAR_SILENT_DBFS:
        return Fault.EMPTY, f"near silent: {level:.0f} dBFS"
    if seconds < shortest_s(text):
        return Fault.EMPTY, f"{seconds:.2f} s is too short for its text"
    if _is_clipped(samples):
        return Fault.CLIPPED, f"{CLIPPED_RUN} or more samples in a row at full scale"
    return None


def _is_clipped(samples: array[int]) -> bool:
    run = 0
    for sample in samples:
        run = run + 1 if sample >= 32_767 or sample <= -32_767 else 0
        if run == CLIPPED_RUN:
            return True
    return False


def _strays(root: Path, manifest: Manifest) -> list[Problem]:
    """Files of audio folders that no prompt is played from: a misspelt id, a recording not in WAV."""
    expected = {
        folder / f"{prompt}.wav"
        for language, texts in manifest.texts.items()
        for folder in (root / language, root / language / STUDIO)
        for prompt in texts
    }
    found = (path for path in sorted(root.glob("*/**/*")) if path.is_file() and path not in expected)
    return [
        Problem(path.relative_to(root).parts[0], path.stem, Fault.STRAY, f"{path} is not in the manifest")
        for path in found
    ]


def main() -> int:
    """Check the prompts of this checkout."""
    problems = check_prompts(PROMPTS_DIR, load_manifest())
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
