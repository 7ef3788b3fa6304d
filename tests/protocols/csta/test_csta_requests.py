"""Window, rate, order and time-outs of requests; a request that has not left never leaves once it is given up."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from protocols import rose
from protocols.csta.association import AARE, Association, Role
from protocols.csta.framing import frame
from protocols.csta.panasonic import connection_id, dialing_number
from protocols.csta.requests import (
    Bucket,
    LinkLost,
    RequestError,
    RequestFailed,
    RequestRejected,
    Requests,
    RequestTimedOut,
    RequestWithdrawn,
)
from protocols.errors import LocalProtocolError

MAKE = {"callingDevice": dialing_number("301"), "calledDirectoryNumber": dialing_number("9123")}
CLEAR = {"connectionToBeCleared": connection_id(b"\x01", dialing_number("301"))}
LOOK = {"snapshotObject": dialing_number("301")}
ARGUMENTS = {"makeCall": MAKE, "clearConnection": CLEAR, "snapshotDevice": LOOK}


class Line:
    """Requests over an open association, and what has left."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        association = Association(Role.CLIENT)
        association.associate()
        association.receive_data(frame(AARE))
        association.next_event()
        self.left: list[tuple[int | None, str]] = []
        self.requests = Requests(association, self.clock, self._write, 10.0, **options)

    def _write(self, octets: bytes) -> None:
        apdu = rose.decode(octets[2:])
        assert isinstance(apdu, rose.Invoke)
        self.left.append(
            (apdu.invoke_id, {10: "makeCall", 5: "clearConnection", 74: "snapshotDevice"}[int(apdu.opcode)])
        )

    def ask(self, operation: str) -> tuple[Deferred[Any], list[Any]]:
        ends: list[Any] = []
        answer = self.requests.ask(operation, ARGUMENTS[operation])
        answer.addBoth(ends.append)
        return answer, ends

    @property
    def names(self) -> list[str]:
        return [name for _, name in self.left]


def test_no_more_than_the_window_wait_for_their_answers() -> None:
    line = Line(window=2)
    ends = [line.ask("snapshotDevice")[1] for _ in range(4)]
    assert [invoke_id for invoke_id, _ in line.left] == [1, 2]
    assert line.requests.queued == 2
    line.requests.answered(2, "second")
    assert [invoke_id for invoke_id, _ in line.left] == [1, 2, 3]
    line.requests.failed(1, lambda name: RequestFailed(name, "unspecified", None))
    assert [invoke_id for invoke_id, _ in line.left] == [1, 2, 3, 4]
    assert ends[1] == ["second"]
    assert ends[0][0].check(RequestFailed)
    assert line.requests.queued == 0


def test_clearing_goes_first_and_new_calls_go_last() -> None:
    line = Line(window=1)
    for operation in ("snapshotDevice", "makeCall", "snapshotDevice", "makeCall", "clearConnection"):
        line.ask(operation)
    for invoke_id in range(1, 5):
        line.requests.answered(invoke_id, None)
    assert line.names == ["snapshotDevice", "clearConnection", "snapshotDevice", "makeCall", "makeCall"]


def test_clearing_is_never_held_up_by_a_switch_that_answers_nothing() -> None:
    line = Line(window=2)
    for operation in ("makeCall", "makeCall", "snapshotDevice", "makeCall"):
        line.ask(operation)
    assert line.names == ["makeCall", "makeCall"]
    line.ask("clearConnection")
    assert line.names == ["makeCall", "makeCall", "clearConnection"]
    line.requests.answered(1, None)  # two still wait
    assert line.names == ["makeCall", "makeCall", "clearConnection"]
    line.requests.answered(2, None)
    assert line.names[3:] == ["snapshotDevice"]


def test_each_time_out_counts_from_when_the_request_left() -> None:
    line = Line(window=1)
    _, first = line.ask("makeCall")
    _, second = line.ask("makeCall")
    line.clock.advance(9.9)
    assert first == second == []
    line.clock.advance(0.1)
    assert first[0].check(RequestTimedOut)
    assert len(line.left) == 2
    line.clock.advance(9.9)
    assert second == []
    line.clock.advance(0.1)
    assert second[0].check(RequestTimedOut)
    assert line.clock.getDelayedCalls() == []


def test_a_burst_then_the_rate() -> None:
    line = Line(per_s=10.0, burst=3)
    for _ in range(6):
        line.ask("snapshotDevice")
    assert len(line.left) == 3
    line.clock.advance(0.09)
    assert len(line.left) == 3
    line.clock.advance(0.02)
    assert len(line.left) == 4
    line.clock.pump([0.05] * 6)
    assert len(line.left) == 6
    line.clock.advance(2)
    for _ in range(5):
        line.ask("snapshotDevice")
    assert len(line.left) == 9  # idle time is saved up to a burst and no further


def test_a_rate_lets_what_is_urgent_overtake() -> None:
    line = Line(per_s=1.0)
    line.ask("makeCall")
    line.ask("makeCall")
    line.ask("clearConnection")
    line.clock.advance(1)
    assert line.names == ["makeCall", "clearConnection"]


def test_a_queued_request_that_is_cancelled_never_leaves() -> None:
    line = Line(window=1)
    line.ask("snapshotDevice")
    answer, ends = line.ask("makeCall")
    answer.cancel()
    assert ends[0].check(RequestWithdrawn)
    assert ends[0].value.sent is False
    line.requests.answered(1, None)
    line.clock.advance(60)
    assert line.names == ["snapshotDevice"]


def test_only_what_has_not_left_can_be_withdrawn() -> None:
    line = Line(window=1)
    sent, sent_ends = line.ask("makeCall")
    queued, queued_ends = line.ask("makeCall")
    assert not line.requests.withdraw(sent)
    assert line.requests.withdraw(queued)
    assert sent_ends == []
    assert queued_ends[0].value.sent is False
    assert not line.requests.withdraw(queued)
    sent.cancel()
    assert sent_ends[0].value.sent is True
    assert sent_ends[0].check(CancelledError)  # so that addTimeout and inlineCallbacks know it
    assert line.clock.getDelayedCalls() == []


def test_cancelling_what_was_sent_makes_room() -> None:
    line = Line(window=1)
    sent, _ = line.ask("snapshotDevice")
    line.ask("makeCall")
    sent.cancel()
    assert line.names == ["snapshotDevice", "makeCall"]


def test_the_loss_says_of_each_whether_it_had_left() -> None:
    line = Line(window=1, per_s=1.0)
    _, sent = line.ask("makeCall")
    _, queued = line.ask("makeCall")
    line.requests.lost(lambda name, was_sent: LinkLost(name, "gone", sent=was_sent))
    assert (sent[0].value.sent, queued[0].value.sent) == (True, False)
    assert line.clock.getDelayedCalls() == []
    assert len(line.left) == 1


def test_what_is_asked_amid_the_loss_never_leaves() -> None:
    """An errback may ask again at once; the link refuses it, and were it not so, it would be queued only."""
    line = Line()
    answer, _ = line.ask("makeCall")
    answer.addErrback(lambda _: None)
    line.requests.lost(lambda name, sent: LinkLost(name, "gone", sent=sent))
    line.ask("makeCall")
    assert len(line.left) == 1


def test_an_answer_that_nobody_waits_for_is_let_go() -> None:
    line = Line(window=1)
    line.requests.answered(77, "late")
    line.requests.failed(77, lambda name: RequestFailed(name, "unspecified", None))
    line.ask("makeCall")
    assert line.names == ["makeCall"]


def test_a_mistake_is_said_at_once_and_holds_nobody_up() -> None:
    line = Line(window=1)
    line.ask("snapshotDevice")
    with pytest.raises(LocalProtocolError):
        line.requests.ask("makeCall", {})
    with pytest.raises(LocalProtocolError):
        line.requests.ask("makeCall", {**MAKE, "calledDirectoryNumber": dialing_number("9" * 250)})
    assert line.requests.queued == 0


def test_a_result_may_lead_to_the_next_request_ahead_of_those_that_wait() -> None:
    line = Line(window=1)
    first, _ = line.ask("snapshotDevice")
    line.ask("makeCall")
    first.addCallback(lambda _: line.ask("clearConnection"))
    line.requests.answered(1, None)
    assert line.names == ["snapshotDevice", "clearConnection"]


@pytest.mark.parametrize(
    ("category", "value", "retry"),
    [
        ("operation", "invalidCalledDeviceID", False),
        ("operation", "generic", False),
        ("security", "generic", False),
        ("stateIncompatibility", "invalidObjectState", True),
        ("systemResourceAvailability", "resourceBusy", True),
        ("systemResourceAvailability", "networkBusy", True),
        ("subscribedResourceAvailability", "outstandingReqLimitExceeded", True),
        ("performanceManagement", "performanceLimitExceeded", True),
        ("privateData", "cSTAPrivateDataInfoError", False),
        ("unspecified", None, False),
        ("unreadable", "?", False),
    ],
)
def test_which_errors_say_try_again(category: str, value: str | None, retry: bool) -> None:
    assert RequestFailed("makeCall", category, value).retry is retry


@pytest.mark.parametrize(
    ("problem", "retry"),
    [
        (("general", 0), False),
        (("invoke", 0), True),
        (("invoke", 1), False),
        (("invoke", 2), False),
        (("invoke", 3), True),
        (("invoke", 4), True),
    ],
)
def test_which_rejects_say_try_again(problem: tuple[str, int], retry: bool) -> None:
    rejected: RequestError = RequestRejected.of("makeCall", problem)
    assert rejected.retry is retry
    assert rejected.sent


def test_a_bucket_without_a_rate_is_never_empty() -> None:
    bucket = Bucket(0.0, 1)
    for _ in range(100):
        assert bucket.wait_s(0.0) == 0
        bucket.take()


def test_a_bucket_fills_at_its_rate() -> None:
    bucket = Bucket(4.0, 1)
    assert bucket.wait_s(0.0) == 0
    bucket.take()
    assert bucket.wait_s(0.0) == pytest.approx(0.25)
    assert bucket.wait_s(0.1) == pytest.approx(0.15)
    assert bucket.wait_s(0.25) == 0
