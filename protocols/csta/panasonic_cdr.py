"""Call records that the PBX sends over CSTA (cDRReport). DOC, CAP, RE, INF as in panasonic.py."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any

from protocols.csta.panasonic_additional import additional_data, additional_members
from protocols.csta.panasonic_devices import call_id, device_kind, device_text
from protocols.csta.private import CSTACommonArguments
from protocols.errors import RemoteProtocolError

# assumed: connectionDuration counts tenths of a second, since a client in production divides it by ten (RE); no manual
# says so. ECMA-285 itself counts seconds.
DURATION_UNITS_PER_SECOND = 10

# RE: a client in production takes recordCreationTime for the start of the call, where the standard has the time when
# the record was made. ``CdrItem.started`` follows it where there is no connectionStart.
CREATION_TIME_IS_START = True

_MULTIPLIERS = {
    "oneThousandth": Decimal("0.001"),
    "oneHundredth": Decimal("0.01"),
    "oneTenth": Decimal("0.1"),
    "one": Decimal(1),
    "ten": Decimal(10),
    "hundred": Decimal(100),
    "thousand": Decimal(1000),
}
_PARTIES = {
    "calling": "callingDevice",
    "called": "calledDevice",
    "associated_calling": "associatedCallingDevice",
    "associated_called": "associatedCalledDevice",
    "network_calling": "networkCallingDevice",
    "network_called": "networkCalledDevice",
}
_TIME = re.compile(r"(\d{12})(\d{2})?(?:[.,]\d*)?(Z|[+-]\d{2}(?:\d{2})?)?", re.ASCII)


@dataclass(frozen=True)
class Charge:
    """What a call cost: counted ``units``, or an ``amount`` of ``currency``; the other one is None."""

    total: bool  # False: a subtotal
    units: int | None
    amount: Decimal | None
    currency: str


@dataclass(frozen=True)
class CdrItem:
    """One record. Devices are digits or ``trunk 3``; every text is "" and every number None where the PBX says nothing.

    Times are as sent (``pbx_time`` reads them), codes by their ECMA-285 names (an unknown one as its number).
    """

    record_number: int | None
    record_creation_time: str
    calling: str
    called: str
    associated_calling: str
    associated_called: str
    network_calling: str
    network_called: str
    trunk: int | None  # the line, in whichever of the devices above it stands
    charged_device: str
    call_id: bytes | None
    connection_start: str
    connection_end: str
    duration_s: float | None
    billing_id: str
    charge: Charge | None
    reason_for_term: str
    account: str
    condition_code: str  # cl tr fw d0 rm na

    @property
    def started(self) -> str:
        """When the call began, as sent; "" where only the record's own time is known and it can't stand for it."""
        return self.connection_start or (self.record_creation_time if CREATION_TIME_IS_START else "")


@dataclass(frozen=True)
class CdrReport:
    cross_reference: bytes
    items: tuple[CdrItem, ...]
    last_stored: bool  # the last of those asked for by sendStoredCDR


def pbx_time(text: str, zone: tzinfo) -> datetime | None:
    """A GeneralizedTime, aware in UTC; one without a zone of its own is in ``zone``. None where it is no time."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    moment, seconds, offset = match.groups()
    own = zone
    try:
        if offset:
            ahead = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:] or 0)) if offset != "Z" else timedelta()
            own = timezone(-ahead if offset[0] == "-" else ahead)
        return datetime.strptime(moment + (seconds or "00"), "%Y%m%d%H%M%S").replace(tzinfo=own).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_cdr_report(argument: Mapping[str, Any]) -> CdrReport:
    """The records of a cDRReport argument.

    The condition code is private data, of the report as far as is known (RE). assumed: a report of several records has
    as many codes, in their order; any other number of codes than that is the first code, for all.
    """
    codes = [str(value) for name, value in additional_members(argument.get("extensions")) if name == "conditionCode"]
    records = argument["cdrInfo"]
    if len(codes) != len(records):
        codes = (codes[:1] or [""]) * len(records)
    items = tuple(parse_cdr_item(record, code) for record, code in zip(records, codes, strict=True))
    return CdrReport(argument["cdrCrossRefID"], items, argument.get("lastStoredCDRReportSent", False))


def parse_cdr_item(record: Mapping[str, Any], condition_code: str = "") -> CdrItem:
    """One CDRInformationItem; its own condition code, where a firmware appends one, goes before ``condition_code``."""
    devices = {name: record.get(field) for name, field in _PARTIES.items()}
    parties = {name: _party(device) for name, device in devices.items()}
    duration = record.get("connectionDuration")
    recorded = record.get("recordedCall")
    own = [str(value) for name, value in _own_members(record) if name == "conditionCode"]
    return CdrItem(
        record_number=record.get("recordNumber"),
        record_creation_time=record["recordCreationTime"],
        **parties,
        trunk=next((index for index in map(_trunk, devices.values()) if index is not None), None),
        charged_device=_party(record.get("chargedDevice")),
        call_id=None if recorded is None else call_id(recorded),
        connection_start=record.get("connectionStart", ""),
        connection_end=record.get("connectionEnd", ""),
        duration_s=None if duration is None else duration / DURATION_UNITS_PER_SECOND,
        billing_id=str(record.get("billingID", "")),
        charge=_charge(record.get("chargingInfo")),
        reason_for_term=str(record.get("reasonForTerm", "")),
        account=record.get("accountInfo", b"").decode("latin-1"),
        condition_code=own[0] if own else condition_code,
    )


def cdr_report(
    cross_reference: bytes, records: Iterable[Mapping[str, Any]], condition_codes: Iterable[str] = ()
) -> dict[str, Any]:
    """cDRReport argument; each record a CDRInformationItem by its ECMA-285 names."""
    items = [dict(record) for record in records]
    argument: dict[str, Any] = {
        "cdrCrossRefID": cross_reference,
        "numberOfRecordsSent": len(items),
        "cdrInfo": items,
    }
    codes = [("conditionCode", code) for code in condition_codes]
    if codes:
        argument["extensions"] = additional_data(*codes)
    return argument


def _party(device: Any) -> str:
    """Digits or ``trunk 3`` of a party; "" where it is absent, not known or withheld."""
    if not isinstance(device, tuple) or not isinstance(device[1], dict):
        return ""
    return device_text(device[1])


def _trunk(device: Any) -> int | None:
    if not isinstance(device, tuple) or not isinstance(device[1], dict):
        return None
    kind = device_kind(device[1])
    return kind[1] if kind is not None and kind[0] == "trunk" else None


def _charge(charging: Mapping[str, Any] | None) -> Charge | None:
    if charging is None:
        return None
    total = charging["typeOfChargingInfo"] == "total"
    match charging["numberUnits"]:
        case ("numberOfChargeUnits", list(counted)):
            return Charge(total, sum(each["chargingUnits"] for each in counted), None, "")
        case ("numberOfCurrencyUnits", dict(money)):
            multiplier = _MULTIPLIERS.get(money["currencyMultiplier"])
            amount = None if multiplier is None else money["currencyAmount"] * multiplier
            return Charge(total, None, amount, money["currencyType"].decode("latin-1"))
    return None


def _own_members(record: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Additional data that stands in the record itself, after the fields that ECMA-285 knows."""
    members: list[tuple[str, Any]] = []
    for element in record.get("_unknown", ()):
        try:
            members += additional_members(CSTACommonArguments.decode_all(element))
        except RemoteProtocolError:
            continue
    return members
