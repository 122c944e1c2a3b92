"""The files for Prometheus and Alertmanager: theirs to check, and complete (I2)."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from calls.errors import SettingsError
from service.cli import main
from service.monitoring import write_files
from service.settings import Ports, Settings
from tests.support_promtool import amtool, promtool, rules

SETTINGS = Settings(ports=Ports(web=18081, alertmanager=19093))


@pytest.mark.parametrize("alertmanager", [True, False])
def test_both_programs_take_them(tmp_path: Path, alertmanager: bool) -> None:
    prometheus, manager, *rule_files = write_files(SETTINGS, tmp_path / "new", alertmanager=alertmanager)
    said = promtool("check", "config", prometheus)
    assert all(str(path.name) in said for path in rule_files)
    amtool("check-config", manager)


def test_prometheus_looks_at_our_service_and_tells_our_alertmanager(tmp_path: Path) -> None:
    path = write_files(SETTINGS, tmp_path)[0]
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    (job,) = config["scrape_configs"]
    assert job["job_name"] == "sansheng"
    assert job["static_configs"] == [{"targets": ["127.0.0.1:18081"]}]
    assert config["alerting"]["alertmanagers"][0]["static_configs"] == [{"targets": ["127.0.0.1:19093"]}]
    without = yaml.safe_load(write_files(SETTINGS, tmp_path, alertmanager=False)[0].read_text(encoding="utf-8"))
    assert "alerting" not in without


def test_every_rule_that_inhibits_or_is_inhibited_exists(tmp_path: Path) -> None:
    manager, alerts = write_files(SETTINGS, tmp_path)[1], tmp_path / "rules" / "alerts.yml"
    config = yaml.safe_load(manager.read_text(encoding="utf-8"))
    named = " ".join(
        matcher.partition('"')[2].rstrip('"') or matcher.rpartition(" ")[2]
        for rule in config["inhibit_rules"]
        for matcher in (*rule["source_matchers"], *rule["target_matchers"])
    )
    for name in named.replace("|", " ").split():
        assert name.startswith(".*") or name in rules(alerts), name


def test_alerts_go_to_a_receiver_on_loopback(tmp_path: Path) -> None:
    manager = write_files(SETTINGS, tmp_path)[1]
    for labels in ({"severity": "page"}, {"severity": "ticket"}):
        said = amtool("config", "routes", "test", f"--config.file={manager}", f"severity={labels['severity']}")
        assert said.strip() == "duty"
    (receiver,) = yaml.safe_load(manager.read_text(encoding="utf-8"))["receivers"]
    assert receiver["webhook_configs"][0]["url"].startswith("http://127.0.0.1:")


def test_the_command_writes_them_and_names_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["monitoring", "files", str(tmp_path / "here")])
    assert ended.value.code == 0
    named = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert all(path.is_file() for path in named)
    assert {path.name for path in named} == {"prometheus.yml", "alertmanager.yml", "recording.yml", "alerts.yml"}


def test_a_folder_that_cannot_be_written_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingsError, match="cannot write to"):
        write_files(SETTINGS, tmp_path / "file")
