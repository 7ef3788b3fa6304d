"""An operator's SIP trunk as the voice process is given it: who we are there, and where its requests go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

#: How requests travel.
TRANSPORTS: Final = ("udp", "tcp")


@dataclass(frozen=True)
class Trunk:
    """An account at an operator. Several may be open in one process; ``name`` is ours and tells them apart.

    ``domain`` is the host part of From, To and the Request-URI. Requests go to ``host``: the operator, or the outbound
    proxy; an address or a name. ``auth_user`` "" is ``user``; ``registrar_host`` "" is ``host`` and its port.
    """

    name: str
    user: str
    password: str = field(repr=False)  # no log may show it
    domain: str
    host: str
    port: int = 5060
    auth_user: str = ""
    registrar_host: str = ""
    registrar_port: int = 5060
    transport: str = "udp"
    #: False: the operator knows us by our address; calls may be made at once.
    registers: bool = True
    #: What we ask the registrar for.
    expires_s: int = 300
    display_name: str = ""
    #: Session timer (RFC 4028) that we offer, at least 90; 0: none is offered, and one that they want is kept.
    session_expires_s: int = 1800
    #: SIP code for calls that come in on this trunk.
    refuses_with: int = 603

    def __post_init__(self) -> None:
        if self.transport not in TRANSPORTS:
            raise ValueError(f"trunk {self.name}: transport {self.transport!r} is neither udp nor tcp")
        if 0 < self.session_expires_s < 90:
            raise ValueError(f"trunk {self.name}: a session timer of {self.session_expires_s} s is below 90 s")
        if not 300 <= self.refuses_with <= 699:
            raise ValueError(f"trunk {self.name}: {self.refuses_with} is no refusal (300 to 699)")

    @property
    def proves_as(self) -> str:
        """Who the password is of."""
        return self.auth_user or self.user

    @property
    def registrar(self) -> tuple[str, int]:
        """Where REGISTER goes."""
        return (self.registrar_host, self.registrar_port) if self.registrar_host else (self.host, self.port)
