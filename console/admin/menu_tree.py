"""A menu as a tree for a page: every node once, where it is reached first; other ways to it are references."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ivr.menu import graph
from ivr.menu.graph import Way
from ivr.menu.linter import Finding
from ivr.menu.model import (
    Announce,
    Choose,
    Goodbye,
    Hours,
    Language,
    Menu,
    Node,
    NodeId,
    Prompt,
    PromptId,
    Prompts,
    ToPerson,
)

_KINDS: Mapping[type[object], str] = {
    Announce: "announce",
    Choose: "choose",
    Hours: "hours",
    ToPerson: "person",
    Goodbye: "goodbye",
}


@dataclass(frozen=True, slots=True)
class Branch:
    """A node, or a reference to one that stands elsewhere, and the way that leads to it."""

    way: Way | None
    """``None``: the start, or a node that nothing leads to."""
    id: NodeId
    kind: str
    """Empty: there is no such node."""
    said: tuple[str, ...]
    section: str
    schedule: str
    refers: bool
    """The node stands elsewhere in the tree."""
    findings: tuple[str, ...]
    branches: tuple[Branch, ...] = ()


class MenuTree:
    """Makes the tree in one language."""

    def __init__(
        self,
        menu: Menu,
        language: Language,
        texts: Mapping[PromptId, str],
        findings: Sequence[Finding],
    ) -> None:
        self._menu = menu
        self._language = language
        self._texts = texts
        self._findings = findings
        self._parents = _first_ways(menu)

    def roots(self) -> list[Branch]:
        """The start, and whatever nothing leads to."""
        stray = [node for node in self._menu.nodes if node not in self._parents and node != self._menu.start]
        return [self._branch(None, node) for node in (self._menu.start, *stray)]

    def _branch(self, way: Way | None, id: NodeId, above: NodeId | None = None) -> Branch:
        node = self._menu.nodes.get(id)
        refers = node is not None and way is not None and self._parents.get(id) != (above, way)
        branches: tuple[Branch, ...] = ()
        if node is not None and not refers:
            branches = tuple(self._branch(each, each.node, id) for each in graph.ways(node))
        return Branch(
            way,
            id,
            _KINDS[type(node)] if node is not None else "",
            tuple(self._said(node)) if node is not None and not refers else (),
            self._section(node),
            node.schedule if isinstance(node, Hours) else "",
            refers,
            tuple(each.message for each in self._findings if each.node == id) if not refers else (),
            branches,
        )

    def _section(self, node: Node | None) -> str:
        if not isinstance(node, ToPerson):
            return ""
        section = self._menu.sections.get(node.section)
        return section.names.get(self._language, node.section) if section else node.section

    def _said(self, node: Node) -> Iterator[str]:
        prompts: Prompts = node.prompts if isinstance(node, Announce | Choose | Goodbye) else ()
        for item in prompts:
            if not isinstance(item, Prompt):
                yield f"〔{item.schedule}〕"
            elif item.language in {None, self._language}:
                yield self._texts.get(item.id, f"‹{item.id}›")


def _first_ways(menu: Menu) -> dict[NodeId, tuple[NodeId | None, Way]]:
    """From where, and by which way, each node but the start is reached by the fewest steps."""
    found: dict[NodeId, tuple[NodeId | None, Way]] = {}
    roots = deque([menu.start] if menu.start in menu.nodes else [])
    stray = deque(menu.nodes)
    seen = set(roots)
    while roots or stray:
        if not roots:
            node = stray.popleft()
            if node in seen:
                continue
            seen.add(node)
            roots.append(node)
        here = roots.popleft()
        for way in graph.ways(menu.nodes[here]):
            if way.node in menu.nodes and way.node not in seen:
                seen.add(way.node)
                found[way.node] = (here, way)
                roots.append(way.node)
    return found
