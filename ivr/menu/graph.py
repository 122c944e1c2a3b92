"""A menu seen as a graph: the ways that lead from node to node, and what can be reached by them."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from typing import TypeAlias

from ivr.menu.model import (
    Announce,
    Choose,
    Goodbye,
    Hours,
    Key,
    Language,
    Menu,
    Node,
    NodeId,
    SectionId,
    ToPerson,
)


class Kind(enum.Enum):
    """What makes a walk take a way; the values complete "… leads to node x"."""

    NEXT = "what comes next"
    KEY = "key"
    GIVING_UP = "giving up"
    OPEN = "the branch 'open'"
    CLOSED = "the branch 'closed'"
    HOLIDAY = "the branch 'holiday'"


STATES = (Kind.OPEN, Kind.CLOSED, Kind.HOLIDAY)


@dataclass(frozen=True, slots=True)
class Way:
    """One way out of a node. `key` is given for, and only for, `Kind.KEY`."""

    kind: Kind
    node: NodeId
    key: Key | None = None
    language: Language | None = None

    @property
    def label(self) -> str:
        """How a finding names this way."""
        return self.kind.value if self.key is None else f"key {self.key}"


Allowed: TypeAlias = Callable[[Way], bool]


def always(_: Way) -> bool:
    """Allows every way."""
    return True


def silent(way: Way) -> bool:
    """Allows the ways of a caller who presses nothing."""
    return way.kind is not Kind.KEY


def while_state(state: Kind) -> Allowed:
    """Allows the ways that can be taken while all schedules are in one of `STATES`."""
    return lambda way: way.kind not in STATES or way.kind is state


def ways(node: Node) -> tuple[Way, ...]:
    """All ways out of a node, the menu's own keys not counted."""
    match node:
        case Announce():
            return (Way(Kind.NEXT, node.next),)
        case Choose(choices=choices, on_giving_up=last):
            chosen = (Way(Kind.KEY, target.node, key, target.language) for key, target in choices.items())
            return (*chosen, Way(Kind.GIVING_UP, last.node, language=last.language))
        case Hours():
            return (Way(Kind.OPEN, node.open), Way(Kind.CLOSED, node.closed), Way(Kind.HOLIDAY, node.holiday))
        case ToPerson() | Goodbye():
            return ()


def following(menu: Menu, node: NodeId, allowed: Allowed = always) -> list[NodeId]:
    """The existing nodes one step further."""
    return [way.node for way in ways(menu.nodes[node]) if way.node in menu.nodes and allowed(way)]


def reachable(
    menu: Menu, starts: Iterable[NodeId], allowed: Allowed = always, stop_at: Set[NodeId] = frozenset()
) -> set[NodeId]:
    """The starts and all existing nodes reached from them, not going on from those in `stop_at`."""
    seen: set[NodeId] = set()
    ahead = [start for start in starts if start in menu.nodes]
    while ahead:
        node = ahead.pop()
        if node not in seen:
            seen.add(node)
            if node not in stop_at:
                ahead.extend(following(menu, node, allowed))
    return seen


def reach_of_each(menu: Menu, allowed: Allowed = always) -> dict[NodeId, set[NodeId]]:
    """For each node, what can be reached in one step or more."""
    return {node: reachable(menu, following(menu, node, allowed), allowed) for node in menu.nodes}


def loops(reach: Mapping[NodeId, Set[NodeId]]) -> list[list[NodeId]]:
    """Groups of nodes that lead round to each other, each in the order of the menu."""
    found: list[list[NodeId]] = []
    for node, beyond in reach.items():
        if node in beyond and not any(node in loop for loop in found):
            found.append([other for other in reach if other in beyond and node in reach[other]])
    return found


def people_at(menu: Menu, nodes: Iterable[NodeId]) -> set[SectionId]:
    """The sections whose people wait at these nodes."""
    found = (menu.nodes[node] for node in nodes)
    return {node.section for node in found if isinstance(node, ToPerson)}
