"""A complaint is a fold over its history, by one state machine (C4, C5, C9).

``MOVES`` is the whole machine: from which state which event leads where. Events that are not in it move nothing
and may come in any state but ``CLOSED``; ``ALWAYS`` are those that may come even then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from calls.case_events import (
    AnyCaseEvent,
    CaseAssessed,
    CaseClosed,
    CaseCorrected,
    CaseFedBack,
    CaseForwarded,
    CaseLinked,
    CaseReassigned,
    CaseRegistered,
    CaseUnlinked,
    CaseWorkedAgain,
    ClockPaused,
    ClockResumed,
    ComplainantAsked,
    HandOverAccepted,
    HandOverDeclined,
    HandOverOffered,
    NoteAdded,
    OpinionApproved,
    OpinionGiven,
    OpinionReturned,
    ResultReported,
    WorkDone,
)
from calls.cases import (
    ATTEMPTS,
    REGISTER_WITHIN,
    STEP_OF,
    Answer,
    CaseNumber,
    CategoryId,
    CauseId,
    Channel,
    ComplaintType,
    DepartmentId,
    Importance,
    Link,
    LinkKind,
    Login,
    State,
    Step,
    StepRun,
    Urgency,
)
from calls.errors import CaseRefused
from calls.ids import CallId, Language, SectionId

S = State
MOVES: Mapping[tuple[State, str], frozenset[State]] = {
    (S.REGISTERED, CaseForwarded.kind): frozenset({S.FORWARDED}),
    (S.FORWARDED, OpinionGiven.kind): frozenset({S.REVIEW}),
    (S.REVIEW, OpinionReturned.kind): frozenset({S.FORWARDED}),
    (S.REVIEW, OpinionApproved.kind): frozenset({S.IN_WORK}),
    (S.IN_WORK, WorkDone.kind): frozenset({S.DONE}),
    (S.DONE, ResultReported.kind): frozenset({S.REPORTED}),
    (S.REPORTED, CaseFedBack.kind): frozenset({S.FED_BACK}),
    (S.FED_BACK, ComplainantAsked.kind): frozenset({S.FED_BACK, S.FOLLOWED_UP, S.DISSATISFIED}),
    (S.FOLLOWED_UP, CaseClosed.kind): frozenset({S.CLOSED}),
    (S.DISSATISFIED, CaseWorkedAgain.kind): frozenset({S.FORWARDED}),
    (S.CLOSED, CaseWorkedAgain.kind): frozenset({S.FORWARDED}),
}
"""The state machine. Only the answer of the complainant can lead to more than one state."""

MOVING = frozenset(kind for _, kind in MOVES)
ALWAYS = frozenset({NoteAdded.kind, CaseLinked.kind, HandOverOffered.kind, HandOverAccepted.kind}) | frozenset(
    {HandOverDeclined.kind, CaseReassigned.kind, CaseUnlinked.kind}
)
"""A closed case still belongs to somebody, and may still be written about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that the ledger knows of one complaint (C3)."""

    number: CaseNumber
    version: int
    """How many lines its history has."""
    state: State
    registered_at: datetime
    registered_by: Login
    last_at: datetime
    channel: Channel
    arrived_at: datetime
    name: str
    contact: str
    occurred_at: datetime | None
    place: str
    content: str
    section: SectionId
    language: Language | None
    type: ComplaintType
    cause: CauseId | None
    category: CategoryId | None
    urgency: Urgency
    importance: Importance
    key_customer: bool
    call_id: CallId | None
    owner: Login
    """Never nobody (C8)."""
    offered_to: Login | None = None
    department: DepartmentId | None = None
    round: int = 1
    """How often it was worked: more than once when the complainant was not satisfied (C5)."""
    opinion: str = ""
    done_by: datetime | None = None
    result: str = ""
    told: str = ""
    answer: Answer | None = None
    """The last one of a complainant who was reached, or why none will come."""
    unreached: int = 0
    """Attempts in vain since the complainant was told last."""
    measures: str = ""
    prevention: str = ""
    closed_at: datetime | None = None
    pause: ClockPaused | None = None
    """The last one that nobody has ended; whether it still lasts, its ``until`` tells."""
    links: frozenset[Link] = frozenset()
    runs: tuple[StepRun, ...] = field(default=())

    @property
    def waits_for(self) -> Step | None:
        """The step that is next; ``None`` of a closed case."""
        return STEP_OF[self.state]

    @property
    def registered_late(self) -> bool:
        """Whether it took longer than C2 allows; by the clock of the call's arrival."""
        limit = REGISTER_WITHIN.get(self.channel)
        return limit is not None and self.registered_at - self.arrived_at > limit

    @property
    def rank(self) -> int:
        """What goes first: key customers (C8), then urgency, then importance; 0 before all."""
        urgency, importance = list(Urgency).index(self.urgency), list(Importance).index(self.importance)
        return (0 if self.key_customer else 9) + urgency * 3 + importance

    def paused(self, now: datetime) -> bool:
        """Whether its clocks stand still."""
        return self.pause is not None and now < self.pause.until

    @classmethod
    def of(cls, number: CaseNumber, history: Iterable[AnyCaseEvent]) -> Case:
        """The case that a whole history tells. Raises CaseRefused for a history that cannot be."""
        case: Case | None = None
        for event in history:
            case = begun(number, event) if case is None else case.after(event)
        if case is None:
            raise CaseRefused("a case begins with its registration")
        return case

    def after(self, event: AnyCaseEvent) -> Case:
        """The case with one more line of history. Raises CaseRefused if that may not come now."""
        if event.at < self.last_at:
            raise CaseRefused("a history does not run backwards")
        if event.kind in MOVING and (self.state, event.kind) not in MOVES:
            raise CaseRefused(f"{event.kind}: not while the case is {self.state.value}")
        if event.kind not in MOVING | ALWAYS and self.state is State.CLOSED:
            raise CaseRefused(f"{event.kind}: the case is closed")
        told = replace(_told(self, event), version=self.version + 1, last_at=event.at)
        state = _state_after(told, event)
        runs = told.runs
        if state is not self.state:
            runs = _moved_on(told, state, event.at)
        return replace(told, state=state, runs=runs)


def begun(number: CaseNumber, event: AnyCaseEvent) -> Case:
    """A case that was just registered. Raises CaseRefused for any other event."""
    if not isinstance(event, CaseRegistered):
        raise CaseRefused("a case begins with its registration")
    link = frozenset({Link(LinkKind.CALL, event.call_id)}) if event.call_id else frozenset()
    return Case(
        number=number,
        version=1,
        state=State.REGISTERED,
        registered_at=event.at,
        registered_by=event.by,
        last_at=event.at,
        channel=event.channel,
        arrived_at=event.arrived_at,
        name=event.name,
        contact=event.contact,
        occurred_at=event.occurred_at,
        place=event.place,
        content=event.content,
        section=event.section,
        language=event.language,
        type=event.type,
        cause=event.cause,
        category=event.category,
        urgency=event.urgency,
        importance=event.importance,
        key_customer=event.key_customer,
        call_id=event.call_id,
        owner=event.owner or event.by,
        links=link,
        runs=(StepRun(Step.FORWARD, 1, event.at, None, None),),
    )


def _told(case: Case, event: AnyCaseEvent) -> Case:
    """What one event says, its move apart."""
    match event:
        case CaseCorrected():
            said = {name: getattr(event, name) for name in ("name", "contact", "occurred_at", "place", "content")}
            return replace(case, **{name: value for name, value in said.items() if value is not None})
        case CaseAssessed():
            names = ("type", "cause", "category", "urgency", "importance", "key_customer")
            return replace(case, **{name: getattr(event, name) for name in names})
        case CaseForwarded():
            return replace(case, department=event.department)
        case CaseWorkedAgain():
            return replace(
                case,
                department=event.department,
                round=case.round + 1,
                opinion="",
                done_by=None,
                result="",
                told="",
                closed_at=None,
            )
        case OpinionGiven():
            return replace(case, opinion=event.opinion, done_by=event.done_by)
        case ResultReported():
            return replace(case, result=event.result)
        case CaseFedBack():
            return replace(case, told=event.told, unreached=0)
        case ComplainantAsked():
            unreached = case.unreached + (event.answer is Answer.UNREACHED)
            return replace(case, answer=event.answer, unreached=unreached)
        case CaseClosed():
            return replace(case, measures=event.measures, prevention=event.prevention, closed_at=event.at)
        case CaseLinked() | CaseUnlinked():
            link = frozenset({Link(event.link, event.ref)})
            return replace(case, links=case.links | link if isinstance(event, CaseLinked) else case.links - link)
        case ClockPaused() | ClockResumed():
            return _paused(case, event)
        case CaseRegistered():
            raise CaseRefused("a case is registered once")
        case _:
            return _owned(case, event)


def _owned(case: Case, event: AnyCaseEvent) -> Case:
    """Who the case belongs to, if the event is about that (C8)."""
    match event:
        case HandOverOffered():
            if event.to == case.owner:
                raise CaseRefused("the case is theirs already")
            return replace(case, offered_to=event.to)
        case HandOverAccepted():
            if case.offered_to is None or event.by != case.offered_to:
                raise CaseRefused("only who was asked can take the case over")
            return replace(case, owner=event.by, offered_to=None)
        case HandOverDeclined():
            if case.offered_to is None or event.by not in (case.offered_to, case.owner):
                raise CaseRefused("nobody was asked to take the case over")
            return replace(case, offered_to=None)
        case CaseReassigned():
            return replace(case, owner=event.to, offered_to=None)
        case _:
            return case


def _paused(case: Case, event: ClockPaused | ClockResumed) -> Case:
    """Clocks stopped, or running again; kept in the running step."""
    *before, run = case.runs
    if isinstance(event, ClockPaused):
        if event.until <= event.at:
            raise CaseRefused("a pause ends after it begins")
        if case.paused(event.at):
            raise CaseRefused("the clock stands still already")
        stopped = replace(run, pauses=(*run.pauses, (event.at, event.until)))
        return replace(case, pause=event, runs=(*before, stopped))
    if not case.paused(event.at):
        raise CaseRefused("the clock runs already")
    (*earlier, (since, _)) = run.pauses
    ended = replace(run, pauses=(*earlier, (since, event.at)))
    return replace(case, pause=None, runs=(*before, ended))


def _state_after(case: Case, event: AnyCaseEvent) -> State:
    """Where the event leads; ``case`` has been told already."""
    if event.kind not in MOVING:
        return case.state
    if not isinstance(event, ComplainantAsked):
        (only,) = MOVES[case.state, event.kind]
        return only
    if event.answer is Answer.DISSATISFIED:
        return State.DISSATISFIED
    if event.answer is Answer.UNREACHED and case.unreached < ATTEMPTS:
        return State.FED_BACK
    return State.FOLLOWED_UP


def _moved_on(case: Case, state: State, at: datetime) -> tuple[StepRun, ...]:
    """The steps so far, the running one ended and the next one begun. A pause goes on into the next step."""
    runs: Sequence[StepRun] = case.runs
    if runs[-1].ended_at is None:
        runs = (*runs[:-1], replace(runs[-1], ended_at=at))
    step = STEP_OF[state]
    if step is None:
        return tuple(runs)
    pause = case.pause
    pauses = ((at, pause.until),) if pause is not None and at < pause.until else ()
    promised = case.done_by if step is Step.WORK else None
    return (*runs, StepRun(step, len(runs) + 1, at, None, case.department, pauses, promised))
