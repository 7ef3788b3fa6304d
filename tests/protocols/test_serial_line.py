"""The setting that says where a switch is to be reached, and serial lines: pseudo-terminals stand for them."""

from __future__ import annotations

import os
import tty
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.error import ConnectError, NoProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from protocols.serial_line import (
    CONNECT_TIMEOUT_S,
    LINGER_S,
    SerialSetting,
    endpoint_from_setting,
    is_serial,
    serial_from_setting,
)


@pytest.mark.parametrize(
    ("setting", "host", "port"),
    [
        ("tcp:192.168.0.101:33333", "192.168.0.101", 33333),
        (" tcp:127.0.0.1:1 ", "127.0.0.1", 1),
        ("tcp:[fd00::5]:33333", "fd00::5", 33333),
    ],
)
def test_addresses_are_connected_to_directly(setting: str, host: str, port: int) -> None:
    reactor = MemoryReactorClock()
    endpoint_from_setting(reactor, setting).connect(Factory()).addErrback(lambda _: None)
    assert reactor.tcpClients[0][:2] == (host, port)
    assert reactor.tcpClients[0][3] == CONNECT_TIMEOUT_S


def test_a_name_is_accepted() -> None:
    assert "pbx.example" in repr(endpoint_from_setting(MemoryReactorClock(), "tcp:pbx.example:33333"))


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("", "expected tcp:host:port"),
        ("192.168.0.101:33333", "expected tcp:host:port"),
        ("udp:host:1", "expected tcp:host:port"),
        ("tcp:33333", "expected tcp:host:port"),
        ("tcp::33333", "expected tcp:host:port"),
        ("tcp:host:", "'' is no TCP port"),
        ("tcp:host:0", "'0' is no TCP port"),
        ("tcp:host:65536", "'65536' is no TCP port"),
        ("tcp:host:33 333", "'33 333' is no TCP port"),
        ("tcp:fd00::5:33333", "stands in"),
        ("tcp:[host]:33333", "'host' is no IPv6 address"),
        ("serial:", "expected serial:/dev/"),
        ("serial:?baud=9600", "expected serial:/dev/"),
        ("serial:/dev/ttyUSB0?speed=9600", "unknown option 'speed'; known are baud, bytesize, parity, stopbits"),
        ("serial:/dev/ttyUSB0?baud=fast", "baud can't be 'fast'; a speed from 50"),
        ("serial:/dev/ttyUSB0?baud", "baud can't be ''"),
        ("serial:/dev/ttyUSB0?baud=1&baud=2", "baud can't be '1'"),
        ("serial:/dev/ttyUSB0?baud=9600&baud=9600", "option baud stands there twice"),
        ("serial:/dev/ttyUSB0?bytesize=9", "bytesize can't be '9'; 5, 6, 7 or 8"),
        ("serial:/dev/ttyUSB0?parity=some", "parity can't be 'some'; none, even, odd"),
        ("serial:/dev/ttyUSB0?stopbits=3", "stopbits can't be '3'"),
        ("serial:/dev/ttyUSB0?rtscts=maybe", "rtscts can't be 'maybe'; on or off"),
        ("serial:/dev/ttyUSB0?xonxoff=2", "xonxoff can't be '2'"),
    ],
)
def test_what_is_wrong_is_said_with_the_setting(setting: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        endpoint_from_setting(MemoryReactorClock(), setting)
    assert repr(setting) in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("serial:/dev/ttyUSB0", SerialSetting("/dev/ttyUSB0")),
        (" serial:COM3?baud=115200 ", SerialSetting("COM3", 115200)),
        (
            "serial:/dev/ttyS0?baud=1200&bytesize=7&parity=Even&stopbits=2&rtscts=on&xonxoff=yes",
            SerialSetting("/dev/ttyS0", 1200, 7, "E", 2, True, True),
        ),
    ],
)
def test_a_serial_line_and_its_options(setting: str, expected: SerialSetting) -> None:
    assert is_serial(setting)
    assert serial_from_setting(setting) == expected


def test_what_lets_every_octet_through() -> None:
    assert SerialSetting("x").transparent
    assert SerialSetting("x", rtscts=True, parity="E").transparent
    assert not SerialSetting("x", bytesize=7).transparent
    assert not SerialSetting("x", xonxoff=True).transparent
    assert not is_serial("tcp:host:1")


# Lines


class Descriptors(MemoryReactorClock):
    """The readers and writers of a reactor, looked after by hand."""

    def turn(self, selectable: Any, what: str) -> None:
        """As select reactors do when a descriptor is ready."""
        why = getattr(selectable, what)()
        if why is not None:
            self.removeReader(selectable)
            self.removeWriter(selectable)
            selectable.connectionLost(Failure(why))


class Ear(Protocol):
    def __init__(self) -> None:
        self.heard = b""
        self.lost: list[str] = []

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost.append(reason.type.__name__)


class Line:
    """A pseudo-terminal: we have the far end of it as a descriptor, the near one is opened by the endpoint."""

    def __init__(self) -> None:
        self.far, self.near = os.openpty()
        tty.setraw(self.near)
        os.set_blocking(self.far, False)
        self.device = os.ttyname(self.near)
        self.reactor = Descriptors()
        self.ear = Ear()
        self.open = {self.far, self.near}

    def connect(self, options: str = "baud=115200") -> list[Any]:
        factory = Factory.forProtocol(lambda: self.ear)
        factory.noisy = False
        found: list[Any] = []
        endpoint_from_setting(self.reactor, f"serial:{self.device}?{options}").connect(factory).addBoth(found.append)
        return found

    @property
    def transport(self) -> Any:
        return self.ear.transport

    def close(self, which: int) -> None:
        self.open.discard(which)
        os.close(which)


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    for descriptor in list(line.open):
        line.close(descriptor)
    assert line.reactor.getDelayedCalls() == []
    assert not line.reactor.readers


def test_octets_go_both_ways_as_they_are(line: Line) -> None:
    octets = bytes(range(256))
    assert line.connect() == [line.ear]
    os.write(line.far, octets)
    line.reactor.turn(line.transport, "doRead")
    assert line.ear.heard == octets
    line.transport.write(octets)
    line.reactor.turn(line.transport, "doWrite")
    assert os.read(line.far, 1000) == octets
    assert line.transport.getPeer().device == line.device == line.transport.getHost().device
    line.transport.abortConnection()
    line.reactor.advance(0)
    assert line.ear.lost == ["ConnectionAborted"]


def test_what_stood_in_the_line_is_thrown_away(line: Line) -> None:
    os.write(line.far, b"left over from long ago")
    line.connect()
    os.write(line.far, b"new")
    line.reactor.turn(line.transport, "doRead")
    assert line.ear.heard == b"new"
    line.transport.abortConnection()
    line.reactor.advance(0)


def test_a_line_that_is_pulled_out_is_lost(line: Line) -> None:
    line.connect()
    line.close(line.near)
    line.close(line.far)
    line.reactor.turn(line.transport, "doRead")
    assert line.ear.lost == ["ConnectionLost"]
    line.transport.loseConnection()
    line.transport.abortConnection()
    assert line.ear.lost == ["ConnectionLost"]


def test_closing_in_order_sends_what_was_written(line: Line) -> None:
    line.connect()
    line.transport.write(b"the last word")
    line.transport.loseConnection()
    assert line.ear.lost == []
    line.reactor.turn(line.transport, "doWrite")
    line.reactor.pump([0.02] * 3)
    assert line.ear.lost == ["ConnectionDone"]
    assert os.read(line.far, 100) == b"the last word"


def test_a_line_that_takes_nothing_is_closed_all_the_same(line: Line) -> None:
    """Flow control may hold the last word back for ever."""
    line.connect()
    line.transport.write(b"the last word")
    line.transport.loseConnection()
    line.reactor.advance(LINGER_S - 0.01)
    assert line.ear.lost == []
    line.reactor.advance(0.01)
    assert line.ear.lost == ["ConnectionAborted"]


def test_a_driver_that_holds_octets_back_does_not_hold_us(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    line.connect()
    monkeypatch.setattr(type(line.transport._serial), "out_waiting", 5, raising=False)
    line.transport.write(b"the last word")
    line.transport.loseConnection()
    line.reactor.turn(line.transport, "doWrite")
    line.reactor.pump([0.02] * 10)
    assert line.ear.lost == []
    line.reactor.advance(LINGER_S)
    assert line.ear.lost == ["ConnectionAborted"]


def test_a_line_in_use_and_one_that_is_not_there(line: Line) -> None:
    line.connect()
    other = Line()
    other.close(other.near)
    other.close(other.far)
    other.device = line.device
    for device, why in ((line.device, "can't be opened"), ("/dev/nothing-here", "No such file")):
        other.device = device
        (failure,) = other.connect()
        assert failure.check(ConnectError)
        assert why in str(failure.value)
    line.transport.abortConnection()
    line.reactor.advance(0)


def test_no_protocol_no_line(line: Line) -> None:
    factory = Factory()
    factory.buildProtocol = lambda _: None  # type: ignore[method-assign]
    failures: list[Failure] = []
    endpoint = endpoint_from_setting(line.reactor, f"serial:{line.device}")
    endpoint.connect(factory).addErrback(failures.append)
    assert failures[0].check(NoProtocol)
