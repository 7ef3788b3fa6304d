"""Call records over CSTA: octets of a report, and the plain records made of it."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from protocols.csta import operations, panasonic, panasonic_cdr
from protocols.csta.panasonic import CdrItem, CdrReport, Charge

REPORT = operations.by_name("cDRReport").argument
AT_301 = panasonic.dialing_number("301")
NUMBER = panasonic.dialing_number("84951234501")
TRUNK = panasonic.device_number("trunk", 3)
CALL = panasonic.connection_id(b"\x00\x01", AT_301)

RECORD: dict[str, Any] = {
    "recordNumber": 7,
    "recordCreationTime": "20261123120000",
    "callingDevice": ("deviceIdentifier", AT_301),
    "calledDevice": ("deviceIdentifier", NUMBER),
    "associatedCallingDevice": ("notKnown", None),
    "associatedCalledDevice": ("deviceIdentifier", TRUNK),
    "networkCalledDevice": ("restricted", None),
    "chargedDevice": ("nonOperator", AT_301),
    "recordedCall": CALL,
    "connectionStart": "20261123120005",
    "connectionEnd": "20261123120105",
    "connectionDuration": 605,
    "billingID": "normalCharging",
    "chargingInfo": {
        "numberUnits": (
            "numberOfCurrencyUnits",
            {"currencyType": b"RUB", "currencyAmount": 1250, "currencyMultiplier": "oneHundredth"},
        ),
        "typeOfChargingInfo": "total",
    },
    "reasonForTerm": "normalClearing",
    "accountInfo": b"0042",
}
ITEM = CdrItem(
    record_number=7,
    record_creation_time="20261123120000",
    calling="301",
    called="84951234501",
    associated_calling="",
    associated_called="trunk 3",
    network_calling="",
    network_called="",
    trunk=3,
    charged_device="301",
    call_id=b"\x00\x01",
    connection_start="20261123120005",
    connection_end="20261123120105",
    duration_s=60.5,
    billing_id="normalCharging",
    charge=Charge(True, None, Decimal("12.50"), "RUB"),
    reason_for_term="normalClearing",
    account="0042",
    condition_code="tr",
)


def test_a_report_by_octets() -> None:
    octets = bytes.fromhex(
        "30 39 04 01 07 02 01 01 30 23"
        "30 21 18 0E 32 30 32 36 31 31 32 33 31 32 30 30 30 30"
        "66 08 30 06 81 04 01 31 00 03 87 02 02 5D 8E 01 00"
        "01 01 00 7E 09 A1 07 A6 05 AA 03 0A 01 05"
    )
    argument = REPORT.decode_all(octets)
    assert REPORT.encode(argument) == octets
    report = panasonic.parse_cdr_report(argument)
    assert (report.cross_reference, report.last_stored, len(report.items)) == (b"\x07", False, 1)
    (item,) = report.items
    assert (item.record_creation_time, item.trunk, item.duration_s) == ("20261123120000", 3, 60.5)
    assert (item.reason_for_term, item.condition_code, item.calling) == ("normalClearing", "na", "")


def test_a_full_record() -> None:
    octets = REPORT.encode(panasonic.cdr_report(b"\x07", [RECORD], ["tr"]))
    assert panasonic.parse_cdr_report(REPORT.decode_all(octets)) == CdrReport(b"\x07", (ITEM,), False)


def test_a_record_that_says_next_to_nothing() -> None:
    item = panasonic.parse_cdr_item({"recordCreationTime": "20261123120000"})
    texts = {"record_creation_time"}
    for field in dataclasses.fields(item):
        value = getattr(item, field.name)
        assert value == ("20261123120000" if field.name in texts else None) or value == ""
    assert item.started == "20261123120000"


def test_a_stored_record_of_many() -> None:
    argument = panasonic.cdr_report(b"\x07", [RECORD, RECORD], ["tr", "na"]) | {"lastStoredCDRReportSent": True}
    report = panasonic.parse_cdr_report(REPORT.decode_all(REPORT.encode(argument)))
    assert report.last_stored
    assert [item.condition_code for item in report.items] == ["tr", "na"]


def test_one_condition_code_is_for_all_records_and_none_for_none() -> None:
    for codes, told in ((["rm"], ["rm", "rm", "rm"]), (["rm", "d0"], ["rm", "rm", "rm"]), ([], ["", "", ""])):
        argument = panasonic.cdr_report(b"\x07", [RECORD] * 3, codes)
        assert [item.condition_code for item in panasonic.parse_cdr_report(argument).items] == told


def test_a_condition_code_in_the_record_itself_goes_first() -> None:
    own = bytes.fromhex("7E 09 A1 07 A6 05 AA 03 0A 01 02")
    record = RECORD | {"_unknown": [b"\xbf\x7f\x00", own]}
    argument = REPORT.decode_all(REPORT.encode(panasonic.cdr_report(b"\x07", [record], ["tr"])))
    (item,) = panasonic.parse_cdr_report(argument).items
    assert item.condition_code == "fw"


def test_numbers_that_nobody_names() -> None:
    item = panasonic.parse_cdr_item(RECORD | {"billingID": 9, "reasonForTerm": 77}, "")
    assert (item.billing_id, item.reason_for_term) == ("9", "77")


@pytest.mark.parametrize(
    ("charging", "charge"),
    [
        (
            {"numberUnits": ("numberOfChargeUnits", [{"chargingUnits": 3}, {"chargingUnits": 4}])},
            Charge(False, 7, None, ""),
        ),
        (
            {
                "numberUnits": (
                    "numberOfCurrencyUnits",
                    {"currencyType": b"\x80", "currencyAmount": 5, "currencyMultiplier": 99},
                )
            },
            Charge(False, None, None, "\x80"),
        ),
        ({"numberUnits": ("_unknown", b"\x85\x00")}, None),
    ],
)
def test_charges(charging: dict[str, Any], charge: Charge | None) -> None:
    record = RECORD | {"chargingInfo": charging | {"typeOfChargingInfo": "subTotal"}}
    assert panasonic.parse_cdr_item(record).charge == charge


def test_the_trunk_of_an_incoming_call() -> None:
    record: dict[str, Any] = {"recordCreationTime": "20261123120000"}
    record["associatedCallingDevice"] = ("deviceIdentifier", TRUNK)
    assert panasonic.parse_cdr_item(record).trunk == 3
    record["associatedCallingDevice"] = ("_unknown", b"\x8b\x00")
    assert panasonic.parse_cdr_item(record).trunk is None


def test_the_unit_of_a_duration_is_one_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panasonic_cdr, "DURATION_UNITS_PER_SECOND", 1)
    assert panasonic.parse_cdr_item(RECORD).duration_s == 605


def test_what_the_creation_time_means_is_one_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    without = dataclasses.replace(ITEM, connection_start="")
    assert (ITEM.started, without.started) == ("20261123120005", "20261123120000")
    monkeypatch.setattr(panasonic_cdr, "CREATION_TIME_IS_START", False)
    assert (ITEM.started, without.started) == ("20261123120005", "")


MOSCOW = timezone(timedelta(hours=3))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20261123120005", datetime(2026, 11, 23, 9, 0, 5, tzinfo=UTC)),
        ("202611231200", datetime(2026, 11, 23, 9, 0, tzinfo=UTC)),
        ("20261123120005Z", datetime(2026, 11, 23, 12, 0, 5, tzinfo=UTC)),
        ("20261123120005.5Z", datetime(2026, 11, 23, 12, 0, 5, tzinfo=UTC)),
        ("20261123120005+0530", datetime(2026, 11, 23, 6, 30, 5, tzinfo=UTC)),
        ("20261123120005-05", datetime(2026, 11, 23, 17, 0, 5, tzinfo=UTC)),
        ("20261323120005", None),
        ("2026112312", None),
        ("", None),
        ("00010101000000+2359", None),
        ("20261123120005+9900", None),
    ],
)
def test_times(text: str, moment: datetime | None) -> None:
    assert panasonic.pbx_time(text, MOSCOW) == moment
