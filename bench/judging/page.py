"""The tables in docs/rules.md."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bench.judging import labelled
from qa.rules.loader import PACKS

FILE = Path(__file__).resolve().parents[2] / "docs" / "rules.md"
_BEGIN, _END = "<!-- written by python -m bench.judging --write -->\n", "\n<!-- end of what is written -->"


def basis() -> str:
    """A checksum of what the tables rest on: engine, rule sets, dialogues. Judging them all would take long."""
    engine = PACKS.parent / "rules"
    files = [*sorted(engine.glob("*.py")), *sorted(PACKS.glob("*.toml")), labelled.FILE]
    told = "".join(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n" for file in files)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def tables_in(page: str) -> str:
    """What stands in the page now."""
    return page.partition(_BEGIN)[2].partition(_END)[0]


def with_tables(page: str, tables: str) -> str:
    """The page with these tables instead. Raises ValueError if the page has no place for them."""
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"{FILE} lacks the marks between which the tables stand")
    return before + begin + tables + end + after
