"""What the service does beside the calls to keep data safe, and the commands for it (P1, P2, P4)."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from calls.custody import Access, AccessKind
from calls.ids import CallId
from metrics.exporter import Exporter
from service.anchors import FILE
from service.backup import back_up
from service.cli import main
from service.safekeeping import Safekeeping, followed
from storage.access import Hold
from tests.support_vault import NOW, Scene, scene


class Watched:
    """Safekeeping of a scene, and what it exports."""

    def __init__(self, at: Scene) -> None:
        self._registry = CollectorRegistry()
        exporter = Exporter(sections=[], limit_s=15, build={}, registry=self._registry)
        self.keeping = Safekeeping(at.settings, at.engine, at.custody, exporter, at.clock)

    def __getitem__(self, name: str) -> float:
        value = self._registry.get_sample_value(f"hotline_{name}")
        assert value is not None
        return value


async def test_backup_holds_and_deletions_are_told(tmp_path: Path) -> None:
    async with scene("", tmp_path) as at:
        seen = Watched(at)
        await seen.keeping.look()
        assert seen["backup_age_seconds"] == 0
        await at.retention.believe(NOW)
        await at.recorded("1.1", 91)
        held = await at.recorded("1.2", 92)
        await at.holds.hold(Hold(held, NOW, "os:me", "court"))
        await seen.keeping.look()
        assert (seen["backup_age_seconds"], seen["legal_holds"]) == (92 * 86400, 1)
        await back_up(at.settings, at.custody, tmp_path / "backup", "os:me")
        at.clock.moment += timedelta(hours=1)
        await seen.keeping.look()
        assert seen["backup_age_seconds"] == 3600
        await seen.keeping.keep()
        assert (seen["retention_deleted_total"], seen["retention_refused"]) == (1, 0)


async def test_a_clock_that_is_not_believed_is_told(tmp_path: Path) -> None:
    async with scene("", tmp_path) as at:
        seen = Watched(at)
        await at.recorded("1.1", 1)
        at.clock.moment += timedelta(days=400)
        await seen.keeping.keep()
        assert (seen["retention_deleted_total"], seen["retention_refused"]) == (0, 1)
        assert await at.alive() == {"1.1"}
        at.clock.moment = NOW
        await seen.keeping.keep()
        assert seen["retention_refused"] == 0


async def test_an_access_log_whose_end_was_cut_off_is_found_by_its_anchor(tmp_path: Path) -> None:
    async with scene("", tmp_path) as at:
        seen = Watched(at)
        assert math.isnan(seen["audit_chain_ok"])
        for number in range(3):
            await at.custody.accesses.note(Access("os:me", AccessKind.READ, "", CallId(f"1.{number}")))
        await seen.keeping.follow()
        assert seen["audit_chain_ok"] == 1
        noted = (at.settings.var_dir / FILE).read_text()
        await seen.keeping.follow()
        assert (at.settings.var_dir / FILE).read_text() == noted  # nothing new, nothing noted
        async with at.engine.begin() as connection:
            await connection.execute(text("DROP TRIGGER access_log_no_delete"))
            await connection.execute(text("DELETE FROM access_log WHERE number = 3"))
        await seen.keeping.follow()
        assert seen["audit_chain_ok"] == 0
        (at.settings.var_dir / FILE).unlink()
        assert (await followed(at.settings, at.clock)).whole  # which is why anchors are noted


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "var").mkdir()
    config = tmp_path / "hotline.toml"
    config.write_text(f'var_dir = "{tmp_path / "var"}"')

    def run(*words: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["--config", str(config), *map(str, words)])
        said = capsys.readouterr()
        return int(str(ended.value.code)), said.out + said.err

    backup, drill = tmp_path / "backup", tmp_path / "drill"
    assert run("retention", "hold", "1.1", "--reason", " ")[0] == 1
    assert run("retention", "hold", "1.1", "--reason", "court")[0] == 0
    assert "court\n1 holds" in run("retention", "holds")[1]
    assert "held: 1" in run("retention", "show")[1]
    assert run("retention", "run") == (0, "0 calls deleted\n")
    assert run("backup", backup)[0] == 0
    assert run("backup", "verify", backup) == (0, "the backup is whole\n")
    assert run("backup", "verify")[0] == 1
    assert run("restore", backup)[0] == 1
    keys = tmp_path / "var" / "keys.json"
    assert run("restore", backup, "--into", drill, "--keys", keys)[0] == 0
    assert run("restore", backup, "--database", "sqlite:///x")[0] == 1
    assert (drill / "sansheng.toml.restored").read_text() == config.read_text()
    assert run("audit", "verify")[0] == 0
    assert run("retention", "release", "1.1", "--reason", "closed")[0] == 0
    assert run("retention", "release", "1.1", "--reason", "closed")[0] == 1
