"""The extensions' side of the PBX: registrar, calls to and from SIP extensions, and everybody's audio.

The PBX anchors the media: in every call an extension talks to a port of ours, whoever is at the other end.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.error import CannotListenError

from ocm_cti.simulator.callees import Callee
from ocm_cti.simulator.config import Recordings
from ocm_cti.simulator.effects import AnswerExtension, Effect, ReferResult, RejectExtension, RequestError, Tone
from ocm_cti.simulator.faults import Settings
from ocm_cti.simulator.leg import Leg, Way
from ocm_cti.simulator.line import Line
from ocm_cti.simulator.person import Circumstances
from ocm_cti.simulator.sip_agent import PbxAgent, PbxLink, PbxRegistrar, Referred
from ocm_cti.simulator.voices import People, Voices
from protocols.errors import RemoteProtocolError
from protocols.rtp.link import MediaPort, Ticker
from protocols.sip import sdp
from protocols.sip.addresses import Target
from protocols.sip.events import Answered, Bound, Confirmed, Ended, Event, Incoming, Refused, Reoffered, Unbound

REALM = "simulated-pbx"
# In this order: old telephones give up when they don't know the first one.
ALGORITHMS = ("MD5", "SHA-256")
TRYING, RINGING, SESSION_PROGRESS, OK = 100, 180, 183, 200
NOT_ACCEPTABLE_HERE, UNAVAILABLE = 488, 503

# SIP's word for the errors of a request; 403 for the rest.
REFUSALS = {
    "invalidCalledDeviceID": 404,
    "invalidDestination": 404,
    "invalidDeviceID": 404,
    "invalidObjectState": 486,
    "resourceBusy": 486,
    "resourceOutOfService": 480,
    "resourceLimitExceeded": 503,
    "serviceNotSupported": 501,
}
FORBIDDEN = 403


class Exchange(People, Protocol):
    """Whom the extensions' side tells what happened; the Pbx."""

    def extension_registered(self, extension: str, registered: bool) -> None: ...
    def extension_answered(self, serial: int) -> None: ...
    def extension_refused(self, serial: int) -> None: ...
    def extension_hung_up(self, serial: int) -> None: ...
    def extension_dials(self, extension: str, digits: str, adopt: Callable[[int], None]) -> None:
        """RequestError when it can't; else ``adopt`` is called with the serial of its leg before anything follows."""

    def extension_refers(self, serial: int, digits: str) -> None:
        """RequestError when it can't; else a ReferResult follows."""


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
        self._passwords = dict(passwords)
        self._registrar = PbxRegistrar(REALM, self._passwords, algorithms=ALGORITHMS)
        self._ticker = Ticker(reactor)
        around = Circumstances(log, recordings.heard, recordings.said, settings.rtp_timeout_s)
        self._voices = Voices(exchange, self._ticker, settings.ogm_s, around)
        self._legs: dict[int, Leg] = {}
        self._serials: dict[str, int] = {}  # of the user agent's calls
        self._sessions = 0
        self._link: PbxLink | None = None
        self._listening: Any = None

    def start(self, port: int) -> int:
        """Listen for SIP; the port. CannotListenError when it is taken. Nobody is registered yet."""
        self._recordings.make_directories()
        self._registrar = PbxRegistrar(REALM, self._passwords, algorithms=ALGORITHMS)
        self._link = PbxLink(self._user_agent, self._reactor, self._told)
        self._listening = self._reactor.listenUDP(port, self._link, interface=self._host)
        return int(self._listening.getHost().port)

    def stop(self) -> Deferred[Any]:
        """Close all sockets, say nothing more to anybody; calls have been released before, or are lost."""
        closing = [leg.port.close() for leg in self._legs.values()]
        for serial in list(self._legs):
            self._forget(serial)
        for user in list(self._registrar.bindings):
            self._exchange.extension_registered(user, False)
        self._registrar.bindings.clear()
        self._link = None
        if self._listening is not None:
            closing.append(maybeDeferred(self._listening.stopListening))
            self._listening = None
        return gatherResults(closing, consumeErrors=True)

    @property
    def registrations(self) -> dict[str, str]:
        """Contact by extension."""
        return {user: binding.contact for user, binding in self._registrar.bindings.items()}

    def lose_registration(self, extension: str) -> None:
        """Forget where an extension is, until it registers again."""
        self._registrar.forget(extension)
        if self._link is not None:
            self._link.tell()

    def _user_agent(self, host: str, port: int) -> PbxAgent:
        return PbxAgent(host, port, token=lambda: secrets.token_hex(8), registrar=self._registrar)

    # What the PBX wants (Telephones)

    def ring(self, serial: int, extension: str, dialled: str) -> None:
        binding = self._registrar.bindings.get(extension)
        leg = self._new_leg() if binding is not None and self._link is not None else None
        if binding is None or self._link is None or leg is None:
            self._exchange.extension_refused(serial)
            return
        offer = sdp.offer(self._host, leg.port.port, leg.session)
        host, udp_port, contact = binding
        leg.call = self._link.invite(contact, from_user=dialled, destination=(host, udp_port), sdp=offer)
        self._adopt(serial, leg)

    def release(self, serial: int) -> None:
        leg = self._forget(serial)
        if leg is not None and leg.call and self._link is not None:
            self._link.hang_up(leg.call)

    def tone(self, serial: int, tone: Tone) -> None:
        self._voices.matrix.tone(serial, tone)

    def connect(self, serial: int, callee: Callee, number: str, party: int = 0) -> None:
        self._voices.connect(serial, callee, number, party)

    def drop_media(self, serial: int) -> None:
        self._voices.matrix.end(serial)

    def media(self, effect: Effect) -> None:
        """Everything else that the switch wants of telephones and voices."""
        match effect:
            case AnswerExtension(serial, code):
                self._answer(serial, code)
            case RejectExtension(serial, code):
                leg = self._forget(serial)
                if leg is not None and self._link is not None:
                    self._link.refuse(leg.call, code)
            case ReferResult(serial, code):
                if serial in self._legs and self._link is not None:
                    self._link.report(self._legs[serial].call, code)
            case _:
                self._voices.carry_out(effect)

    def _answer(self, serial: int, code: int) -> None:
        """Progress or answer towards an extension that dialled."""
        leg, link = self._legs.get(serial), self._link
        if leg is None or link is None or leg.answered:
            return
        early = self._settings.early_media == "183" or code == SESSION_PROGRESS
        if code >= OK:
            leg.answered = True
            link.answer(leg.call, leg.answer or sdp.offer(self._host, leg.port.port, leg.session))
        elif early and leg.agreed is not None:
            link.progress(leg.call, SESSION_PROGRESS, leg.answer)
            if code == RINGING:
                self._voices.matrix.tone(serial, Tone.RINGBACK)
        else:
            link.ring(leg.call)
            return
        if leg.agreed is not None:
            leg.use(leg.agreed)

    # Legs and persons

    def _new_leg(self) -> Leg | None:
        """A leg with its RTP port open, not yet known by a serial; None when no port is free."""
        way = Way()
        line = Line(way, keys=self._settings.dtmf == "rfc4733", hold_music=self._settings.hold_sound == "music")
        port = MediaPort(self._ticker, self._reactor, line.heard, line.pressed)
        try:
            port.listen(self._reactor, self._host)
        except CannotListenError as error:
            self._log(f"no RTP port: {error}")
            return None
        way.port = port
        self._sessions += 1
        return Leg("", port, line, way, self._sessions)

    def _adopt(self, serial: int, leg: Leg) -> None:
        self._legs[serial] = leg
        self._serials[leg.call] = serial
        self._voices.add_line(serial, leg.line)

    def _forget(self, serial: int) -> Leg | None:
        """The leg is gone for us, and its audio with it."""
        leg = self._legs.pop(serial, None)
        if leg is not None:
            self._serials.pop(leg.call, None)
            self._voices.remove_line(serial)
            leg.close()
        return leg

    # What SIP tells

    def _told(self, event: Event) -> None:
        match event:
            case Bound(user=user, contact=contact):
                self._log(f"extension {user} registered at {contact}")
                self._exchange.extension_registered(user, True)
            case Unbound(user=user):
                self._log(f"extension {user} is not registered any more")
                self._exchange.extension_registered(user, False)
            case Incoming():
                self._dialled(event)
            case Confirmed(call=call, sdp=answer):
                self._confirmed(call, answer)
            case Referred(call=call, user=user):
                self._referred(call, user)
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
        if serial in self._legs:
            self._legs[serial].call = ""
        tell(serial)
        # The switch does not release an extension that has left by itself.
        self._forget(serial)

    def _dialled(self, event: Incoming) -> None:
        link = self._link
        if link is None:
            return
        leg = self._new_leg()
        if leg is None:
            link.refuse(event.call, UNAVAILABLE)
            return
        leg.call, leg.dialled = event.call, True
        try:
            if event.sdp:
                leg.answer, leg.agreed = sdp.answer(event.sdp, self._host, leg.port.port, leg.session)
            extension = Target.read(event.from_uri).user
            self._exchange.extension_dials(extension, event.to_user, lambda serial: self._adopt(serial, leg))
        except RemoteProtocolError as error:
            self._log(f"a call to {event.to_user} refused: {error}")
            link.refuse(event.call, NOT_ACCEPTABLE_HERE)
        except RequestError as error:
            self._log(f"a call to {event.to_user} refused: {error}")
            link.refuse(event.call, REFUSALS.get(error.error[1], FORBIDDEN))
        else:
            return
        leg.close()

    def _confirmed(self, call: str, answer: bytes) -> None:
        """The ACK of an extension that dialled; with its answer where the offer was ours."""
        serial = self._serials.get(call)
        if serial is not None and answer and self._legs[serial].agreed is None:
            self._connect_media(serial, call, answer)

    def _referred(self, call: str, user: str) -> None:
        serial, link = self._serials.get(call), self._link
        if serial is None or link is None:
            return
        try:
            self._exchange.extension_refers(serial, user)
        except RequestError as error:
            self._log(f"a transfer to {user} refused: {error}")
            link.report(call, REFUSALS.get(error.error[1], FORBIDDEN))

    def _answered(self, call: str, answer: bytes) -> None:
        serial = self._serials.get(call)
        if serial is not None:
            self._legs[serial].answered = True
            if self._connect_media(serial, call, answer):
                self._exchange.extension_answered(serial)

    def _connect_media(self, serial: int, call: str, answer: bytes) -> bool:
        """Send where the extension wants it; False when its answer can't be used: it is hung up then."""
        leg = self._legs[serial]
        try:
            leg.agreed = sdp.accept(answer)
        except RemoteProtocolError as error:
            self._log(f"call {serial}: the extension's answer: {error}")
            self._serials.pop(call)
            if self._link is not None:
                self._link.hang_up(call)
            self._gone(serial, self._exchange.extension_hung_up)
            return False
        leg.use(leg.agreed)
        return True

    def _reoffered(self, call: str, offer: bytes) -> None:
        link, serial = self._link, self._serials.get(call)
        if link is None or serial is None:
            return
        leg = self._legs[serial]
        leg.version += 1
        if not offer:
            link.answer_offer(call, sdp.offer(self._host, leg.port.port, leg.session, leg.version))
            return
        try:
            answer, agreed = sdp.answer(offer, self._host, leg.port.port, leg.session, leg.version)
        except RemoteProtocolError as error:
            self._log(f"call {serial}: a new offer refused: {error}")
            link.refuse_offer(call, NOT_ACCEPTABLE_HERE)
            return
        leg.use(agreed)
        link.answer_offer(call, answer)
