"""Who works with the hotline's data, in which roles, and what each role may do (P1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from calls.ids import AgentNumber, Language, SectionId


class Role(StrEnum):
    """What somebody is employed as; given for one section, or for all."""

    AGENT = "agent"
    """Own calls, own scores, the desk."""
    MONITOR = "monitor"
    """Quality monitor: samples, listens, scores."""
    LEAD = "lead"
    """QA lead: plans, forms, calibration, appeals; the original sound."""
    SUPERVISOR = "supervisor"
    """Runs a section: live board, agents' states, cases."""
    DEPARTMENT = "department"
    """Works in a department that settles matters: what is forwarded there, and nothing else. Given for the
    department, whose id takes the section's place."""
    OPS = "ops"
    """Keeps the machines running; sees no caller's data."""
    ADMIN = "admin"
    """People, roles, menus, rules, retention, holds, the access log."""


class Right(StrEnum):
    """One kind of act. What somebody may do it to is told by ``Person.scope``."""

    SEE_LIVE = "see_live"
    STEER_AGENTS = "steer_agents"
    """Force an agent's pause or log-out."""
    READ_CALLS = "read_calls"
    """Calls, masked transcripts, masked sound, verdicts."""
    HEAR_ORIGINAL = "hear_original"
    """Unmasked sound and transcripts, with a reason."""
    DOWNLOAD = "download"
    EXPORT = "export"
    """Lists and figures as files, masked."""
    SCORE = "score"
    """Draw samples, score calls, calibrate, comment."""
    LEAD_QUALITY = "lead_quality"
    """Plans, forms, calibration rounds, decisions on appeals."""
    OWN_SCORES = "own_scores"
    """See, acknowledge and appeal one's own scores; own day, own tasks."""
    COACH = "coach"
    FILE_CASES = "file_cases"
    """The desk: inquiries, work orders, complaints, call-backs."""
    READ_CASES = "read_cases"
    WORK_CASES = "work_cases"
    """Move cases on: forward, give an opinion, do."""
    REVIEW_CASES = "review_cases"
    """Review opinions, close, reassign."""
    SEE_FIGURES = "see_figures"
    SEE_COUNTED = "see_counted"
    """The inquiries, complaints, steps and call-backs behind a figure, line by line, without names or contents."""
    SEE_OPERATIONS = "see_operations"
    """Health, outages, backlog, missing recordings."""
    SEE_CONFIGURATION = "see_configuration"
    """Menus, rules, retention, as they are."""
    KEEP_PEOPLE = "keep_people"
    """People, roles, tokens."""
    KEEP_RECORDS = "keep_records"
    """Legal holds and retention."""
    READ_ACCESS_LOG = "read_access_log"


_CALLS = frozenset({Right.SEE_LIVE, Right.READ_CALLS, Right.SEE_FIGURES, Right.SEE_COUNTED})
_CASES = frozenset({Right.READ_CASES, Right.WORK_CASES, Right.FILE_CASES})

RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.AGENT: frozenset(
        {Right.READ_CALLS, Right.OWN_SCORES, Right.FILE_CASES, Right.READ_CASES, Right.SEE_COUNTED}
    ),
    Role.MONITOR: _CALLS | {Right.SCORE},
    Role.LEAD: _CALLS
    | {Right.SCORE, Right.LEAD_QUALITY, Right.HEAR_ORIGINAL, Right.DOWNLOAD, Right.EXPORT, Right.COACH}
    | {Right.SEE_CONFIGURATION},
    Role.SUPERVISOR: _CALLS | _CASES | {Right.STEER_AGENTS, Right.COACH, Right.EXPORT, Right.REVIEW_CASES},
    Role.DEPARTMENT: frozenset({Right.READ_CASES, Right.WORK_CASES}),
    Role.OPS: frozenset({Right.SEE_LIVE, Right.SEE_OPERATIONS, Right.SEE_FIGURES}),
    Role.ADMIN: frozenset(
        {Right.KEEP_PEOPLE, Right.KEEP_RECORDS, Right.READ_ACCESS_LOG, Right.SEE_CONFIGURATION}
        | {Right.SEE_OPERATIONS, Right.SEE_FIGURES}
    ),
}
"""What each role may do. An administrator hears no calls: who gives rights does not use them."""

_OWN_CALLS_ONLY = frozenset({Role.AGENT})
"""Roles whose right to calls and scores reaches as far as the person's own."""
_NOT_BY_AGENT = frozenset({Right.FILE_CASES, Right.READ_CASES, Right.SEE_COUNTED})
"""Rights that an agent has over a whole section: whoever takes the next call must see the caller's open case."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role in one section, or in all of them (``None``)."""

    role: Role
    section: SectionId | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Which calls and cases a right reaches: all, those of some sections, and an agent's own."""

    everything: bool = False
    sections: frozenset[SectionId] = frozenset()
    agent: AgentNumber | None = None
    """Whatever this agent answered."""

    @property
    def empty(self) -> bool:
        return not (self.everything or self.sections or self.agent)

    def covers(self, section: SectionId | None, agent: AgentNumber | None = None) -> bool:
        """Whether something of a section, answered by an agent, is within reach."""
        if self.everything or (section is not None and section in self.sections):
            return True
        return self.agent is not None and agent == self.agent


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works here, as the console knows them."""

    login: str
    name: str
    grants: tuple[Grant, ...]
    agent: AgentNumber | None = None
    """Their number on the roster, if they answer calls."""
    language: Language | None = None
    """The console's language they chose; ``None``: as the browser asks."""
    only: frozenset[Right] | None = None
    """What a token was made for: it may do none of the rest; ``None`` for the person themselves."""

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(grant.role for grant in self.grants)

    @property
    def rights(self) -> frozenset[Right]:
        given = frozenset(right for role in self.roles for right in RIGHTS[role])
        return given if self.only is None else given & self.only

    def may(self, right: Right) -> bool:
        """Whether they have the right at all; to what, ``scope`` tells."""
        return right in self.rights

    def scope(self, right: Right) -> Scope:
        """How far a right of theirs reaches."""
        everything, sections, agent = False, set[SectionId](), None
        for grant in self.grants if self.may(right) else ():
            if right not in RIGHTS[grant.role]:
                continue
            if grant.role in _OWN_CALLS_ONLY and right not in _NOT_BY_AGENT:
                agent = self.agent
            elif grant.section is None:
                everything = True
            else:
                sections.add(grant.section)
        return Scope(everything, frozenset(sections), agent)
