"""Sounds made on somebody's wish: ``python -m ocm_cti.speech.workshop``, one order a process, which may not grow.

Beside the speech process of the server, which works for calls and must neither wait nor meet files that strangers have
made. Takes one JSON object on standard input, answers with one on standard output: ``{}``, or ``{"error": …}`` with one
line for the person who asked.

======= ============================================================================== =======================
speak   ``text`` in words, ``language``, ``voice`` ("": the language's)                 raw A-law
convert ``source``, an audio file                                                      raw A-law
beep    ``frequency_hz``, ``length_ms``                                                raw A-law
take    ``source``, an audio file from anywhere                                        WAV, 8 kHz, 16 bit, mono
======= ============================================================================== =======================

Every job has ``what`` (of the first column) and ``target``, the file to make.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

#: Beyond this the process has been given something that was made to grow.
MOST_MEMORY = 1_000_000_000
MOST_CPU_S = 60
MOST_FILE = 100_000_000


def carry_out(jobs: Sequence[Mapping[str, Any]], synthesizer: str) -> None:
    """Raises SpeechError."""
    from ocm_cti.speech import audio
    from ocm_cti.speech.process import SYNTHESIZERS
    from ocm_cti.speech.prompts import PAUSE_MS

    speaker = None
    for job in jobs:
        target = Path(job["target"])
        match job["what"]:
            case "speak":
                speaker = speaker or SYNTHESIZERS[synthesizer]()
                sound = speaker.synthesize(job["text"], job["language"], job["voice"] or None)
                audio.write(target, audio.spoken_octets(sound, PAUSE_MS))
            case "convert":
                audio.write(target, audio.recorded_octets(audio.read(Path(job["source"])), PAUSE_MS))
            case "beep":
                audio.write(target, audio.beep_octets(job["frequency_hz"], job["length_ms"]))
            case "take":
                audio.write_wav(target, audio.brought(Path(job["source"])))
            case other:
                raise ValueError(f"{other!r} is no job of this process")


def _bounded() -> None:
    try:
        import resource
    except ImportError:  # no such limits on Windows
        return
    for kind, most in (
        (resource.RLIMIT_AS, MOST_MEMORY),
        (resource.RLIMIT_CPU, MOST_CPU_S),
        (resource.RLIMIT_FSIZE, MOST_FILE),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="ocm_cti.speech.workshop", description=__doc__)
    parser.add_argument("--synthesizer", default="pyttsx3")
    chosen = parser.parse_args(arguments)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the server decides
    _bounded()
    jobs = json.load(sys.stdin)
    out = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints is no answer
    from ocm_cti.speech.errors import SpeechError

    answer = {}
    with tempfile.TemporaryDirectory(prefix="ocm-workshop-") as folder:
        tempfile.tempdir = folder  # a synthesizer's own files go with the process
        try:
            carry_out(jobs, chosen.synthesizer)
        except SpeechError as error:
            answer = {"error": " ".join(str(error).split())}
        except MemoryError:
            answer = {"error": "this is too large to be turned into a message"}
    with os.fdopen(out, "w", encoding="utf-8") as answers:
        json.dump(answer, answers)


if __name__ == "__main__":
    main()
