"""How other people's clients get in, and what they hear of the PBX: status, lists, records, recorded messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pbx_bench import CstaClient, PbxBench, at, digits, numbered, told

from ocm_cti.simulator.effects import PlayAnnouncement, StopAnnouncement, Trunk
from protocols.csta import panasonic
from protocols.csta.association import AARQ, Invoked, Rejected, Returned

OUTSIDE = "984951234501"


@pytest.fixture
def make() -> Iterator[Any]:
    made: list[PbxBench] = []

    def bench(*variants: str) -> PbxBench:
        made.append(PbxBench(*variants))
        return made[-1]

    yield bench
    for one in made:
        one.close()


def framed(octets: bytes) -> bytes:
    return len(octets).to_bytes(2, "big") + octets


def asked_for(bench: PbxBench, aarq: bytes) -> bytes:
    """The first APDU that answers."""
    client = CstaClient(bench)
    client.link.dataReceived(framed(aarq))
    received = client.transport.value()
    return received[2 : 2 + int.from_bytes(received[:2], "big")]


# Without user-information, and a protocol-version of 64 bits (LTM's live code).
LENIENT = bytes.fromhex("6014 8009 00 76657273696F6E33 A107 06052B0C00815A")
# The same with the context name of Phase I, 1.3.12.0.180.1.
PHASE_ONE = bytes.fromhex("6015 8009 00 76657273696F6E33 A108 06062B0C00813401")


def test_the_lenient_request_is_accepted_and_a_foreign_context_by_setting(make: Any) -> None:
    accepted = bytes.fromhex("A203020100")
    assert accepted in asked_for(make(), LENIENT)
    assert accepted in asked_for(make(), AARQ)
    refused = asked_for(make(), PHASE_ONE)
    # rejected-permanent, acse-service-user application-context-name-not-supported
    assert bytes.fromhex("A203020101 A305A103020102") in refused
    answer = asked_for(make("foreign_context=accept"), PHASE_ONE)
    assert accepted in answer
    assert bytes.fromhex("06062B0C00813401") in answer  # the name is the client's own


def test_a_foreign_context_closes_the_link(make: Any) -> None:
    client = CstaClient(make())
    client.send(client.association.associate().replace(bytes.fromhex("2B0C00815A"), bytes.fromhex("2B0C00815B")))
    assert client.transport.disconnecting


def test_an_operation_of_no_known_number(make: Any) -> None:
    client = make().client()
    assert client.ask("operation-999", b"\x05\x00")[0] == ("operation", "serviceNotSupported")
    client = make("unknown_operation=reject").client()
    assert client.ask("operation-999", b"\x05\x00")[0] == ("invoke", 1)
    assert client.ask("groupPickupCall", b"\x30\x00")[0] == ("operation", "serviceNotSupported")


def test_a_request_without_its_argument_is_rejected(make: Any) -> None:
    client = make().client()
    # holdCall, MakeCall, escape: invoke id and operation alone
    for operation in ("020109", "02010A", "020133"):
        (event,) = client.send(framed(bytes.fromhex("A106 020107" + operation)))
        assert event == Rejected(7, ("invoke", 2))
    (event,) = client.send(framed(bytes.fromhex("A107 020107 020200D2")))  # RequestSystemStatus may have none
    assert event.result == {"systemStatus": "normal"}


def test_system_status_both_ways(make: Any) -> None:
    bench = make("system_status_period_s=60")
    client = bench.client()
    assert client.ask("systemStatus", {"systemStatus": "normal"})[0] == ("noData", None)
    bench.csta.system_status("overloadReached")
    (event,) = client.events()
    assert event.argument == {"systemStatus": "overloadReached"}
    assert client.ask("requestSysStat", {})[0] == {"systemStatus": "overloadReached"}
    bench.clock.advance(60)
    assert [event.argument["systemStatus"] for event in client.events()] == ["overloadReached"]
    client = make("request_system_status=refuse").client()
    assert client.ask("requestSysStat", {})[0] == ("operation", "serviceNotSupported")


def system_data(client: CstaClient, item: str) -> Any:
    """The values of the one linked reply, or the error."""
    result, others = client.ask("escape", panasonic.get_system_data(item))
    if result[0] != "extensions":
        return result
    (reply,) = others
    return panasonic.parse_system_data(reply.argument)


@pytest.mark.parametrize(
    ("item", "values"),
    [
        ("manufacturerName", {"manufacturerName": "PANASONIC"}),
        ("subdomainName", {"subdomainName": "SIMULATED"}),
        ("softwareVersion", {"softwareVersion": "OCM-SIM"}),
        ("ctiVersion", {"ctiVersion": "4.03"}),
        # [25] EXPLICIT { total, free }
        ("numberOfMsgPort", {"numberOfMsgPort": bytes.fromhex("B908 3006 020104 020104")}),
        ("regionCode", {"regionCode": bytes.fromhex("B703 020101")}),
        ("pbxType", {"pbxType": bytes.fromhex("BF2E03 020100")}),
        ("systemTime", {"systemTime": bytes.fromhex("B810 180E") + b"19700101020000"}),
        ("whoAmI", {"_unknown": [bytes.fromhex("BB0B 1609") + b"in memory"]}),
    ],
)
def test_what_the_pbx_tells_of_itself(make: Any, item: str, values: dict[str, Any]) -> None:
    assert system_data(make("utc_offset_h=2").client(), item) == values


def test_what_the_pbx_does_not_tell(make: Any) -> None:
    client = make().client()
    assert system_data(client, "dayNight") == ("operation", "invalidParameterValue")


def listed(client: CstaClient, category: tuple[str, Any]) -> list[tuple[int, str | None, bool]]:
    wanted = ("private", ("systemData", ("getSystemData", ("deviceList", category))))
    _, replies = client.ask("escape", {"privateData": wanted})
    segments = [panasonic.parse_device_segment(reply.argument) for reply in replies]
    assert [segment.last for segment in segments] == [False] * (len(segments) - 1) + [True]
    return [
        (device.device["deviceIdentifier"][1], device.number, device.in_service)
        for segment in segments
        for device in segment.devices
    ]


def standard(name: str) -> tuple[str, Any]:
    return ("category", ("standardDevice", name))


def test_devices_of_every_category_and_one_alone(make: Any) -> None:
    bench = make()
    bench.happens(bench.switch.set_out_of_service, Trunk(4), True)
    client = bench.client()
    stations = [(0x0111_0001 + n, number, True) for n, number in enumerate(("301", "302", "350", "351", "352"))]
    lines = [(0x0131_0001 + n, f"{n + 1:02}", n != 3) for n in range(5)]
    assert listed(client, standard("station")) == stations
    assert listed(client, standard("networkInterface")) == lines
    for category in ("acd", "group", "park", "routeingDevice", "voiceUnit", "other"):
        assert listed(client, standard(category)) == []
    assert listed(client, ("category", ("kmeDevice", bytes.fromhex("A1030A0101")))) == []
    assert listed(client, ("device", bytes.fromhex("A007 3005 8003 333530"))) == [stations[2]]
    wanted = ("private", ("systemData", ("getSystemData", ("deviceList", ("device", bytes.fromhex("A0020500"))))))
    assert client.ask("escape", {"privateData": wanted})[0] == ("operation", "invalidParameterValue")


def test_newer_firmware_appends_elements(make: Any) -> None:
    client = make("newer_firmware=yes").client()
    reference = client.monitor(digits("350"))
    wanted = panasonic.get_device_list("station")
    _, (reply,) = client.ask("escape", wanted)
    entries = panasonic.parse_system_data(reply.argument)["deviceList"]
    assert [entry["_unknown"] for entry in entries] == [[b"\x02\x01\x00"]] * 5
    _, events = client.call("350", "351")
    (cross, _, body), *_ = told(events)
    assert cross == reference
    assert body["initiatingDevice"][1]["_unknown"] == [b"\x04\x01\x00"]


def records(events: list[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, Invoked) and event.operation == "cDRReport"]


def test_call_records_after_each_call_once_they_are_answered(make: Any) -> None:
    bench = make()
    client = bench.client()
    result, _ = client.ask("startCDRTransmission", {"transferMode": "transferAtEndOfCall"})
    bench.clock.advance(1_000_000_000 - bench.clock.seconds())
    client.events()
    call, _ = client.call("350", OUTSIDE)
    bench.clock.pump([0.2, 0.2, 1.0, 10.0])
    _, events = client.ask("clearConnection", {"connectionToBeCleared": call})
    (report,) = records(events)
    (item,) = report.argument["cdrInfo"]
    assert report.argument["cdrCrossRefID"] == result["cdrCrossRefID"]
    assert item == {
        "recordNumber": 1,
        "recordCreationTime": "20010909014640",
        "callingDevice": ("deviceIdentifier", digits("350")),
        "calledDevice": ("deviceIdentifier", digits(OUTSIDE)),
        "associatedCalledDevice": ("deviceIdentifier", numbered(0x0131_0001)),
        "chargedDevice": ("nonOperator", digits("350")),
        "recordedCall": call,
        "connectionEnd": "20010909014651",
        "connectionDuration": 100,
        "billingID": "normalCharging",
        "reasonForTerm": "normalClearing",
    }
    call, _ = client.call("350", "351")
    _, events = client.ask("clearConnection", {"connectionToBeCleared": call})
    assert records(events) == []  # the first one waits for {361, NULL}
    events = client.send(client.association.respond(report.invoke_id, "cDRReport"))
    (second,) = records(events)
    assert second.argument["cdrInfo"][0]["reasonForTerm"] == "unsuccessfulCallAttempt"
    assert client.largest <= 240
    argument = {"cdrCrossRefID": result["cdrCrossRefID"]}
    assert client.ask("stopCDRTransmission", argument)[0] == ("noData", None)
    assert client.ask("stopCDRTransmission", argument)[0] == ("operation", "invalidCrossRefID")


def test_the_record_comes_after_the_answer_and_the_events(make: Any) -> None:
    bench = make()
    client = bench.client()
    client.monitor(digits("350"))
    client.ask("startCDRTransmission", {"transferMode": "transferAtEndOfCall"})
    call, _ = client.call("350", "351")
    _, octets = client.association.invoke("clearConnection", {"connectionToBeCleared": call})
    answer, *others = client.send(octets)
    assert isinstance(answer, Returned)
    assert [event.operation for event in others] == ["cSTAEventReport", "cDRReport"]


def test_a_call_from_outside_and_its_condition_in_the_record(make: Any) -> None:
    bench = make("internal_ring_s=5", "cdr_waits=no")
    client = bench.client()
    client.ask("startCDRTransmission", {"transferMode": "transferAtEndOfCall"})
    bench.happens(bench.switch.incoming, Trunk(1), "4951230000", "350")
    bench.clock.advance(5)
    (report,) = records(client.events())
    (item,) = panasonic.parse_cdr_report(report.argument).items
    assert (item.calling, item.called, item.associated_calling) == ("4951230000", "350", "trunk 1")
    assert (item.condition_code, item.duration_s) == ("na", 0.0)


def test_only_one_application_gets_the_records(make: Any) -> None:
    bench = make("second_association=accept")
    first, second = bench.client(), bench.client()
    start = {"transferMode": "transferAtEndOfCall"}
    assert "cdrCrossRefID" in first.ask("startCDRTransmission", start)[0]
    for client in (first, second):
        assert client.ask("startCDRTransmission", start)[0] == ("operation", "generic")
    first.link.connectionLost()
    assert "cdrCrossRefID" in second.ask("startCDRTransmission", start)[0]
    on_request = {"transferMode": "transferOnRequest"}
    assert second.ask("startCDRTransmission", on_request)[0] == ("operation", "invalidParameterValue")


def test_records_asked_for_too_early_may_cost_the_association(make: Any) -> None:
    bench = make("cdr_too_early=abort")
    client = bench.client()
    _, octets = client.association.invoke("startCDRTransmission", {"transferMode": "transferAtEndOfCall"})
    client.link.dataReceived(octets)
    assert client.transport.value()[-5:] == bytes.fromhex("6403800100")
    client.transport.clear()
    client = bench.client()
    bench.clock.advance(60)
    client.events()
    assert "cdrCrossRefID" in client.ask("startCDRTransmission", {"transferMode": "transferAtEndOfCall"})[0]


def private(events: list[Any]) -> list[Any]:
    return [
        panasonic.parse_private_event(event.argument["eventSpecificInfo"][1][1])
        for event in events
        if isinstance(event, Invoked) and event.argument["eventSpecificInfo"][0] == "vendorSpecEvents"
    ]


def test_a_recorded_message_and_the_keys_of_who_hears_it(make: Any) -> None:
    bench = make("ogm_s=4", "ogm_ports=1")
    client = bench.client()
    client.monitor(numbered(0x0131_0001))
    call, _ = client.call("350", OUTSIDE)
    line = at(call, numbered(0x0131_0001))
    assert client.ask("escape", panasonic.ogm_start(line, "3"))[0] == ("operation", "invalidConnectionID")
    bench.clock.pump([0.2, 0.2, 1.0])
    client.events()
    bench.done.clear()
    (switched,) = bench.switch.calls
    party = switched.far.person.party
    bench.happens(bench.switch.party_presses, party, "9")
    result, events = client.ask("escape", panasonic.ogm_start(line, "3"))
    assert result == ("noData", None)
    assert private(events) == [panasonic.OgmStatus(line, "started", "3", "1")]
    assert bench.done == [PlayAnnouncement(party, "3")]
    assert system_data(client, "numberOfMsgPort")["numberOfMsgPort"][-6:] == bytes.fromhex("020101 020100")
    wrong = ("stateIncompatibility", "invalidObjectState")
    assert client.ask("escape", panasonic.ogm_start(line, "4"))[0] == wrong
    bench.happens(bench.switch.party_presses, party, "1#")
    assert private(client.events()) == [panasonic.DigitsReport(line, "1#")]
    bench.clock.advance(4)
    assert private(client.events()) == [panasonic.OgmStatus(line, "ended", "3", "1")]
    assert bench.done[-1] == StopAnnouncement(party)
    assert client.ask("escape", panasonic.ogm_stop(line))[0] == wrong
    client.ask("escape", panasonic.ogm_start(line, "3"))
    result, events = client.ask("escape", panasonic.ogm_stop(line))
    assert (result, [one.state for one in private(events)]) == (("noData", None), ["ended"])


def test_a_message_card_may_be_missing_or_full(make: Any) -> None:
    for ports, error in (
        ("0", ("operation", "serviceNotSupported")),
        ("1", ("systemResourceAvailability", "resourceBusy")),
    ):
        bench = make(f"ogm_ports={ports}")
        client = bench.client()
        calls = []
        for caller, number in (("350", OUTSIDE), ("351", "984951234502")):
            call, _ = client.call(caller, number)
            bench.clock.pump([0.2, 0.2, 1.0])
            calls.append(client.ask("escape", panasonic.ogm_start(call, "1"))[0])
        assert calls[-1] == error


def test_a_refused_escape_has_no_linked_replies(make: Any) -> None:
    client = make().client()
    assert client.ask("escape", {"privateData": ("string", b"\1")}) == (("operation", "serviceNotSupported"), [])
    assert client.ask("escape", {"privateData": ("private", ("resourceControl", ("ogmStart", b"\xa0\x00")))})[0] == (
        "operation",
        "serviceNotSupported",
    )
