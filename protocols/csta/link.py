"""An association on a Twisted transport (TCP or serial line): octets, Deferreds, time-outs.

    class Gateway:                         # a CSTAObserver
        def associated(self, link): link.invoke("monitorStart", {...}).addCallback(...)

Every request made ends exactly once: with its result or with one of RequestFailed, RequestRejected, AnswerUnreadable,
RequestTimedOut, RequestWithdrawn, LinkLost (requests.py). When the connection is gone no timer of ours is left, every
waiting request has failed with LinkLost and ``lost`` has been told, once; also after ``refused`` and when no
association ever came about. Why it went is kept in ``loss`` as one of the types of losses.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred, fail
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from protocols.csta import losses, operations
from protocols.csta.association import (
    NEED_DATA,
    Aborted,
    Associated,
    Association,
    AssociationRequested,
    Closed,
    Event,
    Failed,
    Invoked,
    Refused,
    Rejected,
    Released,
    Returned,
    Role,
    Undecoded,
)
from protocols.csta.framing import BARE_ABORT, LENGTH
from protocols.csta.operations import is_answered
from protocols.csta.recording import Direction
from protocols.csta.requests import (
    AnswerUnreadable,
    Clock,
    LinkLost,
    RequestError,
    RequestFailed,
    RequestRejected,
    Requests,
    RequestTimedOut,
    RequestWithdrawn,
    Timer,
)
from protocols.csta.states import State
from protocols.csta.timers import Timers
from protocols.csta.unknowns import Unknowns, for_log
from protocols.errors import LocalProtocolError, RemoteProtocolError
from protocols.rose import problem_text

__all__ = [
    "AnswerUnreadable",
    "CSTAObserver",
    "CSTAProtocol",
    "Clock",
    "LinkLost",
    "RequestError",
    "RequestFailed",
    "RequestRejected",
    "RequestTimedOut",
    "RequestWithdrawn",
    "Timer",
]

#: A connection that we close is cut when what was written has not been taken by then (a serial line sees to it itself).
LINGER_S = 2.0
MISTYPED_ARGUMENT = ("invoke", 2)
#: Problems of a Reject that is about an answer of ours: its invoke id is one of the peer's, not of our requests.
ABOUT_OUR_ANSWER = frozenset({"returnResult", "returnError"})
#: System status of CSTA before phase III. RE: a client in use answers it like 211, {52, NULL}; what it says is unclear.
OLD_STATUS = operations.by_code(52).name
OLD_STATUS_RESULT = b"\x05\x00"


class CSTAObserver(Protocol):
    """Whom a link tells. Calls come from the reactor, one at a time, never from within ``invoke``."""

    def associated(self, link: CSTAProtocol) -> None:
        """The association is open; requests may be made."""

    def refused(self, link: CSTAProtocol, reason: str) -> None:
        """The switch does not want us; the connection is being closed, ``lost`` follows."""

    def invoked(self, link: CSTAProtocol, event: Invoked) -> None:
        """The peer asks for or reports something. systemStatus has been answered already in the client role."""

    def lost(self, link: CSTAProtocol, reason: str) -> None:
        """The connection is gone; nothing follows."""


Admission = Callable[[dict[str, Any]], tuple[int, int] | None]
"""Switch role: AARQ -> None to accept, (result, diagnostic) to refuse; see Association.refuse."""


class CSTAProtocol(TwistedProtocol):
    """One connection, either role; ``clock`` gives ``callLater`` and ``seconds``.

    ``request_timeout_s``: for each request, from when it was sent. ``window``, ``per_s``, ``burst``: see Requests.
    ``associate_timeout_s``: from the connection to an open association.
    ``silence_limit_s``: the link is dropped when nothing at all came for so long; None: never.
    ``probe_s``: after so much silence the peer is asked how it is (RequestSystemStatus), and given up when it says
    nothing at all; any answer will do, for nobody knows whether these PBXes have the service. None: never.
    ``frame_timeout_s``: the link is dropped when a frame that has begun does not go on; None: never.
    ``old_status``: system status under its number of before phase III is answered too.
    ``quiet_s``: the line has no connections of its own (a serial one), so neither side hears of the other's end. A
    client then waits for so much silence before it associates, having sent an ABRT (``abort_first``) to end what an
    earlier run may have left, and either side says by ABRT that it leaves. None: the transport ends for both (TCP).
    ``tap`` is shown every APDU of both directions, without its frame.
    """

    log = Logger()
    transport: Any  # ITransport; abortConnection where it can be cut

    def __init__(
        self,
        role: Role,
        observer: CSTAObserver,
        clock: Clock,
        request_timeout_s: float = 10.0,
        *,
        associate_timeout_s: float = 10.0,
        silence_limit_s: float | None = None,
        probe_s: float | None = None,
        frame_timeout_s: float | None = None,
        window: int | None = None,
        per_s: float = 0.0,
        burst: int = 1,
        quiet_s: float | None = None,
        abort_first: bool = True,
        admit: Admission | None = None,
        max_apdu: int | None = None,
        bare_abort: bool = True,
        old_status: bool = True,
        tap: Callable[[Direction, bytes], None] | None = None,
    ) -> None:
        self._role = role
        self._observer = observer
        self._clock = clock
        self._associate_timeout_s = associate_timeout_s
        self._silence_limit_s = silence_limit_s
        self._probe_s = probe_s
        self._frame_timeout_s = frame_timeout_s
        self._quiet_s = quiet_s
        self._abort_first = abort_first
        self._admit = admit
        self._old_status = old_status
        self._tap = tap
        self._from_us = Direction.TO_SWITCH if role is Role.CLIENT else Direction.TO_CLIENT
        limits = {} if max_apdu is None else {"max_apdu": max_apdu}
        seen = None if tap is None else lambda apdu: tap(self._from_us.opposite, apdu)
        self._association = Association(role, bare_abort=bare_abort, seen=seen, **limits)
        self._requests = Requests(self._association, clock, self._write, request_timeout_s, window, per_s, burst)
        self._request_timeout_s = request_timeout_s
        self._timers = Timers(clock)
        self._heard_s = 0.0
        self._gone = False
        self._undecoded: set[tuple[str, str]] = set()
        self._unknowns = Unknowns(self.log)
        self.loss: losses.Loss | None = None  # why we are closing, or gone; None while we are not

    # What the owner may ask

    @property
    def is_open(self) -> bool:
        """Whether requests can be made."""
        return self._association.state is State.OPEN and self.loss is None and not self._gone

    def invoke(self, operation: str, argument: Any) -> Deferred[Any]:
        """Ask the peer: fires with the result, see asn1 for its form. It may have to wait for its turn (Requests).

        Fails as the module says; with LocalProtocolError, and nothing sent, when the argument does not fit its
        declaration or the operation is never answered (use ``notify``).
        """
        if not self.is_open:
            why = "no association" if self.loss is None else str(self.loss)
            return fail(LinkLost(operation, why, sent=False, why=self.loss))
        try:
            if not is_answered(operation):
                raise LocalProtocolError(f"{operation} is never answered: use notify")
            return self._requests.ask(operation, argument)
        except LocalProtocolError:
            return fail()

    def withdraw(self, answer: Deferred[Any]) -> bool:
        """Take back a request that has not left yet; it fails with RequestWithdrawn. False: it has left."""
        return self._requests.withdraw(answer)

    @property
    def queued(self) -> int:
        """How many requests have not left yet."""
        return self._requests.queued

    def notify(self, operation: str, argument: Any) -> None:
        """Tell the peer without waiting for an answer (cSTAEventReport, systemStatus).

        Dropped when the link is not open; LocalProtocolError when the argument does not fit.
        """
        if self.is_open:
            invoke_id, octets = self._association.invoke(operation, argument)
            self._association.forget(invoke_id)
            self._write(octets)

    def respond(self, invoke_id: int | None, operation: str, result: Any = None) -> None:
        """Answer an Invoked; None for the result stands for noData. Dropped when the link is not open."""
        if self.is_open and invoke_id is not None:
            self._write(self._association.respond(invoke_id, operation, result))

    def fail(self, invoke_id: int | None, error: tuple[str, Any]) -> None:
        """Answer an Invoked with UniversalFailure (category, value). Dropped when the link is not open."""
        if self.is_open and invoke_id is not None:
            self._write(self._association.fail(invoke_id, error))

    def reject(self, invoke_id: int | None, problem: tuple[str, int]) -> None:
        """Answer an Invoked that makes no sense, see rose.PROBLEMS. Dropped when the link is not open."""
        if self.is_open:
            self._write(self._association.reject(invoke_id, problem))

    def abort(self, reason: str = "aborted by us") -> None:
        """Send ABRT and close."""
        if self.loss is None and not self._gone:
            self._say_abort()
        self.close(reason)

    def close(self, reason: str = "closed by us") -> None:
        """Close the connection in order, as all known clients do (no release). ``lost`` follows with this reason."""
        self._close(losses.ClosedByUs(reason))

    # Twisted's side

    def connectionMade(self) -> None:
        without_delay = getattr(self.transport, "setTcpNoDelay", None)
        if without_delay is not None:
            without_delay(True)  # small APDUs, each waited for
        self._heard_s = self._clock.seconds()
        if self._role is Role.CLIENT or self._quiet_s is None:  # nobody need be at the other end of a serial line yet
            self._timers.start("associating", self._associate_timeout_s, self._not_associated)
        self._timers.start("silence", self._silence_limit_s, self._silent)
        self._timers.start("probe", self._probe_s, self._probe)
        if self._role is not Role.CLIENT:
            return
        if self._quiet_s is None:
            self._associate()
            return
        if self._abort_first:
            self._write(self._association.abort())
        self._timers.start("quiet", self._quiet_s, self._associate)

    def _associate(self) -> None:
        self._write(self._association.associate())

    def dataReceived(self, data: bytes) -> None:
        if self.loss is not None or self._gone:
            return
        self._heard_s = self._clock.seconds()
        self._timers.restart("silence", self._silence_limit_s)
        self._timers.restart("probe", self._probe_s)
        if self._timers.restart("quiet", self._quiet_s):
            return  # of an association that is over
        frames = self._association.frames
        self._association.receive_data(data)
        try:
            # What the observer is told may make it close the link: nothing more is told then.
            while self.loss is None and (event := self._association.next_event()) is not NEED_DATA:
                self._tell(event)
        except RemoteProtocolError as error:
            self._drop(losses.ProtocolBroken(error))
        if self.loss is None and not self._gone:
            self._watch_frame(self._association.frames != frames)

    def _watch_frame(self, went_on: bool) -> None:
        if not self._association.held or went_on:
            self._timers.stop("frame")
        if self._association.held and "frame" not in self._timers:
            self._timers.start("frame", self._frame_timeout_s, self._stalled)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._gone = True
        self._timers.stop_all()
        loss = self.loss or losses.ConnectionBroken(reason.getErrorMessage())
        self.loss = loss
        self._requests.lost(lambda operation, sent: LinkLost(operation, str(loss), sent=sent, why=loss))
        self._observer.lost(self, str(loss))

    # Events

    def _tell(self, event: Event) -> None:
        match event:
            case Invoked():
                self._invoked(event)
            case Returned():
                self._unknowns.look(event.operation, "result", event.result)
                self._requests.answered(event.invoke_id, event.result)
            case Failed():
                category, value = event.error[1] if event.error[0] == "universalFailure" else event.error
                self._unknowns.look_at_error(category, value)
                self._requests.failed(event.invoke_id, lambda operation: RequestFailed(operation, category, value))
            case Rejected():
                if event.invoke_id is None or event.problem[0] in ABOUT_OUR_ANSWER:
                    self.log.warn("the peer rejects something of ours: {problem}", problem=problem_text(event.problem))
                else:
                    self._requests.failed(event.invoke_id, lambda name: RequestRejected.of(name, event.problem))
            case Undecoded():
                self._did_not_fit(event)
            case Associated():
                self._opened()
            case AssociationRequested():
                self._requested(event)
            case Refused():
                refusal = losses.AssociationRefused(event.result, event.source, event.diagnostic)
                self._observer.refused(self, str(refusal))
                self._close(refusal)
            case Aborted():
                self._aborted(losses.AssociationAborted(event.source, event.diagnostic))
            case Released():
                if self._association.state is State.RELEASE_REQUESTED:
                    self._write(self._association.confirm_release())
                self._close(losses.AssociationReleased())
            case Closed():
                self._close(losses.ClosedByPeer())

    def _invoked(self, event: Invoked) -> None:
        self._unknowns.look(event.operation, "argument", event.argument)
        if self._role is Role.CLIENT:
            if event.operation == "systemStatus":
                self.respond(event.invoke_id, event.operation)
            elif event.operation == OLD_STATUS and self._old_status:
                self.respond(event.invoke_id, event.operation, OLD_STATUS_RESULT)
        self._observer.invoked(self, event)

    def _requested(self, event: AssociationRequested) -> None:
        refusal = self._admit(event.aarq) if self._admit is not None else None
        if refusal is None:
            self._write(self._association.accept())
            self._opened()
        else:
            self._write(self._association.refuse(*refusal))
            self.close("association refused by us")

    def _opened(self) -> None:
        self._timers.stop("associating")
        self._observer.associated(self)

    def _aborted(self, loss: losses.AssociationAborted) -> None:
        if self._association.state is State.LISTENING:
            return  # a client ends what an earlier one left on a serial line, before it begins
        self._close(loss)

    def _did_not_fit(self, event: Undecoded) -> None:
        if (event.apdu, event.operation) not in self._undecoded:
            self._undecoded.add((event.apdu, event.operation))
            self.log.warn(
                "{apdu} of {operation} does not fit its declaration ({reason}): {octets}",
                apdu=event.apdu,
                operation=event.operation,
                reason=event.reason,
                octets=for_log(event.octets),
            )
        if event.invoke_id is None:
            return
        if event.apdu == "returnError":
            # A refusal all the same: only its reason can't be read.
            unread = event.reason
            self._requests.failed(event.invoke_id, lambda name: RequestFailed(name, "unreadable", unread))
        elif event.apdu == "returnResult":
            why = f"the answer does not fit its declaration ({event.reason})"
            self._requests.failed(event.invoke_id, lambda operation: AnswerUnreadable(operation, why))
        elif event.operation == "systemStatus" and self._role is Role.CLIENT:
            self.respond(event.invoke_id, event.operation)  # left unanswered the switch would give us up
        elif is_answered(event.operation):
            self.reject(event.invoke_id, MISTYPED_ARGUMENT)

    # The connection

    def _write(self, octets: bytes) -> None:
        if self.transport is not None:
            if self._tap is not None:
                self._tap(self._from_us, octets if octets[0] == BARE_ABORT else octets[LENGTH.sizeof() :])
            self.transport.write(octets)

    def _not_associated(self) -> None:
        self._drop(losses.NotAssociated(self._associate_timeout_s))

    def _silent(self) -> None:
        self._drop(losses.Silent(self._silence_limit_s or 0.0))

    def _stalled(self) -> None:
        self._drop(losses.FrameStalled(self._association.held, self._frame_timeout_s or 0.0))

    def _probe(self) -> None:
        self._timers.stop("probe")
        if not self.is_open:
            return
        asked_s = self._clock.seconds()

        def unanswered(failure: Any) -> None:
            if failure.check(RequestTimedOut) and self._heard_s <= asked_s:
                self._drop(losses.ProbeUnanswered(self._request_timeout_s))

        def again(_: object) -> None:
            if self.loss is None and not self._gone and "probe" not in self._timers:
                self._timers.start("probe", self._probe_s, self._probe)

        self._requests.ask("requestSysStat", {}).addErrback(unanswered).addBoth(again)

    def _say_abort(self) -> None:
        if self._association.state not in (State.UNASSOCIATED, State.LISTENING, State.CLOSED):
            self._write(self._association.abort())

    def _close(self, loss: losses.Loss) -> None:
        if self.loss is None and not self._gone:
            self.loss = loss
            self._timers.stop_all()
            self._requests.hold()
            if self._quiet_s is not None:
                self._say_abort()
            if self.transport is not None:
                if self._quiet_s is None:
                    self._timers.start("closing", LINGER_S, self._cut)
                self.transport.loseConnection()

    def _cut(self) -> None:
        """What we still have to say is not read: it would keep the connection, and us from the next, for ever."""
        cut = getattr(self.transport, "abortConnection", None)
        if cut is not None:
            cut()

    def _drop(self, loss: losses.Loss) -> None:
        """Cut the connection at once: the peer may not read any more, so there is no waiting for what is unsent."""
        if self.loss is not None or self._gone:
            return
        self.log.warn("link dropped: {reason}", reason=str(loss))
        cut = getattr(self.transport, "abortConnection", None)
        if cut is None or self._quiet_s is not None:
            self._close(loss)  # a serial line lingers only for a moment, and the other side must hear of it
            return
        self.loss = loss
        self._timers.stop_all()
        self._requests.hold()
        cut()
