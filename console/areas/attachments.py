"""Files of a case: added, listed and given out again, each giving-out on record (C3, P1, P4)."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from aiohttp import web

from calls.attachments import LARGEST, Attachment
from calls.cases import CaseNumber, Series, parse_number
from calls.custody import AccessKind
from calls.errors import AttachmentRefused, CaseUnknown
from calls.people import Right
from cases.orders import may_see
from console.ask import Ask
from console.cases.attached import attached
from console.cases.books import CaseBooks, login_of
from console.painter import seen_elsewhere
from console.parts import Parts
from console.routes import Route, get


class AttachmentsArea:
    """``/files/of/NUMBER`` of a complaint or a work order, and ``/files/ID``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._books = CaseBooks.of(parts)

    def routes(self) -> list[Route]:
        """What it answers."""
        of_one = "/files/of/{number:(?:TS|GD)[0-9-]+}"
        return [
            get(of_one, Right.READ_CASES, self.files),
            Route(
                method="POST",
                path=of_one,
                needs=(Right.FILE_CASES, Right.WORK_CASES),
                handler=self.add,
                largest_body=LARGEST + 64 * 1024,
            ),
            get("/files/{id:[0-9a-f]{32}}", Right.READ_CASES, self.file),
        ]

    async def files(self, ask: Ask) -> web.Response:
        """What belongs to a matter."""
        try:
            number = await self._within(ask, CaseNumber(ask.params["number"]))
        except CaseUnknown:
            return self._parts.painter.refusal(ask, 404)
        return await self._page(ask, number)

    async def add(self, ask: Ask) -> web.Response:
        """Keep one file."""
        try:
            number = await self._within(ask, CaseNumber(ask.params["number"]))
        except CaseUnknown:
            return self._parts.painter.refusal(ask, 404)
        upload = ask.uploads.get("file")
        if upload is None:
            return await self._page(ask, number, trouble="public_file.empty", status=422)
        await self._books.note(ask, AccessKind.CHANGE_CASE, f"{number}: a file added")
        try:
            await self._parts.attachments.add(number, upload.name, upload.body, login_of(ask))
        except AttachmentRefused as refused:
            return await self._page(ask, number, trouble=f"public_file.{refused.why}", status=422)
        return seen_elsewhere(_page_of(number), "case_files.added")

    async def file(self, ask: Ask) -> web.Response:
        """One file, to be saved: browsers open none of them in our name."""
        found = await self._parts.attachments.find(ask.params["id"])
        if found is None:
            return self._parts.painter.refusal(ask, 404)
        try:
            await self._within(ask, found.number)
        except CaseUnknown:
            return self._parts.painter.refusal(ask, 404)
        await self._books.note(ask, AccessKind.READ_CASE, f"{found.number}: file {found.id}")
        opened = await self._parts.attachments.open(found)
        with opened:
            body = await asyncio.to_thread(opened.read)
        return web.Response(body=body, headers=_saved(found))

    async def _within(self, ask: Ask, number: CaseNumber) -> CaseNumber:
        """The number, if the matter is within reach. Raises CaseUnknown."""
        parsed = parse_number(number)
        if parsed is None or number != number.upper():
            raise CaseUnknown(number)
        if parsed[0] is Series.COMPLAINT:
            return (await self._books.office.seen(number, ask.who)).number
        order = await self._books.orders.order(number)
        if not may_see(order, ask.who):
            raise CaseUnknown(number)
        return number

    async def _page(self, ask: Ask, number: CaseNumber, *, trouble: str = "", status: int = 200) -> web.Response:
        await self._books.note(ask, AccessKind.READ_CASE, f"{number}: list of files")
        return self._parts.painter.page(
            ask,
            "cases/files.html.j2",
            status=status,
            number=number,
            back=_page_of(number),
            trouble=trouble,
            **await attached(self._parts, ask, number),
        )


def _page_of(number: CaseNumber) -> str:
    return f"/{'cases' if number.startswith(Series.COMPLAINT) else 'orders'}/{number}"


def _saved(file: Attachment) -> dict[str, str]:
    return {
        "Content-Type": file.content_type,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "no-store",
    }
