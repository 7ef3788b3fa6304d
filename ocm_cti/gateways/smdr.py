"""The SMDR line of one PBX as the product sees it: records with the gateway's name and times in UTC."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, tzinfo
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ocm_cti.clock import moment
from ocm_cti.domain.call_records import CallRecord, started_at
from ocm_cti.gateways.interface import Health, LinkState
from ocm_cti.gateways.smdr_settings import SmdrSettings, utc_of
from protocols.smdr.link import SmdrLink
from protocols.smdr.reader import Line, Reader, Recorded, Unread
from protocols.smdr.records import Form, SmdrRecord, with_order

SOURCE = "smdr"
#: So many lines that can't be read are logged each, then every so-manieth: a wrong baud rate makes endless ones.
UNREAD_LOGGED = 20


class SmdrOwner(Protocol):
    """Who keeps the records; told on the reactor."""

    def recorded(self, record: CallRecord) -> None: ...

    def read_again(self, gateway: str, read: Callable[[CallRecord], CallRecord]) -> None:
        """More is known about how the PBX prints: ``read`` gives a record that could not be read once more a try."""


def call_record(
    gateway: str, zone: tzinfo | None, read: Recorded | Unread, received_at: datetime | None = None
) -> CallRecord:
    """A line of the PBX as a record of the product; an unread one has its ``fault``. ``received_at``: see utc_of."""
    if isinstance(read, Unread):
        return CallRecord(gateway, SOURCE, read.raw, fault=read.reason, copy=read.copy)
    record = read.record
    ended_at = utc_of(record.printed_at, zone, received_at)
    return CallRecord(
        gateway=gateway,
        source=SOURCE,
        raw=record.raw,
        started_at=started_at(ended_at, record.duration_s),
        ended_at=ended_at,
        extension=record.extension,
        trunk=record.trunk,
        number=record.number,
        direction=record.direction,
        ring_s=record.ring_s,
        duration_s=record.duration_s,
        cost=record.cost,
        currency=record.currency,
        account=record.account,
        condition=record.condition,
        copy=read.copy,
    )


def read_once_more(
    gateway: str, form: Form, zone: tzinfo | None, received_on: date | None, records: Sequence[CallRecord]
) -> list[CallRecord]:
    """Lines that were kept unread, read with this form; those that still can't be stay as they are."""
    reader, again = Reader(form), []
    for record in records:
        read = reader.read(Line(record.raw), received_on)
        if isinstance(read, Recorded):
            again.append(call_record(gateway, zone, Recorded(read.record, record.copy)))
        else:
            again.append(record)
    return again


class SmdrLine:
    """From ``start`` to ``stop``. Implements ``SmdrObserver``. Its health is shown beside that of the gateway."""

    def __init__(
        self, gateway: str, settings: SmdrSettings, reactor: Any, owner: SmdrOwner, endpoint: Any = None
    ) -> None:
        self.gateway = gateway
        self.label = f"{gateway} call records"
        self._settings = settings
        self._reactor = reactor
        self._owner = owner
        self._log = Logger()
        self._known = settings.form
        self._link = SmdrLink(settings.link_settings(), reactor, self, self._today, endpoint)
        self.health: Health = self._health(LinkState.DOWN, "not started")
        self.unread = 0  # lines that could not be read since the start

    def start(self) -> None:
        self.health = self._health(LinkState.CONNECTING, f"connecting to {self._settings.link}")
        self._owner.read_again(self.gateway, self.read_again)  # the settings may have been put right
        self._link.start()

    def stop(self) -> Deferred[None]:
        """Close; fires when nothing of the line is left."""

        def stopped(_: object) -> None:
            self.health = self._health(LinkState.DOWN, "stopped")

        return self._link.stop().addCallback(stopped)

    # SmdrObserver

    def smdr_up(self) -> None:
        if self.health.state is not LinkState.UP:
            self._log.info("{gateway}: reads call records from {link}", gateway=self.gateway, link=self._settings.link)
            self.health = self._health(LinkState.UP, "")

    def smdr_down(self, reason: str, refused: bool) -> None:
        state = LinkState.REFUSED if refused else LinkState.DOWN
        if (state, reason) != (self.health.state, self.health.reason):
            self._log.warn("{gateway}: no call records: {reason}", gateway=self.gateway, reason=reason)
            self.health = self._health(state, reason)

    def smdr_read(self, lines: list[Recorded | Unread]) -> None:
        received_at = self._now()
        for line in lines:
            if isinstance(line, Unread):
                self.unread += 1
                if self.unread <= UNREAD_LOGGED or self.unread % UNREAD_LOGGED == 0:
                    self._log.warn(
                        "{gateway}: a call record can't be read and is kept as it is: {reason} (no. {count})",
                        gateway=self.gateway,
                        reason=line.reason,
                        count=self.unread,
                    )
            self._owner.recorded(call_record(self.gateway, self._settings.zone, line, received_at))
        known = with_order(self._settings.form, self._link.session.reader.decoder)
        if known != self._known:
            self._known = known
            self._log.info(
                "{gateway}: the PBX prints pattern {pattern}, dates {order}",
                gateway=self.gateway,
                pattern=known.pattern,
                order=known.date_order,
            )
            self._owner.read_again(self.gateway, self.read_again)

    def read_again(self, record: CallRecord) -> CallRecord:
        """A record that could not be read, with what is known now; the same one when that does not help."""
        return read_once_more(self.gateway, self._known, self._settings.zone, None, [record])[0]

    # Within

    def _today(self) -> date:
        return self._now().astimezone(self._settings.zone).date()

    def _now(self) -> datetime:
        return moment(self._reactor)

    def _health(self, state: LinkState, reason: str) -> Health:
        return Health(state, self._now(), reason)


__all__ = ["SOURCE", "SmdrLine", "SmdrOwner", "SmdrRecord", "call_record", "read_once_more"]
