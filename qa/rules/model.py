"""Rule sets as data: what a TOML file of rules may say."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from calls.custody import Leg
from calls.verdicts import CallFacts, RuleSetId, Severity


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Examples(_Part):
    """Short calls that the rule must judge so; ``sansheng rules test`` runs them.

    A line is ``agent: …`` or ``caller: …``, optionally with the second at which it begins: ``12 agent: …``.
    """

    kept: tuple[tuple[str, ...], ...] = ()
    broken: tuple[tuple[str, ...], ...] = ()
    cannot_judge: tuple[tuple[str, ...], ...] = ()
    not_applicable: tuple[tuple[str, ...], ...] = ()


class _Rule(_Part):
    id: str = Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")
    requirement: str = Field(pattern=r"^[A-Z][0-9]{1,2}$", description="the id in the rule books")
    names: dict[Literal["zh-CN", "en"], str]
    severity: Severity = Severity.MINOR
    weight: float = Field(1.0, ge=0, le=100)
    sections: tuple[str, ...] = Field((), description="sections it is for; none: all")
    direction: Literal["inbound", "outbound"] | None = Field(
        None, description="only for calls that came in, or only for calling back; none: for both"
    )
    valid_from: date = date(2000, 1, 1)
    examples: Examples = Examples()

    def is_for(self, facts: CallFacts) -> bool:
        """Whether it is for such a call: of its day, section and direction."""
        in_direction = self.direction is None or (self.direction == "outbound") == facts.outbound
        in_section = not self.sections or facts.section in self.sections
        return self.valid_from <= facts.arrived_at.date() and in_section and in_direction


class PhraseRule(_Rule):
    """Certain words must be said, or must not be. Matched by sound."""

    kind: Literal["phrase"]
    speaker: Literal[Leg.AGENT, Leg.CALLER] = Leg.AGENT
    must: bool
    any: tuple[str, ...] = Field((), description="one of them")
    all: tuple[str, ...] = Field((), description="each of them")
    in_order: tuple[str, ...] = Field((), description="each of them, one after the other")
    within_start_s: float | None = Field(None, gt=0, description="seconds from the speaker's first words")
    within_end_s: float | None = Field(None, gt=0, description="seconds before the speaker's last words end")
    least_talk_s: float = Field(0.0, ge=0, description="shorter calls are not judged")

    @model_validator(mode="after")
    def _one_list(self) -> PhraseRule:
        if sum(bool(phrases) for phrases in (self.any, self.all, self.in_order)) != 1:
            raise ValueError("give phrases in one of any, all and in_order")
        if not self.must and (self.all or self.in_order):
            raise ValueError("what must not be said is listed in any")
        return self


class PatternRule(_Rule):
    """A regular expression over a speaker's turns must be found, or must not be. By spelling, not by sound."""

    kind: Literal["pattern"]
    speaker: Literal[Leg.AGENT, Leg.CALLER] = Leg.AGENT
    must: bool
    pattern: str = Field(max_length=500)

    @field_validator("pattern")
    @classmethod
    def _harmless(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from error
        if re.search(r"[*+}]\)?[*+{]|\([^)]*[*+][^)]*\)[*+{]", value):
            raise ValueError("a repetition within a repetition can take for ever")
        return value


class NumberRule(_Rule):
    """The agent's number is spoken near the beginning, and is the roster's (A2)."""

    kind: Literal["agent_number"]
    within_start_s: float = Field(20.0, gt=0)
    before: tuple[str, ...] = Field(description="words that a number follows, such as 工号")


class InterruptionRule(_Rule):
    """The agent does not speak while the caller speaks (A3); by voices, not by words."""

    kind: Literal["interruption"]
    overlap_s: float = Field(1.0, gt=0, description="a shorter overlap is no interruption")
    lead_s: float = Field(0.5, gt=0, description="how long the caller must have been speaking before")
    most: int = Field(0, ge=0, description="so many are tolerated")
    back_channel: tuple[str, ...] = Field((), description="words that only say that one listens")


class RateRule(_Rule):
    """The agent speaks neither too fast nor too slowly (A4): units of sound in a minute of voice."""

    kind: Literal["speech_rate"]
    least: float = Field(gt=0)
    most: float = Field(gt=0)
    least_speech_s: float = Field(8.0, gt=0, description="less speech is not judged")


class SilenceRule(_Rule):
    """Neither side is silent for long (A4), unless the agent has asked the caller to wait."""

    kind: Literal["dead_air"]
    most_s: float = Field(gt=0)
    hold_phrases: tuple[str, ...] = ()
    most_after_hold_s: float = Field(60.0, gt=0)


class RatioRule(_Rule):
    """The agent's share of what is said lies within bounds (A3)."""

    kind: Literal["talk_ratio"]
    least: float = Field(0.0, ge=0, le=1)
    most: float = Field(1.0, ge=0, le=1)
    least_speech_s: float = Field(20.0, gt=0)


class PromiseRule(_Rule):
    """What cannot be answered at once gets a time, and a call back is on the books (A5)."""

    kind: Literal["promise"]
    deferring: tuple[str, ...] = Field(description="words by which an answer is put off")
    times: str = Field(max_length=500, description="regular expression of a time that is named")


Rule = Annotated[
    PhraseRule | PatternRule | NumberRule | InterruptionRule | RateRule | SilenceRule | RatioRule | PromiseRule,
    Field(discriminator="kind"),
]


class Limits(_Part):
    """How sure the engine must be, for all rules of a set."""

    alike: float = Field(0.26, ge=0, le=1, description="a phrase that is so far off by sound is taken as said")
    doubt: float = Field(0.5, ge=0, le=1, description="so far off it may have been said: cannot judge")
    confidence: float = Field(0.55, ge=0, le=1, description="words below it prove nothing")
    sure: float = Field(0.8, ge=0, le=1, description="words below it may have been others")
    maybe: float = Field(
        0.35,
        ge=0,
        le=1,
        description="so far off, with words that may have been others at half price: cannot judge",
    )


class RuleSet(_Part):
    """One version of an operator's rules."""

    name: str = Field(pattern=r"^[A-Za-z][\w.-]{0,40}$")
    version: str = Field(pattern=r"^[\w.-]{1,20}$")
    language: str
    valid_from: date
    limits: Limits = Limits()
    rules: tuple[Rule, ...] = Field(min_length=1)

    @property
    def id(self) -> RuleSetId:
        return RuleSetId(self.name, self.version)

    @model_validator(mode="after")
    def _each_once(self) -> RuleSet:
        ids = [rule.id for rule in self.rules]
        if twice := sorted({each for each in ids if ids.count(each) > 1}):
            raise ValueError(f"given twice: {', '.join(twice)}")
        return self

    def rule(self, rule_id: str) -> Rule | None:
        """The rule of that id."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)
