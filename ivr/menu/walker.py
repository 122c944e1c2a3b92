"""One caller's walk through a menu, as a state machine without sound, clock or network.

Whoever drives it (the FastAGI session, the command line, a test) performs `Walk.action` and feeds
back what happened:

    walk = Walk(menu, now, hours)
    while isinstance(walk.action, Play | Ask):
        key = perform(walk.action)   # the key that was pressed, or None for silence
        walk.feed(key)
    # now walk.action is Connect or Hangup

`Walk.steps` tells in the past tense what happened, for the record of the call.

A walk takes its menu to be clean by `ivr.menu.linter`. Whatever the keys, it ends: a caller who has
taken more than `MAX_STEPS` steps is given a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ivr.menu.actions import (
    Action,
    Ask,
    Connect,
    GaveUp,
    Hangup,
    KeyPressed,
    KeyRefused,
    LanguageSet,
    NodeVisited,
    Play,
    SayPrompt,
    SayTime,
    SectionReplaced,
    Spoken,
    Step,
    TimedOut,
    Why,
)
from ivr.menu.hours import OpeningHours, State
from ivr.menu.model import (
    HOURS_JOINT,
    Announce,
    Choose,
    Goodbye,
    Hours,
    Key,
    Language,
    Menu,
    NodeId,
    Prompt,
    Prompts,
    SectionId,
    Target,
    ToPerson,
)

MAX_STEPS = 200
"""Nodes entered and keys taken in one walk. Nobody who wants something gets near; a fax machine or a
prank does.
"""


class Walk:
    """One caller in one menu. `action` is what to do now; `feed` reports the outcome of a Play or Ask
    and moves on.

    `now` is the moment of the call (aware); opening hours are judged by it throughout. `priority`
    marks a caller of the menu's priority list and is passed through to `Connect`.
    """

    def __init__(
        self,
        menu: Menu,
        now: datetime,
        hours: OpeningHours,
        *,
        language: Language | None = None,
        priority: bool = False,
    ) -> None:
        self._menu = menu
        self._now = now
        self._hours = hours
        self._priority = menu.priority if priority else None
        self._language = language or menu.languages[0]
        self._steps: list[Step] = []
        self._choices: list[NodeId] = []  # the choices on the way here, for the back key
        self._why = Why.CHOSEN
        self._tries_left = 0
        self._action: Action = self._enter(menu.start)

    @property
    def action(self) -> Action:
        """What to do now. `Connect` and `Hangup` are the end."""
        return self._action

    @property
    def language(self) -> Language:
        """The language that is spoken now."""
        return self._language

    @property
    def steps(self) -> tuple[Step, ...]:
        """Everything that has happened so far, oldest first."""
        return tuple(self._steps)

    def feed(self, key: Key | None) -> Action:
        """Takes the outcome of the current Play or Ask (a key, or None for silence) and returns the
        next action.

        Raises ValueError once the walk has ended.
        """
        if isinstance(self._action, Connect | Hangup):
            raise ValueError("the walk has ended")
        node = self._menu.nodes[self._action.node]
        if len(self._steps) >= MAX_STEPS:
            self._action = self._connect(self._section_here(), Why.TOO_LONG)
        elif key is not None and key in self._menu.keys:
            self._steps.append(KeyPressed(node.id, key))
            self._action = self._everywhere(key)
        elif isinstance(node, Announce):
            self._action = self._enter(node.next)
        elif isinstance(node, Choose):
            self._action = self._choose(node, key)
        else:
            raise AssertionError(f"{type(node).__name__} neither plays nor asks")
        return self._action

    def _everywhere(self, key: Key) -> Action:
        """The keys that mean the same at every node."""
        assert isinstance(self._action, Play | Ask)
        if key == self._menu.keys.person:
            return self._connect(self._section_here(), Why.ASKED)
        if key == self._menu.keys.back:
            return self._back()
        return self._say(self._action.node)

    def _back(self) -> Action:
        """The choice before this one; at the first one, the same again."""
        assert isinstance(self._action, Play | Ask)
        here = self._action.node
        trail = self._choices[:-1] if isinstance(self._action, Ask) else self._choices
        if not trail:
            return self._say(here)
        self._choices = trail[:-1]
        return self._enter(trail[-1])

    def _choose(self, node: Choose, key: Key | None) -> Action:
        if key is not None and key in node.choices:
            self._steps.append(KeyPressed(node.id, key))
            self._why = Why.CHOSEN
            return self._follow(node.choices[key])
        self._steps.append(TimedOut(node.id) if key is None else KeyRefused(node.id, key))
        self._tries_left -= 1
        if self._tries_left > 0:
            return self._say(node.id, node.on_timeout if key is None else node.on_invalid)
        self._steps.append(GaveUp(node.id))
        self._why = Why.GAVE_UP
        return self._follow(node.on_giving_up)

    def _follow(self, target: Target) -> Action:
        if target.language is not None:
            self._language = target.language
            self._steps.append(LanguageSet(target.language))
        return self._enter(target.node)

    def _enter(self, node_id: NodeId) -> Action:
        """Walks on to the next node at which there is something to do."""
        while True:
            if len(self._steps) >= MAX_STEPS:
                return self._connect(self._menu.default_section, Why.TOO_LONG)
            self._steps.append(NodeVisited(node_id))
            match self._menu.nodes[node_id]:
                case Hours() as fork:
                    node_id = self._branch(fork)
                case ToPerson(section=section):
                    return self._connect(section, self._why)
                case Goodbye(prompts=prompts):
                    return Hangup(node_id, self._spoken(prompts))
                case Choose(tries=tries):
                    self._choices.append(node_id)
                    self._tries_left = tries
                    return self._say(node_id)
                case Announce():
                    return self._say(node_id)

    def _say(self, node_id: NodeId, before: Prompts = ()) -> Action:
        """The words of an announcement or a choice, after what has to be said before them."""
        node = self._menu.nodes[node_id]
        assert isinstance(node, Announce | Choose)
        say = self._spoken(before + node.prompts)
        if isinstance(node, Choose):
            return Ask(node_id, say, node.timeout_s)
        return Play(node_id, say, "".join(self._menu.keys))

    def _branch(self, fork: Hours) -> NodeId:
        state = self._hours.state_at(self._menu.schedules[fork.schedule], self._now)
        return {State.OPEN: fork.open, State.CLOSED: fork.closed, State.HOLIDAY: fork.holiday}[state]

    def _section_here(self) -> SectionId:
        """The section whose people answer the person key here."""
        assert isinstance(self._action, Play | Ask)
        node = self._menu.nodes[self._action.node]
        assert isinstance(node, Announce | Choose)
        return node.section or self._menu.default_section

    def _connect(self, wanted: SectionId, why: Why) -> Connect:
        """A person of the wanted section, or of the complaints section while that one is closed: nobody
        waits in vain.
        """
        section = self._menu.sections[wanted]
        if not self._hours.section_is_open(section, self._menu.schedules, self._now):
            section = self._menu.sections[self._menu.complaints_section]
            self._steps.append(SectionReplaced(wanted, section.id))
        said = self._menu.transfer + (self._priority.prompts if self._priority else ())
        return Connect(
            section=section.id,
            queue=section.queue,
            language=self._language,
            priority=self._priority.level if self._priority else 0,
            why=why,
            say=self._spoken(said),
        )

    def _spoken(self, prompts: Prompts) -> tuple[Spoken, ...]:
        return tuple(self._compose(prompts))

    def _compose(self, prompts: Prompts) -> Iterator[Spoken]:
        for item in prompts:
            if isinstance(item, Prompt):
                yield SayPrompt(item.id, item.language or self._language)
                continue
            schedule = self._menu.schedules[item.schedule]
            for span in self._hours.hours_to_announce(schedule, self._now):
                opens, closes = span.times
                yield SayTime(opens, self._language)
                yield SayPrompt(HOURS_JOINT, self._language)
                yield SayTime(closes, self._language)
