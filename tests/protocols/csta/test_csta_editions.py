"""What we build holds nothing that came after the second edition; what did is found wherever it stands."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.csta import causes, events, operations, panasonic
from protocols.csta.editions import later_than_second

AT_301 = panasonic.dialing_number("301")
CONNECTION = panasonic.connection_id(b"\x00\x01", AT_301)


@pytest.mark.parametrize(
    ("operation", "argument"),
    [
        ("monitorStart", panasonic.monitor_argument(AT_301)),
        ("escape", panasonic.get_device_list("station")),
        ("escape", panasonic.get_system_data("softwareVersion")),
        ("escape", panasonic.ogm_start(CONNECTION, "5")),
        ("escape", panasonic.ogm_stop(CONNECTION)),
        ("holdCall", {"callToBeHeld": CONNECTION, "extensions": panasonic.additional_data(("holdType", "normal"))}),
        ("cDRReport", panasonic.cdr_report(b"\x01", [{"recordCreationTime": "20261123120000"}], ["na"])),
        (
            "cSTAEventReport",
            {"crossRefIdentifier": b"\x01", "eventSpecificInfo": panasonic.digits_report(CONNECTION, "1")},
        ),
        (
            "cSTAEventReport",
            {"crossRefIdentifier": b"\x01", "eventSpecificInfo": panasonic.ogm_status(CONNECTION, "ended", "5", "1")},
        ),
    ],
)
def test_builders_keep_to_the_second_edition(operation: str, argument: Any) -> None:
    type_ = operations.by_name(operation).argument
    assert type_.decode_all(type_.encode(argument)) == argument
    assert later_than_second(type_, argument) == []


def test_later_fields_are_found() -> None:
    type_ = operations.by_name("makeCall").argument
    newer = AT_301 | {"privateName": "x"}
    argument = {"callingDevice": newer, "calledDirectoryNumber": AT_301, "subjectOfCall": "y", "reason": "activation"}
    assert later_than_second(type_, argument) == [
        "callingDevice.privateName",
        "subjectOfCall",
        "reason",
        "reason=activation",
    ]
    media = {"mediaCallCharacteristics": {"mediaClass": "1000001"}}
    assert "mediaCallCharacteristics.mediaClass=1000001" in later_than_second(type_, argument | media)
    assert later_than_second(type_, media | {"mediaCallCharacteristics": {"mediaClass": "1000000"}}) == []


def test_later_numbers_are_found_inside() -> None:
    report = {
        "deviceMaintenanceEvents": (
            "outOfService",
            {"device": ("deviceIdentifier", AT_301 | {"privateNumber": "1"}), "cause": "babble"},
        )
    }
    (info,) = report.items()
    assert later_than_second(events.EventSpecificInfo, info) == [
        "deviceMaintenanceEvents.outOfService.device.deviceIdentifier.privateNumber",
        "deviceMaintenanceEvents.outOfService.cause=babble",
    ]
    assert later_than_second(causes.UniversalFailure, ("systemResourceAvailability", "maxDevicesExceeded")) == [
        "systemResourceAvailability=maxDevicesExceeded"
    ]
    assert later_than_second(causes.UniversalFailure, ("systemResourceAvailability", "resourceBusy")) == []
    assert later_than_second(causes.UniversalFailure, ("_unknown", b"\xa9\x00")) == []
