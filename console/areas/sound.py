"""Sound over HTTP: ranges of encrypted recordings, masked unless there is leave for the original (P1, P3).

A player gets a piece at a time, never the whole: the whole file is a download, and needs that right.
"""

from __future__ import annotations

from typing import BinaryIO

from aiohttp import web

from calls.custody import Access, AccessKind, Leg, Recording
from calls.errors import AccessDenied, AudioGone, CustodyError, RecordingError
from calls.ids import CallId
from calls.people import Right
from console.ask import Ask
from console.open_sounds import Key, OpenSounds, Sound
from console.originals import Originals
from console.parts import Parts
from console.ranges import piece_of
from console.routes import Route, get
from storage.call_lists import SqlCallLists
from storage.search import SqlSearch

_TYPE = "audio/wav"


class SoundArea:
    """``/calls/{call_id}/sound/{leg}`` and ``/calls/{call_id}/outline/{leg}``."""

    def __init__(self, parts: Parts, originals: Originals) -> None:
        self._parts = parts
        self._originals = originals
        self._lists = SqlCallLists(parts.engine)
        self._search = SqlSearch(parts.engine)
        self._sounds = OpenSounds(parts.clock)

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            get("/calls/{call_id}/sound/{leg}", Right.READ_CALLS, self.sound),
            get("/calls/{call_id}/outline/{leg}", Right.READ_CALLS, self.outline),
            get("/calls/{call_id}/download/{leg}", Right.DOWNLOAD, self.download),
        ]

    async def sound(self, ask: Ask) -> web.Response:
        """A piece of the sound: 206, or 416 for a range that it has not.

        403 without a range, or without leave for the original; 409 while it cannot be masked yet; 410 once it is
        deleted.
        """
        call_id, leg = await self._reached(ask, Right.READ_CALLS)
        reason = self._reason(ask, call_id)
        if not _header(ask, "Range"):
            return _whole()
        key: Key = (ask.session, ask.who.login, call_id, leg, "original" if reason else "masked")
        try:
            version = await self._version(call_id, leg, reason)
            sound = await self._sounds.get(key, version, lambda: self._open(ask, call_id, leg, reason))
            return await _piece(ask, sound)
        except (AudioGone, _Gone):
            await self._sounds.drop(key)
            return web.Response(status=410)
        except AccessDenied:
            return web.Response(status=409)
        except (CustodyError, RecordingError):
            return web.Response(status=503)

    async def outline(self, ask: Ask) -> web.Response:
        """How loud the leg is over its length: a byte for each peak; ``Peaks-Per-S`` says how many a second."""
        call_id, leg = await self._reached(ask, Right.READ_CALLS)
        found = await self._parts.listening.outline(call_id, leg)
        if found is None:
            return web.Response(status=404)
        headers = {"Peaks-Per-S": f"{found.per_s:g}"}
        return web.Response(body=found.peaks, content_type="application/octet-stream", headers=headers)

    async def download(self, ask: Ask) -> web.Response:
        """The whole file, masked, or the original where there is leave for it."""
        call_id, leg = await self._reached(ask, Right.DOWNLOAD)
        reason = self._reason(ask, call_id)
        access = Access(ask.who.login, AccessKind.EXPORT, reason or "download of the masked sound", call_id, leg)
        await self._parts.accesses.note(access)
        try:
            await self._version(call_id, leg, reason)
            file = await self._open(ask, call_id, leg, reason)
        except (AudioGone, _Gone):
            return web.Response(status=410)
        except AccessDenied:
            return web.Response(status=409)
        except (CustodyError, RecordingError):
            return web.Response(status=503)
        headers = {"Content-Disposition": f'attachment; filename="{call_id}-{leg}.wav"', "Content-Type": _TYPE}
        return web.Response(body=file, headers=headers)

    async def _reached(self, ask: Ask, right: Right) -> tuple[CallId, Leg]:
        """What is asked for, if it is within reach; else 404, as for what does not exist."""
        call_id = CallId(ask.params["call_id"])
        try:
            leg = Leg(ask.params["leg"])
        except ValueError:
            raise web.HTTPNotFound from None
        if await self._lists.line(call_id, ask.scope(right)) is None:
            raise web.HTTPNotFound
        return call_id, leg

    def _reason(self, ask: Ask, call_id: CallId) -> str | None:
        """Why the original is heard; ``None``: the masked copy is asked for."""
        if ask.query.get("original") != "1":
            return None
        reason = self._originals.reason(ask, call_id)
        if reason is None or not ask.who.may(Right.HEAR_ORIGINAL):
            raise web.HTTPForbidden
        return reason

    async def _version(self, call_id: CallId, leg: Leg, reason: str | None) -> str:
        """Changes with the sound and with what is beeped over. Raises _Gone if there is no such recording."""
        recordings = {each.leg: each for each in await self._parts.listening.recordings(call_id)}
        recording: Recording | None = recordings.get(leg)
        if recording is None:
            raise _Gone
        spans = [] if reason else [await self._search.spans(call_id, each) for each in Leg]
        return f"{recording.sha256} {spans}"

    async def _open(self, ask: Ask, call_id: CallId, leg: Leg, reason: str | None) -> BinaryIO:
        listening = self._parts.listening
        if reason is None:
            access = Access(ask.who.login, AccessKind.LISTEN, "console", call_id, leg)
            return await listening.open_masked(call_id, leg, access)
        access = Access(ask.who.login, AccessKind.LISTEN_ORIGINAL, reason, call_id, leg)
        return await listening.open_original(call_id, leg, access, allowed=ask.who.may(Right.HEAR_ORIGINAL))


class _Gone(Exception):
    """There is no such recording, or not any more."""


async def _piece(ask: Ask, sound: Sound) -> web.Response:
    headers = {"Accept-Ranges": "bytes", "ETag": f'"{sound.etag}"', "Content-Disposition": "inline"}
    if _header(ask, "If-Range") not in ("", f'"{sound.etag}"'):
        return _whole()
    piece = piece_of(_header(ask, "Range"), sound.size)
    if piece is None:
        return web.Response(status=416, headers=headers | {"Content-Range": f"bytes */{sound.size}"})
    body = await sound.read(piece)
    headers |= {"Content-Range": piece.of(sound.size), "Content-Type": _TYPE}
    return web.Response(status=206, body=body, headers=headers)


def _whole() -> web.Response:
    """Whoever wants all of it at once wants a download."""
    return web.Response(status=403, headers={"Accept-Ranges": "bytes"}, text="the whole file is a download\n")


def _header(ask: Ask, name: str) -> str:
    return next((value for key, value in ask.headers.items() if key.lower() == name.lower()), "")
