"""Whisper through ``faster-whisper``, an optional extra: slower than Vosk, and indifferent to narrow lines."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import opencc

from calls.errors import ModelError, TranscriptionError
from calls.ports import Pcm
from calls.transcript import Span, Word
from recordings.transcription.audio import RATE_HZ, samples_of
from recordings.transcription.engines import stitch

ENGINE = "whisper"

_BETWEEN_S = 0.5
_LEAST_S = 0.3
"""Of voice; with less it would only make something up."""
_TOKENS_AT_LEAST, _TOKENS_A_SECOND, _WINDOW_S = 20, 12, 30.0
"""More is not said in that time; without a limit, noise makes it go on for twenty seconds of processor time."""
_NO_SPEECH = 0.6
_UNSURE = -1.0
"""Mean logarithm of the words' probabilities; below it, what was made up is as likely as what was said."""
_REPEATING = 2.4
"""How well a text can be compressed; Whisper repeats itself where it hears nothing."""
_NO_WORD = re.compile(r"[^\w]+")


class WhisperEngineModel:
    """A model in CTranslate2's format, loaded once for all threads. Raises ModelError."""

    def __init__(self, path: Path, name: str, threads: int) -> None:
        # Threads that wait for each other give the processor back: spinning, as they would, they keep it from
        # callers and other workers; with more threads than processors everything takes many times as long.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        try:
            from faster_whisper import WhisperModel
        except ImportError as error:
            raise ModelError("Whisper is not installed: pip install 'sansheng[whisper]'") from error
        self.name = name
        if not (path / "model.bin").is_file():
            raise ModelError(f"there is no Whisper model in {path}: model.bin is missing")
        try:
            self._model = WhisperModel(
                str(path), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
            )
        except Exception as error:  # the library below raises whatever it likes
            raise ModelError(f"the model in {path} is damaged; `sansheng models check` tells more") from error

    def recogniser(self, language: str) -> WhisperRecogniser:
        """A recogniser of one language (BCP 47)."""
        return WhisperRecogniser(self._model, self.name, language)


class WhisperRecogniser:
    """See ``calls.ports.Recogniser``. Chinese is given in simplified script, whatever Whisper wrote."""

    engine = ENGINE

    def __init__(self, model: object, name: str, language: str) -> None:
        self.model = name
        self._whisper = model
        self._language = language.partition("-")[0]
        self._simplified = opencc.OpenCC("t2s") if self._language == "zh" else None

    def words(self, audio: Pcm, spans: tuple[Span, ...]) -> list[Word]:
        """See ``calls.ports.Recogniser.words``."""
        if audio.rate_hz != RATE_HZ:
            raise TranscriptionError(f"the engine wants {RATE_HZ} samples a second, not {audio.rate_hz}")
        stitched = stitch(audio, spans, _BETWEEN_S)
        if sum(piece.length_s for _, piece in stitched.pieces) < _LEAST_S:
            return []
        length_s = min(len(stitched.sound) / 2 / RATE_HZ, _WINDOW_S)
        sound = samples_of(Pcm(RATE_HZ, stitched.sound)).astype(np.float32) / 32_768
        try:
            segments, _ = self._whisper.transcribe(  # type: ignore[attr-defined]
                sound,
                language=self._language,
                beam_size=5,
                temperature=0.0,
                condition_on_previous_text=False,
                word_timestamps=True,
                max_new_tokens=_TOKENS_AT_LEAST + int(_TOKENS_A_SECOND * length_s),
            )
            heard = [word for segment in segments if not _made_up(segment) for word in segment.words or ()]
        except Exception as error:  # the library below raises whatever it likes
            raise TranscriptionError(f"Whisper failed: {error}") from error
        words = [
            Word(self._text(word.word), float(word.start), float(word.end), float(word.probability))
            for word in heard
        ]
        return [stitched.placed(word) for word in words if word.text]

    def _text(self, written: str) -> str:
        text = _NO_WORD.sub("", written)
        return self._simplified.convert(text) if self._simplified else text


def _made_up(segment: object) -> bool:
    """Whether Whisper most likely heard nothing there and wrote something nevertheless."""
    no_speech, sure, repeating = (
        float(getattr(segment, name)) for name in ("no_speech_prob", "avg_logprob", "compression_ratio")
    )
    return (no_speech > _NO_SPEECH and sure < _UNSURE) or repeating > _REPEATING
