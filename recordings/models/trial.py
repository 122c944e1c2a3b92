"""A model tried in a process of its own: Kaldi ends or hangs the whole process on files that it does not like.

``python -m recordings.models.trial ENGINE FOLDER`` loads it and listens to half a second of silence.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from calls.errors import ModelError

_LIMIT_S = 300.0
"""A large model takes a minute to load from a slow disk."""


def try_out(name: str, engine: str, folder: Path, limit_s: float = _LIMIT_S) -> None:
    """Returns if the model works. Raises ModelError with what it died of."""
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-m", "recordings.models.trial", engine, str(folder.resolve())]
    try:
        done = subprocess.run(
            command, cwd=root, capture_output=True, text=True, timeout=limit_s, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise ModelError(f"the model {name} is damaged: it was not ready after {limit_s:.0f} s") from None
    if done.returncode == 0:
        return
    last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "")
    if done.returncode < 0:
        last = f"the engine died of {signal.Signals(-done.returncode).name}; {last}"
    raise ModelError(f"the model {name} cannot be used: {last[:300]}")


def main(engine: str, folder: str) -> int:
    """Load the model and use it once; the exit status."""
    from calls.ports import Pcm
    from calls.transcript import Span
    from recordings.transcription.audio import RATE_HZ

    pcm, spans = Pcm(RATE_HZ, bytes(RATE_HZ)), (Span(0.0, 0.5),)
    try:
        if engine == "whisper":
            from recordings.transcription.whisper_engine import WhisperEngineModel

            WhisperEngineModel(Path(folder), "trial", 1).recogniser("en").words(pcm, spans)
        else:
            from recordings.transcription.vosk_engine import VoskModel

            with tempfile.TemporaryDirectory() as views:
                VoskModel(Path(folder), "trial", Path(views)).recogniser().words(pcm, spans)
    except ModelError as error:
        print(error.__cause__ or error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
