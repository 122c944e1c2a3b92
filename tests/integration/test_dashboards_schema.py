"""The dashboards against a schema made of Grafana's own types (I2)."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from jsonschema import Draft7Validator

from calls.ids import Language
from metrics.dashboards.look import LANGUAGES
from service.settings import ROOT
from tests.support_dashboards import Json, dashboards
from tests.support_npm import told

SCHEMA = ROOT / "metrics" / "dashboards" / "schema"


@pytest.fixture(scope="module")
def schema() -> Json:
    """Grafana's types of dashboards and of each kind of panel."""
    schema: Json = json.loads(told(SCHEMA, "schema"))
    return schema


def problems(schema: Json, dashboard: Json) -> list[str]:
    """What Grafana's types do not allow: of the dashboard, then of each panel by its kind."""

    def of(kind: str, part: Any) -> list[str]:
        validator = Draft7Validator({**schema["properties"][kind], "definitions": schema["definitions"]})
        return [f"{kind}: {error.json_path}: {error.message}" for error in validator.iter_errors(part)]

    return of("dashboard", dashboard) + [
        found for panel in dashboard["panels"] for found in of(panel["type"], panel)
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_grafana_takes_them(schema: Json, language: Language) -> None:
    for slug, dashboard in dashboards(language).items():
        assert not (found := problems(schema, dashboard)), f"{slug}: {found}"


BROKEN = [
    ("wallboard", "title", 3),
    ("wallboard", "panels.0.gridPos.h", None),
    ("wallboard", "panels.0.options.graphMode", "waves"),
    ("rings", "templating.list.0.type", "guess"),
    ("rings", "panels.2.fieldConfig.defaults.custom.lineWidth", "thick"),
    ("rings", "panels.2.fieldConfig.defaults.thresholds.steps.0.color", None),
    ("quality", "panels.6.options.cellHeight", "huge"),
    ("reliability", "panels.6.options.showValue", True),
    ("reliability", "annotations.list.0.iconColor", None),
]


@pytest.mark.parametrize(("slug", "path", "value"), BROKEN, ids=[f"{slug} {path}" for slug, path, _ in BROKEN])
def test_a_broken_one_is_refused(schema: Json, slug: str, path: str, value: object) -> None:
    """A value of the wrong kind; `None`: something is missing."""
    broken: Any = copy.deepcopy(dashboards()[slug])
    *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
    part = broken
    for step in way:
        part = part[step]
    assert last in part, "the test does not know the dashboard"
    if value is None:
        del part[last]
    else:
        part[last] = value
    assert problems(schema, broken)
