"""Vosk: the default engine. Only for worker processes: Kaldi ends the whole process on input it does not like.

What makes it fast and repeatable was measured (``bench.transcribe``): a recogniser is kept from file to file, for
the graphs that it composes stay with it; silence is not fed; chunks have one size; dither, random noise that is
added to the sound and makes results random, is off; and of a small model fewer hypotheses are followed: that is
twice as fast, and errs no more than the model's own settings with a fresh recogniser for each file.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import vosk

from calls.errors import ModelError, TranscriptionError
from calls.ports import Pcm
from calls.transcript import Span, Word
from recordings.transcription.audio import RATE_HZ
from recordings.transcription.engines import stitch

ENGINE = "vosk"

_CHUNK_BYTES = 8_000
_BETWEEN_S = 0.2
_FLUSH = bytes(int(0.2 * RATE_HZ) * 2)
"""Without it, a file that ends on an endpoint leaves its last words to the next file."""


class VoskModel:
    """A model, loaded once for all threads. Raises ModelError if it is missing or damaged.

    ``view_dir`` is where a copy of the model's settings, changed as said above, may lie; the rest is linked to.
    """

    def __init__(self, path: Path, name: str, view_dir: Path) -> None:
        vosk.SetLogLevel(-1)
        self.name = name
        view = _tuned(path, view_dir / name)
        try:
            self._model = vosk.Model(str(view))
        except Exception as error:  # vosk raises plain Exception
            raise ModelError(
                f"the model in {path} cannot be loaded; `sansheng models check` tells more"
            ) from error

    def recogniser(self) -> VoskRecogniser:
        """A recogniser for one thread."""
        return VoskRecogniser(self._model, self.name)


class VoskRecogniser:
    """One thread's recogniser (``calls.ports.Recogniser``), warm from file to file."""

    engine = ENGINE

    def __init__(self, model: vosk.Model, name: str) -> None:
        self.model = name
        try:
            self._kaldi = vosk.KaldiRecognizer(model, RATE_HZ)
        except Exception as error:
            raise ModelError(f"the model {name} is damaged; `sansheng models check` tells more") from error
        self._kaldi.SetWords(True)
        self._fed_s = 0.0
        """Seconds of all files so far: the engine's times run on."""

    def words(self, audio: Pcm, spans: tuple[Span, ...]) -> list[Word]:
        """See ``calls.ports.Recogniser.words``."""
        if audio.rate_hz != RATE_HZ:
            raise TranscriptionError(f"the engine wants {RATE_HZ} samples a second, not {audio.rate_hz}")
        stitched = stitch(audio, spans, _BETWEEN_S)
        return [stitched.placed(word) for word in self._heard(stitched.sound + _FLUSH)]

    def _heard(self, sound: bytes) -> list[Word]:
        """The words, with times from the beginning of ``sound``."""
        results = []
        for start in range(0, len(sound), _CHUNK_BYTES):
            if self._kaldi.AcceptWaveform(sound[start : start + _CHUNK_BYTES]):
                results.append(self._kaldi.Result())
        results.append(self._kaldi.FinalResult())
        before, self._fed_s = self._fed_s, self._fed_s + len(sound) / 2 / RATE_HZ
        return [
            Word(word["word"], word["start"] - before, word["end"] - before, word["conf"])
            for result in results
            for word in json.loads(result).get("result", ())
        ]


_FEWER: Mapping[str, float] = MappingProxyType({"max-active": 1000, "min-active": 50, "beam": 9.5})
"""What a small model's decoder follows, instead of 3000, 200 and 10."""
_SMALL_ACTIVE = 3000
"""A model that follows more by itself is a large one, whose graph needs them."""


def _tuned(path: Path, view: Path) -> Path:
    """A folder that is the model, but for its settings. Raises ModelError."""
    try:
        features = (path / "conf" / "mfcc.conf").read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ModelError(f"there is no Vosk model in {path}: conf/mfcc.conf is missing") from error
    view.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=view.parent, prefix=f".{view.name}."))
    for part in path.iterdir():
        if part.name != "conf":
            (fresh / part.name).symlink_to(part.resolve())
    conf = fresh / "conf"
    shutil.copytree(path / "conf", conf)
    kept = [line for line in features if not line.startswith("--dither")]
    (conf / "mfcc.conf").write_text("\n".join([*kept, "--dither=0", ""]), encoding="utf-8")
    if (conf / "model.conf").is_file():
        lines = (conf / "model.conf").read_text(encoding="utf-8").splitlines()
        (conf / "model.conf").write_text("\n".join([*fewer(lines), ""]), encoding="utf-8")
    shutil.rmtree(view, ignore_errors=True)
    with contextlib.suppress(OSError):  # somebody else has just put the same there
        fresh.rename(view)
    if fresh.exists():
        shutil.rmtree(fresh)
    return view


def fewer(lines: Sequence[str]) -> list[str]:
    """A model's decoder settings; a small one's with no more hypotheses than it needs."""
    told = dict(_setting(line) for line in lines)
    active = told.get("max-active")
    if active is None or active > _SMALL_ACTIVE:
        return list(lines)
    found = []
    for line in lines:
        name, value = _setting(line)
        less = value is not None and name in _FEWER and _FEWER[name] < value
        found.append(f"--{name}={_FEWER[name]:g}" if less else line)
    return found


def _setting(line: str) -> tuple[str, float | None]:
    """Name and value of one line; no value where it is no number."""
    name, _, value = line.strip().removeprefix("--").partition("=")
    try:
        return name, float(value)
    except ValueError:
        return name, None
