"""Where reports go: file names that say what is inside, and files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from calls.errors import ReportError
from metrics.reports.model import Report


def file_name(report: Report, language: str, ending: str) -> str:
    """For example ``hotline-95000-monthly-2026-11-zh-CN.html``."""
    return f"hotline-{report.hotline}-{report.kind}-{report.period.label}-{language}{ending}"


def checked_folder(folder: Path) -> Path:
    """The folder, made if it is missing. Raises ReportError unless files can be written into it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ReportError(f"cannot write reports into {folder}: {error.strerror}") from error
    return folder


def write_whole(path: Path, content: bytes) -> None:
    """Write a file in one step: readers see the old one or the new one, never half of it.

    Raises ReportError, the disk being full included; nothing is left behind then.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise ReportError(f"cannot write {path}: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
