"""The setting that says where a switch is to be reached."""

from __future__ import annotations

import pytest
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock

from protocols.serial_line import CONNECT_TIMEOUT_S, endpoint_from_setting


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
        ("serial:/dev/ttyUSB0?baud=115200", "serial lines are not supported yet"),
    ],
)
def test_what_is_wrong_is_said_with_the_setting(setting: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        endpoint_from_setting(MemoryReactorClock(), setting)
    assert repr(setting) in str(caught.value)
