"""Client transactions (RFC 3261 section 17.1): the tables of ``transactions`` with a request and a destination."""

from __future__ import annotations

from collections.abc import Callable

from . import messages
from .core import Core, Hop, is_tcp
from .messages import Request, Response
from .transactions import INITIAL, TABLE, Do, Happening, Kind, State, Timer, next_interval_s, received, running

#: Told why the way to the peer is lost, and whether the request has never left us.
OnLost = Callable[[str, bool, float], None]


class TimedMachine:
    """Runs one machine of ``TABLE``: state and timers. The two kinds of transaction add messages."""

    def __init__(self, core: Core, kind: Kind, reliable: bool = False) -> None:
        self.core = core
        self.kind = kind
        self.reliable = reliable
        self.state = INITIAL[kind]
        self._intervals_s: dict[Timer, float] = {}

    def start_timers(self, now: float) -> None:
        self._enter(self.state, now)

    def happen(self, happening: Happening, now: float) -> bool:
        """False when the table has no such pair: nothing has changed."""
        row = TABLE[self.kind].get((self.state, happening))
        if row is None:
            return False
        actions, state = row
        if state is not self.state:
            self._enter(state, now)
        for action in actions:
            self.act(action, now)
        if state is State.TERMINATED:
            self.forget()
        return True

    def alarm(self, name: str, now: float) -> None:
        timer = Timer(name)
        before = self.state
        self.happen(Happening(name), now)
        if self.state is before and timer in running(self.kind, self.state, self.reliable):
            self._arm(timer, self._interval_s(timer, self._intervals_s[timer]), now)

    def act(self, action: Do, now: float) -> None:
        raise NotImplementedError

    def forget(self) -> None:
        raise NotImplementedError

    def _enter(self, state: State, now: float) -> None:
        self.state = state
        wanted = running(self.kind, state, self.reliable)
        for timer in [timer for timer in self._intervals_s if timer not in wanted]:
            del self._intervals_s[timer]
            self.core.alarms.cancel(self, timer.value)
        for timer in wanted:
            if timer not in self._intervals_s:
                self._arm(timer, self._interval_s(timer, None), now)

    def _interval_s(self, timer: Timer, last_s: float | None) -> float:
        return next_interval_s(self.kind, self.state, timer, last_s, self.reliable)

    def _arm(self, timer: Timer, interval_s: float, now: float) -> None:
        self._intervals_s[timer] = interval_s
        self.core.alarms.set(self, timer.value, now + interval_s)


class ClientTransaction(TimedMachine):
    """One request on its way. ``on_response`` is told every response that counts (retransmitted 2xx to INVITE too),
    ``on_timeout`` that there was none, ``on_lost`` that the way is lost (without it, ``on_timeout``). The request is
    sent at once; its topmost Via is set here."""

    def __init__(
        self,
        core: Core,
        request: Request,
        destination: Hop,
        now: float,
        on_response: Callable[[Response, float], None],
        on_timeout: Callable[[float], None],
        via: str | None = None,
        on_lost: OnLost | None = None,
    ) -> None:
        super().__init__(core, Kind.INVITE_CLIENT if request.method == "INVITE" else Kind.CLIENT, is_tcp(destination))
        self.via = via or core.new_via(destination)
        self.request = messages.with_via(request, self.via)
        self.destination = destination
        self._octets = self.request.octets()
        self._on_response = on_response
        self._on_timeout = on_timeout
        self._on_lost = on_lost
        self._sent = 1
        self._loss = ("", False)
        self._response: Response | None = None
        self.key = (self.request.via.branch, request.method)
        core.clients[self.key] = self
        core.send(self._octets, destination)
        self.start_timers(now)

    def receive(self, response: Response, now: float) -> None:
        self._response = response
        self.happen(received(response.code), now)

    def undelivered(self, octets: bytes, reason: str, now: float) -> None:
        """These octets could not be sent. Where they are the first that we sent, the peer knows nothing of it; a
        repetition that failed is left to the timers."""
        if octets is self._octets and self._sent == 1:
            self._loss = (reason, True)
            self.happen(Happening.LOST, now)

    def connection_lost(self, reason: str, now: float) -> None:
        """The connection that it was sent by is gone."""
        self._loss = (reason, False)
        self.happen(Happening.LOST, now)

    def cancel(self, now: float) -> None:
        """CANCEL this INVITE (9.1): the very same Request-URI, Via, From, To, Call-ID, Route and CSeq number."""
        names = ("Max-Forwards", "From", "To", "Call-ID", "Route")
        pairs = [(name, value) for name in names for value in self.request.headers.getlist(name)]
        pairs.append(("CSeq", f"{self.request.cseq.sequence} CANCEL"))
        request = Request("CANCEL", self.request.uri, messages.make_headers(pairs))
        # What becomes of the call is told by the final response to the INVITE, not by that to the CANCEL.
        ClientTransaction(self.core, request, self.destination, now, _no_response, _no_timeout, via=self.via)

    def abandon(self) -> None:
        """Forget the transaction without a final response: a cancelled INVITE that nobody answers (9.1)."""
        for timer in running(self.kind, self.state, self.reliable):
            self.core.alarms.cancel(self, timer.value)
        self.state = State.TERMINATED
        self.forget()

    def act(self, action: Do, now: float) -> None:
        if action is Do.SEND:
            self._sent += 1
            self.core.send(self._octets, self.destination)
        elif action is Do.LOSE and self._on_lost is not None:
            self._on_lost(*self._loss, now)
        elif action is Do.LOSE or action is Do.TIME_OUT:
            self._on_timeout(now)
        elif self._response is not None:
            if action is Do.ACK:
                self.core.send(self._ack(self._response), self.destination)
            else:
                self._on_response(self._response, now)

    def forget(self) -> None:
        if self.core.clients.get(self.key) is self:
            del self.core.clients[self.key]

    def _ack(self, response: Response) -> bytes:
        """ACK for a final response other than 2xx (17.1.1.3): the INVITE's own branch, To of the response."""
        names = ("Max-Forwards", "From", "Call-ID", "Route")
        pairs = [(name, value) for name in names for value in self.request.headers.getlist(name)]
        pairs += [("To", response.to_address.text), ("CSeq", f"{self.request.cseq.sequence} ACK")]
        return messages.with_via(Request("ACK", self.request.uri, messages.make_headers(pairs)), self.via).octets()


def _no_response(response: Response, now: float) -> None:
    """For requests whose answer changes nothing."""


def _no_timeout(now: float) -> None:
    """For requests whose answer changes nothing."""
