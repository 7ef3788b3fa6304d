"""What ``calls`` is made of: one call, and the two sides between which it stands."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred

from ocm_cti.voice.call_media import CallMedia
from protocols.rtp.link import Clock, UDPReactor
from protocols.sip import sdp
from protocols.sip import user_agent as sip

#: How often calls are looked at for a peer that has fallen silent.
WATCH_S: Final = 1.0


class Reactor(Clock, UDPReactor, Protocol):
    """Time and UDP sockets."""


class Commands(Protocol):
    """What we ask of SIP: the commands of ``protocols.sip.link.SIPLink``."""

    def register(self, account: sip.Account) -> None: ...
    def unregister(self, key: str) -> None: ...
    def invite(
        self,
        target_uri: str,
        *,
        from_user: str,
        destination: tuple[str, int],
        sdp: bytes,
        headers: Sequence[tuple[str, str]] = (),
        credentials: sip.Account,
        identity: str = "",
        session_expires_s: int | None = None,
    ) -> str: ...
    def ring(self, call: str) -> None: ...
    def answer(self, call: str, sdp: bytes) -> None: ...
    def answer_offer(self, call: str, sdp: bytes) -> None: ...
    def refuse_offer(self, call: str, code: int) -> None: ...
    def refuse(self, call: str, code: int) -> None: ...
    def refer(self, call: str, target_uri: str, credentials: sip.Account | None) -> None: ...
    def hang_up(self, call: str) -> None: ...


class Reporter(Protocol):
    """Who is told; in the process it is the parent."""

    def registration_changed(self, extension: str, registered: bool, reason: str) -> None: ...
    def incoming(self, call: str, extension: str, caller: str) -> None: ...
    def ringing(self, call: str, code: int) -> None: ...
    def established(self, call: str) -> None: ...
    def refused(
        self, call: str, code: int, reason: str, q850: int | None = None, retry_after_s: float | None = None
    ) -> None: ...
    def digit(self, call: str, digit: str) -> None: ...
    def ended(self, call: str, by: str, reason: str, q850: int | None = None) -> None: ...


class State(enum.Enum):
    INCOMING = "incoming"  # their INVITE waits for our answer
    ANSWERED = "answered"  # our answer waits for its ACK
    DIALLED = "dialled"  # our INVITE is out
    ESTABLISHED = "established"


@dataclass(eq=False)
class Call:
    """``extension`` is our own user of it. ``offer`` is theirs, None when they wait for ours. ``version`` counts the
    session descriptions that we sent.

    ``early`` is what was agreed for the time before the answer; ``progress`` the last code told of it.
    """

    key: str
    extension: str
    state: State
    offer: sdp.MediaOffer | None = None
    media: CallMedia | None = None
    rtp_port: int = 0
    version: int = 0
    early: sdp.Agreed | None = None
    progress: int = 0
    ring_limit: Any = None
    referring: Deferred[None] | None = None
    trunk: str = ""  # "": of an extension


class Watch:
    """Looks at the calls once a second and gives those to ``silent`` whose peer has sent no RTP for ``limit_s``."""

    def __init__(
        self, clock: Clock, limit_s: float | None, calls: dict[str, Call], silent: Callable[[Call], None]
    ) -> None:
        self._clock = clock
        self._limit_s = limit_s
        self._calls = calls
        self._silent = silent
        self._timer: Any = None

    def begin(self) -> None:
        """There is a call with media. Nothing happens without a limit."""
        if self._limit_s is not None and self._timer is None:
            self._timer = self._clock.callLater(WATCH_S, self._look)

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        limit_s, now_s = self._limit_s, self._clock.seconds()
        for call in list(self._calls.values()):
            # Before the answer nobody owes us a sound.
            heard = call.media is not None and call.state is not State.DIALLED
            if heard and call.media is not None and limit_s is not None and call.media.silent_s(now_s) >= limit_s:
                self._silent(call)
        if self._calls:
            self.begin()
