"""The body of a request: read within its limit, and taken apart as forms are."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, MultipartReader, StreamReader, web
from aiohttp.base_protocol import BaseProtocol
from multidict import CIMultiDict, MultiDict, MultiDictProxy

from console.ask import Upload

_MOST_FIELDS = 1000
_LONGEST_NAME = 200


class BadForm(Exception):
    """It is no form, or one with too many fields."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a form said."""

    fields: MultiDictProxy[str] = field(default_factory=lambda: MultiDictProxy(MultiDict()))
    uploads: dict[str, Upload] = field(default_factory=dict)


async def read_body(request: web.Request, largest: int) -> bytes:
    """The body. Raises HTTPRequestEntityTooLarge as soon as it is known to be larger."""
    told = request.content_length or 0
    if told > largest:
        raise web.HTTPRequestEntityTooLarge(max_size=largest, actual_size=told)
    body = bytearray()
    async for block in request.content.iter_any():
        body += block
        if len(body) > largest:
            raise web.HTTPRequestEntityTooLarge(max_size=largest, actual_size=len(body))
    return bytes(body)


async def parse_form(content_type: str, body: bytes) -> Form | None:
    """A form's fields and files; ``None`` for a body that is no form. Raises BadForm."""
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == "application/x-www-form-urlencoded":
            pairs = parse_qsl(
                body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
            )
            return Form(MultiDictProxy(MultiDict(pairs)))
        if kind == "multipart/form-data":
            return await _multipart(content_type, body)
    except (ValueError, RuntimeError, AssertionError, LookupError) as error:
        raise BadForm from error
    return None


async def _multipart(content_type: str, body: bytes) -> Form:
    loop = asyncio.get_running_loop()
    stream = StreamReader(BaseProtocol(loop), 2**16, loop=loop)
    stream.feed_data(body)
    stream.feed_eof()
    fields: MultiDict[str] = MultiDict()
    uploads: dict[str, Upload] = {}
    reader = MultipartReader(CIMultiDict({"Content-Type": content_type}), stream)
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader) or not part.name or len(part.name) > _LONGEST_NAME:
            raise BadForm
        if len(fields) + len(uploads) >= _MOST_FIELDS:
            raise BadForm
        content = bytes(await part.read())
        if part.filename is None:
            fields.add(part.name, content.decode("utf-8"))
        else:
            kind = part.headers.get("Content-Type", "application/octet-stream")
            uploads[part.name] = Upload(part.filename, kind, content)
    return Form(MultiDictProxy(fields), uploads)
