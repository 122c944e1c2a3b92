"""Recording rules and alerts, as Prometheus's own promtool reads and evaluates them (I2, K1, K2, K5)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from metrics.catalogue import CATALOGUE, Kind
from metrics.kpi.catalogue import kpi
from service.settings import ROOT
from tests.support_promtool import ALERTS, RECORDING, Case, Rule, promtool, rules, test_rules

DAY_S = 86400
SETTLED = 'hotline_calls_settled_total{section="inquiry"}'
ANSWERED = 'hotline_calls_answered_total{section="inquiry"}'
WITHIN = 'hotline_calls_within_limit_total{section="inquiry"}'
OUTAGE = 'hotline_outage_seconds_total{component="ami",planned="false"}'


def calls(settled: str, answered: str, within: str) -> dict[str, str]:
    return {SETTLED: settled, ANSWERED: answered, WITHIN: within}


def burn(at: str, settled: str, good: str, *, fires: bool, interval: str = "1m") -> tuple[Case, Case]:
    """The same failure in K1 and in K2."""
    found: tuple[dict[str, str], ...] = ({},) if fires else ()
    return (
        Case(calls(settled, good, good), at, found, interval),
        Case(calls(settled, settled, good), at, found, interval),
    )


# A call a minute; then every one answered, every second one, two of three, nine of ten.
HOUR, SIX_HOURS, A_DAY = "0+1x60", "0+1x360", "0+5x288"  # the day in steps of 5 minutes
ALL_FAIL = "0+0x360"
BROKE_FAST = [
    burn("1h", HOUR, ALL_FAIL, fires=True),
    burn("1h", HOUR, "0+0.3x60", fires=True),
    burn("1h", HOUR, "0+0.7x60", fires=False),
    # Nineteen calls in the hour, none answered: too few to wake somebody.
    burn("1h", "0+0.3x60", ALL_FAIL, fires=False),
    # It failed, and for the last ten minutes all is well.
    burn("1h", HOUR, "0+0x49 1+1x11", fires=False),
    burn("1h", "0+0x60", ALL_FAIL, fires=False),
]
BROKE = [
    burn("6h", SIX_HOURS, ALL_FAIL, fires=True),
    burn("6h", SIX_HOURS, "0+0.65x360", fires=True),
    burn("6h", SIX_HOURS, "0+0.9x360", fires=False),
    burn("6h", "0+0.1x360", ALL_FAIL, fires=False),
    burn("6h", SIX_HOURS, "0+0x310 1+1x50", fires=False),
]
BROKE_SLOWLY = [
    burn("1d", A_DAY, ALL_FAIL, fires=True, interval="5m"),
    burn("1d", A_DAY, "0+4x288", fires=True, interval="5m"),
    burn("1d", A_DAY, "0+4.6x288", fires=False, interval="5m"),
    burn("1d", "0+0.25x288", ALL_FAIL, fires=False, interval="5m"),
    burn("1d", A_DAY, "0+0x260 5+5x28", fires=False, interval="5m"),
]


def outage(at: str, seconds: str, *, fires: bool, interval: str = "1m") -> Case:
    return Case({OUTAGE: seconds}, at, ({},) if fires else (), interval)


def gauge(name: str, value: object, at: str, *fires: dict[str, str]) -> Case:
    return Case({name: f"{value}+0x400"}, at, fires)


UP = 'up{job="sansheng",instance="127.0.0.1:8080"}'
UP_LABELS = {"job": "sansheng", "instance": "127.0.0.1:8080"}
WAITING = 'hotline_queue_waiting{section="complaint"}'
AGENTS = 'hotline_queue_agents{section="complaint"}'
LOST = 'hotline_calls_ended_total{section="ticketing",result="lost"}'
MISSED = 'hotline_surveys_total{section="inquiry",invitation="missed"}'
INVITED = 'hotline_surveys_total{section="inquiry",invitation="invited"}'
SYNTHETIC = "hotline_synthetic_call_success"
SYNTHETIC_CALLS = 'hotline_synthetic_calls_total{result="failed"}'
DISK = ("hotline_disk_free_bytes", "hotline_disk_total_bytes")
CERTIFICATE = 'hotline_certificate_expiry_timestamp_seconds{file="hotline.pem"}'
CALENDAR = "hotline_calendar_known_until_timestamp_seconds"
SPOOL = "hotline_spool_events"
MODEL = 'hotline_speech_model_installed{model="small"}'
RECORDINGS_WAIT = "hotline_recordings_waiting"
INGEST_FAILS = "hotline_recording_ingest_errors_total"


def disk(free: object, at: str, *, fires: bool) -> Case:
    return Case({DISK[0]: f"{free}", DISK[1]: "100+0x4000"}, at, ({},) if fires else ())


def verdicts(**outcomes: int) -> dict[str, str]:
    return {
        f'hotline_rule_verdicts{{rule="thanks",outcome="{name}"}}': f"{n}+0x200" for name, n in outcomes.items()
    }


def coverage(recorded: int, judged: int, backlog_s: int) -> dict[str, str]:
    return {
        "hotline_recorded_calls": f"{recorded}+0x200",
        "hotline_judged_calls": f"{judged}+0x200",
        "hotline_transcription_backlog_age_seconds": f"{backlog_s}+0x200",
    }


CASES: dict[str, list[Case]] = {
    "AnswerRateBurnsFast": [k1 for k1, _ in BROKE_FAST],
    "AnswerRateBurns": [k1 for k1, _ in BROKE],
    "AnswerRateBurnsSlowly": [k1 for k1, _ in BROKE_SLOWLY],
    "ThreeRingRateBurnsFast": [k2 for _, k2 in BROKE_FAST],
    "ThreeRingRateBurns": [k2 for _, k2 in BROKE],
    "ThreeRingRateBurnsSlowly": [k2 for _, k2 in BROKE_SLOWLY],
    "ReliabilityBurnsFast": [
        outage("1h", "0+60x60", fires=True),
        outage("1h", "0+0x57 60 120 150", fires=True),
        outage("1h", "0+0x58 15 30", fires=False),
        outage("1h", "0+60x3 180+0x57", fires=False),
        outage("1h", "0+0x60", fires=False),
        Case({OUTAGE.replace("false", "true"): "0+60x60"}, "1h", (), "1m"),
    ],
    "ReliabilityBurns": [
        outage("6h", "0+60x360", fires=True),
        outage("6h", "0+0x356 60+30x4", fires=True),
        outage("6h", "0+0x358 30 60", fires=False),
        outage("6h", "0+60x5 300+0x355", fires=False),
    ],
    "ReliabilityBurnsSlowly": [
        outage("3d", "0+300x864", fires=True, interval="5m"),
        outage("3d", "0+0x860 60+80x4", fires=True, interval="5m"),
        outage("3d", "0+0x862 30 60", fires=False, interval="5m"),
        outage("3d", "0+300x10 3000+0x854", fires=False, interval="5m"),
    ],
    "CallersWaitNobodyThere": [
        Case({WAITING: "1+0x40", AGENTS: "0+0x40"}, "2m", ({"section": "complaint"},)),
        Case({WAITING: "1+0x40", AGENTS: "1+0x40"}, "2m"),
        Case({WAITING: "0+0x40", AGENTS: "0+0x40"}, "2m"),
        # Another section's agents are of no use to these callers.
        Case(
            {WAITING: "2+0x40", AGENTS: "0+0x40", 'hotline_queue_agents{section="inquiry"}': "9+0x40"},
            "2m",
            ({"section": "complaint"},),
        ),
        Case({WAITING: "0x7 1 0x40", AGENTS: "0+0x40"}, "2m"),
    ],
    "CallsLost": [
        Case({LOST: "0x20 1x20"}, "6m", ({"section": "ticketing"},)),
        Case({LOST: "3+0x40"}, "6m"),
        Case({LOST.replace("lost", "abandoned"): "0+1x40"}, "6m"),
    ],
    "MenuFallsBack": [
        Case({"hotline_menu_fallbacks_total": "0x20 1x20"}, "6m", ({},)),
        Case({"hotline_menu_fallbacks_total": "7+0x40"}, "6m"),
    ],
    "CallbacksOverdue": [
        gauge("hotline_callbacks_overdue", 2, "12m", {}),
        gauge("hotline_callbacks_overdue", 2, "9m"),
        gauge("hotline_callbacks_overdue", 0, "12m"),
    ],
    "CaseStepsLate": [
        gauge("hotline_case_steps_late", 2, "32m", {}),
        gauge("hotline_case_steps_late", 2, "28m"),
        gauge("hotline_case_steps_late", 0, "32m"),
    ],
    "WorkOrderPromisesLate": [
        gauge("hotline_work_order_promises_late", 1, "12m", {}),
        gauge("hotline_work_order_promises_late", 1, "9m"),
        gauge("hotline_work_order_promises_late", 0, "12m"),
    ],
    "InvitationsMissed": [
        Case({MISSED: "0+1x40", INVITED: "0+20x40"}, "10m", ({},)),
        Case({MISSED: "0+1x40", INVITED: "0+100x40"}, "10m"),
        Case({MISSED: "0+1x3 3x40", INVITED: "0+1x40"}, "10m"),
        Case({MISSED: "7+0x40", INVITED: "0+1x40"}, "10m"),
    ],
    "RecordingsMissing": [
        gauge("hotline_recordings_missing", 2, "6m", {}),
        gauge("hotline_recordings_missing", 2, "4m"),
        gauge("hotline_recordings_missing", 0, "6m"),
    ],
    "TranscriptionBacklog": [
        gauge("hotline_transcription_backlog_age_seconds", 3700, "9m"),
        gauge("hotline_transcription_backlog_age_seconds", 3700, "12m", {}),
        gauge("hotline_transcription_backlog_age_seconds", 3500, "12m"),
        gauge("hotline_transcription_backlog_age_seconds", 0, "12m"),
    ],
    "TranscriptionBlocked": [
        gauge("hotline_transcription_legs_blocked", 1, "9m"),
        gauge("hotline_transcription_legs_blocked", 1, "11m", {}),
        gauge("hotline_transcription_legs_blocked", 0, "11m"),
    ],
    "SpeechModelMissing": [
        Case({MODEL: "0+0x40", "hotline_recorded_calls": "1+0x40"}, "9m"),
        Case({MODEL: "0+0x40", "hotline_recorded_calls": "1+0x40"}, "11m", ({"model": "small"},)),
        Case({MODEL: "1+0x40", "hotline_recorded_calls": "1+0x40"}, "11m"),
        # Nobody has called yet: the machine is being set up.
        Case({MODEL: "0+0x40", "hotline_recorded_calls": "0+0x40"}, "11m"),
    ],
    "LegsQuarantined": [
        gauge('hotline_transcription_legs{result="quarantined"}', 1, "2m", {"result": "quarantined"}),
        gauge('hotline_transcription_legs{result="quarantined"}', 0, "2m"),
        gauge('hotline_transcription_legs{result="failed"}', 3, "2m"),
    ],
    "RecordingsDamaged": [
        gauge("hotline_recordings_damaged", 1, "1m", {}),
        gauge("hotline_recordings_damaged", 0, "1m"),
    ],
    "RecordingsNotStored": [
        Case({RECORDINGS_WAIT: "2+0x40", INGEST_FAILS: "0+1x40"}, "13m", ({},)),
        Case({RECORDINGS_WAIT: "0x6 2x2 0x40", INGEST_FAILS: "0+1x40"}, "13m"),
        Case({RECORDINGS_WAIT: "2+0x40", INGEST_FAILS: "3+0x40"}, "13m"),
    ],
    "ImmediateFinding": [
        gauge("hotline_immediate_findings", 1, "1m", {}),
        gauge("hotline_immediate_findings", 0, "1m"),
    ],
    "CannotJudgeOften": [
        Case(verdicts(kept=120, cannot_judge=80, not_applicable=900), "31m", ({},)),
        Case(verdicts(kept=120, cannot_judge=80, not_applicable=900), "29m"),
        Case(verdicts(kept=160, cannot_judge=40, not_applicable=900), "31m"),
        Case(verdicts(kept=60, cannot_judge=80, not_applicable=900), "31m"),  # too few to say
        Case(verdicts(kept=0, cannot_judge=0, not_applicable=0), "31m"),
    ],
    "JudgedTooFew": [
        Case(coverage(100, 70, 1000), "31m", ({},)),
        Case(coverage(100, 70, 1000), "29m"),
        Case(coverage(100, 90, 1000), "31m"),
        Case(coverage(100, 70, 100), "31m"),
        Case(coverage(20, 7, 1000), "31m"),
        Case(coverage(0, 0, 0), "31m"),
    ],
    "ServiceDown": [
        gauge(UP, 0, "2m", UP_LABELS),
        gauge(UP, 0, "30s"),
        gauge(UP, 1, "2m"),
        Case({UP: "1x4 _x40"}, "12m", ({"job": "sansheng"},)),
        Case({"up": "1x40"}, "2m", ({"job": "sansheng"},)),
    ],
    "AmiLinkDown": [
        gauge("hotline_ami_link_up", 0, "45s"),
        gauge("hotline_ami_link_up", 0, "2m", {}),
        gauge("hotline_ami_link_up", 1, "2m"),
        Case({"hotline_ami_link_up": "1x4 0x2 1x40"}, "2m"),
    ],
    "ComponentDown": [
        gauge('hotline_component_up{component="trunk"}', 0, "3m", {"component": "trunk"}),
        gauge('hotline_component_up{component="trunk"}', 0, "1m"),
        gauge('hotline_component_up{component="trunk"}', 1, "3m"),
    ],
    "SyntheticCallFails": [
        Case({SYNTHETIC: "0+0x40", SYNTHETIC_CALLS: "1+0x40"}, "45s"),
        Case({SYNTHETIC: "0+0x40", SYNTHETIC_CALLS: "1+0x40"}, "5m", ({},)),
        Case({SYNTHETIC: "1+0x40", SYNTHETIC_CALLS: "1+0x40"}, "5m"),
        # None has been placed yet.
        Case({SYNTHETIC: "0+0x40", SYNTHETIC_CALLS: "0+0x40"}, "5m"),
    ],
    "DiskFull": [
        disk("4+0x400", "45s", fires=False),
        disk("4+0x400", "3m", fires=True),
        disk("6+0x400", "3m", fires=False),
        Case({DISK[0]: "0+0x40", DISK[1]: "0+0x40"}, "3m"),  # before the first look
    ],
    "DiskFills": [
        disk("14+0x400", "29m", fires=False),
        disk("14+0x400", "31m", fires=True),
        disk("16+0x400", "31m", fires=False),
        disk("38-0.01x400", "1h", fires=True),
        disk("90-0.01x400", "1h", fires=False),
    ],
    "CertificateExpires": [
        gauge(CERTIFICATE, 13 * DAY_S, "45s"),
        gauge(CERTIFICATE, 13 * DAY_S, "2m", {"file": "hotline.pem"}),
        gauge(CERTIFICATE, 15 * DAY_S, "2m"),
        gauge(CERTIFICATE, 0, "2m", {"file": "hotline.pem"}),
        Case({UP: "1x40"}, "2m"),  # none is watched
    ],
    "CalendarRunsOut": [
        gauge(CALENDAR, 30 * DAY_S, "59m"),
        gauge(CALENDAR, 30 * DAY_S, "65m", {}),
        gauge(CALENDAR, 32 * DAY_S, "65m"),
        gauge(CALENDAR, 400 * DAY_S, "65m"),
    ],
    "PlanesDrift": [
        gauge('hotline_kpi_drift_ratio{kpi="K1"}', 0.001, "4m"),
        gauge('hotline_kpi_drift_ratio{kpi="K1"}', 0.001, "6m", {"kpi": "K1"}),
        gauge('hotline_kpi_drift_ratio{kpi="K1"}', 0, "6m"),
        Case({'hotline_kpi_drift_ratio{kpi="K1"}': "0x8 0.5x10 0x40"}, "10m"),
    ],
    "LedgerFiguresOld": [
        gauge('hotline_kpi_as_of_seconds{period="today"}', 60, "10m"),
        gauge('hotline_kpi_as_of_seconds{period="today"}', 60, "12m", {"period": "today"}),
        Case({'hotline_kpi_as_of_seconds{period="today"}': "0+15x400"}, "12m"),
        gauge('hotline_kpi_as_of_seconds{period="year"}', 60, "12m"),
    ],
    "EventsWait": [
        gauge("hotline_events_pending", 1200, "105s"),
        gauge("hotline_events_pending", 1200, "3m", {}),
        gauge("hotline_events_pending", 900, "3m"),
        Case({"hotline_events_pending": "0x4 5000x4 0x40"}, "3m"),
    ],
    "SpoolGrows": [
        Case({SPOOL: "0+5x80"}, "4m"),
        Case({SPOOL: "0+5x80"}, "12m", ({},)),
        Case({SPOOL: "90+0x80"}, "12m", ({},)),
        Case({SPOOL: "900-5x80"}, "12m"),
        Case({SPOOL: "0+0x80"}, "12m"),
    ],
    "BooksDiscrepancy": [
        gauge('hotline_discrepancies{kind="missing"}', 1, "9m"),
        gauge('hotline_discrepancies{kind="missing"}', 1, "11m", {"kind": "missing"}),
        gauge('hotline_discrepancies{kind="missing"}', 0, "11m"),
    ],
    "SourceLags": [
        gauge('hotline_source_lag_bytes{source="cel"}', 2_000_000, "9m"),
        gauge('hotline_source_lag_bytes{source="cel"}', 2_000_000, "11m", {"source": "cel"}),
        gauge('hotline_source_lag_bytes{source="cel"}', 2_000, "11m"),
    ],
    "BackupOld": [
        gauge("hotline_backup_age_seconds", 3 * DAY_S, "14m"),
        gauge("hotline_backup_age_seconds", 3 * DAY_S, "16m", {}),
        gauge("hotline_backup_age_seconds", DAY_S, "16m"),
        gauge("hotline_backup_age_seconds", 0, "16m"),  # nothing to lose yet
    ],
    "AuditChainBroken": [
        gauge("hotline_audit_chain_ok", 0, "1m", {}),
        gauge("hotline_audit_chain_ok", 1, "1m"),
        gauge("hotline_audit_chain_ok", "NaN", "1m"),
    ],
    "RetentionRefused": [
        gauge("hotline_retention_refused", 1, "9m"),
        gauge("hotline_retention_refused", 1, "11m", {}),
        gauge("hotline_retention_refused", 0, "11m"),
    ],
    "TooManySamples": [
        gauge('scrape_samples_scraped{job="sansheng"}', 2001, "4m"),
        gauge('scrape_samples_scraped{job="sansheng"}', 2001, "6m", {"job": "sansheng"}),
        gauge('scrape_samples_scraped{job="sansheng"}', 2000, "6m"),
    ],
}


def test_promtool_finds_nothing_wrong() -> None:
    promtool("check", "rules", RECORDING, ALERTS)


def test_every_alert_is_shown_to_fire_and_to_be_silent() -> None:
    assert CASES.keys() == rules(ALERTS).keys()
    for name, cases in CASES.items():
        assert any(case.fires for case in cases), name
        assert any(not case.fires for case in cases), name


@pytest.mark.parametrize("name", CASES)
def test_alert(name: str, tmp_path: Path) -> None:
    test_rules(tmp_path, rules(ALERTS)[name], CASES[name])


# ── Burn rates ───────────────────────────────────────────────────────────────────────────────────────────────

BURN = {name: rule for name, rule in rules(ALERTS).items() if "Burns" in name}
TARGETS = {"K1": 0.95, "K2": 0.9, "K5": 0.999}
_TERM = re.compile(r"centre:\w+:ratio_rate(\w+) > ([\d.]+) \* ([\d.]+)")


def test_there_are_burn_rates_of_every_target() -> None:
    """The catalogue's targets, and K2's, for which the rule books name none."""
    assert {rule.labels["kpi"] for rule in BURN.values()} == set(TARGETS)
    assert {name: kpi(name).target for name in TARGETS} == {**TARGETS, "K2": None}


@pytest.mark.parametrize("rule", BURN.values(), ids=BURN.keys())
def test_a_burn_rate_can_fire_at_its_target(rule: Rule, tmp_path: Path) -> None:
    """Its factor times what may fail stays below everything failing, and then it does fire."""
    terms = _TERM.findall(rule.expr)
    assert len(terms) == 2, "a long window and a short one"
    for _, factor, share in terms:
        assert float(share) == pytest.approx(1 - TARGETS[rule.labels["kpi"]])
        assert float(factor) * float(share) < 1
    long_window = terms[0][0]
    interval = {"1h": "1m", "6h": "1m"}.get(long_window, "5m")
    everything_fails = {SETTLED: "0+5x864", ANSWERED: "0+0x864", WITHIN: "0+0x864", OUTAGE: "0+60x864"}
    test_rules(tmp_path, rule, [Case(everything_fails, long_window, ({},), interval)])


@pytest.mark.parametrize("rule", BURN.values(), ids=BURN.keys())
def test_a_burn_rate_of_calls_asks_for_a_minimum_of_them(rule: Rule) -> None:
    """K5 is a share of time: its minimum is what the factor times the window comes to."""
    window = _TERM.findall(rule.expr)[0][0]
    found = re.search(r"centre:hotline_calls_settled:increase(\w+) >= (\d+)", rule.expr)
    if rule.labels["kpi"] == "K5":
        assert found is None
    else:
        assert found
        assert found[1] == window
        assert int(found[2]) >= 20


# ── Names ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_record_is_named_level_metric_operation() -> None:
    for name in rules(RECORDING):
        assert re.fullmatch(r"(centre|section|kpi):hotline_[a-z_]+:[a-z0-9_]+", name), name


def test_rules_ask_only_for_what_is_exported_or_recorded() -> None:
    endings = {Kind.HISTOGRAM: ("_bucket", "_sum", "_count")}
    exported = {metric.name + end for metric in CATALOGUE for end in endings.get(metric.kind, ("",))}
    known = exported | rules(RECORDING).keys() | {"up", "scrape_samples_scraped"}
    for rule in (*rules(RECORDING).values(), *rules(ALERTS).values()):
        asked = set(re.findall(r"(?:centre|section|kpi):[a-z0-9_:]+|\bhotline_[a-z0-9_]+", rule.expr))
        assert asked or "up{" in rule.expr or "scrape_" in rule.expr, rule.name
        assert asked <= known, f"{rule.name} asks for {asked - known}"


def test_every_alert_says_what_it_is_in_both_languages() -> None:
    for rule in rules(ALERTS).values():
        assert rule.labels["severity"] in {"page", "ticket"}, rule.name
        assert rule.annotations["summary"].endswith("."), rule.name
        assert rule.annotations["summary_zh"].endswith("。"), rule.name


def test_every_alert_has_a_runbook() -> None:
    text = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### (\w+)\n(.+?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL))
    assert sections.keys() == rules(ALERTS).keys()
    for name, section in sections.items():
        assert "Means:" in section, name
        assert "Do:" in section, name
