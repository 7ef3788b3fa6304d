"""The CTI side of the PBX: all its clients, what is told to all of them, and in which order.

Losing a link drops its monitors and no call. What one client says and hears stands in csta_link.py, what it may ask in
csta_services.py.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory

from ocm_cti.simulator import csta_cdr
from ocm_cti.simulator.clock import Clock, DelayedCall
from ocm_cti.simulator.csta_link import ClientLink as ClientLink
from ocm_cti.simulator.csta_link import Told
from ocm_cti.simulator.csta_services import SERVICES
from ocm_cti.simulator.effects import CallAccount
from ocm_cti.simulator.faults import Settings
from ocm_cti.simulator.reports import Names
from ocm_cti.simulator.switch import Switch

_SERVICES = SERVICES


class CstaServer(Factory):
    """All clients. ``carry_out`` is called after every request that the switch took: it must drain its effects."""

    noisy = False

    def __init__(
        self,
        settings: Settings,
        switch: Switch,
        clock: Clock,
        carry_out: Callable[[], None],
        log: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.switch = switch
        self.clock = clock
        self.log = log
        self.names = Names(settings, switch.numbering)
        self.links: list[ClientLink] = []
        self.status = "normal"
        self._carry_out = carry_out
        self._references = 0
        self._held: list[Told | CallAccount] | None = None
        self._late: list[DelayedCall] = []

    def buildProtocol(self, addr: IAddress | None) -> ClientLink:
        return ClientLink(self, _written(addr))

    def report(self, report: Told) -> None:
        """Tell every monitor; what a request causes is told after its answer (or before: ``events_before_result``)."""
        if self._held is not None:
            self._held.append(report)
        elif self.settings.late_events_s:
            self._late = [late for late in self._late if late.active()]
            self._late.append(self.clock.callLater(self.settings.late_events_s, self._spread, report))
        else:
            self._spread(report)

    def _spread(self, report: Told) -> None:
        for _ in range(2 if self.settings.duplicate_events else 1):
            for link in list(self.links):
                link.report(report)

    def call_ended(self, account: CallAccount) -> None:
        """A call is over: one call record, for the client that wants them; after what a request has caused."""
        if self._held is not None:
            self._held.append(account)
            return
        record = csta_cdr.item(account, self.names, self.local_time)
        for link in list(self.links):
            link.record(record, account.condition)

    def system_status(self, status: str) -> None:
        """Tell every client (``normal``, ``overloadReached``, ...), now and whenever the status is due."""
        self.status = status
        for link in list(self.links):
            if link.associated:
                link.tell_status()

    def restart(self) -> None:
        """The PBX comes up anew: all monitors are lost; the links close or stay open and dumb (``restart_links``)."""
        self.status = "normal"
        self._stop_late()
        for link in list(self.links):
            if self.settings.restart_links == "drop":
                link.drop()
            else:
                link.fall_silent()

    def local_time(self, seconds: float) -> datetime:
        """The PBX's own clock at ``seconds`` of ours; naive on purpose, as it is told."""
        return (datetime.fromtimestamp(seconds, UTC) + timedelta(hours=self.settings.utc_offset_h)).replace(tzinfo=None)

    def now(self) -> datetime:
        return self.local_time(self.clock.seconds())

    def serve(self, request: Callable[[], Any], answer: Callable[[Any], None]) -> None:
        """Carry out a request and its consequences; ``answer`` gets its result. RequestError passes through."""
        self._held = []
        self.switch.rings_wait = not self.settings.invite_before_result
        try:
            result = request()
        finally:
            # A refusal has consequences too: its line in the journal.
            self._carry_out()
            held, self._held = self._held, None
            self.switch.rings_wait = False
        if self.settings.events_before_result:
            self._tell(held)
            answer(result)
        else:
            answer(result)
            self._tell(held)
        self._carry_out()

    def _tell(self, held: list[Told | CallAccount]) -> None:
        for one in held:
            if isinstance(one, CallAccount):
                self.call_ended(one)
            else:
                self.report(one)

    def admit(self, link: ClientLink) -> bool:
        """Whether a client may associate now; with ``replace`` the older association is aborted."""
        living = [other for other in self.links if other is not link and other.associated]
        if not living or self.settings.second_association == "accept":
            return True
        if self.settings.second_association == "replace":
            for other in living:
                other.abort("another client has associated")
            return True
        return False

    def next_reference(self) -> bytes:
        """A cross reference that no monitor of any client has."""
        octets = self.settings.cross_ref_octets
        self._references = self._references % (256**octets - 1) + 1
        return self._references.to_bytes(octets, "big")

    def close(self) -> None:
        """Drop all links, as when the PBX is switched off."""
        self._stop_late()
        for link in list(self.links):
            link.drop()

    def _stop_late(self) -> None:
        for late in self._late:
            if late.active():
                late.cancel()
        self._late.clear()

    def cdr_taken(self) -> bool:
        """Whether a client gets the call records already; EST: the second one gets operation error generic."""
        return any(link.transmits for link in self.links)


def _written(address: IAddress | None) -> str:
    return f"{address.host}:{address.port}" if isinstance(address, IPv4Address) else "in memory"
