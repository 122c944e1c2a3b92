"""Databases with every table, copied from one that was migrated once: migrations have tests of their own."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from storage.engine import open_engine, upgrade
from tests.support_postgres import postgres

_TURN_S = 120.0
_TEMPLATES: dict[str, str] = {}
"""By kind: the file, or the name of the database, that others are copied from."""


async def prepared(kind: str, folder: Path) -> str:
    """The URL of a fresh ``sqlite`` database in the folder, or ``postgresql`` database."""
    if kind not in _TEMPLATES:
        _TEMPLATES[kind] = await _template(kind)
    if kind == "postgresql":
        return postgres().create_database(_TEMPLATES[kind])
    file = folder / "ledger.db"
    shutil.copyfile(_TEMPLATES[kind], file)
    return f"sqlite:///{file}"


def dropped(url: str) -> None:
    """The database is not needed any more; a file goes with its folder."""
    if url.startswith("postgresql"):
        postgres().drop_database(url)


def patient_engine(url: str) -> AsyncEngine:
    """For tests in which many write at once: each waits for its turn, on a busy machine longer than in service."""
    return open_engine(url, patience_s=_TURN_S)


async def _template(kind: str) -> str:
    if kind == "postgresql":
        url = postgres().create_database()
        await upgrade(url)
        return postgres().name_of(url)
    folder = Path(tempfile.mkdtemp(prefix="sansheng-prepared-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    await upgrade(f"sqlite:///{folder}/ledger.db")
    return str(folder / "ledger.db")
