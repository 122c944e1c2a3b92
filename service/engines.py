"""The recognisers of one worker process: models are loaded once, recognisers made once for each thread."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from calls.errors import ModelError
from calls.ports import Recogniser
from recordings.models.install import find_model
from recordings.models.trial import try_out
from recordings.transcription.whisper_engine import WhisperEngineModel
from service.settings import Settings, Speech

if TYPE_CHECKING:
    from recordings.transcription.vosk_engine import VoskModel

_NOT_AGAIN_S = 60.0
"""A model that was refused is not tried again for so long: a trial takes seconds, and thousands may wait."""


class Engines:
    """Gives each thread its recogniser. A damaged model is found out in another process before it is loaded."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._refused: dict[str, tuple[float, str]] = {}
        self._models: dict[tuple[str, str], VoskModel | WhisperEngineModel] = {}
        self._loading = threading.Lock()
        self._mine = threading.local()

    def speech(self, language: str) -> Speech:
        """What is set for a language of the menu. Raises ModelError."""
        for speech in self._settings.transcription.languages:
            if speech.language == language:
                return speech
        raise ModelError(f"no speech model is set for {language}: see transcription.languages in the settings")

    def recogniser(self, speech: Speech) -> Recogniser:
        """This thread's recogniser. Raises ModelError."""
        mine: dict[tuple[str, str, str], Recogniser] = self._mine.__dict__.setdefault("recognisers", {})
        language = speech.speaks or speech.language
        key = (speech.engine, speech.model, language)
        if key not in mine:
            model = self._model(speech)
            mine[key] = model.recogniser(language) if isinstance(model, WhisperEngineModel) else model.recogniser()
        return mine[key]

    def _model(self, speech: Speech) -> VoskModel | WhisperEngineModel:
        key = (speech.engine, speech.model)
        with self._loading:
            if key not in self._models:
                path = self._tried(speech)
                if speech.engine == "whisper":
                    self._models[key] = WhisperEngineModel(path, speech.model, threads_of(self._settings))
                else:
                    # Native code that can abort its process: loaded where it works, never by the service.
                    from recordings.transcription.vosk_engine import VoskModel

                    view = self._settings.var_dir / "model-views"
                    self._models[key] = VoskModel(path, speech.model, view)
            return self._models[key]

    def _tried(self, speech: Speech) -> Path:
        """Where the model lies, once it is known to work. Raises ModelError."""
        path = find_model(speech.model, self._settings.models_dir)
        when, why = self._refused.get(speech.model, (0.0, ""))
        if why and time.monotonic() - when < _NOT_AGAIN_S:
            raise ModelError(why)
        try:
            try_out(speech.model, speech.engine, path)
        except ModelError as error:
            self._refused[speech.model] = (time.monotonic(), str(error))
            raise
        return path


def threads_of(settings: Settings) -> int:
    """How many legs are transcribed at a time: telephony keeps a processor for itself."""
    return settings.transcription.threads or max(1, (os.cpu_count() or 1) - 1)
