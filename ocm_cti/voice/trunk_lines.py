"""The trunks that are open in a voice process: which may be called on, how an INVITE looks, whose calls come in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ocm_cti.voice.commands import DialFailed
from ocm_cti.voice.trunks import Trunk
from protocols.errors import LocalProtocolError, RemoteProtocolError
from protocols.sip import addresses
from protocols.sip.addresses import DEFAULT_PORT, Target
from protocols.sip.core import TCP, Hop
from protocols.sip.user_agent import Account

#: RFC 3323 section 4.1.1.3: the From of who is not to be seen.
ANONYMOUS: Final = "anonymous"
ANONYMOUS_FROM: Final = '"Anonymous" <sip:anonymous@anonymous.invalid>'

_DIALLED: Final = re.compile(r"\+?[0-9*#A-D]{1,64}")
_CALLER: Final = re.compile(r"[+0-9A-Za-z*#._~!\-]{1,64}")


@dataclass(frozen=True)
class Invitation:
    """What SIP is asked for one call on a trunk."""

    target_uri: str
    destination: Hop
    identity: str
    headers: tuple[tuple[str, str], ...]


class TrunkLines:
    """By name. The user agent holds their registrations."""

    def __init__(self) -> None:
        self._open: dict[str, Trunk] = {}
        self._refusals: dict[str, str] = {}  # name -> why it is not registered, "" not yet known

    def __bool__(self) -> bool:
        return bool(self._open)

    def add(self, trunk: Trunk) -> None:
        """Another one of that name is replaced."""
        self._open[trunk.name] = trunk
        if trunk.registers:
            self._refusals[trunk.name] = ""
        else:
            self._refusals.pop(trunk.name, None)

    def remove(self, name: str) -> Trunk | None:
        self._refusals.pop(name, None)
        return self._open.pop(name, None)

    def told(self, name: str, registered: bool, reason: str) -> None:
        """What became of its registration."""
        if registered:
            self._refusals.pop(name, None)
        elif name in self._open:
            self._refusals[name] = reason

    def get(self, name: str) -> Trunk | None:
        return self._open.get(name)

    def ready(self, name: str) -> Trunk:
        """A trunk that may be called on. DialFailed when it is not open, or not registered though it should be."""
        trunk = self._open.get(name)
        if trunk is None:
            raise DialFailed(f"no trunk {name} is open")
        if name in self._refusals:
            why = self._refusals[name]
            raise DialFailed(f"trunk {name} is not registered" + (f": {why}" if why else ""))
        return trunk

    def called(self, user: str, source: Hop) -> Trunk | None:
        """The trunk that a call to ``user`` from ``source`` has come in on; None: it is a stranger's."""
        of_user = [trunk for trunk in self._open.values() if trunk.user == user]
        of_source = [trunk for trunk in self._open.values() if source[0] in (trunk.host, trunk.registrar_host)]
        both = [trunk for trunk in of_user if trunk in of_source]
        return next(iter(both or of_user or of_source), None)


def account_of(trunk: Trunk) -> Account:
    """Who we are on this trunk, as the user agent wants it."""
    host, port = trunk.registrar
    return Account(
        trunk.user,
        trunk.password,
        host,
        port,
        domain=trunk.domain,
        display_name=trunk.display_name,
        expires_s=trunk.expires_s,
        name=trunk.name,
        auth_user=trunk.auth_user,
        tcp=trunk.transport == "tcp",
    )


def address_on(trunk: Trunk, digits: str) -> str:
    """The SIP URI of a number at this operator. ValueError for what is no number."""
    if _DIALLED.fullmatch(digits) is None:
        raise ValueError(f"{digits!r} can't be dialled")
    port = trunk.port if trunk.domain == trunk.host and trunk.port != DEFAULT_PORT else None
    return addresses.sip_uri(digits, trunk.domain, port)


def invitation(
    trunk: Trunk, digits: str, caller_id: str, asserted: str, headers: Sequence[tuple[str, str]]
) -> Invitation:
    """The call of ``digits`` on a trunk. ValueError for what is no number, caller or identity."""
    if caller_id and _CALLER.fullmatch(caller_id) is None:
        raise ValueError(f"{caller_id!r} can't be a caller ID")
    if caller_id == ANONYMOUS:
        identity = ANONYMOUS_FROM
    else:
        identity = addresses.address(addresses.sip_uri(caller_id or trunk.user, trunk.domain), trunk.display_name)
    more = [("P-Asserted-Identity", _asserted(trunk, asserted))] if asserted else []
    return Invitation(
        address_on(trunk, digits),
        TCP(trunk.host, trunk.port) if trunk.transport == "tcp" else (trunk.host, trunk.port),
        identity,
        (*more, *headers),
    )


def _asserted(trunk: Trunk, asserted: str) -> str:
    try:
        uri = asserted if ":" in asserted else addresses.sip_uri(asserted, trunk.domain)
        return addresses.address(Target.read(uri).text)
    except (RemoteProtocolError, LocalProtocolError) as error:
        raise ValueError(f"{asserted!r} can't be asserted: {error}") from error
