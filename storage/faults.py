"""Errors of database drivers, translated at the boundary into the ledger's own (``calls/errors.py``)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from calls.errors import StorageRefused, StorageUnavailable


@contextmanager
def translated() -> Iterator[None]:
    """Turn whatever a database raises inside into StorageUnavailable or StorageRefused, with its cause.

    Only what the database says about the data itself is a refusal. Anything else (no connection, a lock, a
    full disk, a table that is not there yet, missing rights) may be mended by others: trying again later may
    help.
    """
    try:
        yield
    except (IntegrityError, DataError) as error:
        raise StorageRefused(f"the database refused the data ({_name(error)})") from error
    except StatementError as error:
        if isinstance(error, DBAPIError):
            raise StorageUnavailable(f"the database failed ({_name(error)})") from error
        raise StorageRefused(f"a value cannot be stored ({_name(error)})") from error
    except (SQLAlchemyError, OSError) as error:
        raise StorageUnavailable(f"the database cannot be reached ({_name(error)})") from error


def _name(error: Exception) -> str:
    """What failed, by name: a driver's text may quote personal data (P1) and stays in the cause."""
    origin = getattr(error, "orig", None) or error
    return type(origin.__cause__ or origin).__name__
