"""An association on a Twisted transport (TCP or serial line): octets, Deferreds, time-outs. The only Twisted file here.

    class Gateway:                         # a CSTAObserver
        def associated(self, link): link.invoke("monitorStart", {...}).addCallback(...)

Every request made ends exactly once: with its result or with one of RequestFailed, RequestRejected, AnswerUnreadable,
RequestTimedOut, LinkLost. When the connection is gone no timer of ours is left, every waiting request has failed with
LinkLost and ``lost`` has been told, once; also after ``refused`` and when no association ever came about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred, fail
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from protocols import acse, rose
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
from protocols.csta.causes import retry_may_help
from protocols.csta.operations import is_answered
from protocols.csta.states import State
from protocols.errors import LocalProtocolError, RemoteProtocolError

MISTYPED_ARGUMENT = ("invoke", 2)
#: Problems of a Reject that is about an answer of ours: its invoke id is one of the peer's, not of our requests.
ABOUT_OUR_ANSWER = frozenset({"returnResult", "returnError"})


class RequestError(Exception):
    """A request did not get its result; ``retry`` says whether the same request may succeed later."""

    def __init__(self, text: str, operation: str, *, retry: bool) -> None:
        super().__init__(text)
        self.operation = operation
        self.retry = retry


class RequestFailed(RequestError):
    """The switch said no: UniversalFailure ``category`` and ``value`` (value None for ``unspecified``)."""

    def __init__(self, operation: str, category: str, value: Any) -> None:
        text = f"{operation}: {category}" if value is None else f"{operation}: {category} {value}"
        super().__init__(text, operation, retry=retry_may_help(category))
        self.category = category
        self.value = value


class RequestRejected(RequestError):
    """The switch could make nothing of the request (ROSE Reject): nothing was done."""

    def __init__(self, operation: str, problem: str) -> None:
        super().__init__(f"{operation}: {problem}", operation, retry=False)
        self.problem = problem


class AnswerUnreadable(RequestError):
    """The switch answered that it was done, and we can't read what it says of it. It has acted on the request."""

    def __init__(self, operation: str, why: str) -> None:
        super().__init__(f"{operation}: {why}", operation, retry=False)


class RequestTimedOut(RequestError):
    """No answer in time. Whether the switch acted on it is not known."""

    def __init__(self, operation: str, timeout_s: float) -> None:
        super().__init__(f"{operation}: no answer in {timeout_s:g} s", operation, retry=True)
        self.timeout_s = timeout_s


class LinkLost(RequestError):
    """The link went away (or was not up). Whether the switch acted on the request is not known."""

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(f"{operation}: {reason}", operation, retry=True)
        self.reason = reason


class Timer(Protocol):
    """What ``callLater`` gives (Timer)."""

    def active(self) -> bool: ...
    def cancel(self) -> None: ...
    def reset(self, secondsFromNow: float, /) -> None: ...


class Clock(Protocol):
    """The reactor, or ``twisted.internet.task.Clock`` in tests (IReactorTime)."""

    def callLater(self, delay: float, callable: Callable[..., object], /, *args: object) -> Timer: ...


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
    """One connection, either role; ``clock`` gives ``callLater``.

    ``request_timeout_s``: for each request. ``associate_timeout_s``: from the connection to an open association.
    ``silence_limit_s``: the link is dropped when nothing at all came for so long; None: never.
    """

    log = Logger()
    transport: Any  # ITransport; abortConnection where it is TCP

    def __init__(
        self,
        role: Role,
        observer: CSTAObserver,
        clock: Clock,
        request_timeout_s: float = 10.0,
        *,
        associate_timeout_s: float = 10.0,
        silence_limit_s: float | None = None,
        admit: Admission | None = None,
        max_apdu: int | None = None,
        bare_abort: bool = True,
    ) -> None:
        self._role = role
        self._observer = observer
        self._clock = clock
        self._request_timeout_s = request_timeout_s
        self._associate_timeout_s = associate_timeout_s
        self._silence_limit_s = silence_limit_s
        self._admit = admit
        limits = {} if max_apdu is None else {"max_apdu": max_apdu}
        self._association = Association(role, bare_abort=bare_abort, **limits)
        self._waiting: dict[int, tuple[str, Deferred[Any], Timer]] = {}
        self._associating: Timer | None = None
        self._silence: Timer | None = None
        self._reason = ""  # why we are closing; "" while we are not
        self._gone = False
        self._undecoded: set[tuple[str, str]] = set()

    # What the owner may ask

    @property
    def is_open(self) -> bool:
        """Whether requests can be made."""
        return self._association.state is State.OPEN and not self._reason and not self._gone

    def invoke(self, operation: str, argument: Any) -> Deferred[Any]:
        """Ask the peer: fires with the result, see asn1 for its form.

        Fails as the module says; with LocalProtocolError, and nothing sent, when the argument does not fit its
        declaration or the operation is never answered (use ``notify``).
        """
        if not self.is_open:
            return fail(LinkLost(operation, self._reason or "no association"))
        try:
            if not is_answered(operation):
                raise LocalProtocolError(f"{operation} is never answered: use notify")
            invoke_id, octets = self._association.invoke(operation, argument)
        except LocalProtocolError:
            return fail()
        waiting: Deferred[Any] = Deferred(lambda _: self._cancelled(invoke_id))
        timer = self._clock.callLater(self._request_timeout_s, self._timed_out, invoke_id)
        self._waiting[invoke_id] = operation, waiting, timer
        self._write(octets)
        return waiting

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
        if self._association.state not in (State.UNASSOCIATED, State.CLOSED) and not self._gone and not self._reason:
            self._write(self._association.abort())
        self.close(reason)

    def close(self, reason: str = "closed by us") -> None:
        """Close the connection in order, as all known clients do (no release). ``lost`` follows with this reason."""
        if not self._reason and not self._gone:
            self._reason = reason
            self._stop_timers()
            if self.transport is not None:
                self.transport.loseConnection()

    # Twisted's side

    def connectionMade(self) -> None:
        without_delay = getattr(self.transport, "setTcpNoDelay", None)
        if without_delay is not None:
            without_delay(True)  # small APDUs, each waited for
        self._associating = self._clock.callLater(self._associate_timeout_s, self._not_associated)
        if self._silence_limit_s is not None:
            self._silence = self._clock.callLater(self._silence_limit_s, self._silent)
        if self._role is Role.CLIENT:
            self._write(self._association.associate())

    def dataReceived(self, data: bytes) -> None:
        if self._reason or self._gone:
            return
        if self._silence is not None and self._silence_limit_s is not None:
            self._silence.reset(self._silence_limit_s)
        self._association.receive_data(data)
        try:
            # What the observer is told may make it close the link: nothing more is told then.
            while not self._reason and (event := self._association.next_event()) is not NEED_DATA:
                self._tell(event)
        except RemoteProtocolError as error:
            self._drop(f"protocol error of the peer: {error}")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._gone = True
        self._stop_timers()
        text = self._reason or f"connection lost: {reason.getErrorMessage()}"
        self._reason = text
        for invoke_id in list(self._waiting):
            self._settle(invoke_id, lambda operation: LinkLost(operation, text))
        self._observer.lost(self, text)

    # Events

    def _tell(self, event: Event) -> None:
        match event:
            case Invoked():
                if event.operation == "systemStatus" and self._role is Role.CLIENT:
                    self.respond(event.invoke_id, event.operation)
                self._observer.invoked(self, event)
            case Returned():
                self._answered(event.invoke_id, event.result)
            case Failed():
                category, value = event.error[1] if event.error[0] == "universalFailure" else event.error
                self._settle(event.invoke_id, lambda operation: RequestFailed(operation, category, value))
            case Rejected():
                problem = rose.problem_text(event.problem)
                if event.invoke_id is None or event.problem[0] in ABOUT_OUR_ANSWER:
                    self.log.warn("the peer rejects something of ours: {problem}", problem=problem)
                else:
                    self._settle(event.invoke_id, lambda operation: RequestRejected(operation, problem))
            case Undecoded():
                self._did_not_fit(event)
            case Associated():
                self._opened()
            case AssociationRequested():
                self._requested(event)
            case Refused():
                names = acse.DIAGNOSTICS.get(event.source, {})
                why = f"{acse.RESULTS.get(event.result, event.result)}, {names.get(event.diagnostic, event.diagnostic)}"
                self._observer.refused(self, f"association refused: {why}")
                self.close(f"association refused: {why}")
            case Aborted():
                source = acse.ABORT_SOURCES.get(event.source, event.source)
                why = f"({source})" if event.diagnostic is None else f"({source}, {event.diagnostic})"
                self.close(f"association aborted by the peer {why}")
            case Released():
                if self._association.state is State.RELEASE_REQUESTED:
                    self._write(self._association.confirm_release())
                self.close("association released by the peer")
            case Closed():
                self.close("closed by the peer")

    def _requested(self, event: AssociationRequested) -> None:
        refusal = self._admit(event.aarq) if self._admit is not None else None
        if refusal is None:
            self._write(self._association.accept())
            self._opened()
        else:
            self._write(self._association.refuse(*refusal))
            self.close("association refused by us")

    def _opened(self) -> None:
        if self._associating is not None and self._associating.active():
            self._associating.cancel()
        self._observer.associated(self)

    def _did_not_fit(self, event: Undecoded) -> None:
        if (event.apdu, event.operation) not in self._undecoded:
            self._undecoded.add((event.apdu, event.operation))
            self.log.warn(
                "{apdu} of {operation} does not fit its declaration ({reason}): {octets}",
                apdu=event.apdu,
                operation=event.operation,
                reason=event.reason,
                octets=event.octets.hex(),
            )
        if event.invoke_id is None:
            return
        if event.apdu == "returnError":
            # A refusal all the same: only its reason can't be read.
            self._settle(event.invoke_id, lambda operation: RequestFailed(operation, "unreadable", event.reason))
        elif event.apdu == "returnResult":
            why = f"the answer does not fit its declaration ({event.reason})"
            self._settle(event.invoke_id, lambda operation: AnswerUnreadable(operation, why))
        elif event.operation == "systemStatus" and self._role is Role.CLIENT:
            self.respond(event.invoke_id, event.operation)  # left unanswered the switch would give us up
        elif is_answered(event.operation):
            self.reject(event.invoke_id, MISTYPED_ARGUMENT)

    # Requests

    def _answered(self, invoke_id: int, result: Any) -> None:
        waiting = self._waiting.pop(invoke_id, None)
        if waiting is not None:  # else: too late, or the answer to a notify
            _, deferred, timer = waiting
            timer.cancel()
            deferred.callback(result)

    def _settle(self, invoke_id: int, error: Callable[[str], RequestError]) -> None:
        waiting = self._waiting.pop(invoke_id, None)
        if waiting is not None:
            operation, deferred, timer = waiting
            if timer.active():
                timer.cancel()
            deferred.errback(error(operation))

    def _timed_out(self, invoke_id: int) -> None:
        self._association.forget(invoke_id)
        self._settle(invoke_id, lambda operation: RequestTimedOut(operation, self._request_timeout_s))

    def _cancelled(self, invoke_id: int) -> None:
        waiting = self._waiting.pop(invoke_id, None)
        if waiting is not None:
            self._association.forget(invoke_id)
            waiting[2].cancel()

    # The connection

    def _write(self, octets: bytes) -> None:
        if self.transport is not None:
            self.transport.write(octets)

    def _not_associated(self) -> None:
        self._drop(f"no association in {self._associate_timeout_s:g} s")

    def _silent(self) -> None:
        self._drop(f"nothing heard for {self._silence_limit_s:g} s")

    def _drop(self, reason: str) -> None:
        """Cut the connection at once: the peer may not read any more, so there is no waiting for what is unsent."""
        if self._reason or self._gone:
            return
        self._reason = reason
        self._stop_timers()
        self.log.warn("link dropped: {reason}", reason=reason)
        cut = getattr(self.transport, "abortConnection", None)  # TCP has it, a serial line does not
        if cut is not None:
            cut()
        elif self.transport is not None:
            self.transport.loseConnection()

    def _stop_timers(self) -> None:
        for timer in (self._associating, self._silence):
            if timer is not None and timer.active():
                timer.cancel()
