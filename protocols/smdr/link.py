"""SMDR over TCP or a serial line, kept up: connects, logs in, reads, and connects again.

The PBX keeps records while nobody reads them and may send some of them again after a reconnect; whoever keeps them must
know a line that it has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from twisted.application.internet import ClientService
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Factory, connectionDone
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer  # type: ignore[import-untyped]

from protocols.serial_line import endpoint_from_setting
from protocols.smdr.login import Credentials, LoggedIn, LoginRefused, Over, Session, SmdrError, SmdrEvent, State
from protocols.smdr.reader import Recorded, Unread
from protocols.smdr.records import Form

CLOSE_TIMEOUT_S = 5.0


class LoginTimedOut(SmdrError):
    """Neither a prompt that we know nor a record came in time."""


class SmdrObserver(Protocol):
    """Told by a link; calls come from the reactor."""

    def smdr_up(self) -> None:
        """Logged in (or the serial line is open); records come when there are any."""

    def smdr_read(self, lines: list[Recorded | Unread]) -> None:
        """One or more lines, in their order."""

    def smdr_down(self, reason: str, refused: bool) -> None:
        """Not connected, or no longer; tried again by itself, slowly when ``refused``. Told at every try."""


@dataclass(frozen=True)
class LinkSettings:
    """``login`` None: no dialogue, records come at once. Times in seconds; a silence of records is never a fault."""

    link: str  # as in serial_line
    form: Form = field(default_factory=Form)
    login: Credentials | None = None
    encoding: str = "latin-1"
    quiet_s: float = 1.0  # no more comes for so long: what stands there is a prompt
    login_timeout_s: float = 30.0
    retry_min_s: float = 1.0
    retry_max_s: float = 60.0
    refused_retry_s: float = 300.0


class SmdrProtocol(TwistedProtocol):
    """One connection. ``today`` gives the day where the PBX is. ``link`` is told of everything."""

    transport: Any

    def __init__(self, settings: LinkSettings, session: Session, clock: Any, today: Callable[[], date], link: SmdrLink):
        self._settings = settings
        self._session = session
        self._clock = clock
        self._today = today
        self._link = link
        self._quiet: Any = None
        self._deadline: Any = None
        self._error: SmdrError | None = None

    def connectionMade(self) -> None:
        keep_alive = getattr(self.transport, "setTcpKeepAlive", None)
        if keep_alive is not None:
            keep_alive(1)  # nights are silent; a PBX that lost its power must still be found out
        if self._session.state is State.RECORDS:
            self._link.up()
        else:
            self._deadline = self._clock.callLater(self._settings.login_timeout_s, self._late)

    def dataReceived(self, data: bytes) -> None:
        if self._error is not None:
            return
        self._carry_out(self._session.receive(data, self._today()))
        self._again_quiet()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        for timer in (self._quiet, self._deadline):
            if timer is not None and timer.active():
                timer.cancel()
        self._carry_out(self._session.end())
        refused = isinstance(self._error, LoginRefused)
        self._link.lost(str(self._error or reason.getErrorMessage()), refused)

    # Within

    def _again_quiet(self) -> None:
        if self._quiet is not None and self._quiet.active():
            self._quiet.cancel()
        if self._error is None and self._session.state is not State.OVER:
            self._quiet = self._clock.callLater(self._settings.quiet_s, self._is_quiet)

    def _is_quiet(self) -> None:
        before = self._session.state
        self._carry_out(self._session.quiet())
        if self._session.state is not before:
            self._again_quiet()  # the answer to the password may be silence

    def _carry_out(self, events: list[SmdrEvent]) -> None:
        lines = []
        for event in events:
            match event:
                case Recorded() | Unread():
                    lines.append(event)
                case LoggedIn():
                    if self._deadline is not None and self._deadline.active():
                        self._deadline.cancel()
                    self._link.up()
                case Over(error):
                    self._give_up(error)
        if lines:
            self._link.read(lines)
        to_send = self._session.to_send()
        if to_send and self._error is None:
            self.transport.write(to_send)

    def _late(self) -> None:
        self._give_up(LoginTimedOut(f"no answer in {self._settings.login_timeout_s:g} s: {self._session.state.value}"))

    def _give_up(self, error: SmdrError) -> None:
        if self._error is None:
            self._error = error
            self.transport.loseConnection()


@implementer(IStreamClientEndpoint)
class _Watched:
    """An endpoint of which we hear when it can't be connected: ClientService keeps that to itself."""

    def __init__(self, endpoint: Any, failed: Callable[[Failure], Failure]) -> None:
        self._endpoint = endpoint
        self._failed = failed

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        connecting: Deferred[Any] = self._endpoint.connect(factory)
        return connecting.addErrback(self._failed)


class SmdrLink:
    """From ``start`` to ``stop``. ``endpoint``: instead of the one that the setting names, for tests."""

    log = Logger()

    def __init__(
        self,
        settings: LinkSettings,
        reactor: Any,
        observer: SmdrObserver,
        today: Callable[[], date],
        endpoint: Any = None,
    ) -> None:
        self._settings = settings
        self._reactor = reactor
        self._observer = observer
        self._today = today
        self._endpoint = endpoint or endpoint_from_setting(reactor, settings.link)
        self._service: ClientService | None = None
        self._protocol: SmdrProtocol | None = None
        self._failures = 0  # since records could be read last
        self._refused = False
        #: What has been found out about the form outlasts a connection.
        self.session = self._new_session()

    def start(self) -> None:
        """Begin connecting; keeps trying until ``stop``."""
        factory: Any = Factory.forProtocol(self._build)
        factory.noisy = False
        watched: Any = _Watched(self._endpoint, self._not_connected)
        self._service = ClientService(watched, factory, retryPolicy=self._delay_s, clock=self._reactor)
        self._service.startService()

    def stop(self) -> Deferred[None]:
        """Close; fires when the connection is gone and nothing will connect again."""
        service, self._service = self._service, None
        if service is None:
            return succeed(None)

        def cut() -> None:
            abort = getattr(self._protocol.transport, "abortConnection", None) if self._protocol is not None else None
            if abort is not None:
                abort()

        timer = self._reactor.callLater(CLOSE_TIMEOUT_S, cut)

        def stopped(_: object) -> None:
            if timer.active():
                timer.cancel()

        return service.stopService().addCallback(stopped)

    # What the protocol tells

    def up(self) -> None:
        self._refused = False
        self._observer.smdr_up()

    def read(self, lines: list[Recorded | Unread]) -> None:
        if any(isinstance(line, Recorded) for line in lines):
            self._failures = 0
        self._observer.smdr_read(lines)

    def lost(self, reason: str, refused: bool) -> None:
        self._protocol = None
        self._failures += 1
        self._refused = refused
        if self._service is not None:
            self._observer.smdr_down(reason, refused)

    # Within

    def _new_session(self) -> Session:
        return Session(self._settings.form, self._settings.login, self._settings.encoding)

    def _build(self) -> SmdrProtocol:
        decoder = self.session.reader.decoder
        self.session = self._new_session()
        self.session.reader.decoder = decoder
        self._protocol = SmdrProtocol(self._settings, self.session, self._reactor, self._today, self)
        return self._protocol

    def _not_connected(self, failure: Failure) -> Failure:
        self._failures += 1
        self._refused = False
        if self._service is not None:
            self._observer.smdr_down(f"{self._settings.link}: {failure.getErrorMessage()}", False)
        return failure

    def _delay_s(self, failed_attempts: int) -> float:
        if self._refused:
            return self._settings.refused_retry_s
        doublings = min(max(failed_attempts, self._failures) - 1, 16)
        return min(self._settings.retry_min_s * 2.0 ** max(doublings, 0), self._settings.retry_max_s)
