"""Judges a menu before a caller meets it: `lint` lists everything that would leave somebody stuck,
unheard or unserved.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from ivr.menu import graph
from ivr.menu.model import (
    HOURS_JOINT,
    Announce,
    Choose,
    Goodbye,
    Hours,
    HoursPrompt,
    Language,
    Menu,
    Node,
    NodeId,
    Prompt,
    PromptId,
    Prompts,
    ToPerson,
)

TRIES = range(1, 6)
TIMEOUT_S = (2.0, 15.0)


class Code(enum.Enum):
    """What a finding is about."""

    UNREACHABLE = "unreachable"
    DEAD_END = "dead-end"
    ENDLESS_LOOP = "endless-loop"
    SILENT_LOOP = "silent-loop"
    KEY_CLASH = "key-clash"
    NO_SUCH_TARGET = "no-such-target"
    NO_SUCH_SECTION = "no-such-section"
    NO_SUCH_SCHEDULE = "no-such-schedule"
    NO_SUCH_LANGUAGE = "no-such-language"
    PROMPT_MISSING = "prompt-missing"
    NAME_MISSING = "name-missing"
    SAYS_NOTHING = "says-nothing"
    NO_PERSON = "no-person"
    HANGS_UP_TOO_SOON = "hangs-up-too-soon"
    TRIES_OUT_OF_RANGE = "tries-out-of-range"
    TIMEOUT_OUT_OF_RANGE = "timeout-out-of-range"
    COMPLAINTS_NOT_ALWAYS_OPEN = "complaints-not-always-open"
    COMPLAINTS_OUT_OF_REACH = "complaints-out-of-reach"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `node` is None where it concerns the menu as a whole."""

    code: Code
    node: NodeId | None
    message: str

    def __str__(self) -> str:
        where = "" if self.node is None else f"node '{self.node}': "
        return f"{where}{self.message} [{self.code.value}]"


def lint(menu: Menu, prompts_available: Mapping[Language, Set[PromptId]]) -> list[Finding]:
    """Everything that is wrong with a menu; empty if callers may be let in. References first, then what
    follows from them.
    """
    findings = [
        *_references(menu),
        *_keys(menu),
        *_limits(menu),
        *_prompts(menu, prompts_available),
        *_complaints_section(menu),
    ]
    if menu.start not in menu.nodes:
        return findings  # nothing more can be said of the ways through it
    return [*findings, *_ways(menu), *_loops(menu), *_ways_to_complaints(menu)]


def _references(menu: Menu) -> Iterator[Finding]:
    if menu.start not in menu.nodes:
        yield Finding(Code.NO_SUCH_TARGET, None, f"the menu starts at node '{menu.start}', which does not exist")
    for use, section in (("default", menu.default_section), ("complaints", menu.complaints_section)):
        if section not in menu.sections:
            message = f"the {use} section is '{section}', which does not exist"
            yield Finding(Code.NO_SUCH_SECTION, None, message)
    for name, section_ in menu.sections.items():
        if section_.schedule is not None and section_.schedule not in menu.schedules:
            message = f"section '{name}' goes by the schedule '{section_.schedule}', which does not exist"
            yield Finding(Code.NO_SUCH_SCHEDULE, None, message)
        for language in menu.languages:
            if language not in section_.names:
                yield Finding(Code.NAME_MISSING, None, f"section '{name}' has no name in {language}")
    for node in menu.nodes.values():
        yield from _node_references(menu, node)


def _node_references(menu: Menu, node: Node) -> Iterator[Finding]:
    for way in graph.ways(node):
        if way.node not in menu.nodes:
            message = f"{way.label} leads to node '{way.node}', which does not exist"
            yield Finding(Code.NO_SUCH_TARGET, node.id, message)
    if isinstance(node, Announce | Choose | ToPerson) and node.section not in {None, *menu.sections}:
        message = f"it names the section '{node.section}', which does not exist"
        yield Finding(Code.NO_SUCH_SECTION, node.id, message)
    if isinstance(node, Hours) and node.schedule not in menu.schedules:
        message = f"it goes by the schedule '{node.schedule}', which does not exist"
        yield Finding(Code.NO_SUCH_SCHEDULE, node.id, message)
    if isinstance(node, Choose):
        for target in (*node.choices.values(), node.on_giving_up):
            if target.language not in {None, *menu.languages}:
                message = f"it switches to the language '{target.language}', which the menu does not have"
                yield Finding(Code.NO_SUCH_LANGUAGE, node.id, message)
        if not node.choices:
            yield Finding(Code.DEAD_END, node.id, "the caller is asked for a digit, and no digit leads anywhere")


def _keys(menu: Menu) -> Iterator[Finding]:
    meanings = {menu.keys.person: "a person", menu.keys.repeat: "repeat", menu.keys.back: "back"}
    for key, count in Counter(menu.keys).items():
        if count > 1:
            message = f"key {key} has {count} meanings among person, repeat and back"
            yield Finding(Code.KEY_CLASH, None, message)
    for node in menu.nodes.values():
        if isinstance(node, Choose):
            for key in sorted(node.choices.keys() & meanings.keys()):
                message = f"key {key} is a choice here, but means '{meanings[key]}' everywhere"
                yield Finding(Code.KEY_CLASH, node.id, message)


def _limits(menu: Menu) -> Iterator[Finding]:
    shortest, longest = TIMEOUT_S
    for node in menu.nodes.values():
        if not isinstance(node, Choose):
            continue
        if node.tries not in TRIES:
            message = f"a caller has {node.tries} tries; between {TRIES[0]} and {TRIES[-1]} make sense"
            yield Finding(Code.TRIES_OUT_OF_RANGE, node.id, message)
        if not shortest <= node.timeout_s <= longest:
            message = f"a caller has {node.timeout_s:g} s to press a key; {shortest:g} to {longest:g} s make sense"
            yield Finding(Code.TIMEOUT_OUT_OF_RANGE, node.id, message)


def _prompts(menu: Menu, available: Mapping[Language, Set[PromptId]]) -> Iterator[Finding]:
    for node in menu.nodes.values():
        if isinstance(node, Announce | Choose) and not node.prompts:
            yield Finding(Code.SAYS_NOTHING, node.id, "the caller would hear nothing here")
        yield from _missing(menu, node.id, _spoken_at(node), available)
    everywhere = menu.transfer + (menu.priority.prompts if menu.priority else ())
    yield from _missing(menu, None, everywhere, available)


def _spoken_at(node: Node) -> Prompts:
    match node:
        case Announce() | Goodbye():
            return node.prompts
        case Choose():
            return node.prompts + node.on_invalid + node.on_timeout
        case Hours() | ToPerson():
            return ()


def _missing(
    menu: Menu, node: NodeId | None, prompts: Prompts, available: Mapping[Language, Set[PromptId]]
) -> Iterator[Finding]:
    for item in dict.fromkeys(prompts):
        if isinstance(item, HoursPrompt) and item.schedule not in menu.schedules:
            message = f"it says the hours of the schedule '{item.schedule}', which does not exist"
            yield Finding(Code.NO_SUCH_SCHEDULE, node, message)
        fixed = item.language if isinstance(item, Prompt) else None
        if fixed not in {None, *menu.languages}:
            message = f"it speaks the language '{fixed}', which the menu does not have"
            yield Finding(Code.NO_SUCH_LANGUAGE, node, message)
            continue
        prompt = item.id if isinstance(item, Prompt) else HOURS_JOINT
        for language in menu.languages if fixed is None else (fixed,):
            if prompt not in available.get(language, frozenset()):
                message = f"the prompt '{prompt}' does not exist in {language}"
                yield Finding(Code.PROMPT_MISSING, node, message)


def _complaints_section(menu: Menu) -> Iterator[Finding]:
    section = menu.sections.get(menu.complaints_section)
    if section is not None and not section.always_open:
        message = f"the complaints section '{section.id}' is not always open; complaints are taken 24 hours a day"
        yield Finding(Code.COMPLAINTS_NOT_ALWAYS_OPEN, None, message)


def _ways_to_complaints(menu: Menu) -> Iterator[Finding]:
    """A8: complaints are taken 24 hours a day, whatever the schedules say."""
    without = [
        state.value
        for state in graph.STATES
        if menu.complaints_section
        not in graph.people_at(menu, graph.reachable(menu, [menu.start], graph.while_state(state)))
    ]
    if without:
        message = f"no choice leads to the complaints section by way of {' or '.join(without)}"
        yield Finding(Code.COMPLAINTS_OUT_OF_REACH, None, message)


def _ways(menu: Menu) -> Iterator[Finding]:
    reach = graph.reach_of_each(menu)
    reached = graph.reachable(menu, [menu.start])
    for node in menu.nodes:
        if node not in reached:
            yield Finding(Code.UNREACHABLE, node, "no way from the start of the menu leads here")
    with_person = {node for node in menu.nodes if graph.people_at(menu, reach[node] | {node})}
    offers = {node.id for node in menu.nodes.values() if isinstance(node, Choose) and node.id in with_person}
    unoffered = graph.reachable(menu, [menu.start], stop_at=offers)
    for node in menu.nodes:
        if node not in unoffered or node in with_person:
            continue
        if isinstance(menu.nodes[node], Goodbye):
            message = "the call is ended although the caller may never have been offered a person"
            yield Finding(Code.HANGS_UP_TOO_SOON, node, message)
        else:
            yield Finding(Code.NO_PERSON, node, "no choice from here on leads to a person")


def _loops(menu: Menu) -> Iterator[Finding]:
    reach = graph.reach_of_each(menu)
    endless: set[NodeId] = set()
    for loop in graph.loops(reach):
        if not any(isinstance(menu.nodes[node], ToPerson | Goodbye) for node in reach[loop[0]]):
            endless.update(loop)
            message = f"the way goes round through {_listed(loop)} and never ends"
            yield Finding(Code.ENDLESS_LOOP, loop[0], message)
    for loop in graph.loops(graph.reach_of_each(menu, graph.silent)):
        if not endless.issuperset(loop):
            message = f"a caller who presses nothing goes round through {_listed(loop)} for ever"
            yield Finding(Code.SILENT_LOOP, loop[0], message)


def _listed(nodes: Iterable[NodeId]) -> str:
    return ", ".join(f"'{node}'" for node in nodes)
