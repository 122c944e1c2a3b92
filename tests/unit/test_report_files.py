"""Files of reports: named for what is inside, there whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from calls.errors import ReportError
from metrics.reports.files import checked_folder, file_name, write_whole
from metrics.reports.model import ReportKind
from tests.support_report_model import made_up_report


async def test_the_name_says_hotline_kind_period_and_language() -> None:
    report = await made_up_report(ReportKind.QUARTERLY, "2026-Q3")
    assert file_name(report, "en", ".xlsx") == "hotline-95000-quarterly-2026-Q3-en.xlsx"


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_bytes(b"old")
    with path.open("rb") as reader:
        write_whole(path, b"new")
        assert reader.read() == b"old"  # who had it open keeps what they had
    assert path.read_bytes() == b"new"
    assert [each.name for each in tmp_path.iterdir()] == ["report.csv"]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "report.csv"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ReportError, match="No space left on device"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["report.csv"]


def test_a_folder_is_made_and_tried(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert checked_folder(folder) == folder
    assert folder.is_dir() and not list(folder.iterdir())


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ReportError, match=str(file)):
        checked_folder(file / "reports")
    with pytest.raises(ReportError, match="/proc"):
        checked_folder(Path("/proc/reports"))
