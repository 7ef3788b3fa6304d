"""What goes over the robot's line in one call: tones of the PBX, then the callee, who listens, presses keys and speaks.

Driven by ``frame`` every 20 ms and ``heard`` for every packet from the robot; no sockets, no clock.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ocm_cti.simulator import audio
from ocm_cti.simulator.callees import (
    FRAME_MS,
    KEY_GAP_MS,
    KEY_MS,
    Callee,
    Deed,
    HangUp,
    Press,
    Say,
    SayWav,
    Script,
)
from ocm_cti.simulator.effects import Tone


class Way(Protocol):
    """The way to the robot's ear."""

    def send(self, frame: bytes) -> None:
        """20 ms of A-law, to go out now."""

    def press(self, keys: str, duration_ms: int, gap_ms: int) -> None:
        """RFC 4733 events, in place of what is sent meanwhile."""


class Line:
    """One call at one extension. ``hung_up`` is called once when the callee puts his telephone down."""

    def __init__(
        self,
        way: Way,
        hung_up: Callable[[], None],
        log: Callable[[str], None],
        *,
        label: str,
        heard_directory: Path | None = None,
        said_directory: Path | None = None,
        rtp_timeout_s: float = 5.0,
        keys: bool = True,
    ) -> None:
        self._way = way
        self._hung_up = hung_up
        self._log = log
        self._label = label
        self._heard_directory, self._said_directory = heard_directory, said_directory
        self._patience_frames = rtp_timeout_s * 1000 / FRAME_MS
        self._keys = keys
        self._cadence = b""  # a tone, repeated
        self._place = 0  # in the cadence, octets
        self._script: Script | None = None
        self._number = ""
        self._saying = b""
        self._sound = False  # since the last frame
        self._packet = False
        self._frames_without_packet = 0
        self._heard = bytearray()
        self._said = bytearray()
        self._spoke = False

    def tone(self, which: Tone) -> None:
        """The extension hears a tone from now on; a callee who was there is gone."""
        self._callee_leaves()
        self._cadence, self._place = audio.tone(which), 0

    def connect(self, callee: Callee, number: str) -> None:
        """The callee has picked up."""
        self._cadence = b""
        self._script, self._number = Script(callee, number), number

    def heard(self, alaw: bytes) -> None:
        """A packet of the robot arrived."""
        self._packet = True
        if self._script is not None:
            self._heard += alaw
            self._sound = self._sound or audio.is_sound(alaw)

    def close(self) -> None:
        """The call is over; the recordings are complete when this returns."""
        self._cadence = b""
        self._callee_leaves()

    def frame(self) -> None:
        """20 ms passed: send what is to be heard now."""
        if self._script is None:
            self._way.send(self._next_of_cadence())
            return
        sound, packet = self._sound, self._packet
        self._sound = self._packet = False
        self._frames_without_packet = 0 if packet else self._frames_without_packet + 1
        if self._frames_without_packet > self._patience_frames:
            # "Hello? Hello?" - the robot's voice has died and nobody waits for it for ever.
            self._log(f"call {self._label}: no audio from the robot, the callee hangs up")
            self._callee_leaves()
            self._hung_up()
            return
        for deed in self._script.frame(sound):
            self._do(deed)
        if self._script is None:
            return
        spoken, self._saying = self._saying[: audio.FRAME_SAMPLES], self._saying[audio.FRAME_SAMPLES :]
        if spoken and not self._saying:
            self._script.spoken()
        self._said += spoken or audio.SILENT_FRAME
        self._way.send(spoken or audio.SILENT_FRAME)

    def _next_of_cadence(self) -> bytes:
        if not self._cadence:
            return audio.SILENT_FRAME
        frame = self._cadence[self._place : self._place + audio.FRAME_SAMPLES]
        self._place = (self._place + audio.FRAME_SAMPLES) % len(self._cadence)
        return frame

    def _do(self, deed: Deed) -> None:
        match deed:
            case Press(keys):
                if self._keys:
                    self._way.press(keys, KEY_MS, KEY_GAP_MS)
            case Say(frames):
                self._say(audio.speech(frames * FRAME_MS / 1000, f"{self._label}/{self._number}"))
            case SayWav(path):
                self._say(self._read(path))
            case HangUp():
                self._callee_leaves()
                self._hung_up()

    def _say(self, alaw: bytes) -> None:
        self._spoke = True
        self._saying = alaw

    def _read(self, path: Path) -> bytes:
        try:
            return audio.read_wav(path) or audio.SILENT_FRAME
        except (OSError, ValueError) as error:
            self._log(f"call {self._label}: nothing to say: {error}")
            return audio.SILENT_FRAME

    def _callee_leaves(self) -> None:
        if self._script is None:
            return
        self._script = None
        self._saying = b""
        name = f"{self._label}-{self._number}.wav"
        if self._heard_directory is not None:
            audio.write_wav(self._heard_directory / name, bytes(self._heard))
        if self._said_directory is not None and self._spoke:
            audio.write_wav(self._said_directory / name, bytes(self._said))
