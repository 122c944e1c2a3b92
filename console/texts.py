"""The console's texts, one file per language with the same keys, and the choice of a reader's language (I1)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from calls.ids import Language

_FOLDER = Path(__file__).parent / "texts"

LANGUAGES = (Language("zh-CN"), Language("en"))
"""What the console speaks; the first is for readers who ask for neither."""


class Texts:
    """The texts of one language, by keys such as ``state.ready``."""

    def __init__(self, language: Language, by_key: Mapping[str, str]) -> None:
        self.language = language
        self._by_key = by_key

    def __call__(self, key: str, **values: object) -> str:
        """The text, its ``{places}`` filled with ``values``. Raises KeyError if there is no such text."""
        text = self._by_key[key]
        return text.format(**values) if values else text

    def named(self, group: str, name: str) -> str:
        """The text of something whose names come from outside; the name itself if it has none here."""
        return self._by_key.get(f"{group}.{name}", name)

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all texts."""
        return frozenset(self._by_key)


def load_texts(language: Language) -> Texts:
    """Read a language's file, two levels deep: group and name."""
    groups: dict[str, dict[str, str]] = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return Texts(language, {f"{g}.{name}": text for g, texts in groups.items() for name, text in texts.items()})


def choose_language(asked: str | None, accept: str) -> Language:
    """The reader's language: the one asked for by ``?lang=``, else the best of ``Accept-Language``."""
    wished = [asked or "", *(tag for _, tag in sorted(map(_weighed, accept.split(",")), key=lambda w: -w[0]))]
    for tag in wished:
        for language in LANGUAGES:
            if tag and tag.lower().split("-")[0] == language.lower().split("-")[0]:
                return language
    return LANGUAGES[0]


def _weighed(part: str) -> tuple[float, str]:
    """One part of ``Accept-Language``: ``en;q=0.7`` weighs 0.7; what cannot be read weighs nothing."""
    tag, _, weight = part.strip().partition(";q=")
    try:
        return (float(weight) if weight else 1.0), tag
    except ValueError:
        return 0.0, ""
