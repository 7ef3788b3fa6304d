"""The PBX's own voice against a switch that answers by hand, with a voice of ours beside it and without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gateway_bench import Listener
from panasonic_bench import settings as panasonic_settings
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import Logger

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import CallOver, EndedBy, Native, NotSupported, Played, RecordLimits
from ocm_cti.gateways.panasonic_around import Surroundings
from ocm_cti.gateways.panasonic_calls import Event
from ocm_cti.gateways.panasonic_placed import PlacedCall
from ocm_cti.gateways.panasonic_reading import Told
from protocols.csta.link import LinkLost, RequestFailed
from protocols.csta.panasonic import (
    DigitsReport,
    OgmStatus,
    connection_id,
    dialing_number,
    digits_report,
    ogm_start,
    ogm_status,
    ogm_stop,
    parse_private_event,
)

OURS, OTHER = b"\x01\x02\x03\x04", b"\x09\x09\x09\x09"
CONNECTION = connection_id(OURS, dialing_number("301"))


class NoVoice:
    """A voice process that must not be asked for anything."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"asked to {name}")


class Bench:
    """An answered call of a gateway without SIP extensions."""

    def __init__(self, **changed: Any) -> None:
        self.clock = Clock()
        self.requests: list[tuple[str, Any, Deferred[Any]]] = []
        self.freed = 0
        self.listener = Listener()
        voice: Any = NoVoice()
        around = Surroundings(
            panasonic_settings(voice="ogm", **changed),
            self.clock,
            self.ask,
            lambda: None,
            voice,
            self.free,
            Logger(),
        )
        self.call = PlacedCall(around, "301", 1, 20.0, self.listener)
        self.call.begin("984951234501")
        self.requests[0][2].callback({"callingDevice": CONNECTION})
        self.told(Event.ORIGINATED, "originated", own=True)
        assert self.listener.names == ["dialing"]
        self.told(Event.REACHED, "networkReached")
        self.told(Event.ANSWERED, "established")
        assert self.listener.told[-1] == ("answered", True)
        self.requests.clear()

    def ask(self, operation: str, argument: Any) -> Deferred[Any]:
        self.requests.append((operation, argument, Deferred()))
        return self.requests[-1][2]

    def free(self) -> None:
        self.freed += 1

    def told(self, event: Event, name: str, *, own: bool = False) -> None:
        self.call.told(Told(OURS, name, event, Cause.UNKNOWN, Native("csta", "", ""), own))

    def announce(self, ogm: str = "7") -> list[Any]:
        result: list[Any] = []
        self.call.play_announcement(ogm).addBoth(result.append)
        return result

    def ended(self, call_id: bytes = OURS) -> None:
        self.call.told_privately(OgmStatus(connection_id(call_id, dialing_number("301")), "ended", "7", ""))

    @property
    def asked(self) -> list[tuple[str, Any]]:
        return [(operation, argument) for operation, argument, _ in self.requests]


def test_a_message_of_the_pbx_is_heard_to_its_end() -> None:
    bench = Bench()
    result = bench.announce()
    assert bench.asked == [("escape", ogm_start(CONNECTION, "7"))]
    bench.requests[-1][2].callback(("noData", None))
    bench.clock.advance(4.0)
    bench.ended(OTHER)
    assert result == []
    bench.ended()
    assert result == [Played(4000, 4000, True)]
    assert len(bench.clock.getDelayedCalls()) == 1, "only the limit of the call"


def test_keys_come_as_such() -> None:
    bench = Bench()
    bench.call.told_privately(DigitsReport(CONNECTION, "12"))
    bench.call.told_privately(DigitsReport(connection_id(OTHER, dialing_number("301")), "9"))
    assert bench.listener.told[-2:] == [("digit", "1"), ("digit", "2")]


def test_a_message_is_stopped() -> None:
    bench = Bench()
    result = bench.announce()
    bench.clock.advance(1.5)
    bench.call.stop_playing()
    assert bench.asked[-1] == ("escape", ogm_stop(CONNECTION))
    assert result == [Played(1500, 1500, False)]
    bench.requests[-1][2].errback(RequestFailed("escape", "stateIncompatibility", "invalidObjectState"))
    bench.ended()
    bench.call.stop_playing()
    assert len(bench.requests) == 2, "nothing plays any more"


def test_one_message_after_another_and_one_instead_of_another() -> None:
    bench = Bench()
    first = bench.announce("7")
    second = bench.announce("8")
    assert first == [Played(0, 0, False)]
    bench.requests[0][2].errback(RequestFailed("escape", "operation", "generic"))
    bench.ended()
    assert second == [Played(0, 0, True)]


def test_a_message_that_never_ends() -> None:
    bench = Bench(ogm_limit_s=30.0)
    result = bench.announce()
    bench.clock.advance(30.0)
    assert result == [Played(30_000, 30_000, False)]
    assert bench.asked[-1] == ("escape", ogm_stop(CONNECTION))


def test_a_pbx_without_messages() -> None:
    bench = Bench()
    result = bench.announce()
    bench.requests[-1][2].errback(RequestFailed("escape", "operation", "serviceNotSupported"))
    assert result[0].check(NotSupported)
    assert "serviceNotSupported" in str(result[0].value)


def test_the_link_goes_amid_a_message() -> None:
    bench = Bench()
    result = bench.announce()
    bench.requests[-1][2].errback(LinkLost("escape", "gone"))
    assert result[0].check(NotSupported), "a fault of ours: unfinished would mean that he has hung up"


def test_the_end_of_the_call_ends_the_message() -> None:
    bench = Bench()
    result = bench.announce()
    bench.clock.advance(1.0)
    bench.told(Event.FAR_CLEARED, "connectionCleared")
    assert result == [Played(1000, 1000, False)]
    assert bench.requests[-1][0] == "clearConnection"
    bench.told(Event.OWN_CLEARED, "connectionCleared", own=True)
    assert bench.listener.verdict[:3] == ("ended", Cause.NORMAL, EndedBy.THEM)
    assert bench.freed == 1
    assert bench.clock.getDelayedCalls() == []
    assert bench.announce()[0].check(CallOver)


@pytest.mark.parametrize("what", ["play", "record"])
def test_without_a_voice_of_ours_nothing_else_can_be_played(what: str, tmp_path: Path) -> None:
    bench = Bench()
    result: list[Any] = []
    if what == "play":
        bench.call.play([tmp_path / "prompt.alaw"]).addBoth(result.append)
    else:
        bench.call.record(tmp_path / "reply.wav", RecordLimits()).addBoth(result.append)
    assert result[0].check(NotSupported)
    assert "ogm" in str(result[0].value)


def test_the_events_as_they_are_on_the_wire() -> None:
    """What the gateway is told under a monitor has the body of privateEvent."""
    for info, event in (
        (digits_report(CONNECTION, "5"), DigitsReport(CONNECTION, "5")),
        (ogm_status(CONNECTION, "ended", "7"), OgmStatus(CONNECTION, "ended", "7", "")),
    ):
        _, (name, body) = info
        assert name == "privateEvent"
        assert parse_private_event(body) == event
