"""Looking for words in what cases say. They are looked for as written; never read as a query language."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from calls.errors import SearchError
from storage.folding import folded

LONGEST = 200
"""Letters that may be searched for."""
_MOST_TERMS = 8


def words_in(column: ColumnElement[str], text: str) -> list[ColumnElement[bool]]:
    """Every term, between blanks, is somewhere in the text. Raises SearchError."""
    if len(text) > LONGEST:
        raise SearchError(f"a search may have {LONGEST} letters, this has {len(text)}")
    terms = tuple(dict.fromkeys(folded(text).split()))
    if len(terms) > _MOST_TERMS:
        raise SearchError(f"a search may have {_MOST_TERMS} terms, this has {len(terms)}")
    return [column.contains(term, autoescape=True, escape="\\") for term in terms]
