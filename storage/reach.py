"""What somebody may see, as a condition of a query (P1): ``calls.people.Scope.covers``, said to the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, false, or_, true

from calls.people import Scope


def within(scope: Scope, section: ColumnElement[Any], agent: ColumnElement[Any]) -> ColumnElement[bool]:
    """Rows whose section or agent the scope reaches."""
    if scope.everything:
        return true()
    reached: list[ColumnElement[bool]] = []
    if scope.sections:
        reached.append(section.in_(sorted(scope.sections)))
    if scope.agent is not None:
        reached.append(agent == scope.agent)
    return or_(*reached) if reached else false()
