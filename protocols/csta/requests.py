"""The requests of one link: queued within a window and a rate, each ended exactly once, by its answer or a typed error.

A request that waits in the queue has not left: cancelling its Deferred takes it back for good. Its time-out counts from
when it was sent. Clearing calls goes first, new calls go last, all else in between in the order in which it was asked.
The window holds back all but the first of these: a switch that answers nothing must not keep a call up that is over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.defer import CancelledError, Deferred

from protocols import rose
from protocols.csta.association import Association, Prepared
from protocols.csta.causes import retry_may_help
from protocols.csta.losses import Loss
from protocols.errors import LocalProtocolError

#: Lowest first. What is not named is ORDINARY.
PRIORITIES = {"clearConnection": 0, "clearCall": 0, "requestSysStat": 0, "makeCall": 2, "makePredictiveCall": 2}
URGENT, ORDINARY = 0, 1
#: Rejects that are about the moment: the same request, with another id, may be understood. All others are final.
RETRY_REJECTS = frozenset({("invoke", 0), ("invoke", 3), ("invoke", 4)})  # duplicate id, no resource, releasing


class RequestError(Exception):
    """A request did not get its result.

    ``retry``: the same request may succeed later. ``sent``: it had left for the switch; False is a promise that the
    switch has never heard of it.
    """

    def __init__(self, text: str, operation: str, *, retry: bool, sent: bool = True) -> None:
        super().__init__(text)
        self.operation = operation
        self.retry = retry
        self.sent = sent


class RequestFailed(RequestError):
    """The switch said no: UniversalFailure ``category`` and ``value`` (value None for ``unspecified``)."""

    def __init__(self, operation: str, category: str, value: Any) -> None:
        text = f"{operation}: {category}" if value is None else f"{operation}: {category} {value}"
        super().__init__(text, operation, retry=retry_may_help(category))
        self.category = category
        self.value = value


class RequestRejected(RequestError):
    """The switch could make nothing of the request (ROSE Reject): nothing was done."""

    def __init__(self, operation: str, problem: str, *, retry: bool = False) -> None:
        super().__init__(f"{operation}: {problem}", operation, retry=retry)
        self.problem = problem

    @classmethod
    def of(cls, operation: str, problem: tuple[str, int]) -> RequestRejected:
        return cls(operation, rose.problem_text(problem), retry=problem in RETRY_REJECTS)


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
    """The link went away (or was not up). Unless ``sent`` is False it is not known whether the switch acted on it."""

    def __init__(self, operation: str, reason: str, *, sent: bool = True, why: Loss | None = None) -> None:
        super().__init__(f"{operation}: {reason}", operation, retry=True, sent=sent)
        self.reason = reason
        self.why = why


class RequestWithdrawn(RequestError, CancelledError):
    """Its owner cancelled it; ``sent`` says whether the switch may have it all the same."""

    def __init__(self, operation: str, *, sent: bool) -> None:
        super().__init__(f"{operation}: withdrawn", operation, retry=False, sent=sent)


class Timer(Protocol):
    """What ``callLater`` gives (Timer)."""

    def active(self) -> bool: ...
    def cancel(self) -> None: ...
    def reset(self, secondsFromNow: float, /) -> None: ...


class Clock(Protocol):
    """The reactor, or ``twisted.internet.task.Clock`` in tests (IReactorTime)."""

    def seconds(self) -> float: ...
    def callLater(self, delay: float, callable: Callable[..., object], /, *args: object) -> Timer: ...


class Bucket:
    """A token bucket: ``burst`` at once, then ``per_s`` a second. ``per_s`` 0: no limit."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._per_s = per_s
        self._burst = max(burst, 1)
        self._tokens = float(self._burst)
        self._at_s: float | None = None

    def wait_s(self, now_s: float) -> float:
        """How long until the next may go; 0: now."""
        if not self._per_s:
            return 0.0
        if self._at_s is not None:
            self._tokens = min(self._tokens + max(now_s - self._at_s, 0.0) * self._per_s, self._burst)
        self._at_s = now_s
        # A little less than a whole one counts: the sum of many small times is never quite it.
        return 0.0 if self._tokens > 0.999 else (1.0 - self._tokens) / self._per_s

    def take(self) -> None:
        self._tokens -= 1.0


@dataclass(eq=False)
class _Request:
    operation: str
    prepared: Prepared
    answer: Deferred[Any]
    timer: Timer | None = None


class Requests:
    """``window``: how many may wait for their answers at a time, the urgent ones not held back by it; None: any number.

    ``write`` takes octets to send.
    """

    def __init__(
        self,
        association: Association,
        clock: Clock,
        write: Callable[[bytes], None],
        timeout_s: float,
        window: int | None = None,
        per_s: float = 0.0,
        burst: int = 1,
    ) -> None:
        self._association = association
        self._clock = clock
        self._write = write
        self._timeout_s = timeout_s
        self._window = window
        self._bucket = Bucket(per_s, burst)
        self._queue: dict[int, deque[_Request]] = {}
        self._sent: dict[int, _Request] = {}
        self._later: Timer | None = None
        self._over = False

    @property
    def queued(self) -> int:
        """How many have not left yet."""
        return sum(map(len, self._queue.values()))

    def ask(self, operation: str, argument: Any) -> Deferred[Any]:
        """Queue a request, or send it at once; LocalProtocolError when it can't be sent at all."""
        prepared = self._association.prepare(operation, argument)
        request = _Request(operation, prepared, Deferred(lambda _: self._cancelled(request)))
        priority = PRIORITIES.get(operation, ORDINARY)
        self._queue.setdefault(priority, deque()).append(request)
        self._send_next()
        return request.answer

    def withdraw(self, answer: Deferred[Any]) -> bool:
        """Take back a request that is still queued (its Deferred fails with RequestWithdrawn); False: it has left."""
        for waiting in self._queue.values():
            for request in waiting:
                if request.answer is answer:
                    answer.cancel()
                    return True
        return False

    def answered(self, invoke_id: int, result: Any) -> None:
        """The result came; one that is too late, or to a notice, is let go."""
        request = self._taken(invoke_id)
        if request is not None:
            request.answer.callback(result)
        self._send_next()

    def failed(self, invoke_id: int, error: Callable[[str], RequestError]) -> None:
        """It did not get its result; ``error`` makes the reason from the operation's name."""
        request = self._taken(invoke_id)
        if request is not None:
            request.answer.errback(error(request.operation))
        self._send_next()

    def hold(self) -> None:
        """The link is being closed: what is queued stays there until ``lost``, whatever makes room for it."""
        self._over = True
        if self._later is not None and self._later.active():
            self._later.cancel()

    def lost(self, error: Callable[[str, bool], RequestError]) -> None:
        """The link is gone: everything fails, with the operation's name and whether it had been sent."""
        self.hold()
        unsent = [request for priority in sorted(self._queue) for request in self._queue[priority]]
        self._queue.clear()
        for invoke_id in list(self._sent):
            request = self._taken(invoke_id)
            if request is not None:
                request.answer.errback(error(request.operation, True))
        for request in unsent:
            request.answer.errback(error(request.operation, False))

    # Within

    def _send_next(self) -> None:
        while not self._over and (waiting := self._first()) is not None and self._may_leave():
            request = waiting.popleft()
            self._bucket.take()
            try:
                invoke_id, octets = self._association.send(request.prepared)
            except LocalProtocolError as error:
                request.answer.errback(error)
                continue
            self._sent[invoke_id] = request
            request.timer = self._clock.callLater(self._timeout_s, self._timed_out, invoke_id)
            self._write(octets)

    def _may_leave(self) -> bool:
        if self._later is not None and self._later.active():
            return False
        wait_s = self._bucket.wait_s(self._clock.seconds())
        if wait_s:
            self._later = self._clock.callLater(wait_s, self._send_next)
        return not wait_s

    def _first(self) -> deque[_Request] | None:
        """Where the request stands that goes next, as far as the window lets any."""
        full = self._window is not None and len(self._sent) >= self._window
        for priority in sorted(self._queue):
            if self._queue[priority] and not (full and priority != URGENT):
                return self._queue[priority]
        return None

    def _taken(self, invoke_id: int) -> _Request | None:
        request = self._sent.pop(invoke_id, None)
        if request is not None and request.timer is not None and request.timer.active():
            request.timer.cancel()
        return request

    def _timed_out(self, invoke_id: int) -> None:
        self._association.forget(invoke_id)
        self.failed(invoke_id, lambda operation: RequestTimedOut(operation, self._timeout_s))

    def _cancelled(self, request: _Request) -> None:
        for waiting in self._queue.values():
            if request in waiting:
                waiting.remove(request)
                request.answer.errback(RequestWithdrawn(request.operation, sent=False))
                return
        for invoke_id, sent in list(self._sent.items()):
            if sent is request:
                self._association.forget(invoke_id)
                self._taken(invoke_id)
                request.answer.errback(RequestWithdrawn(request.operation, sent=True))
        self._send_next()
