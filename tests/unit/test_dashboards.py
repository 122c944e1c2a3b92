"""The dashboards as code: what is generated, in both languages, and that no fact in them can go stale (I2)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from calls.ids import Language, SectionId
from metrics import catalogue
from metrics.catalogue import CATALOGUE, Kind, Metric
from metrics.dashboards import look as looks
from metrics.dashboards import matters
from metrics.dashboards.figures import kpi_names
from metrics.dashboards.files import files
from metrics.dashboards.look import LANGUAGES, TARGETS, Look, Named, Text
from metrics.dashboards.panels import DATASOURCE_UID
from metrics.dashboards.rings import ring_limits
from service.cli import main
from service.settings import ROOT
from tests.support_dashboards import Json, asked, dashboards, panels
from tests.support_promtool import ALERTS, RECORDING, rules

GENERATED = ROOT / "metrics" / "dashboards" / "generated"
SEEN_AT = "/etc/grafana/sansheng"
ZH, EN = (dashboards(language) for language in LANGUAGES)
ALL = [(slug, panel) for slug, board in (*ZH.items(), *EN.items()) for panel in panels(board)]
CHINESE = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")


def test_what_is_committed_is_what_the_code_makes(tmp_path: Path) -> None:
    """Renew it with: sansheng dashboards metrics/dashboards/generated --seen-at /etc/grafana/sansheng"""
    with pytest.raises(SystemExit) as ended:
        main(["dashboards", str(tmp_path), "--seen-at", SEEN_AT])
    assert ended.value.code == 0
    made, committed = (
        {file.relative_to(folder): file.read_text() for file in folder.rglob("*") if file.is_file()}
        for folder in (tmp_path, GENERATED)
    )
    assert sorted(made) == sorted(committed)
    assert [path for path in made if made[path] != committed[path]] == []


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as ended:
        main(["dashboards", str(tmp_path / "file")])
    assert ended.value.code == 1
    assert "cannot write to" in capsys.readouterr().err


# ── Two languages ────────────────────────────────────────────────────────────────────────────────────────────


def test_both_languages_ask_the_same() -> None:
    assert list(ZH) == list(EN) == ["wallboard", "rings", "sections", "reliability", "quality"]
    for slug in ZH:
        chinese, english = ([query.expr for query in asked(slug, board[slug])] for board in (ZH, EN))
        assert chinese == english


def test_each_language_is_itself() -> None:
    for board in ZH.values():
        unread = [panel["title"] for panel in board["panels"] if not CHINESE.search(panel["title"])]
        assert not unread
    for slug, board in EN.items():
        assert not (mixed := CHINESE.findall(str(board))), f"{slug}: {mixed}"


# ── Panels ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("board", [*ZH.values(), *EN.values()], ids=lambda board: str(board["uid"]))
def test_panels_lie_side_by_side(board: Json) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + column, place["y"] + row) for column in range(place["w"]) for row in range(place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not taken & cells, panel["title"]
        taken |= cells
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers)


def test_every_panel_says_what_it_shows() -> None:
    assert not [panel["title"] for _, panel in ALL if len(panel["description"]) < 6]
    for slug, board in ZH.items():
        cited = re.findall(r"\b([ACIKPQ]\d\d?r?)\b", " ".join(panel["description"] for panel in panels(board)))
        assert cited, f"{slug} serves no requirement"


def test_every_panel_asks_our_prometheus_and_says_so_when_there_is_nothing() -> None:
    for slug, panel in ALL:
        where = {source["datasource"]["uid"] for source in (panel, *panel["targets"])}
        assert where == {DATASOURCE_UID}, f"{slug}: {panel['title']}"
        assert panel["fieldConfig"]["defaults"]["noValue"] in ("无数据", "no data")


# ── Queries ──────────────────────────────────────────────────────────────────────────────────────────────────

EXPRESSIONS = sorted({query.expr for slug, board in ZH.items() for query in asked(slug, board)})
NOT_OURS = {"ALERTS", "process_start_time_seconds", "process_cpu_seconds_total", "process_resident_memory_bytes"}
NOT_OURS |= {"scrape_samples_scraped"}


def named_in(expr: str) -> Iterator[str]:
    """Every metric of an expression."""
    without_labels = re.sub(r"{[^}]*}|\b(?:by|on) \([^)]*\)|\[[^]]*\]", " ", expr)
    for name in re.findall(r"[a-zA-Z_][\w:]*(?!\s*\()\b", without_labels):
        if ("_" in name and not re.search(rf"\b{name}\s*\(", without_labels)) or name == "ALERTS":
            yield name


def exported(metric: Metric) -> Iterator[str]:
    yield metric.name
    if metric.kind is Kind.HISTOGRAM:
        yield from (metric.name + suffix for suffix in ("_bucket", "_count", "_sum"))


def test_every_metric_exists() -> None:
    """In the catalogue, among the recording rules, or Prometheus's own."""
    known = {name for metric in CATALOGUE for name in exported(metric)} | set(rules(RECORDING)) | NOT_OURS
    assert {name for expr in EXPRESSIONS for name in named_in(expr)} - known == set()
    assert set(named_in('sum by (x) (hotline_a{y="z_w"}) / rate(hotline_b_total[$__rate_interval])')) == {
        "hotline_a",
        "hotline_b_total",
    }


def test_only_counters_are_rated() -> None:
    for expr in EXPRESSIONS:
        for name in re.findall(r"(?:rate|increase)\((\w+)", expr):
            assert re.search(r"_(total|bucket|count)$", name), expr


def test_nothing_is_divided_by_nothing() -> None:
    """A share without calls has no value: neither NaN nor a made-up 0 or 100 %."""
    for expr in EXPRESSIONS:
        assert "clamp" not in expr
        for divisor in re.findall(r" / (.*)", expr):
            fixed = re.match(r"[\d.e]+$", divisor) or divisor.startswith("hotline_disk_total_bytes")
            assert fixed or divisor.endswith("> 0)"), expr


# ── Facts that live elsewhere ────────────────────────────────────────────────────────────────────────────────


def values(metric: Metric, label: str) -> set[str]:
    return next(set(one.values) for one in metric.labels if one.name == label)


@pytest.mark.parametrize(
    ("named", "metric", "label"),
    [
        (looks.AGENT_STATES, catalogue.AGENTS, "state"),
        (looks.STAGES, catalogue.IN_STAGE, "stage"),
        (looks.RESULTS, catalogue.ENDED, "result"),
        (looks.OFFER_RESULTS, catalogue.OFFERS, "result"),
        (looks.ABANDONED_IN, catalogue.ABANDONED, "stage"),
        (looks.COMPONENTS, catalogue.COMPONENT_UP, "component"),
        (looks.TEST_CALLS, catalogue.SYNTHETIC_CALLS, "result"),
        (looks.DIFFERENCES, catalogue.DISCREPANCIES, "kind"),
        (looks.WITNESSES, catalogue.REPAIRED, "source"),
        (looks.LOGS, catalogue.SOURCE_LAG, "source"),
        (matters.RATED, catalogue.RATINGS, "verdict"),
        (matters.INVITATIONS, catalogue.SURVEYS, "invitation"),
        (matters.ORIGINS, catalogue.CALLBACKS_OPEN, "origin"),
        (matters.ATTEMPTS, catalogue.CALLBACK_ATTEMPTS, "outcome"),
        (matters.STATES, catalogue.CASES_OPEN, "state"),
        (matters.STEPS, catalogue.STEPS_LATE, "step"),
    ],
    ids=lambda value: value.name if isinstance(value, Metric) else None,
)
def test_every_value_of_a_label_has_a_name(named: Sequence[Named], metric: Metric, label: str) -> None:
    assert {one.value for one in named} == values(metric, label)


def test_every_age_of_a_complaint_has_a_column() -> None:
    assert set(matters.AGES) == values(catalogue.CASES_OPEN, "age")


@pytest.mark.parametrize(
    "metric",
    [
        *(catalogue.SURVEYS, catalogue.RATINGS, catalogue.CALLBACKS_OPEN, catalogue.CALLBACKS_OVERDUE),
        *(catalogue.CALLBACK_PROMISES, catalogue.CALLBACKS_GIVEN_UP, catalogue.CALLBACK_ATTEMPTS),
        *(catalogue.CASES_OPEN, catalogue.STEPS_LATE, catalogue.PROMISES_SOON, catalogue.PROMISES_LATE),
    ],
    ids=lambda metric: str(metric.name),
)
def test_what_is_owed_to_callers_is_on_a_board(metric: Metric) -> None:
    assert any(metric.name in set(named_in(expr)) for expr in EXPRESSIONS)


def test_every_indicator_with_a_gauge_has_a_name() -> None:
    assert {one.value for one in kpi_names()} >= set(catalogue.LEDGER_KPIS)


def test_targets_are_those_of_the_alerts() -> None:
    budgets = {
        (rule.labels["kpi"], float(share))
        for rule in rules(ALERTS).values()
        if "kpi" in rule.labels
        for share in re.findall(r"> [\d.]+ \* ([\d.]+)", rule.expr)
    }
    assert budgets == {(kpi, round(1 - TARGETS[kpi], 6)) for kpi in ("K1", "K2", "K5")}


# ── Another hotline ──────────────────────────────────────────────────────────────────────────────────────────

FOUR_SHORT_RINGS = Look(
    Language("en"),
    ring_s=3,
    rings=4,
    timezone="Europe/Vienna",
    sections={SectionId("billing"): Text("账务, 计费", "Billing, metering")},
)


def test_another_rule_of_rings_moves_the_limit() -> None:
    """A1's limit is a setting: the dashed line, the rings, and the steps of the colours follow it."""
    rings = dashboards(look=FOUR_SHORT_RINGS)["rings"]
    lines = next(panel for panel in panels(rings) if panel["title"].startswith("Caller's wait: median"))
    assert [step["value"] for step in lines["fieldConfig"]["defaults"]["thresholds"]["steps"]] == [None, 12]
    assert ring_limits(FOUR_SHORT_RINGS, catalogue.WAIT) == [(1, 3.0), (2, 6.0), (3, 9.0), (4, 12.0)]
    assert rings["timezone"] == "Europe/Vienna"


def test_a_ring_between_the_histograms_limits_is_not_told_apart() -> None:
    odd = replace(FOUR_SHORT_RINGS, ring_s=5.5, rings=2)
    assert ring_limits(odd, catalogue.WAIT) == [(2, 11.0)]


def test_sections_to_choose_from_are_those_of_the_menu() -> None:
    [variable] = dashboards(look=FOUR_SHORT_RINGS)["rings"]["templating"]["list"]
    assert variable["query"] == r"Billing\, metering : billing"
    [variable] = ZH["rings"]["templating"]["list"]
    assert variable["query"].startswith("咨询受理科 : inquiry, ")
    assert (variable["includeAll"], variable["allValue"]) == (True, ".+")


def test_grafana_is_told_where_everything_is() -> None:
    made = files(FOUR_SHORT_RINGS, "http://prometheus:9090/#a", "/srv/a: b")
    [source] = yaml.safe_load(made[Path("provisioning/datasources/sansheng.yaml")])["datasources"]
    assert (source["uid"], source["url"]) == (DATASOURCE_UID, "http://prometheus:9090/#a")
    providers = yaml.safe_load(made[Path("provisioning/dashboards/sansheng.yaml")])["providers"]
    assert [provider["options"]["path"] for provider in providers] == [
        f"/srv/a: b/dashboards/{language}" for language in LANGUAGES
    ]
    assert {path.parent for path in made if path.suffix == ".json"} == {
        Path("dashboards") / language for language in LANGUAGES
    }
