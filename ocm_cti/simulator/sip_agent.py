"""The PBX's side of SIP where it differs from a telephone's: who dials must prove who he is (RFC 3261 section 22),
progress with audio before the answer (183), and REFER (RFC 3515) with the NOTIFYs that tell what became of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from protocols.errors import LocalProtocolError, RemoteProtocolError
from protocols.sip.addresses import NameAddress, Target
from protocols.sip.asking import Asking
from protocols.sip.calls import Call, Stage
from protocols.sip.core import Hop
from protocols.sip.digest import DigestServer
from protocols.sip.events import Event
from protocols.sip.link import Clock, SIPLink
from protocols.sip.messages import Request, Response, phrase_of
from protocols.sip.registrar import Registrar
from protocols.sip.server_transaction import ServerTransaction
from protocols.sip.user_agent import UserAgent

ACCEPTED, BAD_REQUEST, UNAUTHORIZED, FORBIDDEN = 202, 400, 401, 403
CALL_GONE, NOT_IMPLEMENTED = 481, 501


@dataclass(frozen=True)
class Referred(Event):
    """REFER in a call, answered with 202: the other side is to be connected with ``user``. ``report`` must follow."""

    call: str
    user: str


class PbxRegistrar(Registrar):
    """A registrar that can lose what it knows, as one that was restarted."""

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Of its challenges, in the order of their offer."""
        return tuple(self._algorithms)

    def forget(self, user: str) -> None:
        """``Unbound`` follows if he was registered."""
        if self._core is not None:
            self._unbind(self._core, user)


class PbxAgent(UserAgent):
    """``registrar`` knows the passwords, of dialling as of registering."""

    def __init__(self, host: str, port: int, *, token: Callable[[], str], registrar: PbxRegistrar) -> None:
        super().__init__(host, port, user_agent="Simulated PBX", token=token, challenge=registrar)
        self._passwords = registrar
        # Its own: an answer to a REGISTER's challenge, played again in an INVITE, dials nothing.
        self._dialling = DigestServer(registrar.realm, token, registrar.algorithms)
        self._reports: dict[str, tuple[Call, int]] = {}  # REFER's Event id by call

    def progress(self, call: str, code: int, sdp: bytes, now: float) -> None:
        """180 or 183 to an ``Incoming``, with ``sdp`` where there is audio before the answer. LocalProtocolError when
        it has been answered."""
        dialled = self._incoming(call)
        dialled._must_ring("tell progress")
        headers = [("Contact", dialled.contact)]
        if sdp:
            headers.append(("Content-Type", "application/sdp"))
        dialled._invite.respond(code, now, headers=headers, body=sdp)

    def report(self, call: str, code: int, now: float) -> None:
        """What became of the REFER in a call: 100 while it goes on, then a final code. Harmless without a REFER, and
        after the call's end as far as its dialog lives."""
        known = self._reports.get(call)
        if known is None:
            return
        referred, event_id = known
        if code >= 200:
            del self._reports[call]
        if referred.dialog is not None:
            self._notify(referred, event_id, code, now)

    def _notify(self, call: Call, event_id: int, code: int, now: float) -> None:
        dialog = call.dialog
        if dialog is None:
            return
        state = "active;expires=60" if code < 200 else "terminated;reason=noresource"
        headers = [
            ("Contact", call.contact),
            ("Event", f"refer;id={event_id}"),
            ("Subscription-State", state),
            ("Content-Type", "message/sipfrag;version=2.0"),
        ]
        body = f"SIP/2.0 {code} {phrase_of(code)}\r\n".encode()

        def make() -> tuple[Request, Hop]:
            return dialog.request("NOTIFY", headers, body), dialog.next_hop()

        def heard(response: Response, now: float) -> None:
            """Whatever he says to it, the transfer goes its way."""

        Asking(self._core, make, None, now, heard, lambda now: None)

    # Requests

    def _serve(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        if request.method == "REFER":
            call = self._dialog_of(request)
            if call is None or call.dialog is None or call.stage is not Stage.STANDING:
                transaction.respond(CALL_GONE, now)
            elif not call.dialog.follows(request):
                transaction.respond(500, now, phrase="CSeq out of order")
            else:
                self._referred(call, transaction, now)
            return
        super()._serve(transaction, now)

    def _referred(self, call: Call, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        targets = request.headers.getlist("Refer-To")
        if len(targets) != 1:
            transaction.respond(BAD_REQUEST, now, phrase="One Refer-To is needed")
            return
        uri, _, more = NameAddress.read(targets[0]).uri.partition("?")
        try:
            user = Target.read(uri).user
        except RemoteProtocolError:
            user = ""
        if "replaces=" in more.lower():
            transaction.respond(NOT_IMPLEMENTED, now, phrase="No attended transfer")
        elif not user:
            transaction.respond(BAD_REQUEST, now, phrase="Refer-To names nobody")
        elif call.key in self._reports:
            transaction.respond(491, now)
        else:
            transaction.respond(ACCEPTED, now, headers=[("Contact", call.contact)])
            self._reports[call.key] = (call, request.cseq.sequence)
            self._notify(call, request.cseq.sequence, 100, now)
            self._core.emit(Referred(call.key, user))

    def _invited(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        verdict = self._dialling.verify(request, "INVITE", self._passwords.users.get, now)
        if verdict.user is None and (verdict.stale or not verdict.offered):
            transaction.respond(UNAUTHORIZED, now, headers=self._dialling.challenge(now, verdict.stale))
        elif verdict.user is None or verdict.user != Target.read(request.from_address.uri).user:
            transaction.respond(FORBIDDEN, now)
        else:
            super()._invited(transaction, now)


class PbxLink(SIPLink):
    """The agent above on a socket."""

    def __init__(
        self, make_agent: Callable[[str, int], PbxAgent], clock: Clock, observer: Callable[[Event], None]
    ) -> None:
        super().__init__(make_agent, clock, observer)

    def progress(self, call: str, code: int, sdp: bytes) -> None:
        self._pbx.progress(call, code, sdp, self._now())
        self._flush()

    def report(self, call: str, code: int) -> None:
        self._pbx.report(call, code, self._now())
        self._flush()

    def tell(self) -> None:
        """Events that came of something else than a datagram or a timer."""
        self._flush()

    @property
    def _pbx(self) -> PbxAgent:
        agent = self.agent
        if not isinstance(agent, PbxAgent):
            raise LocalProtocolError("not a PBX's agent")
        return agent
