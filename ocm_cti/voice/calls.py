"""The calls of a voice process: SIP on one side, RTP on the other, and what the parent asks and is told in between.

    incoming ── answer ──▶ answered ── ACK ──▶ established ──▶ over
        └──────── refuse, CANCEL, fault ──────────────────────▶ over

``ended`` is told once for each call that was told as ``incoming``. How far a prompt got is reported before it; a
recording is reported when it lies on disk, which may be a moment after.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.error import CannotListenError
from twisted.logger import Logger

from ocm_cti.voice.call_media import CallMedia
from ocm_cti.voice.commands import CallOver, Unanswerable
from ocm_cti.voice.player import AudioCache, Played
from ocm_cti.voice.recorder import InThread, RecordedReply
from protocols.errors import LocalProtocolError
from protocols.rtp.link import Clock, Ticker, UDPReactor
from protocols.sip import sdp
from protocols.sip import user_agent as sip

#: How often calls are looked at for a peer that has fallen silent.
WATCH_S: Final = 1.0
#: SIP answers that we give of our own accord (RFC 3261 §21).
NOT_ACCEPTABLE, UNAVAILABLE = 488, 503


class Reactor(Clock, UDPReactor, Protocol):
    """Time and UDP sockets."""


class Commands(Protocol):
    """What we ask of SIP: the commands of ``protocols.sip.link.SIPLink``."""

    def register(self, account: sip.Account) -> None: ...
    def unregister(self, user: str) -> None: ...
    def ring(self, call: str) -> None: ...
    def answer(self, call: str, sdp: bytes) -> None: ...
    def answer_offer(self, call: str, sdp: bytes) -> None: ...
    def refuse_offer(self, call: str, code: int) -> None: ...
    def refuse(self, call: str, code: int) -> None: ...
    def hang_up(self, call: str) -> None: ...


class Reporter(Protocol):
    """Who is told; in the process it is the parent."""

    def registration_changed(self, extension: str, registered: bool, reason: str) -> None: ...
    def incoming(self, call: str, extension: str, caller: str) -> None: ...
    def established(self, call: str) -> None: ...
    def digit(self, call: str, digit: str) -> None: ...
    def ended(self, call: str, by: str, reason: str) -> None: ...


class _State(enum.Enum):
    INCOMING = "incoming"
    ANSWERED = "answered"
    ESTABLISHED = "established"


@dataclass
class _Call:
    """``offer`` is None when the caller waits for ours. ``version`` counts the session descriptions that we sent."""

    key: str
    offer: sdp.MediaOffer | None
    state: _State = _State.INCOMING
    media: CallMedia | None = None
    rtp_port: int = 0
    version: int = 0


class Calls:
    """All calls of the process. SIP events go into ``sip_event``; the rest is what the parent asks.

    ``silent_peer_s``: a call whose peer has sent no RTP for so long, and has not put us on hold, ends by fault; None
    (the default) lets it be, for there are exchanges that send nothing while nobody speaks.
    """

    def __init__(
        self,
        reactor: Reactor,
        commands: Commands,
        reporter: Reporter,
        host: str,
        in_thread: InThread,
        *,
        rtp_ports: Sequence[int] | None = None,
        silent_peer_s: float | None = None,
    ) -> None:
        self._reactor = reactor
        self._sip = commands
        self._reporter = reporter
        self._host = host
        self._in_thread = in_thread
        self._rtp_ports = None if rtp_ports is None else [port for port in rtp_ports if port % 2 == 0]
        self._silent_peer_s = silent_peer_s
        self._ticker = Ticker(reactor)
        self._cache = AudioCache(in_thread)
        self._calls: dict[str, _Call] = {}
        self._watch_timer: Any = None
        self._closing: set[Deferred[Any]] = set()
        self._log = Logger()

    # Asked by the parent

    def answer(self, key: str) -> None:
        """Pick up. CallOver when the caller has gone; Unanswerable when we can't, and then the call is over."""
        call = self._find(key)
        if call.state is not _State.INCOMING:
            return
        media = CallMedia(
            self._ticker, self._reactor, self._cache, self._in_thread, lambda digit: self._reporter.digit(key, digit)
        )
        call.media = media
        try:
            call.rtp_port = media.listen(self._reactor, self._host, self._ports())
            octets, agreed = self._describe(call, call.offer)
        except (CannotListenError, sdp.SDPError) as error:
            self._log.warn("{call} can't be answered: {error}", call=key, error=error)
            self._refuse(key, UNAVAILABLE if isinstance(error, CannotListenError) else NOT_ACCEPTABLE)
            self._over(call, "fault", str(error))
            raise Unanswerable(str(error)) from error
        if not self._unless_over(self._sip.answer, key, octets):
            self._over(call, "them", "the caller gave up")
            raise CallOver(f"call {key} is over")
        call.state = _State.ANSWERED
        if agreed is not None:
            media.connect(agreed)
        self._watch()

    def refuse(self, key: str, code: int) -> None:
        """Turn an incoming call away. CallOver when it has gone."""
        call = self._find(key)
        if call.state is not _State.INCOMING:
            self.hang_up(key)
            return
        self._refuse(key, code)
        self._over(call, "us", f"refused with {code}")

    def hang_up(self, key: str) -> None:
        """End a call in any state; harmless when it is over."""
        call = self._calls.get(key)
        if call is not None:
            self._sip.hang_up(key)
            self._over(call, "us", "hung up")

    def play(self, key: str, paths: Sequence[Path]) -> Deferred[Played]:
        """CallOver unless the call is up; else as CallMedia.play."""
        return self._media(key).play(paths)

    def stop_playing(self, key: str) -> None:
        """Be silent; harmless when nothing plays or the call is over."""
        call = self._calls.get(key)
        if call is not None and call.media is not None:
            call.media.stop_playing()

    def record(self, key: str, path: Path, max_ms: int, silence_ms: int, stop_keys: str) -> Deferred[RecordedReply]:
        """CallOver unless the call is up; else as CallMedia.record."""
        recorded = self._media(key).record(path, max_ms, silence_ms, stop_keys)
        self._outlive(recorded)
        return recorded

    def shut_down(self) -> Deferred[None]:
        """Hang up everything; fires when all recordings lie on disk and all sockets are closed."""
        for key in list(self._calls):
            self.hang_up(key)
        return DeferredList(list(self._closing)).addCallback(lambda _: None)

    # Told by SIP

    def sip_event(self, event: object) -> None:
        """Take an event of the user agent."""
        match event:
            case sip.Registered(user=user):
                self._reporter.registration_changed(user, True, "")
            case sip.RegistrationFailed(user=user, code=code, reason=reason):
                self._reporter.registration_changed(user, False, f"{code} {reason}".strip())
            case sip.Unregistered(user=user):
                self._reporter.registration_changed(user, False, "")
            case sip.Incoming():
                self._incoming(event)
            case sip.Confirmed(call=key, sdp=octets) if key in self._calls:
                self._confirmed(self._calls[key], octets)
            case sip.Reoffered(call=key, sdp=octets) if key in self._calls:
                self._reoffered(self._calls[key], octets)
            case sip.DigitInfo(call=key, digit=digit) if key in self._calls:
                media = self._calls[key].media
                if media is not None:
                    media.press(digit)
            case sip.Ended(call=key) if key in self._calls:
                by = "fault" if event.fault else "them" if event.by_them else "us"
                self._over(self._calls[key], by, event.reason)
            case sip.Malformed(source=source, reason=reason):
                self._log.info("from {source}: {reason}", source=source, reason=reason)
            case _:
                # Events of a call that is over here, or of one that we place; nothing waits for them.
                self._log.debug("{event} changes nothing", event=event)

    def _incoming(self, event: sip.Incoming) -> None:
        try:
            offer = sdp.parse(event.sdp) if event.sdp else None
        except sdp.SDPError as error:
            self._log.warn("{call} has no audio that we understand: {error}", call=event.call, error=error)
            self._refuse(event.call, NOT_ACCEPTABLE)
            return
        if not self._unless_over(self._sip.ring, event.call):
            return
        self._calls[event.call] = _Call(event.call, offer)
        self._reporter.incoming(event.call, event.to_user, _user_of(event.from_uri))

    def _confirmed(self, call: _Call, octets: bytes) -> None:
        """The ACK came; with their answer where the offer was ours, at first or later."""
        try:
            if octets and call.media is not None:
                call.media.connect(sdp.accept(octets))
        except sdp.SDPError as error:
            self._sip.hang_up(call.key)
            self._over(call, "fault", str(error))
            return
        if call.state is _State.ANSWERED:
            call.state = _State.ESTABLISHED
            self._reporter.established(call.key)

    def _reoffered(self, call: _Call, octets: bytes) -> None:
        """Hold, another address or codec; with nothing in it they ask for our offer."""
        if call.media is None:
            return
        try:
            ours, agreed = self._describe(call, sdp.parse(octets) if octets else None)
        except sdp.SDPError as error:
            self._log.warn("{call}: a new offer is not acceptable: {error}", call=call.key, error=error)
            self._unless_over(self._sip.refuse_offer, call.key, NOT_ACCEPTABLE)
            return
        if self._unless_over(self._sip.answer_offer, call.key, ours) and agreed is not None:
            call.media.connect(agreed)

    # Within

    def _describe(self, call: _Call, offer: sdp.MediaOffer | None) -> tuple[bytes, sdp.Agreed | None]:
        """Our answer and what it comes to, or our offer. SDPError when there is no common codec."""
        call.version += 1
        if offer is None:
            return sdp.offer(self._host, call.rtp_port, call.rtp_port, call.version), None
        return sdp.answer(offer, self._host, call.rtp_port, call.rtp_port, call.version)

    def _refuse(self, key: str, code: int) -> None:
        self._unless_over(self._sip.refuse, key, code)

    def _unless_over(self, command: Callable[..., None], key: str, *arguments: object) -> bool:
        """Give SIP a command; False when the peer was faster and has ended the call, which SIP is about to tell us."""
        try:
            command(key, *arguments)
        except LocalProtocolError as error:
            self._log.debug("{call}: {error}", call=key, error=error)
            return False
        return True

    def _find(self, key: str) -> _Call:
        try:
            return self._calls[key]
        except KeyError:
            raise CallOver(f"call {key} is over") from None

    def _media(self, key: str) -> CallMedia:
        call = self._find(key)
        if call.media is None:
            raise CallOver(f"call {key} has not been answered")
        return call.media

    def _ports(self) -> list[int] | None:
        # From where the last call left off, so that a late packet of an old call does not meet a new one.
        if self._rtp_ports is not None:
            self._rtp_ports.append(self._rtp_ports.pop(0))
        return self._rtp_ports

    def _over(self, call: _Call, by: str, reason: str) -> None:
        del self._calls[call.key]
        if call.media is not None:
            self._outlive(call.media.close())
        self._reporter.ended(call.key, by, reason)
        if not self._calls and self._watch_timer is not None:
            self._watch_timer.cancel()
            self._watch_timer = None

    def _outlive(self, closing: Deferred[Any]) -> None:
        """Something that ``shut_down`` waits for, also after its call has ended."""
        over: Deferred[None] = Deferred()
        self._closing.add(over)

        def done(result: Any) -> Any:
            self._closing.discard(over)
            over.callback(None)
            return result

        closing.addBoth(done)

    def _watch(self) -> None:
        if self._silent_peer_s is not None and self._watch_timer is None:
            self._watch_timer = self._reactor.callLater(WATCH_S, self._look)

    def _look(self) -> None:
        self._watch_timer = None
        limit_s, now_s = self._silent_peer_s, self._reactor.seconds()
        for call in list(self._calls.values()):
            if limit_s is not None and call.media is not None and call.media.silent_s(now_s) >= limit_s:
                self._sip.hang_up(call.key)
                self._over(call, "fault", f"no RTP from the peer for {limit_s:g} s")
        if self._calls:
            self._watch()


def _user_of(uri: str) -> str:
    """The user part of a From: ``301`` of ``"Robot" <sip:301@pbx;x=1>;tag=9``; the whole text when it has none."""
    address = uri.partition("<")[2].partition(">")[0] or uri
    user, at, _ = address.partition(":")[2].partition("@")
    return user.partition(";")[0] if at else address
