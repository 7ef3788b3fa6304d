"""An AMI link that stays: connects, logs in, asks, tells the events, and begins again whenever the connection is lost.

Every action ends exactly once: with its answer, or with ActionRefused, RequestTimedOut or LinkLost. When
the link is down no timer of an action is left and every waiting one has failed. The only file of this package that
knows Twisted.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final, Protocol

from twisted.application.internet import ClientService
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, connectionDone
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from protocols.ami.association import (
    ActionFailed,
    Answered,
    Association,
    Broken,
    Happened,
    Listed,
    LoggedIn,
    LoginRefused,
)
from protocols.ami.messages import Event, Response
from protocols.errors import LocalProtocolError

#: A connection that we close is cut when its peer has not let it go by then.
LINGER_S: Final = 2.0


class Clock(Protocol):
    """The part of a reactor that tells the time; ``twisted.internet.task.Clock`` in tests."""

    def seconds(self) -> float: ...
    def callLater(self, delay: float, callable: Callable[..., Any], *args: Any) -> Any: ...


class RequestError(Exception):
    """An action came to nothing; see the kinds."""


class ActionRefused(RequestError):
    """``Response: Error``: ``message`` is Asterisk's own (``Permission denied``, ``No such channel``)."""

    def __init__(self, action: str, message: str) -> None:
        super().__init__(f"{action}: {message or 'refused without a word'}")
        self.action = action
        self.message = message


class RequestTimedOut(RequestError):
    """No answer in time; whether the action was carried out is not known."""


class LinkLost(RequestError):
    """The link went, or is not up. ``sent`` is False when the action had certainly not left."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


class Owner(Protocol):
    """Told of the link. What it raises is logged and costs nobody anything."""

    def link_up(self, version: str) -> None:
        """Logged in. ``version`` of the manager interface; 11.0.0 is Asterisk 22."""

    def link_down(self, reason: str) -> None:
        """The connection is gone, or could not be made; it is tried again."""

    def link_refused(self, reason: str) -> None:
        """The login was refused; tried again slowly."""

    def event(self, event: Event) -> None:
        """An event that belongs to no list that was asked for."""


class AmiLink:
    """One link to one manager interface, from ``start`` to ``stop``. Times in seconds.

    ``probe_s``: after so long without a word a Ping is sent, after ``silence_limit_s`` the link is given up (0: never).
    ``md5`` False: the secret goes over the wire, for a server without MD5. The delay before a new connection doubles
    from ``retry_min_s`` to ``retry_max_s``, and varies by a fifth, so that several servers don't come at once.
    """

    def __init__(
        self,
        endpoint: IStreamClientEndpoint,
        *,
        username: str,
        secret: str,
        clock: Clock,
        owner: Owner,
        log: Logger | None = None,
        md5: bool = True,
        request_timeout_s: float = 10.0,
        probe_s: float = 10.0,
        silence_limit_s: float = 30.0,
        login_timeout_s: float = 10.0,
        retry_min_s: float = 1.0,
        retry_max_s: float = 30.0,
        refused_retry_s: float = 60.0,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._endpoint = _Watched(endpoint, self._not_connected)
        self._username = username
        self._secret = secret
        self._clock = clock
        self._owner = owner
        self._log = log or Logger()
        self._md5 = md5
        self._request_timeout_s = request_timeout_s
        self.probe_s = probe_s
        self.silence_limit_s = silence_limit_s
        self.login_timeout_s = login_timeout_s
        self._retry_min_s = retry_min_s
        self._retry_max_s = retry_max_s
        self._refused_retry_s = refused_retry_s
        self._jitter = jitter
        self._failures = 0  # connections since the last login
        self._was_refused = False
        self._service: Any = None
        self._connection: _Connection | None = None

    @property
    def is_up(self) -> bool:
        """Logged in; an action would be sent."""
        return self._connection is not None and self._connection.is_up

    def start(self) -> None:
        """Begin connecting; returns at once."""
        if self._service is not None:
            return
        factory: Any = Factory.forProtocol(lambda: _Connection(self, self._clock, self._log))
        factory.noisy = False
        endpoint: Any = self._endpoint
        self._service = ClientService(endpoint, factory, retryPolicy=self._delay_s, clock=self._clock)  # type: ignore[arg-type]
        self._service.startService()

    def stop(self) -> Deferred[None]:
        """Close; fires when the connection is gone and nothing will connect again; ``link_down`` is told before."""
        service, self._service = self._service, None
        if service is None:
            return succeed(None)
        connection = self._connection
        timer = self._clock.callLater(LINGER_S, _cut, connection) if connection is not None else None

        def stopped(_: object) -> None:
            if timer is not None and timer.active():
                timer.cancel()

        gone: Deferred[None] = Deferred()
        stopping: Any = service.stopService()
        (stopping if stopping is not None else succeed(None)).addBoth(stopped).addCallback(gone.callback)
        return gone

    def ask(self, action: str, *headers: tuple[str, str]) -> Deferred[Response]:
        """Send an action; fires with its answer. ActionRefused, RequestTimedOut, LinkLost; LocalProtocolError for a
        value with a line end."""
        return self._ask(action, headers, is_list=False)

    def ask_list(self, action: str, *headers: tuple[str, str]) -> Deferred[list[Event]]:
        """Send an action that is answered by a list; fires with its rows. Errors as ``ask``."""
        return self._ask(action, headers, is_list=True)

    def _ask(self, action: str, headers: tuple[tuple[str, str], ...], *, is_list: bool) -> Deferred[Any]:
        if self._connection is None or not self._connection.is_up:
            return fail(LinkLost(f"{action}: no link to the manager interface", sent=False))
        return self._connection.ask(action, headers, is_list, self._request_timeout_s)

    def _delay_s(self, _: int) -> float:
        if self._was_refused:
            return self._refused_retry_s
        delay_s = min(self._retry_max_s, self._retry_min_s * 2.0 ** min(max(self._failures - 1, 0), 30))
        return delay_s * (0.9 + 0.2 * self._jitter())

    # Told by the endpoint and the connection

    def _not_connected(self, failure: Failure) -> None:
        self._failures += 1
        self._was_refused = False
        if self._service is not None:
            self._tell(self._owner.link_down, f"can't be connected: {failure.getErrorMessage()}")

    def made(self, connection: _Connection) -> Association:
        self._connection = connection
        self._was_refused = False
        return Association(self._username, self._secret, md5=self._md5)

    def logged_in(self, version: str) -> None:
        self._failures = 0
        self._tell(self._owner.link_up, version)

    def happened(self, event: Event) -> None:
        self._tell(self._owner.event, event)

    def refused(self, reason: str) -> None:
        self._was_refused = True
        self._tell(self._owner.link_refused, reason)

    def lost(self, connection: _Connection, reason: str) -> None:
        if self._connection is connection:
            self._connection = None
        if not self._was_refused:
            self._failures += 1
            self._tell(self._owner.link_down, reason)

    def _tell(self, what: Callable[..., None], *args: object) -> None:
        # An owner that fails at one event must not cost the others theirs.
        with self._log.failuresHandled("the owner of an AMI link failed"):
            what(*args)


class _Connection(TwistedProtocol):
    """One connection of the link."""

    transport: Any

    def __init__(self, link: AmiLink, clock: Clock, log: Logger) -> None:
        self._link = link
        self._clock = clock
        self._log = log
        self._association: Association | None = None
        self._waiting: dict[str, tuple[str, Deferred[Any], Any]] = {}  # ActionID -> action, answer, its timer
        self._login_timer: Any = None
        self._silence_timer: Any = None
        self._heard_s = 0.0
        self._reason = ""
        self.is_up = False

    def connectionMade(self) -> None:
        without_delay = getattr(self.transport, "setTcpNoDelay", None)
        if without_delay is not None:
            without_delay(True)  # small actions, each waited for
        self._association = self._link.made(self)
        self._login_timer = self._clock.callLater(
            self._link.login_timeout_s, self._give_up, f"not logged in within {self._link.login_timeout_s:g} s"
        )

    def dataReceived(self, data: bytes) -> None:
        association = self._association
        if association is None or self._reason:
            return
        self._heard_s = self._clock.seconds()
        association.receive_data(data)
        self._flush()
        # Told while another one is: what an owner asks from within an event goes out at once, its answer comes later.
        # An owner may stop the link there: nothing more is told then.
        while self._association is association and (event := association.next_event()) is not None:
            self._take(event)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        why = self._reason or f"the connection was lost: {reason.getErrorMessage()}"
        self._association, self.is_up = None, False
        _stop(self._login_timer)
        _stop(self._silence_timer)
        waiting, self._waiting = self._waiting, {}
        for action, answer, timer in waiting.values():
            _stop(timer)
            answer.errback(LinkLost(f"{action}: {why}", sent=True))
        self._link.lost(self, why)

    def ask(self, action: str, headers: tuple[tuple[str, str], ...], is_list: bool, timeout_s: float) -> Deferred[Any]:
        if self._association is None or self._reason:
            return fail(LinkLost(f"{action}: {self._reason or 'the connection is gone'}", sent=False))
        try:
            action_id = self._association.ask(action, headers, is_list=is_list)
        except LocalProtocolError:
            return fail(Failure())  # type: ignore[no-untyped-call]
        answer: Deferred[Any] = Deferred()
        timer = self._clock.callLater(timeout_s, self._late, action_id, timeout_s)
        self._waiting[action_id] = action, answer, timer
        self._flush()
        return answer

    def abort(self) -> None:
        """Cut it."""
        if self._association is not None and self.transport is not None:
            self.transport.abortConnection()

    def _flush(self) -> None:
        if self._association is not None and self.transport is not None:
            octets = self._association.data_to_send()
            if octets:
                self.transport.write(octets)

    def _take(self, event: object) -> None:
        match event:
            case LoggedIn(version=version):
                _stop(self._login_timer)
                self.is_up = True
                self._watch()
                self._link.logged_in(version)
            case Happened(event=happened):
                self._link.happened(happened)
            case Answered(action_id=action_id, response=response):
                self._ends(action_id, response)
            case Listed(action_id=action_id, events=events):
                self._ends(action_id, list(events))
            case ActionFailed(action_id=action_id, message=message):
                self._ends(action_id, None, message)
            case LoginRefused(reason=reason):
                self._link.refused(reason)
                self._give_up(reason)
            case Broken(reason=reason):
                self._give_up(reason)

    def _ends(self, action_id: str, answer: Any, refusal: str | None = None) -> None:
        action, waiting, timer = self._waiting.pop(action_id, ("", None, None))
        _stop(timer)
        if waiting is not None and refusal is None:
            waiting.callback(answer)
        elif waiting is not None:
            waiting.errback(ActionRefused(action, refusal or ""))

    def _late(self, action_id: str, timeout_s: float) -> None:
        action, answer, _ = self._waiting.pop(action_id)
        if self._association is not None:
            self._association.forget(action_id)
        answer.errback(RequestTimedOut(f"{action}: not answered within {timeout_s:g} s"))

    # Silence

    def _watch(self) -> None:
        probe_s, limit_s = self._link.probe_s, self._link.silence_limit_s
        self._silence_timer = None
        silent_s = self._clock.seconds() - self._heard_s
        if 0 < limit_s <= silent_s:
            self._give_up(f"nothing was heard for {silent_s:.0f} s")
            return
        due = [limit_s - silent_s] if limit_s > 0 else []
        if probe_s > 0 and silent_s >= probe_s:
            self.ask("Ping", (), False, max(limit_s, probe_s)).addErrback(lambda _: None)
            due.append(probe_s)
        elif probe_s > 0:
            due.append(probe_s - silent_s)
        if due:
            self._silence_timer = self._clock.callLater(min(due), self._watch)

    def _give_up(self, reason: str) -> None:
        if not self._reason and self.transport is not None:
            self._reason = reason
            self.is_up = False
            self.transport.abortConnection()


class _Watched:
    """An endpoint of which we hear when it can't be connected, and why: ClientService keeps that to itself."""

    def __init__(self, endpoint: IStreamClientEndpoint, failed: Callable[[Failure], None]) -> None:
        self._endpoint: Any = endpoint
        self._failed = failed

    def connect(self, factory: Any) -> Any:
        def failed(failure: Failure) -> Failure:
            self._failed(failure)
            return failure

        return self._endpoint.connect(factory).addErrback(failed)


def _cut(connection: _Connection | None) -> None:
    if connection is not None:
        connection.abort()


def _stop(timer: Any) -> None:
    if timer is not None and timer.active():
        timer.cancel()
