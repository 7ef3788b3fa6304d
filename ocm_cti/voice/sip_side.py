"""What SIP tells of the calls of a voice process, and what comes of it; the half of ``calls.Calls`` that is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.logger import Logger

from ocm_cti.domain.numbers import mask
from ocm_cti.voice.accounts import Accounts
from ocm_cti.voice.call_parts import Call, Commands, Reporter, State
from ocm_cti.voice.commands import ReferRefused
from ocm_cti.voice.live_calls import LiveCalls
from ocm_cti.voice.trunk_lines import TrunkLines
from ocm_cti.voice.trunks import Trunk
from protocols.errors import LocalProtocolError
from protocols.sip import sdp
from protocols.sip import user_agent as sip

#: SIP answers that we give of our own accord (RFC 3261 section 21).
NOT_ACCEPTABLE, UNAVAILABLE = 488, 503
REQUEST_TIMEOUT, REQUEST_PENDING = 408, 491
#: A call that we dialled and that rings for so long is given up; who dials wants to know much sooner. SIP itself has
#: no limit for it.
RING_LIMIT_S: Final = 300.0
#: Nothing has left for the operator.
UNSENT: Final = 0


class SipSide:
    """``stranger_code``: what a call is refused with that comes for none of our extensions, where there are trunks."""

    def __init__(self, commands: Commands, reporter: Reporter, stranger_code: int) -> None:
        self._calls: LiveCalls
        self._sip = commands
        self._reporter = reporter
        self._stranger_code = stranger_code
        self._accounts = Accounts()
        self._trunks = TrunkLines()
        self._log = Logger()

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
            case sip.Refused(call=key) if self._calls.is_dialled(key):
                self._came_to_nothing(self._calls.find(key), event)
            case sip.ReferDone(call=key) if key in self._calls:
                self._referred(self._calls.find(key), None)
            case sip.ReferFailed(call=key, code=code, reason=reason) if key in self._calls:
                self._referred(self._calls.find(key), ReferRefused(code, reason))
            case sip.Confirmed(call=key, sdp=octets) if key in self._calls:
                self._confirmed(self._calls.find(key), octets)
            case sip.Reoffered(call=key, sdp=octets) if key in self._calls:
                self._reoffered(self._calls.find(key), octets)
            case sip.Reanswered(call=key, sdp=octets) if key in self._calls:
                self._confirmed(self._calls.find(key), octets)
            case sip.DigitInfo(call=key, digit=digit) if key in self._calls:
                media = self._calls.find(key).media
                if media is not None:
                    media.press(digit)
            case sip.Ended(call=key) if key in self._calls:
                by = "fault" if event.fault else "them" if event.by_them else "us"
                self._over(self._calls.find(key), by, event.reason, event.q850)
            case sip.Malformed(source=source, reason=reason):
                self._log.info("from {source}: {reason}", source=source, reason=reason)
            case _:
                # Events of a call that is over here: nothing waits for them.
                self._log.debug("{event} changes nothing", event=event)

    def _registration(self, extension: str, registered: bool, reason: str) -> None:
        self._accounts.told(extension, registered, reason)
        self._trunks.told(extension, registered, reason)
        self._reporter.registration_changed(extension, registered, reason)

    def _incoming(self, event: sip.Incoming) -> None:
        trunk = self._trunks.called(event.to_user, event.source)
        if trunk is not None or (self._trunks and self._accounts.of(event.to_user) is None):
            self._turn_away(event, trunk)
            return
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

    def _turn_away(self, event: sip.Incoming, trunk: Trunk | None) -> None:
        """Nobody takes calls on a trunk."""
        code = self._stranger_code if trunk is None else trunk.refuses_with
        where = f"{event.source[0]}, a stranger" if trunk is None else f"trunk {trunk.name}"
        caller, called = mask(_user_of(event.from_uri)), mask(event.to_user)
        self._log.info(
            "a call of {caller} to {called} from {where} is refused with {code}",
            caller=caller, called=called, where=where, code=code,
        )  # fmt: skip
        self._refuse(event.call, code)

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

    def _came_to_nothing(self, call: Call, event: sip.Refused) -> None:
        if event.made_here and call.trunk and not event.unsent:
            # Whether somebody was called nobody can tell: that is no word of the operator.
            self._over(call, "fault", event.reason)
            return
        reason = ": ".join(filter(None, [event.reason, event.headers.get("Reason")]))
        self._refused(call, UNSENT if event.unsent else event.code, reason, event.q850, event.retry_after_s)

    def _refused(
        self, call: Call, code: int, reason: str, q850: int | None = None, retry_after_s: float | None = None
    ) -> None:
        self._calls.drop(call)
        self._reporter.refused(call.key, code, reason, q850, retry_after_s)

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
        """The ACK came, or their answer to an offer of ours; with that answer, at first or later."""
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

    def _over(self, call: Call, by: str, reason: str, q850: int | None = None) -> None:
        self._calls.drop(call)
        self._reporter.ended(call.key, by, reason, q850)

    def _silent(self, call: Call, limit_s: float) -> None:
        self._sip.hang_up(call.key)
        self._over(call, "fault", f"no RTP from the peer for {limit_s:g} s")


def _user_of(uri: str) -> str:
    """The user part of a From: ``301`` of ``"Robot" <sip:301@pbx;x=1>;tag=9``; the whole text when it has none."""
    address = uri.partition("<")[2].partition(">")[0] or uri
    user, at, _ = address.partition(":")[2].partition("@")
    return user.partition(";")[0] if at else address
