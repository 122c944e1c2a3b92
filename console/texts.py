"""The console's texts, one folder of Fluent files per language, and the choice of a reader's language (I1).

The folders hold the same messages. A text's key is ``group.name``, its message in the file ``group-name``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from fluent.runtime import FluentBundle, FluentResource
from fluent.syntax import ast

from calls.ids import Language

_FOLDER = Path(__file__).parent / "texts"

LANGUAGES = (Language("zh-CN"), Language("en"))
"""What the console speaks; the first is for readers who ask for neither."""


class Texts:
    """The texts of one language, by keys such as ``state.ready``."""

    def __init__(self, language: Language, bundle: FluentBundle, plain: Mapping[str, str]) -> None:
        self.language = language
        self._bundle = bundle
        self._plain = plain
        """Messages by key; of those with places to fill, the bare pattern with ``{name}`` for a place."""

    def __call__(self, key: str, **values: object) -> str:
        """The text, its places filled with ``values``. Raises KeyError if there is no such text or value.

        Without values, places stay as ``{name}``, for a script of the page to fill.
        """
        plain = self._plain[key]
        if not values:
            return plain
        pattern = self._bundle.get_message(key.replace(".", "-", 1)).value
        assert pattern is not None, "messages without a value are not read"
        text, errors = self._bundle.format_pattern(pattern, values)
        if errors:
            raise KeyError(f"{key}: {errors[0]}")
        return str(text)

    def named(self, group: str, name: str) -> str:
        """The text of something whose names come from outside; the name itself if it has none here."""
        return self._plain.get(f"{group}.{name}", name)

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all texts."""
        return frozenset(self._plain)


@cache
def load_texts(language: Language) -> Texts:
    """A language's texts, read once: that takes a processor a fifth of a second.

    Raises ValueError for a file that is no Fluent, or a message that stands twice.
    """
    bundle = FluentBundle([language], use_isolating=False)
    plain: dict[str, str] = {}
    for path in sorted((_FOLDER / language).glob("*.ftl")):
        resource = FluentResource(path.read_text(encoding="utf-8"))
        for entry in resource.body:
            if isinstance(entry, ast.Junk):
                raise ValueError(f"{path.name}: {(entry.content or '').strip()[:60]!r} is no message")
            if not isinstance(entry, ast.Message) or entry.value is None:
                continue
            key = entry.id.name.replace("-", ".", 1)
            if key in plain:
                raise ValueError(f"{path.name}: {entry.id.name} stands twice")
            plain[key] = _bare(entry.value)
        bundle.add_resource(resource)
    return Texts(language, bundle, plain)


def _bare(pattern: ast.Pattern) -> str:
    """A pattern as text, ``{name}`` for a place to fill; of a choice, its default."""
    return "".join(_part(element) for element in pattern.elements)


def _part(element: ast.TextElement | ast.Placeable) -> str:
    if isinstance(element, ast.TextElement):
        return str(element.value)
    match element.expression:
        case ast.VariableReference(id=name):
            return f"{{{name.name}}}"
        case ast.StringLiteral() as literal:
            return str(literal.parse()["value"])
        case ast.SelectExpression(variants=variants):
            return _bare(next(variant.value for variant in variants if variant.default))
        case other:
            raise ValueError(f"{type(other).__name__} has no plain form")


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
