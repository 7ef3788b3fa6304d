"""The calls of a voice process: SIP on one side, RTP on the other, and what the parent asks and is told in between.

    incoming ── answer ──▶ answered ── ACK ──▶ established ──▶ over
        └──────── refuse, CANCEL, fault ──────────────────────▶ over
    dialled ── 200 ──▶ established ──▶ over
        └── refused, hung up, fault ──▶ over

``ended`` is told once for each call that was told as ``incoming``, and for each dialled one that was not told as
``refused``. How far a prompt got is reported before it; a recording is reported when it lies on disk, which may be a
moment after.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from twisted.internet.defer import Deferred, fail
from twisted.internet.error import CannotListenError
from twisted.logger import Logger

from ocm_cti.voice.accounts import Accounts, address_at
from ocm_cti.voice.call_parts import Call, Commands, Reactor, Reporter, State
from ocm_cti.voice.commands import CallOver, DialFailed, ReferRefused, Unanswerable
from ocm_cti.voice.live_calls import LiveCalls
from ocm_cti.voice.player import Played
from ocm_cti.voice.recorder import InThread, RecordedReply
from protocols.errors import LocalProtocolError
from protocols.sip import sdp
from protocols.sip import user_agent as sip

#: SIP answers that we give of our own accord (RFC 3261 §21).
NOT_ACCEPTABLE, UNAVAILABLE = 488, 503
REQUEST_TIMEOUT, REQUEST_PENDING = 408, 491
#: A call that we dialled and that rings for so long is given up; who dials wants to know much sooner. SIP itself has
#: no limit for it.
RING_LIMIT_S: Final = 300.0


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
        self._calls = LiveCalls(
            reactor,
            host,
            in_thread,
            self._pressed,
            lambda call: self._silent(call, silent_peer_s or 0.0),
            rtp_ports=rtp_ports,
            silent_peer_s=silent_peer_s,
        )
        self._sip = commands
        self._reporter = reporter
        self._accounts = Accounts()
        self._log = Logger()

    # Asked by the parent

    def register(self, account: sip.Account) -> None:
        """Hold the registration of an extension, which may dial once it stands."""
        self._accounts.add(account)
        self._sip.register(account)

    def unregister(self, extension: str) -> None:
        self._accounts.remove(extension)
        self._sip.unregister(extension)

    def dial(self, extension: str, digits: str) -> str:
        """Call ``digits`` at the switch of a registered extension; returns the key of the call. DialFailed."""
        account = self._accounts.registered(extension)
        call = Call("", extension, State.DIALLED)
        try:
            target = address_at(account, digits)
            self._calls.open_media(call)
            offer, _ = self._calls.describe(call, None)
            call.key = self._sip.invite(
                target,
                from_user=extension,
                destination=(account.registrar_host, account.registrar_port),
                sdp=offer,
                credentials=account,
            )
        except (ValueError, CannotListenError, LocalProtocolError) as error:
            self._calls.close_media(call)
            raise DialFailed(str(error)) from error
        self._calls.add(call)
        call.ring_limit = self._reactor.callLater(RING_LIMIT_S, self._unanswered, call)
        return call.key

    def answer(self, key: str) -> None:
        """Pick up. CallOver when the caller has gone; Unanswerable when we can't, and then the call is over."""
        call = self._calls.find(key)
        if call.state is not State.INCOMING:
            return
        try:
            media = self._calls.open_media(call)
            octets, agreed = self._calls.describe(call, call.offer)
        except (CannotListenError, sdp.SDPError) as error:
            self._log.warn("{call} can't be answered: {error}", call=key, error=error)
            self._refuse(key, UNAVAILABLE if isinstance(error, CannotListenError) else NOT_ACCEPTABLE)
            self._over(call, "fault", str(error))
            raise Unanswerable(str(error)) from error
        if not self._unless_over(self._sip.answer, key, octets):
            self._over(call, "them", "the caller gave up")
            raise CallOver(f"call {key} is over")
        call.state = State.ANSWERED
        if agreed is not None:
            media.connect(agreed)
        self._calls.watch.begin()

    def refuse(self, key: str, code: int) -> None:
        """Turn an incoming call away. CallOver when it has gone."""
        call = self._calls.find(key)
        if call.state is not State.INCOMING:
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
        return self._calls.media_of(key).play(paths)

    def stop_playing(self, key: str) -> None:
        """Be silent; harmless when nothing plays or the call is over."""
        call = self._calls.get(key)
        if call is not None and call.media is not None:
            call.media.stop_playing()

    def record(self, key: str, path: Path, max_ms: int, silence_ms: int, stop_keys: str) -> Deferred[RecordedReply]:
        """CallOver unless the call is up; else as CallMedia.record."""
        recorded = self._calls.media_of(key).record(path, max_ms, silence_ms, stop_keys)
        self._calls.outlive(recorded)
        return recorded

    def refer(self, key: str, digits: str) -> Deferred[None]:
        """Have the switch connect the other side of an established call with ``digits``; fires when it has.

        ReferRefused when it has not: the other side is with us. CallOver when the call ends meanwhile.
        """
        call = self._calls.find(key)
        account = self._accounts.of(call.extension)
        if call.state is not State.ESTABLISHED:
            raise CallOver(f"call {key} is not established")
        if account is None:
            return fail(ReferRefused(0, f"extension {call.extension} has no registration"))
        if call.referring is not None:
            return fail(ReferRefused(REQUEST_PENDING, "another transfer of this call goes on"))
        try:
            self._sip.refer(key, address_at(account, digits), account)
        except (ValueError, LocalProtocolError) as error:
            return fail(ReferRefused(0, str(error)))
        call.referring = Deferred()
        return call.referring

    def shut_down(self) -> Deferred[None]:
        """Hang up everything; fires when all recordings lie on disk and all sockets are closed."""
        for call in self._calls:
            self.hang_up(call.key)
        return self._calls.all_closed()

    # Told by SIP

    def sip_event(self, event: object) -> None:
        """Take an event of the user agent."""
        match event:
            case sip.Registered(user=user):
                self._registration(user, True, "")
            case sip.RegistrationFailed(user=user, code=code, reason=reason):
                self._registration(user, False, f"{code} {reason}".strip())
            case sip.Unregistered(user=user):
                self._registration(user, False, "")
            case sip.Incoming():
                self._incoming(event)
            case sip.Ringing(call=key) if self._calls.is_dialled(key):
                self._ringing(self._calls.find(key), event)
            case sip.Answered(call=key, sdp=octets) if self._calls.is_dialled(key):
                self._answered(self._calls.find(key), octets)
            case sip.Refused(call=key, code=code) if self._calls.is_dialled(key):
                words = [event.reason, event.headers.get("Reason")]
                self._refused(self._calls.find(key), code, ": ".join(filter(None, words)))
            case sip.ReferDone(call=key) if key in self._calls:
                self._referred(self._calls.find(key), None)
            case sip.ReferFailed(call=key, code=code, reason=reason) if key in self._calls:
                self._referred(self._calls.find(key), ReferRefused(code, reason))
            case sip.Confirmed(call=key, sdp=octets) if key in self._calls:
                self._confirmed(self._calls.find(key), octets)
            case sip.Reoffered(call=key, sdp=octets) if key in self._calls:
                self._reoffered(self._calls.find(key), octets)
            case sip.DigitInfo(call=key, digit=digit) if key in self._calls:
                media = self._calls.find(key).media
                if media is not None:
                    media.press(digit)
            case sip.Ended(call=key) if key in self._calls:
                by = "fault" if event.fault else "them" if event.by_them else "us"
                self._over(self._calls.find(key), by, event.reason)
            case sip.Malformed(source=source, reason=reason):
                self._log.info("from {source}: {reason}", source=source, reason=reason)
            case _:
                # Events of a call that is over here: nothing waits for them.
                self._log.debug("{event} changes nothing", event=event)

    def _registration(self, extension: str, registered: bool, reason: str) -> None:
        self._accounts.told(extension, registered, reason)
        self._reporter.registration_changed(extension, registered, reason)

    def _incoming(self, event: sip.Incoming) -> None:
        try:
            offer = sdp.parse(event.sdp) if event.sdp else None
        except sdp.SDPError as error:
            self._log.warn("{call} has no audio that we understand: {error}", call=event.call, error=error)
            self._refuse(event.call, NOT_ACCEPTABLE)
            return
        if not self._unless_over(self._sip.ring, event.call):
            return
        self._calls.add(Call(event.call, event.to_user, State.INCOMING, offer))
        self._reporter.incoming(event.call, event.to_user, _user_of(event.from_uri))

    def _ringing(self, call: Call, event: sip.Ringing) -> None:
        """Progress; audio that comes with it may be heard, but it is no answer."""
        try:
            if event.sdp and call.media is not None:
                call.early = sdp.accept(event.sdp)
                call.media.connect(call.early)
        except sdp.SDPError as error:
            self._log.info("{call}: early audio that we don't understand: {error}", call=call.key, error=error)
        if event.code != call.progress:
            call.progress = event.code
            self._reporter.ringing(call.key, event.code)

    def _answered(self, call: Call, octets: bytes) -> None:
        """200 to our INVITE, acknowledged. Some leave the session out that they have described before."""
        try:
            agreed = sdp.accept(octets) if octets else call.early
            if agreed is None or call.media is None:
                raise sdp.SDPError("an answer without a session description")
            call.media.connect(agreed)
        except sdp.SDPError as error:
            self._sip.hang_up(call.key)
            self._over(call, "fault", str(error))
            return
        call.ring_limit.cancel()
        call.state = State.ESTABLISHED
        self._reporter.established(call.key)
        self._calls.watch.begin()

    def _refused(self, call: Call, code: int, reason: str) -> None:
        self._calls.drop(call)
        self._reporter.refused(call.key, code, reason)

    def _unanswered(self, call: Call) -> None:
        self._sip.hang_up(call.key)
        self._refused(call, REQUEST_TIMEOUT, f"not answered within {RING_LIMIT_S:g} s")

    def _referred(self, call: Call, refusal: ReferRefused | None) -> None:
        referring, call.referring = call.referring, None
        if referring is not None and refusal is not None:
            referring.errback(refusal)
        elif referring is not None:
            referring.callback(None)

    def _confirmed(self, call: Call, octets: bytes) -> None:
        """The ACK came; with their answer where the offer was ours, at first or later."""
        try:
            if octets and call.media is not None:
                call.media.connect(sdp.accept(octets))
        except sdp.SDPError as error:
            self._sip.hang_up(call.key)
            self._over(call, "fault", str(error))
            return
        if call.state is State.ANSWERED:
            call.state = State.ESTABLISHED
            self._reporter.established(call.key)

    def _reoffered(self, call: Call, octets: bytes) -> None:
        """Hold, another address or codec; with nothing in it they ask for our offer."""
        if call.media is None:
            return
        try:
            ours, agreed = self._calls.describe(call, sdp.parse(octets) if octets else None)
        except sdp.SDPError as error:
            self._log.warn("{call}: a new offer is not acceptable: {error}", call=call.key, error=error)
            self._unless_over(self._sip.refuse_offer, call.key, NOT_ACCEPTABLE)
            return
        if self._unless_over(self._sip.answer_offer, call.key, ours) and agreed is not None:
            call.media.connect(agreed)

    # Within

    def _pressed(self, call: Call, digit: str) -> None:
        # Before its answer a call that we dialled has nobody who could mean us.
        if call.state is not State.DIALLED:
            self._reporter.digit(call.key, digit)

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

    def _over(self, call: Call, by: str, reason: str) -> None:
        self._calls.drop(call)
        self._reporter.ended(call.key, by, reason)

    def _silent(self, call: Call, limit_s: float) -> None:
        self._sip.hang_up(call.key)
        self._over(call, "fault", f"no RTP from the peer for {limit_s:g} s")


def _user_of(uri: str) -> str:
    """The user part of a From: ``301`` of ``"Robot" <sip:301@pbx;x=1>;tag=9``; the whole text when it has none."""
    address = uri.partition("<")[2].partition(">")[0] or uri
    user, at, _ = address.partition(":")[2].partition("@")
    return user.partition(";")[0] if at else address
