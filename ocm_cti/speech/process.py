"""The speech process: ``python -m ocm_cti.speech.process``, AMP on standard input and output, ends with its input.

Synthesis blocks here and nowhere else; it may hang or crash, and the server starts it anew.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.error import ConnectionDone, ReactorNotRunning
from twisted.internet.stdio import StandardIO
from twisted.protocols.amp import AMP
from twisted.python.failure import Failure

from ocm_cti.speech import audio
from ocm_cti.speech.commands import Convert, MakeBeep, Speak
from ocm_cti.speech.prompts import OCTETS_PER_MS
from ocm_cti.speech.synthesizers import Synthesizer

_DONE = Failure(ConnectionDone())  # type: ignore[no-untyped-call]


def _pyttsx3() -> Synthesizer:
    from ocm_cti.speech.synthesizers.pyttsx3_engine import Pyttsx3Engine

    return Pyttsx3Engine()


def _tone() -> Synthesizer:
    from ocm_cti.speech.synthesizers.tone import ToneEngine

    return ToneEngine()


SYNTHESIZERS: dict[str, Callable[[], Synthesizer]] = {"pyttsx3": _pyttsx3, "tone": _tone}


class SpeechResponder(AMP):
    """Carries out one command at a time. The synthesizer is made at the first need: recordings work without one."""

    def __init__(self, make_synthesizer: Callable[[], Synthesizer], gone: Callable[[], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._make_synthesizer = make_synthesizer
        self._synthesizer: Synthesizer | None = None
        self._gone = gone

    @Speak.responder
    def speak(self, text: str, language: str, voice: str, pause_ms: int, target: str) -> dict[str, int]:
        if self._synthesizer is None:
            self._synthesizer = self._make_synthesizer()
        sound = self._synthesizer.synthesize(text, language, voice or None)
        return self._written(target, audio.spoken_octets(sound, pause_ms))

    @Convert.responder
    def convert(self, source: str, pause_ms: int, target: str) -> dict[str, int]:
        return self._written(target, audio.recorded_octets(audio.read(Path(source)), pause_ms))

    @MakeBeep.responder
    def make_beep(self, frequency_hz: int, tone_ms: int, target: str) -> dict[str, int]:
        return self._written(target, audio.beep_octets(frequency_hz, tone_ms))

    def _written(self, target: str, octets: bytes) -> dict[str, int]:
        audio.write(Path(target), octets)
        return {"length_ms": len(octets) // OCTETS_PER_MS}

    def connectionLost(self, reason: Failure = _DONE) -> None:
        super().connectionLost(reason)  # type: ignore[no-untyped-call]
        self._gone()


def protected_stdout() -> int:
    """A descriptor of its own for AMP; whatever prints to standard output from now on goes to standard error."""
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2, 1)
    return own


def leave(reactor: Any) -> None:
    """Stop the reactor; harmless when it is stopping already, as it is when our streams are closed in its course."""
    with contextlib.suppress(ReactorNotRunning):
        reactor.stop()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="ocm_cti.speech.process", description=__doc__)
    parser.add_argument("--synthesizer", choices=sorted(SYNTHESIZERS), default="pyttsx3")
    chosen = parser.parse_args(arguments)
    # Ctrl-C reaches the whole process group; the parent decides when we go.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = protected_stdout()
    from twisted.internet import reactor as installed

    reactor: Any = installed

    stdio: Any = StandardIO  # its type depends on the platform
    stdio(SpeechResponder(SYNTHESIZERS[chosen.synthesizer], lambda: leave(reactor)), stdin=0, stdout=out)
    # SIGTERM ends us at once: a second stop from its handler would be a traceback, and there is nothing to put away.
    reactor.run(installSignalHandlers=False)


if __name__ == "__main__":
    main()
