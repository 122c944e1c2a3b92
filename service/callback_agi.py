"""What the dialplan asks while somebody is called back: whose number, and whether there is a call-back to take."""

from __future__ import annotations

import logging

from calls.errors import StorageError
from ivr.agi.session import AgiSession
from service.callbacks import CallbackDesk

log = logging.getLogger(__name__)

NUMBER, TAKE = "callback", "callback-take"
"""The paths of the addresses that the dialplan asks."""


class CallbackNumber:
    """Leaves ``CALLBACK_TRUNK`` and, last, ``CALLBACK_NUMBER`` in the channel; neither: nobody is called."""

    def __init__(self, desk: CallbackDesk) -> None:
        self._desk = desk

    async def __call__(self, session: AgiSession) -> None:
        """Serve one attempt. Raises the session's AgiError when it breaks off."""
        attempt = session.request.call_id
        try:
            found = await self._desk.number_for(attempt)
        except StorageError as error:
            log.warning("callback.number_unavailable", extra={"call_id": attempt, "reason": str(error)})
            return
        if found is None:
            log.warning("callback.not_allowed", extra={"call_id": attempt})
            return
        number, trunk = found
        await session.set_variable("CALLBACK_TRUNK", trunk)
        await session.set_variable("CALLBACK_NUMBER", number)


class CallbackTaking:
    """An agent dialled ``*21``: leaves ``CALLBACK_TAKEN``, ``yes`` or ``none``; unset: not possible now."""

    def __init__(self, desk: CallbackDesk) -> None:
        self._desk = desk

    async def __call__(self, session: AgiSession) -> None:
        """Serve one agent. Raises the session's AgiError when it breaks off."""
        taken = await self._desk.take_by_telephone(session.request.channel)
        if taken:
            await session.set_variable("CALLBACK_TAKEN", taken)
