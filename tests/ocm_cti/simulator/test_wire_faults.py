"""Faults between the PBX and its CSTA clients, and in the PBX, seen by our own client over memory, on a task.Clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from ocm_cti.simulator.callees import Directory
from ocm_cti.simulator.effects import Extension, Trunk
from ocm_cti.simulator.fault_table import FAULTS, FaultError, described, read, read_line
from ocm_cti.simulator.faults import Settings
from ocm_cti.simulator.injection import Injection
from ocm_cti.simulator.journal import Journal
from ocm_cti.simulator.numbering import Group, Numbering, Station
from ocm_cti.simulator.pbx import Pbx
from ocm_cti.simulator.wire_faults import Faults, Inbound, Wire, frames
from protocols.csta.association import NEED_DATA, Aborted, Association, Event, Failed, Invoked, Returned, Role
from protocols.csta.framing import frame
from protocols.errors import RemoteProtocolError

DESK, ANSWERING = "350", "352"  # desk telephones: no SIP is needed


class Telephones:
    """SIP telephones, of which there are none."""

    def __getattr__(self, name: str) -> Any:
        return lambda *effect: None


class Bench:
    """A PBX behind its faults."""

    def __init__(self, *variants: str) -> None:
        self.clock = Clock()
        settings = Settings.from_pairs(variants)
        stations = [Station("301"), Station(DESK, kind="phone"), Station(ANSWERING, kind="phone", answer_after_s=2.0)]
        numbering = Numbering(stations, [Group("city", "9", "isdn", 2), Group("old", "7", "lco", 1, 3)])
        journal = Journal(None, self.clock.seconds)
        directory = Directory.load()
        self.pbx = Pbx(settings, numbering, directory, self.clock, journal, lambda pbx: Telephones(), lambda text: None)
        self.wires = Faults(self.pbx.csta, self.clock)
        self.restarts: list[float] = []
        self.lost: list[str] = []
        self.injection = Injection(self.clock, self.pbx, self.wires, self._restart, self.lost.append, lambda text: None)

    def _restart(self, down_s: float) -> None:
        self.restarts.append(down_s)
        self.pbx.restart()

    def inject(self, line: str) -> None:
        self.injection.inject(read_line(line))

    def client(self) -> Client:
        client = Client(self)
        client.send(client.association.associate())
        return client

    def close(self) -> None:
        self.injection.close()
        self.pbx.close()
        for wire in list(self.wires.wires):
            wire.connectionLost()
        assert self.clock.getDelayedCalls() == []


class Client:
    """Our own association at the far end of a wire; ``pieces`` are the writes that came, one by one."""

    def __init__(self, bench: Bench) -> None:
        self.wire: Wire = bench.wires.buildProtocol(None)
        self.transport = Recording()
        self.wire.makeConnection(self.transport)  # type: ignore[no-untyped-call]
        self.association = Association(Role.CLIENT)
        self.pieces: list[bytes] = []

    def send(self, octets: bytes) -> list[Event]:
        self.wire.dataReceived(octets)
        return self.events()

    def events(self) -> list[Event]:
        self.pieces, self.transport.pieces = self.transport.pieces, []
        for piece in self.pieces:
            self.association.receive_data(piece)
        found: list[Event] = []
        while (event := self.association.next_event()) is not NEED_DATA:
            found.append(event)
        return found

    def ask(self, operation: str, argument: Any) -> list[Event]:
        return self.send(self.association.invoke(operation, argument)[1])

    def monitor(self, *extensions: str) -> None:
        for extension in extensions:
            events = self.ask("monitorStart", {"monitorObject": ("deviceObject", digits(extension))})
            assert any(isinstance(event, Returned) for event in events)

    def call(self) -> list[Event]:
        return self.ask("makeCall", {"callingDevice": digits(DESK), "calledDirectoryNumber": digits(ANSWERING)})


class Recording(StringTransport):
    """Keeps writes apart."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.pieces.append(data)


def digits(number: str) -> dict[str, Any]:
    return {"deviceIdentifier": ("dialingNumber", number)}


def told(events: list[Event]) -> list[tuple[str, str]]:
    """(group, name) of the event reports."""
    found = []
    for event in events:
        if isinstance(event, Invoked) and event.operation == "cSTAEventReport":
            group, content = event.argument["eventSpecificInfo"]
            found.append((group, content[0]))
    return found


def statuses(events: list[Event]) -> list[str]:
    return [
        event.argument["systemStatus"]
        for event in events
        if isinstance(event, Invoked) and event.operation == "systemStatus"
    ]


@pytest.fixture
def benches() -> Iterator[Any]:
    made: list[Bench] = []

    def make(*variants: str) -> Bench:
        made.append(Bench(*variants))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def bench(benches: Any) -> Bench:
    made = benches()
    assert isinstance(made, Bench)
    return made


def whole_call(bench: Bench, client: Client) -> list[Event]:
    """Everything that comes of a call that is answered and cleared."""
    events = client.call()
    for _ in range(12):
        bench.clock.advance(1.0)
        events += client.events()
    for call in bench.pbx.switch.calls:
        bench.pbx.switch.clear(call.call_id, Extension(DESK))
    bench.pbx.carry_out()
    for _ in range(12):
        bench.clock.advance(1.0)
        events += client.events()
    return events


@pytest.fixture
def undisturbed(benches: Any) -> list[tuple[str, str]]:
    bench = benches()
    client = bench.client()
    client.monitor(DESK, ANSWERING)
    found = told(whole_call(bench, client))
    assert len(found) > 6
    assert ("callControlEvents", "established") in found
    return found


# The wire


@pytest.mark.parametrize("line", ["split", "split octets=3 gap_s=0", "delay seconds=0.5", "split octets=7 gap_s=0.01"])
def test_split_and_late_frames_tell_the_same(bench: Bench, undisturbed: list[tuple[str, str]], line: str) -> None:
    client = bench.client()
    client.monitor(DESK, ANSWERING)
    bench.inject(line)
    assert told(whole_call(bench, client)) == undisturbed


def test_split_is_octet_by_octet_with_pauses(bench: Bench) -> None:
    client = bench.client()
    bench.inject("split octets=2 gap_s=0.5")
    client.ask("requestSysStat", {})
    assert [len(piece) for piece in client.pieces] == [2]
    bench.clock.advance(0.5)
    client.events()
    assert [len(piece) for piece in client.pieces] == [2]
    bench.clock.pump([0.5] * 20)
    assert any(isinstance(event, Returned) for event in client.events())
    assert max(len(piece) for piece in client.pieces) == 2


def test_late_frames_come_late_and_in_order(bench: Bench) -> None:
    client = bench.client()
    bench.inject("delay seconds=2")
    bench.pbx.csta.system_status("messagesLost")
    bench.injection.clear("delay")
    bench.pbx.csta.system_status("normal")
    assert client.events() == []
    bench.clock.advance(2.0)
    assert statuses(client.events()) == ["messagesLost", "normal"]


@pytest.mark.parametrize(("line", "times"), [("duplicate", 1), ("duplicate what=frames", 2)])
def test_duplicates(bench: Bench, undisturbed: list[tuple[str, str]], line: str, times: int) -> None:
    client = bench.client()
    client.monitor(DESK, ANSWERING)
    bench.inject(line)
    found = whole_call(bench, client)
    assert told(found) == [report for report in undisturbed for _ in range(2)]
    returned = [event for event in found if isinstance(event, Returned) and event.invoke_id == 3]
    assert len(returned) == times


def test_drop_loses_exactly_one(bench: Bench, undisturbed: list[tuple[str, str]]) -> None:
    client = bench.client()
    client.monitor(DESK, ANSWERING)
    bench.inject("drop what=events nth=3")
    assert told(whole_call(bench, client)) == undisturbed[:2] + undisturbed[3:]


def test_drop_of_every_second_event(bench: Bench, undisturbed: list[tuple[str, str]]) -> None:
    client = bench.client()
    client.monitor(DESK, ANSWERING)
    bench.inject("drop what=events nth=2 every=yes")
    assert told(whole_call(bench, client)) == undisturbed[::2]


def test_drop_by_dice_loses_the_same_with_the_same_seed(benches: Any, undisturbed: list[tuple[str, str]]) -> None:
    runs = []
    for seed in (1, 1, 2):
        bench = benches()
        client = bench.client()
        client.monitor(DESK, ANSWERING)
        bench.inject(f"drop what=events probability=0.5 seed={seed}")
        runs.append(told(whole_call(bench, client)))
    assert runs[0] == runs[1] != runs[2]
    assert 0 < len(runs[0]) < len(undisturbed)


def test_a_lost_answer_is_missed_and_no_event_is(bench: Bench, undisturbed: list[tuple[str, str]]) -> None:
    client = bench.client()
    client.monitor(DESK, ANSWERING)
    bench.inject("drop")
    events = client.call()
    assert [event for event in events if isinstance(event, Returned)] == []
    assert told(events) == undisturbed[: len(told(events))] != []


def test_junk_between_frames_breaks_the_reader(bench: Bench) -> None:
    client = bench.client()
    bench.inject("junk octets=0000")
    with pytest.raises(RemoteProtocolError, match="empty frame"):
        client.events()


def test_junk_waits_for_the_end_of_a_frame(bench: Bench) -> None:
    client = bench.client()
    bench.inject("split octets=4 gap_s=0.1")
    bench.pbx.csta.system_status("messagesLost")
    bench.inject("junk octets=DEADBEEF")
    bench.clock.pump([0.1] * 30)
    assert b"".join(client.transport.pieces).endswith(bytes.fromhex("DEADBEEF"))
    assert len(b"".join(client.transport.pieces)) > 4 + 4


@pytest.mark.parametrize(("line", "octets"), [("abort", "6403800100"), ("abort framed=true", "00056403800100")])
def test_abort(bench: Bench, line: str, octets: str) -> None:
    client = bench.client()
    bench.inject(line)
    assert client.transport.pieces == [bytes.fromhex(octets)]
    assert any(isinstance(event, Aborted) for event in client.events())
    assert client.transport.disconnecting


def test_cut(bench: Bench) -> None:
    client = bench.client()
    bench.inject("cut")
    assert client.transport.pieces == []
    assert client.transport.disconnecting


def test_silence_ends(bench: Bench) -> None:
    client = bench.client()
    bench.inject("silence for=30")
    assert client.ask("requestSysStat", {}) == []
    bench.clock.advance(29.9)
    assert client.ask("requestSysStat", {}) == []
    bench.clock.advance(0.1)
    assert [type(event) for event in client.ask("requestSysStat", {})] == [Returned]


def test_silence_that_hears_does_what_it_is_asked(bench: Bench) -> None:
    client = bench.client()
    bench.inject("silence hears=yes")
    assert client.call() == []
    assert len(bench.pbx.switch.calls) == 1
    bench.injection.clear("silence")
    assert [type(event) for event in client.ask("requestSysStat", {})] == [Returned]


def test_silence_that_does_not_hear_makes_no_call(bench: Bench) -> None:
    client = bench.client()
    bench.inject("silence")
    assert client.call() == []
    assert bench.pbx.switch.calls == ()


def test_a_request_that_begins_in_silence_is_not_heard_and_the_next_one_is(bench: Bench) -> None:
    client = bench.client()
    lost, heard = (client.association.invoke("requestSysStat", {})[1] for _ in range(2))
    bench.inject("silence")
    client.wire.dataReceived(lost[:7])
    bench.injection.clear()
    assert [type(event) for event in client.send(lost[7:] + heard)] == [Returned]


def test_the_link_stops_amid_a_frame_until_it_is_cleared(bench: Bench, undisturbed: list[tuple[str, str]]) -> None:
    client = bench.client()
    client.monitor(DESK, ANSWERING)
    bench.inject("half_frame")
    assert client.call() == []
    assert client.association.held > 0
    bench.clock.pump([1.0] * 12)
    assert client.events() == []
    bench.injection.clear("half_frame")
    assert told(client.events()) == [report for report in undisturbed if report[1] != "connectionCleared"]


def test_the_link_breaks_amid_a_frame(bench: Bench) -> None:
    client = bench.client()
    bench.inject("half_frame close=yes")
    assert client.ask("requestSysStat", {}) == []
    assert client.association.held > 0
    assert client.transport.disconnecting


def test_a_half_frame_may_be_late_too_before_it_breaks(bench: Bench) -> None:
    client = bench.client()
    bench.inject("delay seconds=1")
    bench.inject("half_frame close=yes")
    client.ask("requestSysStat", {})
    assert not client.transport.disconnecting
    bench.clock.advance(1.0)
    client.events()
    assert client.association.held > 0
    assert client.transport.disconnecting


def test_a_fault_of_one_link_leaves_the_other_alone(benches: Any) -> None:
    bench = benches("second_association=accept")
    first, second = bench.client(), bench.client()
    bench.inject("silence link=2")
    bench.pbx.csta.system_status("messagesLost")
    assert (statuses(first.events()), statuses(second.events())) == (["messagesLost"], [])


# The PBX


def test_out_of_service_is_told_refused_and_over(bench: Bench) -> None:
    client = bench.client()
    client.monitor(DESK)
    bench.inject(f"out_of_service device={DESK} for=5")
    assert told(client.events()) == [("deviceMaintenanceEvents", "outOfService")]
    refused = [event.error for event in client.call() if isinstance(event, Failed)]
    assert refused == [("universalFailure", ("systemResourceAvailability", "deviceOutOfService"))]
    bench.clock.advance(5.0)
    assert told(client.events()) == [("deviceMaintenanceEvents", "backInService")]
    assert any(isinstance(event, Returned) for event in client.call())


def test_back_in_service_ends_it(bench: Bench) -> None:
    bench.inject("out_of_service device=line2 for=60")
    assert not bench.pbx.switch.in_service(Trunk(2))
    bench.inject("back_in_service device=line2")
    assert bench.pbx.switch.in_service(Trunk(2))
    assert bench.injection.in_force == []


def test_trunks_are_lost_by_group(bench: Bench) -> None:
    bench.inject("trunk_loss group=city")
    bench.inject("out_of_service device=line1")
    assert [bench.pbx.switch.in_service(Trunk(line)) for line in (1, 2, 3)] == [False, False, True]
    bench.injection.clear("trunk_loss")
    assert [bench.pbx.switch.in_service(Trunk(line)) for line in (1, 2, 3)] == [False, True, True]


def test_overload_is_told_and_over(bench: Bench) -> None:
    client = bench.client()
    bench.inject("overload after=10 for=5")
    assert [fault.name for fault in bench.injection.waiting] == ["overload"]
    assert client.events() == []
    bench.clock.advance(10.0)
    assert statuses(client.events()) == ["overloadReached"]
    bench.clock.advance(5.0)
    assert statuses(client.events()) == ["normal"]


def test_restart_loses_calls_monitors_and_what_is_held_back(bench: Bench) -> None:
    client = bench.client()
    client.monitor(DESK)
    bench.inject(f"out_of_service device={ANSWERING}")
    bench.inject("delay")
    client.call()
    bench.inject("restart down_s=3")
    assert (bench.restarts, bench.pbx.switch.calls, bench.pbx.csta.links) == ([3.0], (), [])
    assert client.transport.disconnecting
    bench.clock.advance(1.0)
    assert client.transport.pieces == []
    bench.injection.restarted()
    assert [fault.name for fault in bench.injection.in_force] == ["delay"]
    assert bench.pbx.switch.in_service(Extension(ANSWERING))


def test_registrations_are_lost(bench: Bench) -> None:
    bench.inject("lose_registration extension=301")
    bench.inject("lose_registration")
    assert bench.lost == ["301", "301", DESK, ANSWERING]


def test_clear_ends_also_those_to_come(bench: Bench) -> None:
    bench.inject("silence after=10")
    bench.inject("split")
    assert sorted(fault.name for fault in bench.injection.clear()) == ["silence", "split"]
    assert bench.clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("dropp", "fault 'dropp' does not exist, did you mean 'drop'?"),
        ("", "fault '' does not exist; there are split, "),
        ("drop 3", "fault drop: '3': expected option=value"),
        ("drop nht=3", "fault drop has no option 'nht', did you mean 'nth'?"),
        ("drop nth=x", "fault drop: nth is a number, not 'x'"),
        ("drop nth=0", "fault drop: nth is out of range: '0'"),
        ("drop probability=1.5", "fault drop: probability is out of range: '1.5'"),
        ("drop probability=nan", "fault drop: probability is out of range: 'nan'"),
        ("duplicate what=all", "fault duplicate: what is one of events, frames, not 'all'"),
        ("abort framed=perhaps", "fault abort: framed is true or false, not 'perhaps'"),
        ("junk octets=xy", "fault junk: octets is hex, not 'xy'"),
        ("cut for=3", "fault cut happens in a moment: it has no for"),
        ("out_of_service", "fault out_of_service needs device="),
        ("back_in_service", "fault back_in_service needs device="),
        ("out_of_service device=999", "fault out_of_service: no device '999': an extension, or line1, line2, ..."),
        ("back_in_service device=line9", "fault back_in_service: no device 'line9'"),
        ("trunk_loss group=moon", "fault trunk_loss: no group 'moon'; there are city, old"),
        ("lose_registration extension=9", "fault lose_registration: no extension '9'"),
    ],
)
def test_what_can_not_be_is_told(bench: Bench, line: str, says: str) -> None:
    with pytest.raises(FaultError) as caught:
        bench.inject(line)
    assert str(caught.value).startswith(says)


def test_the_table_lists_every_fault_with_its_options() -> None:
    table = described()
    for name, kind in FAULTS.items():
        assert f"  {name} " in table
        assert kind.about in table
    assert "      every=false  again and again" in table
    assert read("half-frame", ["close=1"]).described() == "half_frame close=true"


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_read_as_it_is_described(name: str) -> None:
    given = ["device=301"] if "service" in name else []
    fault = read(name, [*given, "after=2.5"])
    assert read_line(fault.described()) == fault
    assert fault.after_s == 2.5


# Frames


@given(st.lists(st.binary(min_size=1, max_size=300)), st.binary(max_size=9))
def test_frames_are_found_and_nothing_is_lost(apdus: list[bytes], rest: bytes) -> None:
    whole = [frame(apdu) for apdu in apdus]
    found = list(frames(b"".join(whole) + rest))
    assert found[: len(whole)] == whole
    assert b"".join(found) == b"".join(whole) + rest


@given(st.binary(max_size=200), st.lists(st.integers(1, 40)))
def test_what_is_heard_passes_unchanged_however_it_is_cut(data: bytes, cuts: list[int]) -> None:
    inbound, place, heard = Inbound(), 0, b""
    for cut in [*cuts, len(data)]:
        heard += inbound.heard(data[place : place + cut], deaf=False)
        place += cut
    heard += inbound.heard(data[place:], deaf=False)
    assert heard == data


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=40), st.booleans()), max_size=10), st.integers(1, 50))
def test_frames_are_heard_whole_or_not_at_all(sent: list[tuple[bytes, bool]], cut: int) -> None:
    """Silence that begins and ends amid frames leaves whole frames to hear."""
    inbound, heard = Inbound(), b""
    for apdu, deaf in sent:
        octets = frame(apdu)
        heard += inbound.heard(octets[:cut], deaf) + inbound.heard(octets[cut:], not deaf)
    expected = [frame(apdu) for apdu, deaf in sent if not deaf]
    assert heard == b"".join(expected)
