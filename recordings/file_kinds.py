"""What a file is, by what is in it, and a name for it that can do no harm."""

from __future__ import annotations

import io
import unicodedata
import zipfile

from calls.attachments import LONGEST_NAME

_BEGINNINGS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
)
_OFFICE = {
    "word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/workbook.xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_ENDINGS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "application/pdf": ".pdf",
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "text/plain": ".txt",
    _OFFICE["word/document.xml"]: ".docx",
    _OFFICE["xl/workbook.xml"]: ".xlsx",
}
"""Every kind that is taken, and how its name ends."""
_MACROS = "vbaProject.bin"
_MOST_MEMBERS = 5000


def kind_of_file(body: bytes) -> str | None:
    """The content type, if it is one of those that are taken. What could run in a browser is none of them."""
    for beginning, kind in _BEGINNINGS:
        if body.startswith(beginning):
            return kind
    if body[:4] == b"RIFF" and len(body) > 12:
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(body[8:12])
    if body.startswith(b"PK\x03\x04"):
        return _office(body)
    return "text/plain" if _is_text(body) else None


def harmless_name(name: str, kind: str) -> str:
    """What people may call the file: no folders, no signs that steer, the ending of what it is."""
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(sign for sign in last if unicodedata.category(sign)[0] not in "CZ" or sign == " ")
    plain = plain.translate({ord(sign): "_" for sign in '<>:"|?*%;&'}).strip(" .")
    stem, dot, ending = plain.rpartition(".")
    if not dot or len(ending) > 5:
        stem = plain
    return (stem.strip(" .")[: LONGEST_NAME - 5] or "file") + _ENDINGS[kind]


def _office(body: bytes) -> str | None:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = set(archive.namelist()[:_MOST_MEMBERS])
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return None
    if any(name.endswith(_MACROS) for name in names):
        return None
    return next((kind for name, kind in _OFFICE.items() if name in names), None)


def _is_text(body: bytes) -> bool:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    steering = any(unicodedata.category(sign) == "Cc" and sign not in "\r\n\t" for sign in text)
    looks_like_a_page = text.lstrip().startswith("<")
    return not steering and not looks_like_a_page
