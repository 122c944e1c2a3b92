"""Scoring of calls: forms as versioned data, filled-in sheets, revisions, appeals, coaching (Q1, Q3, Q4, Q5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from calls.ids import AgentNumber, CallId, FormId, Language, SectionId
from calls.sampling import Part, Risk
from calls.verdicts import Outcome, RuleSetId

Names = Mapping[Language, str]
"""What people read, by language of the console."""

BONUS_MOST = 10
"""Points of bonus or penalty that any form may allow at most (Q4)."""


class CriterionKind(StrEnum):
    """How a criterion is answered."""

    YES_NO = "yes_no"
    """All of its points or none."""
    SCALE = "scale"
    """Whole points from 0 to its most."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that is looked at."""

    id: str
    """Stable through the versions of a form, so that answers can be compared."""
    names: Names
    kind: CriterionKind = CriterionKind.YES_NO
    points: int = 1
    """The most that can be had. Within its section criteria weigh by their points."""
    may_not_apply: bool = True
    fatal: bool = False
    """Without any points here the whole call fails (``Form.fatal_total``)."""
    rules: tuple[str, ...] = ()
    """Ids of rules whose verdicts fill the answer in."""
    requirement: str = ""
    """The id in the rule books: ``A2``; empty: none."""
    guidance: Names = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FormSection:
    """Criteria that weigh together."""

    id: str
    names: Names
    weight: int
    """Of 100, over all sections of the form."""
    criteria: tuple[Criterion, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """What one version of a form says (Q4)."""

    names: Names
    sections: tuple[FormSection, ...] = ()
    bonus_most: int = BONUS_MOST
    penalty_most: int = BONUS_MOST
    fatal_total: int = 0
    """The most that a call can have in total after a fatal answer."""
    pass_mark: int = 80

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """All of them, in the order of the form."""
        return tuple(criterion for section in self.sections for criterion in section.criteria)

    def criterion(self, criterion_id: str) -> Criterion | None:
        return next((each for each in self.criteria if each.id == criterion_id), None)


@dataclass(frozen=True, slots=True)
class FormVersion:
    """One version of a form. Once it is published it never changes (Q5)."""

    form_id: FormId
    version: int
    """From 1."""
    form: Form
    edited_by: str
    edited_at: datetime
    edit: int = 0
    """Goes up with every change to a draft: who saves says which one they saw."""
    published_by: str | None = None
    published_at: datetime | None = None

    @property
    def published(self) -> bool:
        return self.published_at is not None

    @property
    def label(self) -> str:
        """How figures name it: ``default@3``."""
        return f"{self.form_id}@{self.version}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says of one criterion."""

    criterion: str
    points: int | None
    """``None``: it does not apply to this call."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """A person's word on a verdict: confirmed, or overruled with a reason."""

    rule_set: RuleSetId
    rule: str
    outcome: Outcome
    """What the rule said."""
    ruled: Outcome
    """What the person says."""
    reason: str = ""

    @property
    def overruled(self) -> bool:
        return self.ruled is not self.outcome


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment, at a second of the recording or on the call as a whole."""

    text: str
    at_s: float | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A form as filled in by one person; as a draft it may lack answers."""

    answers: tuple[Answer, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    remarks: tuple[Remark, ...] = ()
    """May quote the caller: deleted with the recording (P2)."""
    adjustment: int = 0
    """Bonus above 0, penalty below (Q4)."""
    adjustment_reason: str = ""
    summary: str = ""

    def answer(self, criterion_id: str) -> Answer | None:
        return next((each for each in self.answers if each.criterion == criterion_id), None)

    def ruling(self, rule_set: RuleSetId, rule: str) -> Ruling | None:
        return next((each for each in self.rulings if each.rule_set == rule_set and each.rule == rule), None)


@dataclass(frozen=True, slots=True)
class Marked:
    """What a sheet comes to under its form."""

    total: float
    """From 0 to 100, and up to the bonus above; two decimals."""
    by_section: Mapping[str, float | None]
    """Share of the section's points, from 0 to 1; ``None``: nothing of it applied."""
    fatal: tuple[str, ...] = ()
    """Criteria that failed the call."""


class ScoreState(StrEnum):
    """Where a score stands."""

    OPEN = "open"
    """To be scored."""
    SCORED = "scored"
    """The agent may acknowledge or appeal."""
    ACKNOWLEDGED = "acknowledged"
    APPEALED = "appealed"
    """The lead decides."""
    UPHELD = "upheld"
    CHANGED = "changed"
    """Decided for the agent: a new revision stands."""


@dataclass(frozen=True, slots=True)
class Score:
    """The scoring of one call, with whatever revision stands now."""

    score_id: int
    call_id: CallId
    agent: AgentNumber
    section: SectionId | None
    form_id: FormId
    assigned_to: str
    opened_at: datetime
    state: ScoreState = ScoreState.OPEN
    plan_id: int | None = None
    """The sampling plan that drew the call; ``None``: picked by hand, which no figure with an interval counts."""
    period: str = ""
    """Label of the plan's period."""
    part: Part | None = None
    """Only calls drawn at random speak for all calls of the agent."""
    stratum: str = ""
    risks: frozenset[Risk] = frozenset()
    revision: int = 0
    """0: none yet."""
    form_version: int | None = None
    total: float | None = None
    fatal: bool = False
    scored_by: str | None = None
    scored_at: datetime | None = None
    appeal_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """One saying of a score. None is ever overwritten."""

    score_id: int
    revision: int
    """From 1."""
    call_id: CallId
    form_id: FormId
    form_version: int
    sheet: Sheet
    marked: Marked
    by: str
    at: datetime
    why: str = ""
    """Why there is another one: ``appeal``, or what the person says."""


@dataclass(frozen=True, slots=True)
class Appeal:
    """An agent's objection to a score, and what became of it."""

    score_id: int
    reason: str
    by: str
    at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    upheld: bool | None = None
    """Whether the score stayed as it was."""
    decision: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done to a score, for the record."""

    at: datetime
    by: str
    what: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Coaching:
    """A finding that became a task (Q1: problems are corrected promptly)."""

    task_id: int
    agent: AgentNumber
    section: SectionId | None
    text: str
    due: date
    made_by: str
    made_at: datetime
    call_id: CallId | None = None
    at_s: float | None = None
    score_id: int | None = None
    done_by: str | None = None
    done_at: datetime | None = None
    done_note: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """Calibration: several people score the same calls, blind to each other."""

    round_id: int
    name: str
    form_id: FormId
    form_version: int
    sections: frozenset[SectionId]
    """Of its calls."""
    calls: tuple[CallId, ...]
    scorers: tuple[str, ...]
    made_by: str
    made_at: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BlindSheet:
    """One person's sheet on one call of a round."""

    round_id: int
    call_id: CallId
    by: str
    sheet: Sheet
    total: float
    at: datetime
