"""How text is made alike for searching: letter by letter, so that places in both are the same."""

from __future__ import annotations

import functools
import unicodedata

from opencc import OpenCC


def folded(text: str) -> str:
    """Small letters, half width, simplified script; exactly as long as ``text``."""
    return "".join(map(_letter, text))


def spaced(alike: str) -> str:
    """Each letter a word of its own, so that an index of three letters at a time finds one and two as well."""
    return f" {' '.join(alike)} " if alike else ""


@functools.cache
def _simplifier() -> OpenCC:
    return OpenCC("t2s")


@functools.lru_cache(maxsize=20_000)
def _letter(letter: str) -> str:
    for alike in (unicodedata.normalize("NFKC", letter), letter):
        alike = alike.lower()
        if len(alike) == 1:
            simple: str = _simplifier().convert(alike)
            return simple if len(simple) == 1 and simple.isprintable() else " "
    return " "
