"""What the server asks of its speech process, over AMP on the process' standard streams.

Each command makes one file of raw A-law and answers its length. Texts are in words already. An answer comes when the
file lies under its name.
"""

from __future__ import annotations

from typing import ClassVar

from twisted.protocols.amp import Argument, Command, Integer, Unicode

from ocm_cti.speech.errors import CacheUnwritable, LibraryMissing, RecordingUnusable, SynthesisFailed

_TEXT: Argument = Unicode()  # type: ignore[no-untyped-call]
_NUMBER: Argument = Integer()  # type: ignore[no-untyped-call]
_Fields = list[tuple[bytes, Argument]]
_ERRORS: dict[type[Exception], bytes] = {
    SynthesisFailed: b"SYNTHESIS_FAILED",
    LibraryMissing: b"LIBRARY_MISSING",
    RecordingUnusable: b"RECORDING_UNUSABLE",
    CacheUnwritable: b"CACHE_UNWRITABLE",
}


class Speak(Command):
    """Synthesize ``text``. ``voice`` "" is the default of ``language``."""

    arguments: ClassVar[_Fields] = [
        (b"text", _TEXT),
        (b"language", _TEXT),
        (b"voice", _TEXT),
        (b"pause_ms", _NUMBER),
        (b"target", _TEXT),
    ]
    response: ClassVar[_Fields] = [(b"length_ms", _NUMBER)]
    errors: ClassVar[dict[type[Exception], bytes]] = _ERRORS


class Convert(Command):
    """Bring a recorded file to the line's format."""

    arguments: ClassVar[_Fields] = [(b"source", _TEXT), (b"pause_ms", _NUMBER), (b"target", _TEXT)]
    response: ClassVar[_Fields] = [(b"length_ms", _NUMBER)]
    errors: ClassVar[dict[type[Exception], bytes]] = _ERRORS


class MakeBeep(Command):
    """Make the tone before a recording; no pause follows it."""

    arguments: ClassVar[_Fields] = [(b"frequency_hz", _NUMBER), (b"tone_ms", _NUMBER), (b"target", _TEXT)]
    response: ClassVar[_Fields] = [(b"length_ms", _NUMBER)]
    errors: ClassVar[dict[type[Exception], bytes]] = _ERRORS
