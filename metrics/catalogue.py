"""Every metric that the service exports: one definition each, which exporter, docs and tests read.

This is the live plane: charts and alarms. It starts at 0 with the process and only ever counts up, so a fact
that the ledger corrects later (a call back-filled from Asterisk's files, say) may be counted under its first
outcome. Figures that go into a report come from the ledger.

Names follow Prometheus: base units, ``_total`` on counters. A bucket's limit is inclusive, as A1's is: an
observation of exactly 15 s counts as kept in ``le="15.0"``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from calls.audit import Difference
from calls.call import Result, Stage
from calls.callbacks import AttemptOutcome, Origin
from calls.cases import Age, State, Step
from calls.custody import Bandwidth
from calls.events import OfferEnd, Source
from calls.inquiries import ORDER_OVER, OrderState
from calls.live import AgentState
from calls.outages import Component, SyntheticResult
from calls.surveys import Invitation
from calls.verdicts import Outcome

NO_SECTION = "none"
"""The section of a call that has not asked for a person."""


class Kind(StrEnum):
    """What a metric is to Prometheus."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


class AbandonedIn(StrEnum):
    """Where a caller was when they gave up waiting."""

    QUEUE = "queue"
    RINGING = "ringing"
    """An agent's telephone was ringing, or the agent had picked up and was not heard yet."""


class OfferResult(StrEnum):
    """How an offer to an agent came out (K2r)."""

    ANSWERED_IN_TIME = "answered_in_time"
    ANSWERED_LATE = "answered_late"
    LET_IT_RING = OfferEnd.LET_IT_RING.value
    REJECTED = OfferEnd.REJECTED.value
    CALLER_GONE = OfferEnd.CALLER_GONE.value


@dataclass(frozen=True, slots=True)
class Label:
    """A label and all the values it can have, so that every series exists from the start."""

    name: str
    values: tuple[str, ...] = ()
    per_section: bool = False
    """Whether every configured section is a value, too."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric family."""

    name: str
    kind: Kind
    help: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()
    """Upper limits in seconds, inclusive; histograms only."""


def _label(name: str, values: Iterable[str]) -> Label:
    return Label(name, tuple(str(value) for value in values))


_SECTION = Label("section", (NO_SECTION,), per_section=True)
_QUEUE = Label("section", per_section=True)

_WAIT_BUCKETS = (1.0, 3.0, 5.0, 6.0, 9.0, 10.0, 11.0, 12.0, 15.0, 18.0, 20.0, 30.0, 45.0, 60.0, 120.0, 300.0)
"""The limits that standards set are among them: 9 (three short rings), 11, 12 (four), 15 (three of 5 s)."""

_TURN_BUCKETS = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0)

AGI_REASONS = (
    *("done", "hung_up", "timeout", "garbage", "failed", "cancelled"),
    *("refused_closed", "refused_timeout", "refused_garbage", "refused_no_route", "refused_busy"),
)
"""How a menu session ended or, with ``refused_``, why a connection did not become one."""

OFFERED = Metric(
    "hotline_calls_offered_total",
    Kind.COUNTER,
    "Calls that asked for a person (K1, K2 denominator).",
    (_SECTION,),
)
ANSWERED = Metric("hotline_calls_answered_total", Kind.COUNTER, "Calls that heard a person (K1).", (_SECTION,))
ABANDONED = Metric(
    "hotline_calls_abandoned_total",
    Kind.COUNTER,
    "Calls that asked for a person and hung up before hearing one, by where they were then.",
    (_SECTION, _label("stage", AbandonedIn)),
)
SETTLED = Metric(
    "hotline_calls_settled_total",
    Kind.COUNTER,
    "Calls whose fate is known: heard a person, or ended after asking for one (K1, K2 denominator).",
    (_SECTION,),
)
WITHIN_LIMIT = Metric(
    "hotline_calls_within_limit_total",
    Kind.COUNTER,
    "Calls that heard a person within three rings by the caller's clock (K2).",
    (_SECTION,),
)
WITHIN_LIMIT_CORRECTED = Metric(
    "hotline_calls_within_limit_corrected_total",
    Kind.COUNTER,
    "Calls counted as within the limit for which a better witness then told a longer wait.",
)
OVERFLOWED = Metric(
    "hotline_calls_overflowed_total", Kind.COUNTER, "Calls opened to the overflow group.", (_SECTION,)
)
ENDED = Metric(
    "hotline_calls_ended_total",
    Kind.COUNTER,
    "Calls that ended, by result; lost must stay 0.",
    (_SECTION, _label("result", (result for result in Result if result is not Result.IN_PROGRESS))),
)
PROMISED = Metric(
    "hotline_callbacks_promised_total", Kind.COUNTER, "Call-backs promised to callers (A5).", (_SECTION,)
)
OFFERS = Metric(
    "hotline_offers_total",
    Kind.COUNTER,
    "Offers of a call to an agent's telephone that came to an end, by result (K2r).",
    (_SECTION, _label("result", OfferResult)),
)
WAIT = Metric(
    "hotline_caller_wait_seconds",
    Kind.HISTOGRAM,
    "The caller's clock: from asking for a person to hearing one (K2). Exactly on a limit counts as kept.",
    (_SECTION,),
    _WAIT_BUCKETS,
)
RING = Metric(
    "hotline_agent_ring_seconds",
    Kind.HISTOGRAM,
    "The agent's clock: how long an answered telephone rang (K2r). Exactly on a limit counts as kept.",
    (_SECTION,),
    _WAIT_BUCKETS,
)
AGENTS = Metric("hotline_agents", Kind.GAUGE, "Agents of the roster by state.", (_label("state", AgentState),))
IN_STAGE = Metric(
    "hotline_calls_in_stage",
    Kind.GAUGE,
    "Calls in progress by stage.",
    (_label("stage", (stage for stage in Stage if stage is not Stage.ENDED)),),
)
WAITING = Metric("hotline_queue_waiting", Kind.GAUGE, "Calls that wait for a person of the section.", (_QUEUE,))
LONGEST_WAIT = Metric(
    "hotline_queue_longest_wait_seconds",
    Kind.GAUGE,
    "How long the caller who waits longest now has waited for a person of the section; 0: nobody waits.",
    (_QUEUE,),
)
SERVING = Metric(
    "hotline_queue_agents",
    Kind.GAUGE,
    "Agents who serve the section: logged in, reachable, not paused.",
    (_QUEUE,),
)
LINK_UP = Metric(
    "hotline_ami_link_up",
    Kind.GAUGE,
    "1 while the management link is up and compared with Asterisk, else 0.",
)
SURVEYS = Metric(
    "hotline_surveys_total",
    Kind.COUNTER,
    "Answered calls whose talk is over, by what became of the invitation to rate them (Q2, K3p).",
    (_SECTION, _label("invitation", (each for each in Invitation if each is not Invitation.OPEN))),
)
SURVEYS_BEGUN = Metric(
    "hotline_surveys_begun_total", Kind.COUNTER, "Invited callers who pressed a key (Q2).", (_SECTION,)
)
RATINGS = Metric(
    "hotline_ratings_total",
    Kind.COUNTER,
    "Calls rated, by whether the caller was dissatisfied (K3).",
    (_SECTION, _label("verdict", ("satisfied", "dissatisfied"))),
)
CALLBACKS_OPEN = Metric(
    "hotline_callbacks_open",
    Kind.GAUGE,
    "Call-backs that wait or are under way, by why they are owed (A5).",
    (_label("origin", Origin),),
)
CALLBACKS_OVERDUE = Metric(
    "hotline_callbacks_overdue", Kind.GAUGE, "Promised call-backs that are open after their time (A5)."
)
CALLBACK_PROMISES = Metric(
    "hotline_callback_promises_due_today",
    Kind.GAUGE,
    "Promised call-backs whose time ended today, by whether the caller was reached in time (A5).",
    (_label("result", ("kept", "broken")),),
)
CALLBACKS_GIVEN_UP = Metric(
    "hotline_callbacks_given_up_today",
    Kind.GAUGE,
    "Call-backs given up today: tried as often as is allowed, or a number that is not called.",
)
CALLBACK_ATTEMPTS = Metric(
    "hotline_callback_attempts_total",
    Kind.COUNTER,
    "Attempts to call back, by what came of them.",
    (_label("outcome", AttemptOutcome),),
)
RECORDINGS_MISSING = Metric(
    "hotline_recordings_missing", Kind.GAUGE, "Today's answered and ended calls without a recording."
)
EVENTS_STORED = Metric("hotline_events_stored_total", Kind.COUNTER, "Events that were new to the ledger.")
SPOOL_EVENTS = Metric(
    "hotline_spool_events", Kind.GAUGE, "Events that wait on disk until the database takes them."
)
SPOOL_BYTES = Metric("hotline_spool_bytes", Kind.GAUGE, "Size on disk of the events that wait there.")
SPOOL_WRITABLE = Metric(
    "hotline_spool_writable", Kind.GAUGE, "1 while the disk takes events that have to wait, 0 when it is full."
)
SOURCE_LAG = Metric(
    "hotline_source_lag_bytes",
    Kind.GAUGE,
    "What Asterisk has written to a log and the service has not read yet.",
    (_label("source", ("cel", "queue_log")),),
)
DISCREPANCIES = Metric(
    "hotline_discrepancies",
    Kind.GAUGE,
    "Differences between books and Asterisk's logs that stand and could not be mended, by kind.",
    (_label("kind", Difference),),
)
REPAIRED = Metric(
    "hotline_calls_repaired_total",
    Kind.COUNTER,
    "Facts of calls that the event log on disk did not tell, by the witness that told them instead.",
    (_label("source", (Source.AMI, Source.QUEUE_LOG, Source.ESTIMATE)),),
)
EVENTS_PENDING = Metric("hotline_events_pending", Kind.GAUGE, "Events received and not stored yet.")
BACKPRESSURE = Metric(
    "hotline_ami_backpressure_total",
    Kind.COUNTER,
    "Times that reading from the management link was paused until the ledger caught up.",
)
AGI_SESSIONS = Metric(
    "hotline_agi_sessions_total",
    Kind.COUNTER,
    "Menu sessions that ended and connections refused, by reason.",
    (_label("reason", AGI_REASONS),),
)
AGI_OPEN = Metric("hotline_agi_sessions_open", Kind.GAUGE, "Menu sessions in progress.")
AGI_TURN = Metric(
    "hotline_agi_turn_seconds",
    Kind.HISTOGRAM,
    "Time from Asterisk's reply to our next command in a menu session.",
    (),
    _TURN_BUCKETS,
)
FALLBACKS = Metric(
    "hotline_menu_fallbacks_total",
    Kind.COUNTER,
    "Calls that the dialplan took to a person because the menu service did not serve them.",
)

# ── The ledger's plane: refreshed in the background, never queried by a scrape ────────────────────────────────

LEDGER_KPIS = (
    *("K1", "K2", "K2r", "K3", "K3p", "K4", "K5", "K5sum", "K6", "K7t", "K7s"),
    *("SL80_20", "ASA", "AHT", "ABR", "ABR5", "TRR", "LW"),
)
"""The indicators of ``metrics.kpi.catalogue`` that have gauges."""

GAUGED_PERIODS = ("today", "yesterday", "month", "year")
"""Of the operator's calendar; month and year are those that have begun."""

ALL_SECTIONS = "all"
"""The section of a figure of the whole centre."""

_KPI = _label("kpi", LEDGER_KPIS)
_PERIOD = _label("period", GAUGED_PERIODS)
_OF_CENTRE = Label("section", (ALL_SECTIONS,), per_section=True)

KPI_NUMERATOR = Metric(
    "hotline_kpi_numerator",
    Kind.GAUGE,
    "Numerator of an indicator, from the ledger; of the current version of its definition.",
    (_KPI, _OF_CENTRE, _PERIOD),
)
KPI_DENOMINATOR = Metric(
    "hotline_kpi_denominator",
    Kind.GAUGE,
    "Denominator of an indicator, from the ledger; of the current version of its definition.",
    (_KPI, _OF_CENTRE, _PERIOD),
)
KPI_AS_OF = Metric(
    "hotline_kpi_as_of_seconds",
    Kind.GAUGE,
    "When the ledger was asked for the period's figures, in seconds since 1970; 0: not yet.",
    (_PERIOD,),
)
DRIFT = Metric(
    "hotline_kpi_drift_ratio",
    Kind.GAUGE,
    "Share of calls in which live counters and ledger differ since the service started; 0 when they agree.",
    (_label("kpi", ("K1", "K2")),),
)

# ── Surroundings ─────────────────────────────────────────────────────────────────────────────────────────────

DISK_FREE = Metric("hotline_disk_free_bytes", Kind.GAUGE, "Free space where recordings and books are kept.")
DISK_TOTAL = Metric("hotline_disk_total_bytes", Kind.GAUGE, "Size of the disk that holds recordings and books.")
CERTIFICATE_EXPIRY = Metric(
    "hotline_certificate_expiry_timestamp_seconds",
    Kind.GAUGE,
    "When the first certificate of a watched file expires, in seconds since 1970; 0: it cannot be read.",
    (Label("file"),),
)
CALENDAR_KNOWN_UNTIL = Metric(
    "hotline_calendar_known_until_timestamp_seconds",
    Kind.GAUGE,
    "End of the last year whose public holidays are known, in seconds since 1970.",
)
TRANSCRIPTION_BACKLOG = Metric(
    "hotline_transcription_backlog_age_seconds",
    Kind.GAUGE,
    "Age of the oldest recording that waits for its transcript; 0 while nothing waits.",
)
LEGS_WAITING = Metric(
    "hotline_transcription_legs_waiting", Kind.GAUGE, "Legs to transcribe and calls to judge that wait."
)
LEGS_BLOCKED = Metric(
    "hotline_transcription_legs_blocked",
    Kind.GAUGE,
    "Of those that wait, tried and put off: a model, a key, a store or a rule set cannot be used.",
)
LEGS_OVER = Metric(
    "hotline_transcription_legs",
    Kind.GAUGE,
    "Legs and judgements: done, of the last 24 hours; failed and quarantined (killed their worker twice), of all.",
    (_label("result", ("done", "failed", "quarantined")),),
)
AGENT_LEGS = Metric(
    "hotline_agent_legs",
    Kind.GAUGE,
    "Transcribed legs of agents by bandwidth, of the last 24 hours: recognition errs several times as often on "
    "narrow ones.",
    (_label("bandwidth", Bandwidth),),
)
MODEL_THERE = Metric(
    "hotline_speech_model_installed",
    Kind.GAUGE,
    "Whether a speech model that the settings name is installed.",
    (Label("model"),),
)
RECORDED_CALLS = Metric(
    "hotline_recorded_calls", Kind.GAUGE, "Calls of the last 24 hours whose recording is in custody (Q1)."
)
JUDGED = Metric(
    "hotline_judged_calls", Kind.GAUGE, "Of those, calls that the rules in force have judged: coverage (Q1)."
)
VERDICTS = Metric(
    "hotline_rule_verdicts",
    Kind.GAUGE,
    "Verdicts of the rule sets in force on calls of the last 24 hours, by rule and outcome (A2 to A6).",
    (Label("rule"), _label("outcome", Outcome)),
)
IMMEDIATE = Metric(
    "hotline_immediate_findings",
    Kind.GAUGE,
    "Broken rules of which somebody must know within a minute, found within the last 15 minutes (Q1).",
)

# ── Scores, appeals, coaching (Q1, Q3) ───────────────────────────────────────────────────────────────────────

SCORES = Metric("hotline_scores", Kind.GAUGE, "Calls that monitors have scored, ever (Q3).")
SCORES_OPEN = Metric("hotline_scores_open", Kind.GAUGE, "Calls of samples that wait to be scored (Q1).")
SCORES_UNANSWERED = Metric(
    "hotline_scores_unanswered", Kind.GAUGE, "Scores that agents have neither acknowledged nor appealed (Q3)."
)
APPEALS_OPEN = Metric("hotline_appeals_open", Kind.GAUGE, "Appeals that wait for a decision (Q3).")
COACHING_OPEN = Metric("hotline_coaching_open", Kind.GAUGE, "Coaching tasks that are not done (Q1).")

# ── Inquiries, work orders, complaints (C3, C4, A5) ──────────────────────────────────────────────────────────

OPEN_STATES = tuple(state for state in State if state is not State.CLOSED)
OPEN_ORDERS = tuple(state for state in OrderState if state not in ORDER_OVER)

CASES_OPEN = Metric(
    "hotline_cases_open",
    Kind.GAUGE,
    "Open complaints by state and by how long they have been open: up to a day, a week, 30 days, older (C3).",
    (_label("state", OPEN_STATES), _label("age", Age)),
)
STEPS_LATE = Metric(
    "hotline_case_steps_late",
    Kind.GAUGE,
    "Steps of complaints that should be done and are not (C4).",
    (_label("step", Step),),
)
CLOCKS_UNKNOWN = Metric(
    "hotline_case_clocks_unknown",
    Kind.GAUGE,
    "Steps whose clock needs a year's public holidays that are not published yet (C4).",
)
ORDERS_OPEN = Metric(
    "hotline_work_orders_open", Kind.GAUGE, "Open work orders by state (C10).", (_label("state", OPEN_ORDERS),)
)
PROMISES_SOON = Metric(
    "hotline_work_order_promises_soon", Kind.GAUGE, "Answers promised to callers within the next 24 hours (A5)."
)
PROMISES_LATE = Metric(
    "hotline_work_order_promises_late", Kind.GAUGE, "Answers promised to callers whose time is over (A5)."
)
PROMISES_BROKEN = Metric(
    "hotline_work_order_promises_broken",
    Kind.GAUGE,
    "Promises of work orders due within the last 30 days that were broken, answered since or not (A5).",
)

NEWS_WAITING = Metric(
    "hotline_webhook_deliveries_waiting",
    Kind.GAUGE,
    "News of cases that other systems do not have yet (I3).",
)
NEWS_DEAD = Metric(
    "hotline_webhook_deliveries_given_up", Kind.GAUGE, "News of cases given up after the last attempt (I3)."
)

# ── Recordings in custody (P2) ───────────────────────────────────────────────────────────────────────────────

RECORDINGS_STORED = Metric("hotline_recordings_stored_total", Kind.COUNTER, "Recordings taken into the vault.")
RECORDINGS_WAITING = Metric(
    "hotline_recordings_waiting", Kind.GAUGE, "Finished recordings that are not in the vault yet."
)
INGEST_ERRORS = Metric(
    "hotline_recording_ingest_errors_total", Kind.COUNTER, "Attempts to take a recording in that failed."
)
RECORDINGS_DAMAGED = Metric(
    "hotline_recordings_damaged", Kind.GAUGE, "Recordings in the vault that are not what was put there."
)

BACKUP_AGE = Metric(
    "hotline_backup_age_seconds",
    Kind.GAUGE,
    "Age of the last whole backup; if none was made, of the oldest recording; 0: there is nothing to lose (P2).",
)
AUDIT_CHAIN_OK = Metric(
    "hotline_audit_chain_ok",
    Kind.GAUGE,
    "1 if the access log was whole when it was last followed, 0 if it is broken; "
    "not a number: it was not followed yet (P1, P4).",
)
RETENTION_DELETED = Metric(
    "hotline_retention_deleted_total", Kind.COUNTER, "Calls whose recordings were deleted under their policy (P2)."
)
RETENTION_REFUSED = Metric(
    "hotline_retention_refused",
    Kind.GAUGE,
    "1 while retention deletes nothing, because the clock or how much is due is not believed; else 0 (P2).",
)
LEGAL_HOLDS = Metric("hotline_legal_holds", Kind.GAUGE, "Calls that are held, whatever their retention (P2).")

# ── Reliability (K5) ─────────────────────────────────────────────────────────────────────────────────────────

_COMPONENT = _label("component", Component)

COMPONENT_UP = Metric(
    "hotline_component_up",
    Kind.GAUGE,
    "1 while the component works, 0 while it is out; not a number: not in service, or nobody knows yet (K5).",
    (_COMPONENT,),
)
OUTAGE_SECONDS = Metric(
    "hotline_outage_seconds_total",
    Kind.COUNTER,
    "Seconds that the component was out, and whether in announced maintenance (K5).",
    (_COMPONENT, _label("planned", ("false", "true"))),
)
SYNTHETIC_SUCCESS = Metric(
    "hotline_synthetic_call_success",
    Kind.GAUGE,
    "1 if the synthetic caller's last call met all that it should have, else 0.",
)
SYNTHETIC_CALLS = Metric(
    "hotline_synthetic_calls_total",
    Kind.COUNTER,
    "Calls of the synthetic caller, by how they came out.",
    (_label("result", SyntheticResult),),
)

BUILD = Metric("hotline_build_info", Kind.INFO, "Always 1; the labels say what is running.")

CATALOGUE: tuple[Metric, ...] = (
    *(OFFERED, ANSWERED, SETTLED, WITHIN_LIMIT, WITHIN_LIMIT_CORRECTED, ABANDONED, OVERFLOWED, ENDED),
    *(PROMISED, OFFERS, WAIT, RING),
    *(SURVEYS, SURVEYS_BEGUN, RATINGS),
    *(CALLBACKS_OPEN, CALLBACKS_OVERDUE, CALLBACK_PROMISES, CALLBACKS_GIVEN_UP, CALLBACK_ATTEMPTS),
    *(AGENTS, IN_STAGE, WAITING, LONGEST_WAIT, SERVING, LINK_UP, RECORDINGS_MISSING),
    *(SPOOL_EVENTS, SPOOL_BYTES, SPOOL_WRITABLE, SOURCE_LAG, DISCREPANCIES, REPAIRED),
    *(EVENTS_STORED, EVENTS_PENDING, BACKPRESSURE, AGI_SESSIONS, AGI_OPEN, AGI_TURN, FALLBACKS, BUILD),
    *(KPI_NUMERATOR, KPI_DENOMINATOR, KPI_AS_OF, DRIFT),
    *(DISK_FREE, DISK_TOTAL, CERTIFICATE_EXPIRY, CALENDAR_KNOWN_UNTIL, TRANSCRIPTION_BACKLOG),
    *(LEGS_WAITING, LEGS_BLOCKED, LEGS_OVER, AGENT_LEGS, MODEL_THERE),
    *(RECORDED_CALLS, JUDGED, VERDICTS, IMMEDIATE),
    *(SCORES, SCORES_OPEN, SCORES_UNANSWERED, APPEALS_OPEN, COACHING_OPEN),
    *(CASES_OPEN, STEPS_LATE, CLOCKS_UNKNOWN, ORDERS_OPEN, PROMISES_SOON, PROMISES_LATE, PROMISES_BROKEN),
    *(NEWS_WAITING, NEWS_DEAD),
    *(RECORDINGS_STORED, RECORDINGS_WAITING, INGEST_ERRORS, RECORDINGS_DAMAGED),
    *(BACKUP_AGE, AUDIT_CHAIN_OK, RETENTION_DELETED, RETENTION_REFUSED, LEGAL_HOLDS),
    *(COMPONENT_UP, OUTAGE_SECONDS, SYNTHETIC_SUCCESS, SYNTHETIC_CALLS),
)
