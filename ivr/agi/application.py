"""Routing of sessions: panoramisk's FastAGI `Application` with its faults fenced in.

What is overridden, and which fault of panoramisk 1.4 that fences:

- `add_route`: a plain function raises AttributeError (`asyncio.coroutine` is gone since Python 3.11).
- `handler`: a peer that connects and closes, as health checks do, spins the event loop for ever; the request
  has neither a limit nor a time-out; text that is not UTF-8 raises; the caller's name is logged;
  CancelledError is swallowed.
- The session it hands to a route is `ivr.agi.session.AgiSession` in place of panoramisk's `Request`, which
  takes a HANGUP line for a reply, goes on after a time-out or a 520 one reply behind, and lets a line break
  inject a command.

Registration (`add_route`, `del_route`, their checks) and the table of routes remain panoramisk's.
"""

from __future__ import annotations

import asyncio
import enum
import inspect
import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

from panoramisk.fast_agi import Application

from calls.errors import AgiEnded, AgiGarbage, AgiTimeout
from ivr.agi import wire
from ivr.agi.session import AgiRequest, AgiSession

log = logging.getLogger(__name__)

Route: TypeAlias = Callable[[AgiSession], Awaitable[None] | None]


class Refused(enum.Enum):
    """Why a connection did not become a session."""

    CLOSED = "closed"  # connected and closed: a health check
    TIMEOUT = "timeout"  # no whole request in time
    GARBAGE = "garbage"  # no request of AGI
    NO_ROUTE = "no_route"  # the dialplan asks for what nobody serves
    BUSY = "busy"  # as many sessions as allowed, or draining


class Ended(enum.Enum):
    """How a session ended."""

    DONE = "done"  # its route returned
    HUNG_UP = "hung_up"  # the caller, or the connection, was gone
    TIMEOUT = "timeout"  # Asterisk did not reply in time
    GARBAGE = "garbage"  # Asterisk replied something that is no reply
    FAILED = "failed"  # its route raised another error
    CANCELLED = "cancelled"  # the server stopped before it was done


HEALTH_ROUTE = "health"
"""Answered with one harmless command and counted nowhere: how a watcher finds out that sessions are served."""


class AgiObserver(Protocol):
    """Who counts sessions. Every `session_started` is followed by one `session_ended`."""

    def connection_refused(self, why: Refused) -> None:
        """A connection ended before it became a session."""

    def session_started(self) -> None:
        """A route was found and is about to run."""

    def session_ended(self, how: Ended) -> None:
        """It has run."""

    def turn_taken(self, seconds: float) -> None:
        """A command was sent, so many seconds after the last reply (at first: after the request)."""


class Nobody:
    """An observer who does not look."""

    def connection_refused(self, why: Refused) -> None: ...

    def session_started(self) -> None: ...

    def session_ended(self, how: Ended) -> None: ...

    def turn_taken(self, seconds: float) -> None: ...


class AgiApplication(Application):  # type: ignore[misc]  # panoramisk is untyped
    """Reads a connection's request, finds its route and runs it. Make it where the event loop runs.

    `header_timeout_s` is the time for a whole request, `margin_s` the time that each command may take beyond
    what is expected of it, `clock` any monotonic count of seconds. `draining`, once set, is seen by all
    sessions.
    """

    def __init__(
        self,
        observer: AgiObserver,
        *,
        header_timeout_s: float,
        margin_s: float,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self.draining = False
        self._observer = observer
        self._header_timeout_s = header_timeout_s
        self._margin_s = margin_s
        self._clock = clock
        self.add_route(HEALTH_ROUTE, _answer_health)

    def add_route(self, path: str, endpoint: Route) -> None:
        """Serves `path` by a function of the session, plain or async. Raises ValueError if the path is served
        already.
        """

        async def awaited(session: AgiSession) -> None:
            outcome = endpoint(session)
            if inspect.isawaitable(outcome):
                await outcome

        super().add_route(path, awaited)

    async def handler(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first byte until it is closed. Raises nothing but CancelledError.

        Whatever happens, closing is all that it takes for Asterisk to go on with the dialplan.
        """
        try:
            request = await self._read_request(reader)
            if isinstance(request, Refused):
                self.refuse(request)
            elif request.route not in self._route:
                self.refuse(Refused.NO_ROUTE, call_id=request.call_id, route=request.route)
            else:
                await self._serve(request, reader, writer)
        finally:
            writer.close()

    def refuse(self, why: Refused, **facts: str) -> None:
        """Puts it on record that a connection did not become a session."""
        level = logging.DEBUG if why is Refused.CLOSED else logging.WARNING
        log.log(level, "agi.connection_refused", extra={"why": why.value, **facts})
        self._observer.connection_refused(why)

    async def _read_request(self, reader: asyncio.StreamReader) -> AgiRequest | Refused:
        try:
            async with asyncio.timeout(self._header_timeout_s):
                raw = await reader.readuntil(wire.HEADER_END)
            return AgiRequest.from_header(raw)
        except asyncio.IncompleteReadError as error:
            return Refused.GARBAGE if error.partial else Refused.CLOSED
        except TimeoutError:
            return Refused.TIMEOUT
        except OSError:
            return Refused.CLOSED
        except (asyncio.LimitOverrunError, AgiGarbage):
            return Refused.GARBAGE

    async def _serve(
        self, request: AgiRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        asked_after = request.route == HEALTH_ROUTE
        observer: AgiObserver = Nobody() if asked_after else self._observer
        usual = logging.DEBUG if asked_after else logging.INFO
        session = AgiSession(
            request,
            reader,
            writer,
            margin_s=self._margin_s,
            clock=self._clock,
            on_turn=observer.turn_taken,
            is_draining=lambda: self.draining,
        )
        log.log(usual, "agi.session_started", extra={"call_id": request.call_id, "route": request.route})
        observer.session_started()
        how = Ended.CANCELLED  # what remains when an exception passes through
        try:
            how = await self._run(session)
        finally:
            level = logging.WARNING if how in (Ended.TIMEOUT, Ended.GARBAGE) else usual
            log.log(level, "agi.session_ended", extra={"call_id": request.call_id, "how": how.value})
            observer.session_ended(how)

    async def _run(self, session: AgiSession) -> Ended:
        try:
            await self._route[session.request.route](session)
        except AgiEnded:
            return Ended.HUNG_UP
        except AgiTimeout:
            return Ended.TIMEOUT
        except AgiGarbage:
            return Ended.GARBAGE
        except Exception as error:  # one session's fault is not another's
            log.error(  # without the message, which may hold what is known of the caller
                "agi.session_failed",
                extra={
                    "call_id": session.request.call_id,
                    "error": type(error).__name__,
                    "where": "".join(traceback.format_tb(error.__traceback__)),
                },
            )
            return Ended.FAILED
        return Ended.DONE


async def _answer_health(session: AgiSession) -> None:
    await session.exec("NoOp", "", expected_s=0)
