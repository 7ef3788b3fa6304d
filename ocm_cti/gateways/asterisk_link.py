"""The AMI link of an Asterisk gateway: where it goes, and its health in the words of the interface."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.endpoints import wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.logger import Logger

from ocm_cti.clock import moment
from ocm_cti.gateways.asterisk_settings import AsteriskSettings
from ocm_cti.gateways.interface import Health, LinkState
from protocols.ami.link import AmiLink
from protocols.ami.messages import Event
from protocols.serial_line import endpoint_from_setting


class LinkOwner(Protocol):
    """The gateway: told of each login, each loss, each event."""

    def link_up(self) -> None: ...
    def link_down(self, reason: str) -> None: ...
    def event(self, event: Event) -> None: ...
    def health_changed(self, health: Health) -> None: ...


_END = b"-----END CERTIFICATE-----"

#: Builds the link: (endpoint, owner, settings, clock) -> AmiLink; tests put a scripted one in its place.
MakeLink = Callable[..., Any]


class SwitchLink:
    """Owner of the AmiLink (``protocols.ami.link.Owner``)."""

    def __init__(
        self, settings: AsteriskSettings, reactor: Any, owner: LinkOwner, log: Logger, make_link: MakeLink | None = None
    ) -> None:
        self._settings = settings
        self._reactor = reactor
        self._owner = owner
        self._log = log
        self._health = Health(LinkState.DOWN, self._now())
        self._stopping = False
        self._was_up = False
        self.version = ""  # as the switch greeted us
        make = make_link or AmiLink
        self._link = make(
            endpoint(settings, reactor),
            username=settings.username,
            secret=settings.secret,
            clock=reactor,
            owner=self,
            log=log,
            request_timeout_s=settings.request_timeout_s,
            probe_s=settings.probe_s,
            silence_limit_s=settings.silence_limit_s,
            retry_min_s=settings.retry_min_s,
            retry_max_s=settings.retry_max_s,
            refused_retry_s=settings.refused_retry_s,
            login_timeout_s=settings.login_timeout_s,
        )
        self.ask = self._link.ask
        self.ask_list = self._link.ask_list

    @property
    def health(self) -> Health:
        return self._health

    @property
    def is_up(self) -> bool:
        return bool(self._link.is_up)

    def start(self) -> None:
        self._set(LinkState.CONNECTING, f"connecting to {self._settings.link}")
        self._link.start()

    def stop(self) -> Any:
        self._stopping = True

        def stopped(_: object) -> None:
            self._down("stopped")
            self._set(LinkState.DOWN, "stopped")

        return self._link.stop().addCallback(stopped)

    # protocols.ami.link.Owner

    def link_up(self, version: str) -> None:
        self.version = version
        self._was_up = True
        self._set(LinkState.UP, "")
        self._owner.link_up()

    def link_down(self, reason: str) -> None:
        self._set(LinkState.DOWN, reason or "the connection was lost")
        self._down(reason)

    def link_refused(self, reason: str) -> None:
        self._set(LinkState.REFUSED, f"the switch refuses user {self._settings.username}: {reason}")
        self._down(reason)

    def event(self, event: Event) -> None:
        self._owner.event(event)

    def _down(self, reason: str) -> None:
        if self._was_up:
            self._was_up = False
            self._owner.link_down(reason)

    def _set(self, state: LinkState, reason: str) -> None:
        if self._health.state is state and self._health.reason == reason:
            return
        since_at = self._health.since_at if self._health.state is state else self._now()
        self._health = Health(state, since_at, reason)
        self._owner.health_changed(self._health)

    def _now(self) -> datetime:
        return moment(self._reactor)


def endpoint(settings: AsteriskSettings, reactor: Any) -> IStreamClientEndpoint:
    """OSError or ValueError when the certificates of ``link_ca`` can't be read."""
    plain = endpoint_from_setting(reactor, "tcp:" + settings.link.partition(":")[2])
    if not settings.uses_tls:
        return plain
    from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates  # needs pyOpenSSL

    trust: Any = trustRootFromCertificates
    trusted = None
    if settings.link_ca:
        pems = Path(settings.link_ca).read_bytes().split(_END)[:-1]
        found = [Certificate.loadPEM(pem + _END + b"\n") for pem in pems]
        if not found:
            raise ValueError(f"{settings.link_ca}: no certificate in PEM form is in it")
        trusted = trust(found)
    return wrapClientTLS(optionsForClientTLS(settings.host, trustRoot=trusted), plain)
