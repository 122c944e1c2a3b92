"""Forms, sheets, plans and samples as JSON. What is read is what was written: versions are read for ever (Q5)."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from calls.ids import AgentNumber, CallId, Language, SectionId
from calls.periods import Grain
from calls.quality import (
    Answer,
    Criterion,
    CriterionKind,
    Form,
    FormSection,
    Names,
    Remark,
    Ruling,
    Sheet,
)
from calls.sampling import FrameCall, Part, Risk, SamplingPlan, Shortfall, Stratum
from calls.verdicts import Outcome, RuleSetId

Json = dict[str, Any]


def form_json(form: Form) -> Json:
    return {
        "names": dict(form.names),
        "sections": [
            {
                "id": section.id,
                "names": dict(section.names),
                "weight": section.weight,
                "criteria": [_criterion_json(criterion) for criterion in section.criteria],
            }
            for section in form.sections
        ],
        "bonus_most": form.bonus_most,
        "penalty_most": form.penalty_most,
        "fatal_total": form.fatal_total,
        "pass_mark": form.pass_mark,
    }


def form_of(read: Json) -> Form:
    return Form(
        names=_names(read["names"]),
        sections=tuple(
            FormSection(
                each["id"], _names(each["names"]), each["weight"], tuple(map(_criterion, each["criteria"]))
            )
            for each in read["sections"]
        ),
        bonus_most=read["bonus_most"],
        penalty_most=read["penalty_most"],
        fatal_total=read["fatal_total"],
        pass_mark=read["pass_mark"],
    )


def _criterion_json(criterion: Criterion) -> Json:
    return {
        "id": criterion.id,
        "names": dict(criterion.names),
        "kind": criterion.kind.value,
        "points": criterion.points,
        "may_not_apply": criterion.may_not_apply,
        "fatal": criterion.fatal,
        "rules": list(criterion.rules),
        "requirement": criterion.requirement,
        "guidance": dict(criterion.guidance),
    }


def _criterion(read: Json) -> Criterion:
    return Criterion(
        id=read["id"],
        names=_names(read["names"]),
        kind=CriterionKind(read["kind"]),
        points=read["points"],
        may_not_apply=read["may_not_apply"],
        fatal=read["fatal"],
        rules=tuple(read["rules"]),
        requirement=read["requirement"],
        guidance=_names(read["guidance"]),
    )


def sheet_json(sheet: Sheet) -> Json:
    """All but the remarks, which go with the recording."""
    return {
        "answers": [[each.criterion, each.points, each.note] for each in sheet.answers],
        "rulings": [
            [str(each.rule_set), each.rule, each.outcome.value, each.ruled.value, each.reason]
            for each in sheet.rulings
        ],
        "adjustment": sheet.adjustment,
        "adjustment_reason": sheet.adjustment_reason,
        "summary": sheet.summary,
    }


def remarks_json(remarks: Iterable[Remark]) -> list[Any]:
    return [[remark.at_s, remark.text] for remark in remarks]


def sheet_of(read: Json, remarks: Iterable[Any]) -> Sheet:
    return Sheet(
        answers=tuple(Answer(criterion, points, note) for criterion, points, note in read["answers"]),
        rulings=tuple(
            Ruling(rule_set_of(rules), rule, Outcome(outcome), Outcome(ruled), reason)
            for rules, rule, outcome, ruled, reason in read["rulings"]
        ),
        remarks=tuple(Remark(text, at_s) for at_s, text in remarks),
        adjustment=read["adjustment"],
        adjustment_reason=read["adjustment_reason"],
        summary=read["summary"],
    )


def rule_set_of(label: str) -> RuleSetId:
    name, _, version = label.partition("@")
    return RuleSetId(name, version)


def plan_json(plan: SamplingPlan) -> Json:
    """The numbers of a plan; its name, seed and maker have columns of their own."""
    return {
        "grain": plan.grain.value,
        "per_agent": plan.per_agent,
        "risk_percent": plan.risk_percent,
        "strata": sorted(plan.strata),
        "shift_hours": list(plan.shift_hours),
        "length_bounds_s": list(plan.length_bounds_s),
        "least_talk_s": plan.least_talk_s,
        "sections": sorted(plan.sections),
        "risks": sorted(plan.risks),
    }


def plan_parts(read: Json) -> Json:
    """The arguments of ``SamplingPlan`` that ``plan_json`` wrote."""
    return {
        "grain": Grain(read["grain"]),
        "per_agent": read["per_agent"],
        "risk_percent": read["risk_percent"],
        "strata": frozenset(map(Stratum, read["strata"])),
        "shift_hours": tuple(read["shift_hours"]),
        "length_bounds_s": tuple(read["length_bounds_s"]),
        "least_talk_s": read["least_talk_s"],
        "sections": frozenset(map(SectionId, read["sections"])),
        "risks": frozenset(map(Risk, read["risks"])),
    }


def frame_bytes(frame: Iterable[FrameCall]) -> bytes:
    """A frame, compressed: about ten bytes for a call."""
    rows = [[c.call_id, c.agent, c.section, c.shift, c.length, sorted(c.risks)] for c in frame]
    return zlib.compress(json.dumps(rows, separators=(",", ":")).encode(), 9)


def frame_of(stored: bytes) -> list[FrameCall]:
    return [
        FrameCall(CallId(call), AgentNumber(agent), section, shift, length, frozenset(map(Risk, risks)))
        for call, agent, section, shift, length, risks in json.loads(zlib.decompress(stored))
    ]


def short_json(short: Iterable[Shortfall]) -> list[Any]:
    return [[each.agent, each.part.value, each.wanted, each.got] for each in short]


def short_of(read: Iterable[Any]) -> tuple[Shortfall, ...]:
    return tuple(Shortfall(AgentNumber(agent), Part(part), wanted, got) for agent, part, wanted, got in read)


def _names(read: Mapping[str, str]) -> Names:
    return {Language(language): text for language, text in read.items()}
