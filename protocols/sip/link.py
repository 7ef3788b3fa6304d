"""The user agent on real sockets: a Twisted protocol that owns the UDP one, the TCP connections, and one timer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.protocol import DatagramProtocol
from twisted.logger import Logger

from protocols.errors import LocalProtocolError

from .carrier import Carrier
from .core import TCP, Hop
from .events import Event
from .registration import Account
from .user_agent import UserAgent

_log = Logger()


class Timer(Protocol):
    """What ``callLater`` returns."""

    def cancel(self) -> None: ...
    def active(self) -> bool: ...


class Clock(Protocol):
    """The part of a reactor that tells the time; ``twisted.internet.task.Clock`` in tests."""

    def seconds(self) -> float: ...
    def callLater(self, delay: float, callable: Callable[..., object], /) -> Timer: ...


class SIPLink(DatagramProtocol):
    """Give it to ``reactor.listenUDP(port, link, interface=host)``, or let it ``listen`` itself and ``stop`` in peace.

    ``make_agent`` is called with the host and port of the socket once it is bound (``advertised_host`` in place of the
    host, for a socket on 0.0.0.0). ``observer`` is called with every event, never from within a command. ``resolve``
    (``reactor.resolve``) finds the address of a host given by name. The commands are those of ``UserAgent``, without
    ``now``.
    """

    noisy = False

    def __init__(
        self,
        make_agent: Callable[[str, int], UserAgent],
        clock: Clock,
        observer: Callable[[Event], None],
        advertised_host: str | None = None,
        resolve: Callable[[str], Deferred[str]] | None = None,
    ) -> None:
        self._make_agent = make_agent
        self._clock = clock
        self._observer = observer
        self._advertised_host = advertised_host
        self._carrier = Carrier(
            clock,
            resolve,
            received=self._received,
            lost=self._connection_lost,
            undelivered=self._undelivered,
        )
        self._agent: UserAgent | None = None
        self._timer: Timer | None = None
        self._events: deque[Event] = deque()
        self._telling = False
        self._listening: Any = None
        self._grace: Timer | None = None
        self._stopped: Deferred[None] | None = None
        self.host = ""
        self.port = 0

    # -- the socket

    def startProtocol(self) -> None:
        udp: Any = self.transport
        self._carrier.use(udp)
        here = udp.getHost()
        self.host, self.port = self._advertised_host or here.host, here.port
        self._agent = self._make_agent(self.host, self.port)

    def stopProtocol(self) -> None:
        """Forget everything, also what stood: ``hang_up`` and ``unregister`` first, and let their answers come."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._agent = None
        self._carrier.use(None)
        self._carrier.close()
        self._events.clear()

    def datagramReceived(self, datagram: bytes, addr: Hop) -> None:
        self.agent.receive_datagram(datagram, (addr[0], addr[1]), self._now())
        self._flush()
        self._tell()

    def listen(self, reactor: Any, host: str, port: int) -> int:
        """Open the socket (port 0: any); returns its port. CannotListenError when it is taken. TCP is opened when the
        first message goes that way."""
        self._carrier.allow_tcp(reactor, host)
        self._listening = reactor.listenUDP(port, self, interface=host)
        return self.port

    def stop(self, grace_s: float = 2.0) -> Deferred[None]:
        """Hang up, unregister, and close the socket when all that is answered, after ``grace_s`` at the latest. For a
        link that was opened by ``listen``; fires when the socket is closed."""
        if self._stopped is None:
            self._stopped = Deferred()
            if self._agent is None:
                self._stopped.callback(None)
            else:
                self._grace = self._clock.callLater(grace_s, self._close)
                self._agent.leave(self._now())
                self._flush()
                self._close_at_rest()
        waiting: Deferred[None] = Deferred()
        self._stopped.addBoth(lambda _: waiting.callback(None))
        return waiting

    @property
    def agent(self) -> UserAgent:
        """LocalProtocolError while the socket is not open."""
        if self._agent is None:
            raise LocalProtocolError("the SIP socket is not open")
        return self._agent

    # -- commands

    def register(self, account: Account) -> None:
        self.agent.register(account, self._now())
        self._flush()

    def unregister(self, key: str) -> None:
        self.agent.unregister(key, self._now())
        self._flush()

    def invite(
        self,
        target_uri: str,
        *,
        from_user: str,
        destination: Hop,
        sdp: bytes,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        credentials: Account | None = None,
        identity: str = "",
        session_expires_s: int | None = None,
    ) -> str:
        call = self.agent.invite(
            target_uri,
            from_user=from_user,
            destination=destination,
            sdp=sdp,
            headers=headers,
            credentials=credentials,
            identity=identity,
            session_expires_s=session_expires_s,
            now=self._now(),
        )
        self._flush()
        return call

    def ring(self, call: str) -> None:
        self.agent.ring(call, self._now())
        self._flush()

    def answer(self, call: str, sdp: bytes) -> None:
        self.agent.answer(call, sdp, self._now())
        self._flush()

    def refuse(self, call: str, code: int) -> None:
        self.agent.refuse(call, code, self._now())
        self._flush()

    def hang_up(self, call: str) -> None:
        self.agent.hang_up(call, self._now())
        self._flush()

    def answer_offer(self, call: str, sdp: bytes) -> None:
        self.agent.answer_offer(call, sdp, self._now())
        self._flush()

    def refuse_offer(self, call: str, code: int) -> None:
        self.agent.refuse_offer(call, code, self._now())
        self._flush()

    def reoffer(self, call: str, sdp: bytes) -> None:
        self.agent.reoffer(call, sdp, self._now())
        self._flush()

    def refer(self, call: str, target_uri: str, credentials: Account | None = None) -> None:
        self.agent.refer(call, target_uri, credentials, self._now())
        self._flush()

    # -- inside

    def _now(self) -> float:
        return self._clock.seconds()

    def _wake(self) -> None:
        self._timer = None
        self.agent.advance(self._now())
        self._flush()
        self._tell()

    def _flush(self) -> None:
        """Send what waits, take over the events and set the timer anew."""
        agent = self.agent
        while waiting := agent.datagrams_to_send():
            for octets, hop in waiting:
                self._carrier.send(octets, hop)
        while (event := agent.next_event()) is not None:
            self._events.append(event)
        # Events of a command are told by the timer, so that an observer is never called by his own command.
        due_at = self._now() if self._events and not self._telling else agent.next_timeout()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due_at is not None:
            self._timer = self._clock.callLater(max(0.0, due_at - self._now()), self._wake)

    def _tell(self) -> None:
        """Tell the events, and those that come of commands given meanwhile."""
        if self._telling:
            return
        self._telling = True
        try:
            while self._events:
                event = self._events.popleft()
                try:
                    self._observer(event)
                except Exception:
                    # One call's mistake must not silence the others.
                    _log.failure("while telling {event}", event=event)
        finally:
            self._telling = False
        if self._agent is not None:
            self._flush()
            self._close_at_rest()

    def _close_at_rest(self) -> None:
        # The last events are told before the socket closes.
        if self._stopped is not None and not self._events and self.agent.at_rest:
            self._close()

    def _close(self) -> None:
        listening, self._listening = self._listening, None
        grace, self._grace = self._grace, None
        if grace is not None and grace.active():
            grace.cancel()
        if listening is not None and self._stopped is not None:
            closing = self._carrier.close().addCallback(lambda _: maybeDeferred(listening.stopListening))
            closing.chainDeferred(self._stopped)

    # -- told by the carrier

    def _received(self, message: bytes, hop: TCP) -> None:
        if self._agent is not None:
            self._agent.receive_datagram(message, hop, self._now())
            self._flush()
            self._tell()

    def _connection_lost(self, hops: Iterable[Hop], reason: str) -> None:
        if self._agent is not None:
            for hop in hops:
                self._agent.connection_lost(hop, reason, self._now())
            self._flush()

    def _undelivered(self, octets: bytes, reason: str) -> None:
        """As good as lost on the way, but its sender need not wait for the timers to find that out."""
        if self._agent is not None:
            self._agent.undelivered(octets, reason, self._now())
            self._flush()
