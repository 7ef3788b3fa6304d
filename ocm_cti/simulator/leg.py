"""One SIP call between the PBX and an extension: its RTP port, its line in the matrix, and what was agreed in SDP."""

from __future__ import annotations

from dataclasses import dataclass

from ocm_cti.simulator.audio import FRAME_SAMPLES
from ocm_cti.simulator.line import Line
from protocols.rtp.link import MediaPort
from protocols.sip import sdp

# Audio that one extension sends faster than another plays it waits so long at most.
MOST_WAITING = 10 * FRAME_SAMPLES


class Way:
    """The way of a Line to the extension: its RTP port. While keys are pressed, audio is not queued up behind them."""

    def __init__(self) -> None:
        self.port: MediaPort | None = None
        self.open = False  # the extension's address is known

    def send(self, frame: bytes) -> None:
        port = self.port
        if port is not None and self.open and not port.send.sending_digits and port.send.queued < MOST_WAITING:
            port.queue(frame)

    def press(self, keys: str, duration_ms: int, gap_ms: int) -> None:
        if self.port is not None and self.open:
            self.port.send_digits(keys, duration_ms, gap_ms)


@dataclass
class Leg:
    """``call`` is the user agent's key of it, "" once SIP is through with it. ``answer`` and ``agreed`` are ready for
    an extension that dialled and made an offer; ``answer`` is b"" where ours is the offer."""

    call: str
    port: MediaPort
    line: Line
    way: Way
    session: int
    dialled: bool = False
    answered: bool = False
    answer: bytes = b""
    agreed: sdp.Agreed | None = None
    version: int = 1

    def use(self, agreed: sdp.Agreed) -> None:
        """Send where the extension wants it. What it put on hold sends nothing, and its partner hears music."""
        self.port.connect(
            agreed.remote_host,
            agreed.remote_port,
            payload_type=agreed.pt,
            telephone_event_pt=agreed.telephone_event_pt,
        )
        self.way.open = True
        self.port.send.held = not agreed.may_send
        self.line.hold(not agreed.may_send)

    def close(self) -> None:
        """No more audio."""
        self.way.open = False
        self.port.close()
