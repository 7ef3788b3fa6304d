"""One syntax for where a switch is to be reached, over TCP or (later) a serial line.

tcp:192.168.0.101:33333    tcp:pbx.example:33333    tcp:[fd00::5]:33333
"""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.interfaces import IStreamClientEndpoint

CONNECT_TIMEOUT_S = 10.0


def endpoint_from_setting(reactor: Any, setting: str) -> IStreamClientEndpoint:
    """The endpoint that a setting names; ValueError quotes the setting and says what is wrong with it.

    An address is connected to directly; only a name goes through the resolver (and its threads).
    """
    kind, _, where = setting.strip().partition(":")
    if kind == "serial":
        raise ValueError(f"{setting!r}: serial lines are not supported yet; use tcp:host:port")
    if kind != "tcp":
        raise ValueError(f"{setting!r}: expected tcp:host:port")
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
