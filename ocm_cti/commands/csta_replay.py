"""``ocm csta replay``: a recorded session over a live connection, and the comparison as lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol

from protocols.csta.framing import FrameReader, frame
from protocols.csta.recording import Direction, Recorded
from protocols.csta.replay import Exchange, Replay, json_of
from protocols.csta.summary import summary
from protocols.errors import ProtocolError
from protocols.serial_line import endpoint_from_setting

MAX_APDU = 0x63FF
COLUMNS = 62
ABRT = 0x64


class Player(Protocol):
    """One connection: sends what is due, hands on what comes, gives up waiting after ``wait_s`` without a word."""

    def __init__(self, clock: Any, replay: Replay, bare_abort: bool, wait_s: float, say: Callable[[str], None]) -> None:
        self._clock = clock
        self._replay = replay
        self._bare_abort = bare_abort
        self._wait_s = wait_s
        self._say = say
        self._reader = FrameReader(MAX_APDU)
        self._timer: Any = None
        self._over = False
        self.ended: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        self._go_on()

    def dataReceived(self, data: bytes) -> None:
        if self._over:
            return
        self._reader.feed(data)
        try:
            while (apdu := self._reader.next_apdu()) is not None:
                self._replay.receive(apdu)
                self._send_due()
        except ProtocolError as error:
            self._say(f"! the other side sends no frames: {error}")
            self._end(differs=True)
            return
        self._go_on()

    def connectionLost(self, reason: Any = ConnectionDone) -> None:
        if not self._over:
            if not self._replay.finished:
                self._say("! the other side ended the connection")
            self._end()
        self.ended.callback(None)

    def _send_due(self) -> None:
        for apdu in self._replay.due():
            self._write(apdu if self._bare_abort and apdu[0] == ABRT else frame(apdu))

    def _write(self, octets: bytes) -> None:
        transport: Any = self.transport
        transport.write(octets)

    def _go_on(self) -> None:
        self._send_due()
        self._show()
        if self._replay.finished:
            self._end()
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._clock.callLater(self._wait_s, self._too_late)

    def _too_late(self) -> None:
        self._timer = None
        self._replay.give_up()
        self._go_on()

    def _end(self, differs: bool = False) -> None:
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._replay.end()
        self._replay.differences += differs
        self._show()
        transport: Any = self.transport
        transport.loseConnection()

    def _show(self) -> None:
        for exchange in self._replay.take_exchanges():
            self._say(line(exchange))


def line(exchange: Exchange) -> str:
    """Which way, as recorded, as now, what differs."""
    mark = "!" if exchange.difference else " "
    recorded, live = _words(exchange.recorded), _words(exchange.live)
    words = f"{mark} {exchange.direction.value} {_cut(recorded):{COLUMNS}} | {_cut(live):{COLUMNS}}"
    return f"{words}   {exchange.difference}".rstrip()


def _words(apdu: bytes | None) -> str:
    if apdu is None:
        return "-"
    json = json_of(apdu)
    return apdu.hex(" ").upper() if json is None else summary(json)


def _cut(text: str) -> str:
    return text if len(text) <= COLUMNS else text[: COLUMNS - 1] + "…"


class _Players(Factory):
    """Each connection gets the next player; those that come after the last are turned away."""

    noisy = False

    def __init__(self, players: Iterable[Player]) -> None:
        self._players = iter(players)

    def buildProtocol(self, addr: Any) -> Player | None:
        return next(self._players, None)


@inlineCallbacks
def play(
    reactor: Any,
    sessions: list[list[Recorded]],
    setting: str,
    plays: Direction,
    wait_s: float,
    say: Callable[[str], None],
) -> Any:
    """All connections of a recording, one after the other; fires with how many exchanges differ in kind."""
    replays = [Replay(session, plays) for session in sessions]
    bare_abort = plays is Direction.TO_CLIENT
    players = [Player(reactor, replay, bare_abort, wait_s, say) for replay in replays]
    factory = _Players(players)
    port = None
    if plays is Direction.TO_CLIENT:
        port = yield listening(reactor, setting).listen(factory)
        say(f"waiting for a client on {setting}")
    for number, player in enumerate(players, 1):
        if port is None:
            endpoint: Any = endpoint_from_setting(reactor, setting)
            yield endpoint.connect(factory)
        yield player.ended
        if number < len(players):
            say(f"connection {number} of {len(players)} is over")
    if port is not None:
        yield port.stopListening()
    return sum(replay.differences for replay in replays)


def listening(reactor: Any, setting: str) -> Any:
    """The endpoint to listen on; ValueError says what is wrong with the setting."""
    endpoint_from_setting(reactor, setting)
    kind, _, where = setting.strip().partition(":")
    if kind != "tcp":
        raise ValueError(f"{setting!r}: as a switch, only tcp:address:port can be listened on")
    host, _, port = where.rpartition(":")
    address = host.strip("[]")
    factory: Any = TCP6ServerEndpoint if ":" in address else TCP4ServerEndpoint
    return factory(reactor, int(port), interface=address)


def run(sessions: list[list[Recorded]], setting: str, plays: Direction, wait_s: float) -> int:
    """All connections of a recording, one after the other; 0 nothing differs, 1 something does."""
    from twisted.internet import reactor as chosen

    reactor: Any = chosen
    endpoint_from_setting(reactor, setting)
    failures: list[BaseException] = []
    different = 0

    @inlineCallbacks
    def all_of_them() -> Any:
        nonlocal different
        try:
            different = yield play(reactor, sessions, setting, plays, wait_s, click.echo)
        except Exception as error:
            failures.append(error)
        reactor.stop()

    click.echo(f"    {'recorded':{COLUMNS}} | {'now':{COLUMNS}}")
    reactor.callWhenRunning(all_of_them)
    reactor.run()
    if failures:
        raise OSError(f"{setting}: {failures[0]}")
    click.echo("nothing differs in kind" if not different else f"{different} differ in kind")
    return 1 if different else 0
