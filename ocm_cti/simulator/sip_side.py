"""The extensions' side of the PBX: registrar, calls to the robot's SIP extensions, and their audio.

The PBX anchors the media: in every call the extension talks to a port of ours, whoever is at the other end.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.error import CannotListenError

from ocm_cti.simulator.callees import Callee
from ocm_cti.simulator.effects import Tone
from ocm_cti.simulator.faults import Settings
from ocm_cti.simulator.line import Line
from protocols.errors import RemoteProtocolError
from protocols.rtp.link import MediaPort, Ticker
from protocols.sip import sdp
from protocols.sip.events import Answered, Bound, Ended, Event, Incoming, Refused, Reoffered, Unbound
from protocols.sip.link import SIPLink
from protocols.sip.registrar import Registrar
from protocols.sip.user_agent import UserAgent

REALM = "simulated-pbx"
# An extension cannot dial by itself here: calls are made by CSTA.
NOT_IMPLEMENTED = 501
NOT_ACCEPTABLE_HERE = 488


@dataclass(frozen=True)
class Recordings:
    """Where the WAV files of what callees heard and said go; None: not kept."""

    heard: Path | None = None
    said: Path | None = None

    def make_directories(self) -> None:
        for directory in (self.heard, self.said):
            if directory is not None:
                directory.mkdir(parents=True, exist_ok=True)


class Exchange(Protocol):
    """Whom the extensions' side tells what happened; the Pbx."""

    def extension_registered(self, extension: str, registered: bool) -> None: ...
    def extension_answered(self, serial: int) -> None: ...
    def extension_refused(self, serial: int) -> None: ...
    def extension_hung_up(self, serial: int) -> None: ...
    def callee_hung_up(self, serial: int) -> None: ...


class _Way:
    """The way of a Line to the robot: its RTP port. While keys are pressed, audio is not queued up behind them."""

    def __init__(self) -> None:
        self.port: MediaPort | None = None

    def send(self, frame: bytes) -> None:
        if self.port is not None and not self.port.send.sending_digits:
            self.port.queue(frame)

    def press(self, keys: str, duration_ms: int, gap_ms: int) -> None:
        if self.port is not None:
            self.port.send_digits(keys, duration_ms, gap_ms)


@dataclass
class _Leg:
    """One call at an extension; ``call`` is the user agent's key of it, "" once SIP is through with it."""

    serial: int
    call: str
    port: MediaPort
    line: Line


class SipSide:
    """All extensions of one PBX; a ``Telephones``."""

    def __init__(
        self,
        exchange: Exchange,
        reactor: Any,
        host: str,
        passwords: Mapping[str, str],
        settings: Settings,
        recordings: Recordings,
        log: Callable[[str], None],
    ) -> None:
        self._exchange = exchange
        self._reactor = reactor
        self._host = host
        self._settings = settings
        self._recordings = recordings
        self._log = log
        self._registrar = Registrar(REALM, dict(passwords))
        self._ticker = Ticker(reactor)
        self._legs: dict[int, _Leg] = {}
        self._serials: dict[str, int] = {}  # of the user agent's calls
        self._link: SIPLink | None = None
        self._listening: Any = None

    def start(self, port: int) -> int:
        """Listen for SIP; the port. CannotListenError when it is taken."""
        self._recordings.make_directories()
        self._link = SIPLink(self._user_agent, self._reactor, self._told)
        self._listening = self._reactor.listenUDP(port, self._link, interface=self._host)
        return int(self._listening.getHost().port)

    def stop(self) -> Deferred[Any]:
        """Close all sockets; calls have been released before."""
        closing = [leg.port.close() for leg in self._legs.values()]
        self._legs.clear()
        if self._listening is not None:
            closing.append(self._listening.stopListening())
        return gatherResults([one for one in closing if one is not None], consumeErrors=True)

    def _user_agent(self, host: str, port: int) -> UserAgent:
        return UserAgent(
            host, port, user_agent="Simulated PBX", token=lambda: secrets.token_hex(8), challenge=self._registrar
        )

    # What the PBX wants (Telephones)

    def ring(self, serial: int, extension: str, dialled: str) -> None:
        binding = self._registrar.bindings.get(extension)
        if binding is None or self._link is None:
            self._exchange.extension_refused(serial)
            return
        way = _Way()
        line = Line(
            way,
            lambda: self._exchange.callee_hung_up(serial),
            self._log,
            label=str(serial),
            heard_directory=self._recordings.heard,
            said_directory=self._recordings.said,
            rtp_timeout_s=self._settings.rtp_timeout_s,
            keys=self._settings.dtmf == "rfc4733",
        )
        port = MediaPort(self._ticker, self._reactor, line.heard, lambda digit: None)
        port.before_tick = lambda now_s, skipped: line.frame()
        try:
            port.listen(self._reactor, self._host)
        except CannotListenError as error:
            self._log(f"call {serial}: no RTP port: {error}")
            self._exchange.extension_refused(serial)
            return
        way.port = port
        offer = sdp.offer(self._host, port.port, serial)
        host, udp_port, contact = binding
        call = self._link.invite(contact, from_user=dialled, destination=(host, udp_port), sdp=offer)
        self._legs[serial] = _Leg(serial, call, port, line)
        self._serials[call] = serial

    def release(self, serial: int) -> None:
        leg = self._legs.pop(serial, None)
        if leg is None:
            return
        self._end_media(leg)
        if self._serials.pop(leg.call, None) is not None and self._link is not None:
            self._link.hang_up(leg.call)

    def tone(self, serial: int, tone: Tone) -> None:
        leg = self._legs.get(serial)
        if leg is not None:
            leg.line.tone(tone)

    def connect(self, serial: int, callee: Callee, number: str) -> None:
        leg = self._legs.get(serial)
        if leg is not None:
            leg.line.connect(callee, number)

    def drop_media(self, serial: int) -> None:
        leg = self._legs.get(serial)
        if leg is not None:
            self._end_media(leg)

    def _end_media(self, leg: _Leg) -> None:
        leg.line.close()
        leg.port.before_tick = None
        leg.port.close()

    # What SIP tells

    def _told(self, event: Event) -> None:
        match event:
            case Bound(user=user, contact=contact):
                self._log(f"extension {user} registered at {contact}")
                self._exchange.extension_registered(user, True)
            case Unbound(user=user):
                self._log(f"extension {user} is not registered any more")
                self._exchange.extension_registered(user, False)
            case Incoming(call=call, to_user=to_user):
                self._log(f"a SIP call to {to_user} refused")
                if self._link is not None:
                    self._link.refuse(call, NOT_IMPLEMENTED)
            case Answered(call=call, sdp=answer):
                self._answered(call, answer)
            case Reoffered(call=call, sdp=offer):
                self._reoffered(call, offer)
            case Refused(call=call, code=code):
                serial = self._serials.pop(call, None)
                if serial is not None:
                    self._log(f"call {serial}: the extension refused with {code}")
                    self._gone(serial, self._exchange.extension_refused)
            case Ended(call=call):
                serial = self._serials.pop(call, None)
                if serial is not None:
                    self._gone(serial, self._exchange.extension_hung_up)
            case _:
                pass

    def _gone(self, serial: int, tell: Callable[[int], None]) -> None:
        tell(serial)
        # The switch does not release an extension that has left by itself.
        leg = self._legs.pop(serial, None)
        if leg is not None:
            self._end_media(leg)

    def _answered(self, call: str, answer: bytes) -> None:
        serial = self._serials.get(call)
        if serial is None:
            return
        if not self._connect_media(self._legs[serial], answer) and self._link is not None:
            self._serials.pop(call)
            self._link.hang_up(call)
            self._gone(serial, self._exchange.extension_hung_up)
            return
        self._exchange.extension_answered(serial)

    def _connect_media(self, leg: _Leg, answer: bytes) -> bool:
        """Send where the extension wants it; False when its answer can't be used."""
        try:
            self._use(leg, sdp.accept(answer))
        except RemoteProtocolError as error:
            self._log(f"call {leg.serial}: the extension's answer: {error}")
            return False
        return True

    def _use(self, leg: _Leg, agreed: sdp.Agreed) -> None:
        leg.port.connect(
            agreed.remote_host,
            agreed.remote_port,
            payload_type=agreed.pt,
            telephone_event_pt=agreed.telephone_event_pt,
        )
        leg.port.send.held = not agreed.may_send

    def _reoffered(self, call: str, offer: bytes) -> None:
        link, serial = self._link, self._serials.get(call)
        if link is None or serial is None:
            return
        leg = self._legs[serial]
        if not offer:
            link.answer_offer(call, sdp.offer(self._host, leg.port.port, serial, 2))
            return
        try:
            answer, agreed = sdp.answer(offer, self._host, leg.port.port, serial, 2)
        except RemoteProtocolError as error:
            self._log(f"call {serial}: a new offer refused: {error}")
            link.refuse_offer(call, NOT_ACCEPTABLE_HERE)
            return
        self._use(leg, agreed)
        link.answer_offer(call, answer)
