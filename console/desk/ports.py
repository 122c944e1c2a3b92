"""What the agents' pages ask of the rest of the service; joined in ``service/wiring.py``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from calls.callbacks import Attempt, CallBack
from calls.desk import DeskNow
from calls.errors import SanshengError
from calls.filing import DeskFiling, Edit, Kind, Notes, OwnCounts, UnfiledCall
from calls.ids import AgentNumber, CallId, SectionId
from calls.people import Person
from cases.catalogue import Catalogue
from console.desk.wrap_up import Filing, Problem


class Desks(Protocol):
    """What goes on at an agent's telephone. On the service's own loop."""

    async def read(self, agent: AgentNumber, login: str) -> DeskNow:
        """The desk of this moment; what it shows of callers is on record as seen by ``login``."""

    def changes(self, agent: AgentNumber, login: str) -> AsyncGenerator[DeskNow, None]:
        """The desk at once, then after every change, and every few seconds without one. Ends with the service."""


class Telephones(Protocol):
    """Agents in their queues, by Asterisk's word. In the back room. Each raises AmiError if it was not done."""

    async def log_in(self, agent: AgentNumber) -> None:
        """Into every queue of theirs, ready for calls."""

    async def log_out(self, agent: AgentNumber) -> None:
        """Out of every queue."""

    async def pause(self, agent: AgentNumber, reason: str) -> None:
        """No calls for now."""

    async def unpause(self, agent: AgentNumber) -> None:
        """Calls again."""


class CallbackDesk(Protocol):
    """The list of call-backs. Raises StorageError; CallbackError where it is not to be had, or not now."""

    async def waiting(self, sections: Collection[SectionId] | None = None) -> list[CallBack]:
        """The open ones in the order in which they are called; of some sections, or of all."""

    async def get(self, number: int) -> CallBack | None:
        """One of them, open or not."""

    async def attempts(self, number: int) -> list[Attempt]:
        """Every attempt of one, in order."""

    async def take_next(self, agent: AgentNumber) -> CallBack | None:
        """Give an agent the first in line whose time has come; what they have in hand already; ``None``: none."""

    async def take(self, number: int, agent: AgentNumber) -> CallBack:
        """Give an agent this one."""

    async def let_go(self, number: int, actor: str) -> CallBack:
        """Back into the list."""

    async def give_up(self, number: int, actor: str, why: str) -> CallBack:
        """Nobody will call."""

    async def again(self, number: int, actor: str) -> CallBack:
        """Who answered was not who waits for it."""

    async def together(self, callback: CallBack) -> list[CallBack]:
        """The others of the same number that one dialling serves with it."""

    async def called_again(self, listed: Collection[CallBack]) -> dict[int, datetime]:
        """Who of these has called again since they are on the list, and when last."""

    async def dial(self, number: int, agent: AgentNumber) -> Attempt:
        """Ring the agent, then the caller."""

    async def promise(self, call: UnfiledCall, telephone: str, due_at: datetime) -> CallBack:
        """A call back that the desk has promised; for the same call the same. Raises NumberRefused."""


class DeskBooks(Protocol):
    """Notes on calls, and which calls are not filed (A7). Raises StorageUnavailable or StorageRefused."""

    async def notes(self, call_id: CallId) -> Notes:
        """What was written about a call so far."""

    async def save(
        self, call_id: CallId, edits: Mapping[str, Edit], kinds: Mapping[str, Kind], login: str, at: datetime
    ) -> Notes:
        """Put a window's edits to what is there; the notes as they are then."""

    async def forget(self, call_id: CallId, version: int) -> bool:
        """The call is filed; false if something was written after that version, which is kept."""

    async def unfiled(self, agent: AgentNumber, since: datetime, limit: int = 100) -> list[UnfiledCall]:
        """Calls that this agent answered since then, as the last who did, and nobody filed; the oldest first."""

    async def answered(self, agent: AgentNumber, call_id: CallId) -> UnfiledCall | None:
        """A call that this agent answered, filed or not; ``None`` if it is not theirs."""

    async def caller_at(self, agent: AgentNumber, call_id: CallId) -> str | None:
        """The number of a call that was offered to this agent; ``None`` if it was not, or was withheld."""

    async def filed_as(self, call_id: CallId) -> list[str]:
        """The numbers that the call is filed under, and outcomes that have none."""

    async def own_counts(self, agent: AgentNumber, since: datetime, until: datetime) -> OwnCounts:
        """What an agent did from ``since`` to before ``until``, beside the indicators."""

    async def file(self, filing: DeskFiling) -> None:
        """File a call as something that is no case."""


class NotFiled(SanshengError):
    """What was to be filed is not complete."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("not complete")
        self.problems = problems


class FilingDesk(Protocol):
    """Puts what was written into the books that it belongs to."""

    async def file(self, filing: Filing, call: UnfiledCall, agent: AgentNumber, key: str, person: Person) -> str:
        """The number that it is filed under, or the outcome's name. The same key again changes nothing.

        Raises NotFiled, CaseConflict, AccessDenied, StorageUnavailable or StorageRefused.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskParts:
    """What the agents' pages are made from, beside ``console.parts.Parts``."""

    desks: Desks
    telephones: Telephones
    books: DeskBooks
    filing: FilingDesk
    callbacks: CallbackDesk
    catalogue: Catalogue
