"""Our rules, and the real ``promtool`` to test them with."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from service.settings import ROOT

RULES = ROOT / "metrics" / "rules"
RECORDING, ALERTS = RULES / "recording.yml", RULES / "alerts.yml"

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """Series in promtool's notation, and which alerts of one rule fire after so long."""

    series: Mapping[str, str]
    at: str
    fires: tuple[Labels, ...] = ()
    """The labels of each alert, without those that the rule adds. None: it must be silent."""
    interval: str = "15s"


@dataclass(frozen=True)
class Rule:
    """One rule as it stands in its file."""

    name: str
    expr: str
    group: str
    labels: Labels = field(default_factory=dict)
    annotations: Labels = field(default_factory=dict)
    for_: str = ""


def rules(path: Path) -> dict[str, Rule]:
    """Every rule of a file, by the name of its alert or record."""
    found = [
        Rule(
            name=rule.get("alert") or rule["record"],
            expr=rule["expr"],
            group=group["name"],
            labels=rule.get("labels", {}),
            annotations=rule.get("annotations", {}),
            for_=rule.get("for", ""),
        )
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]
    assert len({rule.name for rule in found}) == len(found), "a name is given twice"
    return {rule.name: rule for rule in found}


def promtool(*arguments: str | Path) -> str:
    """What promtool says. Fails with it if it is not content."""
    return _run("promtool", *arguments)


def amtool(*arguments: str | Path) -> str:
    """What amtool says. Fails with it if it is not content."""
    return _run("amtool", *arguments)


def test_rules(folder: Path, rule: Rule, cases: Iterable[Case]) -> None:
    """Let promtool evaluate a rule, and those that it builds on, over each case and compare what fires."""
    own_rules = folder / f"{rule.name}.rules.yml"
    groups = _groups_of(rule)
    own_rules.write_text(json.dumps({"groups": groups}), encoding="utf-8")  # JSON is YAML, too
    of_interval: dict[str, list[Case]] = {}
    for case in cases:
        of_interval.setdefault(case.interval, []).append(case)
    for interval, some in of_interval.items():
        file = folder / f"{rule.name}.{interval}.test.yml"
        text = {
            "rule_files": [str(own_rules)],
            "evaluation_interval": interval,
            # Otherwise promtool takes groups in any order, and an alert may see its ratio as it was a step ago.
            "group_eval_order": [group["name"] for group in groups],
            "tests": [_test(rule, case) for case in some],
        }
        file.write_text(json.dumps(text, ensure_ascii=False, indent=1), encoding="utf-8")
        promtool("test", "rules", file)


test_rules.__test__ = False  # type: ignore[attr-defined]


def _groups_of(rule: Rule) -> list[dict[str, Any]]:
    """The groups of our files without the rules that this one does not need: days are long to evaluate."""
    groups = []
    for path in (RECORDING, ALERTS):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            needed = [
                each
                for each in group["rules"]
                if each.get("alert") == rule.name or each.get("record", "no record") in rule.expr
            ]
            groups.append({**group, "rules": needed})
    return [group for group in groups if group["rules"]]


def _test(rule: Rule, case: Case) -> dict[str, Any]:
    expected = [
        {
            "exp_labels": {**labels, **rule.labels},
            "exp_annotations": {name: _filled(text, labels) for name, text in rule.annotations.items()},
        }
        for labels in case.fires
    ]
    return {
        "interval": case.interval,
        "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
        "alert_rule_test": [{"eval_time": case.at, "alertname": rule.name, "exp_alerts": expected}],
    }


def _filled(template: str, labels: Labels) -> str:
    return re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: labels[found[1]], template)


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout
