"""The links beside every page, and where each role starts; a link is shown to who may follow it.

Areas add their lines here, one for each page that people go to by themselves, in the group it belongs to.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from calls.people import Person, Right, Role


@dataclass(frozen=True, slots=True)
class Link:
    """One page. Its words are ``nav.<text>``."""

    path: str
    text: str
    needs: Right | tuple[Right, ...]
    at_telephone: bool = False
    """Only for who is an agent: there is nothing for others."""

    def is_for(self, person: Person) -> bool:
        """Whether the page's own rule would let them in."""
        if self.at_telephone and person.agent is None:
            return False
        return any(person.may(right) for right in (self.needs if isinstance(self.needs, tuple) else (self.needs,)))


@dataclass(frozen=True, slots=True)
class Group:
    """Links under one heading, ``nav.<text>``."""

    text: str
    links: tuple[Link, ...]


GROUPS = (
    Group(
        "now",
        (Link("/board", "board", Right.SEE_LIVE), Link("/team", "team", Right.STEER_AGENTS)),
    ),
    Group(
        "quality",
        (
            Link("/calls", "calls", Right.READ_CALLS),
            Link("/search", "search", Right.READ_CALLS),
            Link("/quality/queue", "quality_queue", Right.SCORE),
            Link("/quality/findings", "quality_findings", (Right.SCORE, Right.LEAD_QUALITY, Right.COACH)),
            Link("/quality/plans", "quality_plans", (Right.SCORE, Right.LEAD_QUALITY)),
            Link("/quality/scores", "quality_scores", (Right.SCORE, Right.LEAD_QUALITY)),
            Link("/quality/appeals", "quality_appeals", Right.LEAD_QUALITY),
            Link("/quality/results", "quality_results", (Right.SCORE, Right.LEAD_QUALITY, Right.COACH)),
            Link("/quality/calibration", "quality_calibration", (Right.SCORE, Right.LEAD_QUALITY)),
            Link("/quality/forms", "quality_forms", (Right.LEAD_QUALITY, Right.SCORE, Right.SEE_CONFIGURATION)),
            Link("/quality/rules", "quality_rules", (Right.LEAD_QUALITY, Right.SEE_CONFIGURATION)),
            Link("/quality/own", "quality_own", Right.OWN_SCORES),
            Link("/quality/coaching", "quality_coaching", (Right.COACH, Right.OWN_SCORES)),
        ),
    ),
    Group(
        "desk",
        (
            Link("/desk", "agent_desk", Right.FILE_CASES, at_telephone=True),
            Link("/callbacks", "callbacks", Right.FILE_CASES),
            Link("/day", "day", Right.OWN_SCORES),
            Link("/inbox", "inbox", Right.READ_CASES),
            Link("/cases", "cases", Right.READ_CASES),
            Link("/orders", "orders", Right.READ_CASES),
            Link("/inquiries", "inquiries", Right.READ_CASES),
        ),
    ),
    Group(
        "figures_of_day",
        (
            Link("/figures", "figures", Right.SEE_FIGURES),
            Link("/cases/figures", "case_figures", Right.READ_CASES),
        ),
    ),
    Group(
        "operations",
        (Link("/ops", "ops", Right.SEE_OPERATIONS),),
    ),
    Group(
        "administration",
        (
            Link("/people", "people", Right.KEEP_PEOPLE),
            Link("/access-log", "access_log", Right.READ_ACCESS_LOG),
            Link("/admin/menu", "menu", Right.SEE_CONFIGURATION),
            Link("/admin/rules", "rules", Right.SEE_CONFIGURATION),
            Link("/admin/retention", "retention", (Right.SEE_CONFIGURATION, Right.KEEP_RECORDS)),
            Link("/admin/holds", "holds", Right.KEEP_RECORDS),
            Link("/admin/custody", "custody", Right.KEEP_RECORDS),
            Link("/admin/settings", "settings", Right.SEE_CONFIGURATION),
        ),
    ),
)

START: tuple[tuple[Role, str], ...] = (
    (Role.SUPERVISOR, "/board"),
    (Role.LEAD, "/board"),
    (Role.MONITOR, "/quality/queue"),
    (Role.AGENT, "/desk"),
    (Role.ADMIN, "/people"),
    (Role.OPS, "/ops"),
)
"""Where ``/`` leads: the first line with a role of theirs; without one, the first link they may follow."""

ACCOUNT = "/account"


@dataclass(frozen=True, slots=True)
class Shown:
    """A link as it is painted."""

    path: str
    text: str
    here: bool


def menu_for(person: Person | None, path: str) -> list[tuple[str, list[Shown]]]:
    """The groups with something in them for this person."""
    if person is None:
        return []
    found = [link for group in GROUPS for link in group.links if link.is_for(person)]
    here = _nearest(path, [link.path for link in found])
    shown = [
        (group.text, [Shown(link.path, link.text, link.path == here) for link in group.links if link in found])
        for group in GROUPS
    ]
    return [(text, links) for text, links in shown if links]


def start_of(person: Person) -> str:
    """The page that somebody begins with."""
    for role, path in START:
        if role in person.roles:
            return path
    return next((link.path for group in GROUPS for link in group.links if link.is_for(person)), ACCOUNT)


def _nearest(path: str, links: Collection[str]) -> str:
    """The link that a page lies under: the longest that its address begins with."""
    under = [link for link in links if path == link or path.startswith(link.rstrip("/") + "/")]
    return max(under, key=len, default="")
