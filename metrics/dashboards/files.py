"""Everything that Grafana reads: dashboards as JSON in both languages, and how it finds them and Prometheus."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from metrics.dashboards import quality, reliability, rings, sections, wallboard
from metrics.dashboards.look import LANGUAGES, Look, Text
from metrics.dashboards.panels import DATASOURCE_UID

BOARDS: Mapping[str, Callable[[Look], Dashboard]] = {
    wallboard.NAME.slug: wallboard.wallboard,
    rings.NAME.slug: rings.three_rings,
    sections.NAME.slug: sections.sections_and_agents,
    reliability.NAME.slug: reliability.reliability,
    quality.NAME.slug: quality.quality_and_compliance,
}

_FOLDER = Text("三声热线", "Sansheng")


def to_json(dashboard: Dashboard) -> str:
    """A dashboard as Grafana stores it."""
    return json.dumps(dashboard, cls=JSONEncoder, ensure_ascii=False, indent=1) + "\n"


def files(look: Look, prometheus: str, seen_at: str) -> dict[Path, str]:
    """Every file with its place below one folder, which Grafana sees at `seen_at`; in both languages.

    `prometheus` is where Grafana reaches Prometheus.
    """
    written = {
        Path("dashboards") / language / f"{slug}.json": to_json(board(replace(look, language=language)))
        for language in LANGUAGES
        for slug, board in BOARDS.items()
    }
    written[Path("provisioning/datasources/sansheng.yaml")] = _datasource(prometheus)
    written[Path("provisioning/dashboards/sansheng.yaml")] = _providers(seen_at)
    return written


def write(look: Look, folder: Path, prometheus: str, seen_at: str | None = None) -> list[Path]:
    """Write everything below a folder; by default Grafana is taken to see it where it is. Raises OSError."""
    places = []
    for place, text in files(look, prometheus, seen_at or str(folder.resolve())).items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text, encoding="utf-8")
        places.append(folder / place)
    return places


def _datasource(prometheus: str) -> str:
    return f"""# Where the figures come from. Belongs into Grafana's provisioning/datasources.
apiVersion: 1
datasources:
  - name: Sansheng
    uid: {DATASOURCE_UID}
    type: prometheus
    access: proxy
    url: {json.dumps(prometheus)}
    isDefault: true
    jsonData:
      httpMethod: POST
      timeInterval: 15s
"""


def _providers(seen_at: str) -> str:
    providers = "".join(
        f"""  - name: sansheng-{language}
    folder: {_FOLDER.of(language)}
    type: file
    allowUiUpdates: false
    options:
      path: {json.dumps(f"{seen_at}/dashboards/{language}", ensure_ascii=False)}
"""
        for language in LANGUAGES
    )
    return f"""# Where the dashboards are. Belongs into Grafana's provisioning/dashboards.
apiVersion: 1
providers:
{providers}"""
