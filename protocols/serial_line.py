"""One syntax for where a switch is to be reached, over TCP or a serial line.

tcp:192.168.0.101:33333    tcp:pbx.example:33333    tcp:[fd00::5]:33333
serial:/dev/ttyUSB0?baud=115200&rtscts=on    serial:COM3

Options of a serial line: ``baud`` 9600, ``bytesize`` 8, ``parity`` none, ``stopbits`` 1, ``rtscts``, ``xonxoff`` off.

No manual and no client shows CSTA of these PBXes on RS-232C (third-party CTI is LAN, or USB on KX-TDA): CSTA over a
serial line is a convention of ours, the very frames of TCP on a line that carries any octet as it is (a serial-to-TCP
device server, USB-CDC, a tunnel). SMDR on RS-232C is documented; its text bears XON/XOFF and 7 bits as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, cast

import serial
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.error import ConnectError, ConnectionAborted, ConnectionDone, ConnectionLost, NoProtocol
from twisted.internet.interfaces import IAddress, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.serialport import SerialPort
from twisted.python.failure import Failure
from zope.interface import implementer  # type: ignore[import-untyped]

CONNECT_TIMEOUT_S = 10.0
#: What was written before the line is closed has so long to leave, flow control willing; then it is thrown away.
LINGER_S = 1.0
DRAIN_POLL_S = 0.02

# Twisted says nothing of their types.
_SerialPort: Any = SerialPort
_Failure: Any = Failure

TCP, SERIAL = "tcp", "serial"
FORMS = "expected tcp:host:port or serial:/dev/...?baud=..."
PARITIES = {"none": "N", "n": "N", "even": "E", "e": "E", "odd": "O", "o": "O", "mark": "M", "space": "S"}
FLAGS = {"on": True, "yes": True, "true": True, "1": True, "off": False, "no": False, "false": False, "0": False}


@dataclass(frozen=True)
class SerialSetting:
    """A serial line and how it is set."""

    device: str
    baud: int = 9600
    bytesize: int = 8
    parity: str = "N"
    stopbits: float = 1
    rtscts: bool = False
    xonxoff: bool = False

    @property
    def transparent(self) -> bool:
        """Whether every octet gets through as it is: 8 bits, and none of them taken for flow control."""
        return self.bytesize == 8 and not self.xonxoff


def is_serial(setting: str) -> bool:
    """Whether a setting names a serial line (which has no connections of its own)."""
    return setting.strip().partition(":")[0] == SERIAL


def serial_from_setting(setting: str) -> SerialSetting:
    """Read ``serial:DEVICE?option=value&...``; ValueError quotes the setting and names the option that is wrong."""
    _, _, where = setting.strip().partition(":")
    device, _, query = where.partition("?")
    if not is_serial(setting) or not device:
        raise ValueError(f"{setting!r}: expected serial:/dev/...?baud=...")
    known = tuple(field.name for field in fields(SerialSetting) if field.name != "device")
    given: dict[str, Any] = {}
    for pair in filter(None, query.split("&")):
        name, _, text = pair.partition("=")
        if name not in known:
            raise ValueError(f"{setting!r}: unknown option {name!r}; known are {', '.join(known)}")
        if name in given:
            raise ValueError(f"{setting!r}: option {name} stands there twice")
        try:
            given[name] = OPTIONS[name](text.lower())
        except (KeyError, ValueError):
            raise ValueError(f"{setting!r}: {name} can't be {text!r}; {MEANINGS[name]}") from None
    return SerialSetting(device, **given)


def _one_of(choices: Mapping[str, Any], text: str) -> Any:
    return choices[text]


def _baud(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 50 <= int(text) <= 4_000_000):
        raise ValueError(text)
    return int(text)


OPTIONS: dict[str, Callable[[str], Any]] = {
    "baud": _baud,
    "bytesize": partial(_one_of, {"5": 5, "6": 6, "7": 7, "8": 8}),
    "parity": partial(_one_of, PARITIES),
    "stopbits": partial(_one_of, {"1": 1, "1.5": 1.5, "2": 2}),
    "rtscts": partial(_one_of, FLAGS),
    "xonxoff": partial(_one_of, FLAGS),
}
MEANINGS = {
    "baud": "a speed from 50 to 4000000",
    "bytesize": "5, 6, 7 or 8",
    "parity": "none, even, odd, mark or space",
    "stopbits": "1, 1.5 or 2",
    "rtscts": "on or off",
    "xonxoff": "on or off",
}


def endpoint_from_setting(reactor: Any, setting: str) -> IStreamClientEndpoint:
    """The endpoint that a setting names; ValueError quotes the setting and says what is wrong with it.

    An address is connected to directly; only a name goes through the resolver (and its threads). A serial line is
    opened when it is connected to; either side of a line may be had so, the switch's as well.
    """
    kind, _, where = setting.strip().partition(":")
    if kind == SERIAL:
        return cast(IStreamClientEndpoint, SerialEndpoint(reactor, serial_from_setting(setting)))
    if kind != TCP:
        raise ValueError(f"{setting!r}: {FORMS}")
    host, _, port_text = where.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        if not isIPv6Address(host):
            raise ValueError(f"{setting!r}: {host!r} is no IPv6 address")
    elif ":" in host:
        raise ValueError(f"{setting!r}: expected tcp:host:port (an IPv6 address stands in [ ])")
    if not host:
        raise ValueError(f"{setting!r}: expected tcp:host:port")
    if not (port_text.isascii() and port_text.isdigit() and 1 <= int(port_text) <= 65535):
        raise ValueError(f"{setting!r}: {port_text!r} is no TCP port (1-65535)")
    port = int(port_text)
    kind_of_host: Any = HostnameEndpoint
    if isIPAddress(host):
        kind_of_host = TCP4ClientEndpoint
    elif isIPv6Address(host):
        kind_of_host = TCP6ClientEndpoint
    return cast(IStreamClientEndpoint, kind_of_host(reactor, host, port, timeout=CONNECT_TIMEOUT_S))


@implementer(IAddress)
@dataclass(frozen=True)
class SerialAddress:
    """The address of whoever is at the other end: all that is known is our device."""

    device: str


class SerialTransport(_SerialPort):  # type: ignore[misc]
    """Twisted's serial port, opened for us alone, that can be cut and never blocks the reactor when it is closed.

    Octets that came before it was opened are thrown away. A line that goes away (unplugged: EIO, or end of file) ends
    in ``connectionLost``.
    """

    # A second program on the same line would take every other octet.
    _serialFactory = staticmethod(partial(serial.Serial, exclusive=True))

    _lingering: Any = None
    _postponed: Any = None
    _over = False

    def loseConnection(self, *args: Any) -> None:
        """Close when all is written, or LINGER_S later: flow control may hold it back for ever."""
        if not self._over and self._lingering is None:
            self._lingering = self.reactor.callLater(LINGER_S, self._cut)
            super().loseConnection(*args)

    def abortConnection(self) -> None:
        """Close at once; what was not written is lost."""
        if not self._over:
            self.stopReading()
            self.stopWriting()
            self._postpone(0, _Failure(ConnectionAborted()))

    def _cut(self) -> None:
        self.connectionLost(_Failure(ConnectionAborted()))

    def _postpone(self, seconds: float, reason: Failure) -> None:
        if self._postponed is None or not self._postponed.active():
            self._postponed = self.reactor.callLater(seconds, self.connectionLost, reason)

    def connectionLost(self, reason: Any) -> None:
        if self._over:
            return
        in_order = self._lingering is not None and reason.check(ConnectionDone)
        if in_order and self._quietly(lambda: self._serial.out_waiting):
            self._postpone(DRAIN_POLL_S, reason)
            return
        if self._lingering is None and reason.check(ConnectionDone):
            reason = _Failure(ConnectionLost())  # a line never ends of itself: end of file is a plug pulled out
        self._over = True
        for timer in (self._lingering, self._postponed):
            if timer is not None and timer.active():
                timer.cancel()
        if not in_order:
            # close() waits for what the driver still holds, up to 30 s (closing_wait), and we with it.
            self._quietly(self._serial.reset_output_buffer)
        self.stopReading()
        self.stopWriting()
        super().connectionLost(reason)

    @staticmethod
    def _quietly(ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except Exception:  # termios.error is no OSError: the line is gone, nothing waits on it
            return None

    def getPeer(self) -> IAddress:
        return cast(IAddress, SerialAddress(str(self._serial.port)))

    def getHost(self) -> IAddress:
        return cast(IAddress, SerialAddress(str(self._serial.port)))


@implementer(IStreamClientEndpoint)
class SerialEndpoint:
    """A serial line as a stream endpoint: opened by ``connect``, closed by its transport's ``loseConnection``."""

    def __init__(self, reactor: Any, setting: SerialSetting) -> None:
        self._reactor = reactor
        self._setting = setting

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """Fires with the protocol; ConnectError when the line can't be opened (missing, in use, no right)."""
        setting, made_by = self._setting, cast(Any, factory)
        made_by.doStart()
        protocol = made_by.buildProtocol(SerialAddress(setting.device))
        if protocol is None:
            made_by.doStop()
            return fail(NoProtocol())
        try:
            SerialTransport(
                protocol,
                setting.device,
                self._reactor,
                baudrate=setting.baud,
                bytesize=setting.bytesize,
                parity=setting.parity,
                stopbits=setting.stopbits,
                xonxoff=setting.xonxoff,
                rtscts=setting.rtscts,
            )
        except (OSError, ValueError) as error:  # SerialException is an OSError
            made_by.doStop()
            unable: Any = ConnectError
            return fail(unable(string=f"{setting.device} can't be opened: {error}"))
        return succeed(protocol)
