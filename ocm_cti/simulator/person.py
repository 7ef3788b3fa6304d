"""One simulated person on the line: what he hears is kept, what he does follows his script, frame by frame of 20 ms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ocm_cti.simulator import audio
from ocm_cti.simulator.callees import (
    FRAME_MS,
    Callee,
    Deed,
    HangUp,
    Press,
    Say,
    SayWav,
    Script,
)


@dataclass(frozen=True)
class Circumstances:
    """What is the same for all persons of one PBX. Recordings go nowhere where a directory is None."""

    log: Callable[[str], None]
    heard_directory: Path | None = None
    said_directory: Path | None = None
    rtp_timeout_s: float = 5.0


class Person:
    """From the moment he picks up until ``leave``. ``hung_up`` is called once, when he puts his telephone down;
    ``pressed`` with the keys that he presses. ``label`` and the number name his recordings."""

    def __init__(
        self,
        callee: Callee,
        number: str,
        label: str,
        circumstances: Circumstances,
        hung_up: Callable[[], None],
        pressed: Callable[[str], None],
    ) -> None:
        self.label = label
        self._number = number
        self._around = circumstances
        self._hung_up = hung_up
        self._pressed = pressed
        self._patience_frames = circumstances.rtp_timeout_s * 1000 / FRAME_MS
        self._script: Script | None = Script(callee, number)
        self._saying = b""
        self._sound = False  # since the last frame
        self._packet = False
        self._frames_without_packet = 0
        self._heard = bytearray()
        self._said = bytearray()
        self._spoke = False

    @property
    def here(self) -> bool:
        """He has not left yet."""
        return self._script is not None

    def hears(self, alaw: bytes) -> None:
        """These octets reach his ear."""
        if self._script is not None:
            self._packet = True
            self._heard += alaw
            self._sound = self._sound or audio.is_sound(alaw)

    def frame(self) -> bytes:
        """20 ms passed: what he says in them."""
        if self._script is None:
            return audio.SILENT_FRAME
        sound, packet = self._sound, self._packet
        self._sound = self._packet = False
        self._frames_without_packet = 0 if packet else self._frames_without_packet + 1
        if self._frames_without_packet > self._patience_frames:
            # "Hello? Hello?" - the robot's voice has died and nobody waits for it for ever.
            self._around.log(f"call {self.label}: no audio from the robot, the callee hangs up")
            self._goes()
            return audio.SILENT_FRAME
        for deed in self._script.frame(sound):
            self._do(deed)
        if self._script is None:
            return audio.SILENT_FRAME
        spoken, self._saying = self._saying[: audio.FRAME_SAMPLES], self._saying[audio.FRAME_SAMPLES :]
        if spoken and not self._saying:
            self._script.spoken()
        self._said += spoken or audio.SILENT_FRAME
        return spoken or audio.SILENT_FRAME

    def leave(self) -> None:
        """He is gone; his recordings are complete when this returns."""
        if self._script is None:
            return
        self._script = None
        self._saying = b""
        name = f"{self.label}-{self._number}.wav"
        if self._around.heard_directory is not None:
            audio.write_wav(self._around.heard_directory / name, bytes(self._heard))
        if self._around.said_directory is not None and self._spoke:
            audio.write_wav(self._around.said_directory / name, bytes(self._said))

    def _goes(self) -> None:
        self.leave()
        self._hung_up()

    def _do(self, deed: Deed) -> None:
        match deed:
            case Press(keys):
                self._pressed(keys)
            case Say(frames):
                self._say(audio.speech(frames * FRAME_MS / 1000, f"{self.label}/{self._number}"))
            case SayWav(path):
                self._say(self._read(path))
            case HangUp():
                self._goes()

    def _say(self, alaw: bytes) -> None:
        self._spoke = True
        self._saying = alaw

    def _read(self, path: Path) -> bytes:
        try:
            return audio.read_wav(path) or audio.SILENT_FRAME
        except (OSError, ValueError) as error:
            self._around.log(f"call {self.label}: nothing to say: {error}")
            return audio.SILENT_FRAME
