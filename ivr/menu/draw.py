"""Draws a menu as a Mermaid flowchart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ivr.menu import graph
from ivr.menu.graph import Kind, Way
from ivr.menu.model import (
    Announce,
    Choose,
    Goodbye,
    Hours,
    Language,
    Menu,
    Node,
    Prompt,
    PromptId,
    Prompts,
    ToPerson,
)

# The words of the picture itself; a language that has none gets the English ones.
_WORDS: Mapping[Language, Mapping[str, str]] = {
    "zh-CN": {
        "giving up": "多次无效或无按键",
        "open": "营业中",
        "closed": "非营业时间",
        "holiday": "法定节假日",
        "always open": "24 小时",
        "hours of": "营业时间",
        "key": "按",
        "everywhere": "任意位置",
        "person": "人工",
        "repeat": "重听",
        "back": "返回",
    },
    "en": {
        "giving up": "gives up",
        "open": "open",
        "closed": "closed",
        "holiday": "public holiday",
        "always open": "24 hours",
        "hours of": "hours of",
        "key": "key",
        "everywhere": "everywhere",
        "person": "a person",
        "repeat": "again",
        "back": "back",
    },
}
_ENTITIES = {ord(sign): f"#{ord(sign)};" for sign in '#&"<>`\\'}
_WIDEST = 40


def draw(menu: Menu, language: Language, texts: Mapping[PromptId, str] | None = None) -> str:
    """The menu as Mermaid source, labelled in `language`. `texts` gives the words of prompts; the
    others show their ids.
    """
    picture = _Picture(menu, language, texts or {})
    return "\n".join(picture.lines()) + "\n"


class _Picture:
    def __init__(self, menu: Menu, language: Language, texts: Mapping[PromptId, str]) -> None:
        self._menu = menu
        self._language = language
        self._texts = texts
        self._words = _WORDS.get(language, _WORDS["en"])
        # Names of our own: "end" and the like are reserved words of Mermaid.
        self._names = {node: f"n{number}" for number, node in enumerate(menu.nodes)}

    def lines(self) -> Iterator[str]:
        yield "flowchart TD"
        for node in self._menu.nodes.values():
            yield f"    {self._names[node.id]}{self._shape(node)}"
        for node in self._menu.nodes.values():
            for way in graph.ways(node):
                yield f"    {self._names[node.id]} -->{self._edge(way)} {self._names[way.node]}"
        yield f"    everywhere>{self._quoted(self._everywhere())}]"

    def _shape(self, node: Node) -> str:
        match node:
            case Announce(prompts=prompts):
                return f"[{self._quoted(self._heard(prompts))}]"
            case Choose(prompts=prompts):
                return "{{" + self._quoted(self._heard(prompts)) + "}}"
            case Hours(schedule=schedule):
                return "{" + self._quoted([f"{self._words['hours of']} {schedule}"]) + "}"
            case ToPerson(section=section):
                return f"([{self._quoted(self._section(section))}])"
            case Goodbye(prompts=prompts):
                return f"(({self._quoted(self._heard(prompts))}))"

    def _section(self, section_id: str) -> list[str]:
        section = self._menu.sections[section_id]
        name = section.names.get(self._language, section_id)
        return [name, self._words["always open"]] if section.always_open else [name]

    def _heard(self, prompts: Prompts) -> list[str]:
        heard = []
        for item in prompts:
            if not isinstance(item, Prompt):
                heard.append(f"{self._words['hours of']} {item.schedule}")
            elif item.language in {None, self._language}:
                heard.append(_cut(self._texts.get(item.id, item.id)))
        return heard

    def _edge(self, way: Way) -> str:
        label = {
            Kind.NEXT: "",
            Kind.KEY: f"{self._words['key']} {way.key}",
            Kind.GIVING_UP: self._words["giving up"],
            Kind.OPEN: self._words["open"],
            Kind.CLOSED: self._words["closed"],
            Kind.HOLIDAY: self._words["holiday"],
        }[way.kind]
        if way.language is not None:
            label = f"{label} → {way.language}"
        return f"|{self._quoted([label])}|" if label else ""

    def _everywhere(self) -> list[str]:
        keys = self._menu.keys
        meanings = ((keys.person, "person"), (keys.repeat, "repeat"), (keys.back, "back"))
        return [self._words["everywhere"], *(f"{key} {self._words[meaning]}" for key, meaning in meanings)]

    @staticmethod
    def _quoted(lines: list[str]) -> str:
        return '"' + "<br/>".join(line.replace("\n", " ").translate(_ENTITIES) for line in lines) + '"'


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
