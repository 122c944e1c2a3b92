"""Two windows on one call's notes: nobody's words are lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.filing import Edit, Kind, edited, merged

LINES = st.lists(st.text(st.characters(blacklist_characters="\n\r"), max_size=8), max_size=5).map("\n".join)


@pytest.mark.parametrize(
    ("base", "theirs", "mine", "expected"),
    [
        ("", "", "train 21", "train 21"),
        ("train 21", "train 21, Tuesday", "train 21", "train 21, Tuesday"),
        ("train 21", "train 21", "", ""),
        ("a", "a\nfrom the left", "a\nfrom the right", "a\nfrom the left\nfrom the right"),
        ("a", "a\nb", "a\nb\nc", "a\nb\nc"),
        ("a\nb", "b", "a\nb\nc", "b\na\nc"),
    ],
    ids=[
        "first words",
        "only they wrote",
        "only I wrote",
        "both wrote",
        "I wrote on",
        "one struck out, one wrote",
    ],
)
def test_what_becomes_of_two_texts(base: str, theirs: str, mine: str, expected: str) -> None:
    assert merged(Edit(base, mine), theirs) == expected


@given(base=LINES, theirs=LINES, mine=LINES)
def test_every_line_that_either_side_wrote_is_kept(base: str, theirs: str, mine: str) -> None:
    result = merged(Edit(base, mine), theirs).split("\n")
    new = (set(theirs.split("\n")) | set(mine.split("\n"))) - set(base.split("\n"))
    if "" in (theirs, mine) and base:
        new -= {""}
    if theirs.startswith(mine) or mine.startswith(theirs):
        return  # one is the other, gone on
    assert new <= set(result)


def test_a_line_is_put_together_and_a_choice_is_the_last_ones() -> None:
    fields = {"name": "Wang", "outcome": "answered", "notes": "x"}
    edits = {"name": Edit("", "Huang"), "outcome": Edit("", "complaint")}
    kinds = {"name": Kind.LINE, "outcome": Kind.CHOICE}
    assert edited(fields, edits, kinds) == {"name": "Wang / Huang", "outcome": "complaint", "notes": "x"}


def test_saving_once_more_what_was_saved_changes_nothing() -> None:
    """The answer to a save was lost on the way: the page sends it again."""
    edit = Edit("a", "a\nmine")
    once = merged(edit, "a\ntheirs")
    assert merged(edit, once) == once
