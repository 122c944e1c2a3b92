"""The design of a survey: its levels, its questions and their weights; read from TOML and linted."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from calls.errors import SurveyError

AFTER_CALL = Path(__file__).with_name("after-call.toml")
"""The design that comes with the product."""

_PLAIN = re.compile(r"[a-z][a-z0-9-]{0,30}")
"""Names go into a dialplan: nothing else may stand in them."""

Texts = Mapping[str, str]
"""The same words by language."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Level(_Part):
    """One step of the scale; which key it has follows from its place."""

    points: float = Field(ge=0, le=100)
    dissatisfied: bool
    names: dict[str, str]


class Question(_Part):
    """What is asked: by a prompt, or in words on the web page."""

    prompt: str
    question: dict[str, str]


class Dimension(Question):
    """One of the things that are asked of a share of callers (Q2)."""

    id: str
    weight: float = Field(gt=0, le=1)


class _File(_Part):
    name: str
    version: int = Field(ge=1)
    levels: tuple[Level, ...]
    rating: Question
    dimensions: tuple[Dimension, ...]


@dataclass(frozen=True, slots=True)
class SurveyDesign:
    """One version of a survey."""

    name: str
    version: int
    levels: tuple[Level, ...]
    rating: Question
    dimensions: tuple[Dimension, ...]

    @property
    def id(self) -> str:
        """What answers are kept under."""
        return f"{self.name}@{self.version}"

    @property
    def keys(self) -> str:
        """The keys that rate, the best level's first."""
        return "".join(str(key) for key, _ in enumerate(self.levels, start=1))

    @property
    def dissatisfied_keys(self) -> str:
        """Those of them that say dissatisfied (K3)."""
        return "".join(str(key) for key, level in enumerate(self.levels, start=1) if level.dissatisfied)

    def level(self, key: int) -> Level:
        """The level of a key. Raises SurveyError."""
        if not 1 <= key <= len(self.levels):
            raise SurveyError(f"there is no level {key}")
        return self.levels[key - 1]


def load_design(path: Path, prompts: Mapping[str, Collection[str]]) -> SurveyDesign:
    """Read and lint a design. Raises SurveyError with every finding.

    ``prompts`` are the ids of the prompts there are, by language; every language needs every word.
    """
    try:
        read = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SurveyError(f"{path}: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise SurveyError(f"{path}: {wrong}") from error
    parts: dict[str, Any] = {name: getattr(read, name) for name in _File.model_fields}
    design = SurveyDesign(**parts)
    found = list(findings(design, prompts))
    if found:
        raise SurveyError(f"{path}: " + "; ".join(found))
    return design


def findings(design: SurveyDesign, prompts: Mapping[str, Collection[str]]) -> Iterator[str]:
    """What is wrong with a design, in words."""
    ids = [dimension.id for dimension in design.dimensions]
    for name in (design.name, *ids):
        if not _PLAIN.fullmatch(name):
            yield f"{name!r}: small letters, digits and - only"
    if len(set(ids)) < len(ids):
        yield "a dimension is given twice"
    if not 2 <= len(design.levels) <= 9:
        yield "2 to 9 levels: each needs a key"
    points = [level.points for level in design.levels]
    if points != sorted(points, reverse=True):
        yield "levels go from the best to the worst"
    if len({level.dissatisfied for level in design.levels}) < 2:
        yield "some levels say dissatisfied, and some do not"
    if sorted(level.dissatisfied for level in design.levels) != [level.dissatisfied for level in design.levels]:
        yield "what says dissatisfied stands below what does not"
    if not math.isclose(math.fsum(dimension.weight for dimension in design.dimensions), 1, abs_tol=1e-9):
        yield "weights of dimensions add up to 1"
    yield from _unsaid(design, prompts)


def _unsaid(design: SurveyDesign, prompts: Mapping[str, Collection[str]]) -> Iterator[str]:
    questions = (design.rating, *design.dimensions)
    for language, known in prompts.items():
        for question in questions:
            if question.prompt not in known:
                yield f"there is no prompt {question.prompt!r} in {language}"
        for texts in (*(question.question for question in questions), *(level.names for level in design.levels)):
            if not texts.get(language, "").strip():
                yield f"words are missing in {language}: {next(iter(texts.values()), '(none)')}"
