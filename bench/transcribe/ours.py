"""What a worker does, without the vault and the books.

``python -m bench.transcribe.ours ENGINE MODEL LANGUAGE THREADS FILE …`` prints a line of JSON for each file, and
one for the whole.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from calls.custody import Leg
from calls.ports import Recogniser
from recordings.transcription.audio import read_wav
from recordings.transcription.engines import transcribe


def main(engine: str, model: str, language: str, threads: int, files: list[str]) -> None:
    """Transcribe the files, in so many threads that share the model."""
    mine = threading.local()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as views:
        if engine == "whisper":
            from recordings.transcription.whisper_engine import WhisperEngineModel

            whisper = WhisperEngineModel(Path(model), "bench", threads)
        else:
            from recordings.transcription.vosk_engine import VoskModel

            vosk = VoskModel(Path(model), "bench", Path(views))
        loaded_s = time.perf_counter() - began

        def recogniser() -> Recogniser:
            if not hasattr(mine, "recogniser"):
                mine.recogniser = whisper.recogniser(language) if engine == "whisper" else vosk.recogniser()
            return mine.recogniser  # type: ignore[no-any-return]

        def hear(file: str) -> dict[str, object]:
            with Path(file).open("rb") as opened:
                found = transcribe(read_wav(opened), Leg.AGENT, language, recogniser())
            return {"file": file, "text": found.text}

        with ThreadPoolExecutor(1 if engine == "whisper" else threads) as pool:
            for line in pool.map(hear, files):
                print(json.dumps(line))
    used = resource.getrusage(resource.RUSAGE_SELF)
    whole = {"load_s": loaded_s, "rss_mb": used.ru_maxrss / 1024, "cpu_s": used.ru_utime + used.ru_stime}
    print(json.dumps(whole))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5:])
