"""The link on a transport without a wire and a clock that stands: time-outs, answers, loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import LogLevel, formatEvent, globalLogPublisher
from twisted.python.failure import Failure

from protocols import acse, ber, rose
from protocols.csta import losses
from protocols.csta.association import AARE, AARQ, Invoked, Role
from protocols.csta.framing import EmptyFrame, FrameTooLong, frame
from protocols.csta.link import (
    AnswerUnreadable,
    CSTAProtocol,
    LinkLost,
    RequestError,
    RequestFailed,
    RequestRejected,
    RequestTimedOut,
)
from protocols.csta.panasonic import connection_id, dialing_number
from protocols.csta.recording import Direction
from protocols.csta.unknowns import MOST
from protocols.errors import LocalProtocolError, RemoteProtocolError

MAKE_CALL = {"callingDevice": dialing_number("301"), "calledDirectoryNumber": dialing_number("9123")}
MADE = {"callingDevice": connection_id(b"\x01\x02\x03", dialing_number("301"))}
STATUS = frame(bytes.fromhex("A1 0C 02 01 01 02 02 00 D3 30 03 0A 01 02"))
STATUS_RESULT = frame(bytes.fromhex("A2 0B 02 01 01 30 06 02 02 00 D3 05 00"))


class Observer:
    """Keeps what it is told, and does what it was given to do on the way."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []
        self.on_invoked: Callable[[CSTAProtocol, Invoked], None] | None = None

    def associated(self, link: CSTAProtocol) -> None:
        assert link.is_open
        self.told.append(("associated", None))

    def refused(self, link: CSTAProtocol, reason: str) -> None:
        self.told.append(("refused", reason))

    def invoked(self, link: CSTAProtocol, event: Invoked) -> None:
        self.told.append(("invoked", event))
        if self.on_invoked is not None:
            self.on_invoked(link, event)

    def lost(self, link: CSTAProtocol, reason: str) -> None:
        assert not link.is_open
        self.told.append(("lost", reason))


class Line:
    """One end: a link, its observer, its transport and the clock."""

    def __init__(self, role: Role, **options: Any) -> None:
        self.clock = Clock()
        self.observer = Observer()
        self.link = CSTAProtocol(role, self.observer, self.clock, **options)
        self.transport = StringTransport()
        self.link.makeConnection(self.transport)

    def sent(self) -> bytes:
        octets: bytes = self.transport.value()
        self.transport.clear()
        return octets

    @property
    def cut(self) -> bool:
        return bool(self.transport.disconnecting or self.transport.disconnected)

    def lose(self) -> None:
        self.link.connectionLost(Failure(ConnectionDone()))


def open_client(**options: Any) -> Line:
    line = Line(Role.CLIENT, **options)
    assert line.sent() == frame(AARQ)
    line.link.dataReceived(frame(AARE))
    assert line.observer.told == [("associated", None)]
    line.observer.told.clear()
    return line


def pump(client: Line, switch: Line) -> None:
    """Carry octets both ways until nobody has any."""
    while (there := client.sent()) or (back := switch.sent()):
        switch.link.dataReceived(there) if there else client.link.dataReceived(back)


def pair(**switch_options: Any) -> tuple[Line, Line]:
    client, switch = Line(Role.CLIENT), Line(Role.SWITCH, **switch_options)
    pump(client, switch)
    return client, switch


def failure_of(deferred: Deferred[Any], kind: type[Exception]) -> Any:
    failures: list[Failure] = []
    deferred.addErrback(failures.append)
    assert failures, "still waiting"
    assert isinstance(failures[0].value, kind)
    return failures[0].value


def test_client_and_switch_back_to_back() -> None:
    client, switch = pair()
    assert client.observer.told == switch.observer.told == [("associated", None)]
    switch.observer.on_invoked = lambda link, event: link.respond(event.invoke_id, event.operation, MADE)
    results: list[Any] = []
    client.link.invoke("makeCall", MAKE_CALL).addCallback(results.append)
    pump(client, switch)
    assert results == [MADE]
    assert switch.observer.told[1:] == [("invoked", Invoked(1, "makeCall", MAKE_CALL))]
    assert client.clock.getDelayedCalls() == switch.clock.getDelayedCalls() == []


def test_system_status_is_answered_and_told() -> None:
    line = open_client()
    line.link.dataReceived(STATUS)
    assert line.sent() == STATUS_RESULT
    assert line.observer.told == [("invoked", Invoked(1, "systemStatus", {"systemStatus": "normal"}))]


def test_system_status_of_a_form_unknown_to_us_is_answered_all_the_same() -> None:
    line = open_client()
    line.link.dataReceived(frame(rose.encode(rose.Invoke(1, 211, b"\x05\x00"))))
    assert line.sent() == STATUS_RESULT


def test_a_switch_leaves_system_status_to_its_owner() -> None:
    client, switch = pair()
    waiting = client.link.invoke("systemStatus", {"systemStatus": "normal"})
    pump(client, switch)
    assert switch.observer.told[-1] == ("invoked", Invoked(1, "systemStatus", {"systemStatus": "normal"}))
    switch.link.respond(1, "systemStatus")
    pump(client, switch)
    results: list[Any] = []
    waiting.addCallback(results.append)
    assert results == [("noData", None)]


def test_refusal_in_words_then_the_loss() -> None:
    client, switch = pair(admit=lambda aarq: (1, 2))
    reason = "association refused: rejected-permanent, application-context-name-not-supported"
    assert client.observer.told == [("refused", reason)]
    assert client.cut
    assert switch.cut
    client.lose()
    switch.lose()
    assert client.observer.told == [("refused", reason), ("lost", reason)]
    assert switch.observer.told == [("lost", "association refused by us")]
    assert client.clock.getDelayedCalls() == switch.clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("error", "retry"),
    [
        (("operation", "invalidCalledDeviceID"), False),
        (("systemResourceAvailability", "resourceBusy"), True),
        (("stateIncompatibility", "invalidObjectState"), True),
        (("unspecified", None), False),
    ],
)
def test_an_error_says_what_and_whether_to_retry(error: tuple[str, Any], retry: bool) -> None:
    client, switch = pair()
    waiting = client.link.invoke("makeCall", MAKE_CALL)
    pump(client, switch)
    switch.link.fail(1, error)
    pump(client, switch)
    failed = failure_of(waiting, RequestFailed)
    assert (failed.operation, failed.category, failed.value, failed.retry) == ("makeCall", *error, retry)
    assert client.clock.getDelayedCalls() == []


def test_a_reject_fails_the_request() -> None:
    client, switch = pair()
    waiting = client.link.invoke("makeCall", MAKE_CALL)
    pump(client, switch)
    switch.link.reject(1, ("invoke", 1))
    pump(client, switch)
    rejected = failure_of(waiting, RequestRejected)
    assert (rejected.problem, rejected.retry) == ("invoke: unrecognizedOperation", False)


def test_an_answer_that_does_not_fit_fails_the_request_and_the_link_goes_on() -> None:
    line = open_client()
    waiting = line.link.invoke("makeCall", MAKE_CALL)
    line.link.dataReceived(frame(rose.encode(rose.ReturnResult(1, 10, b"\x05\x00"))))
    assert "does not fit" in str(failure_of(waiting, AnswerUnreadable))
    assert line.link.is_open


def test_an_error_that_does_not_fit_is_a_refusal_all_the_same() -> None:
    line = open_client()
    waiting = line.link.invoke("makeCall", MAKE_CALL)
    line.link.dataReceived(frame(rose.encode(rose.ReturnError(1, 1, b"\xa1\x00"))))
    failed = failure_of(waiting, RequestFailed)
    assert (failed.category, failed.retry) == ("unreadable", False)
    assert line.link.is_open


@pytest.mark.parametrize("kind", ["returnResult", "returnError"])
def test_a_reject_of_an_answer_of_ours_is_none_of_a_request_with_the_same_id(kind: str) -> None:
    """Ids of the peer's invokes are its own: MakeCall goes on although our answer to its request was not liked."""
    line = open_client()
    waiting = line.link.invoke("makeCall", MAKE_CALL)
    line.link.dataReceived(frame(rose.encode(rose.Reject(1, (kind, 0)))))
    assert not waiting.called
    line.link.dataReceived(frame(rose.encode(rose.Reject(1, ("invoke", 2)))))
    failure_of(waiting, RequestRejected)


def test_an_invoke_that_does_not_fit_is_rejected_but_an_event_is_not() -> None:
    line = open_client()
    line.link.dataReceived(frame(rose.encode(rose.Invoke(5, 21, b"\x30\x00"))))
    assert line.sent() == b""
    line.link.dataReceived(frame(rose.encode(rose.Invoke(6, 10, b"\x30\x00"))))
    assert line.sent() == frame(rose.encode(rose.Reject(6, ("invoke", 2))))
    assert line.observer.told == []
    assert line.link.is_open


def test_a_request_times_out_and_a_late_answer_harms_nobody() -> None:
    line = open_client(request_timeout_s=5.0)
    waiting = line.link.invoke("makeCall", MAKE_CALL)
    line.clock.advance(4.9)
    assert not waiting.called
    line.clock.advance(0.2)
    assert failure_of(waiting, RequestTimedOut).timeout_s == 5.0
    line.link.dataReceived(frame(rose.encode(rose.ReturnResult(1, 10))))
    assert line.link.is_open
    assert line.clock.getDelayedCalls() == []


def test_a_cancelled_request_leaves_nothing() -> None:
    line = open_client()
    waiting = line.link.invoke("makeCall", MAKE_CALL)
    waiting.addErrback(lambda _: None)
    waiting.cancel()
    assert line.clock.getDelayedCalls() == []
    line.link.dataReceived(frame(rose.encode(rose.ReturnResult(1, 10))))
    assert line.link.is_open


def test_loss_fails_every_request_with_its_reason_and_leaves_no_timer() -> None:
    line = open_client(silence_limit_s=60.0)
    waiting = [line.link.invoke("makeCall", MAKE_CALL) for _ in range(3)]
    line.lose()
    for each in waiting:
        lost = failure_of(each, LinkLost)
        assert lost.operation == "makeCall"
        assert lost.retry
        assert "Connection was closed cleanly" in lost.reason
    assert len(line.observer.told) == 1
    assert line.observer.told[0][0] == "lost"
    assert line.clock.getDelayedCalls() == []


def test_after_the_loss_requests_fail_and_telling_is_harmless() -> None:
    line = open_client()
    line.lose()
    line.sent()
    failure_of(line.link.invoke("makeCall", MAKE_CALL), LinkLost)
    line.link.notify("systemStatus", {"systemStatus": "normal"})
    line.link.respond(1, "systemStatus")
    line.link.fail(1, ("unspecified", None))
    line.link.reject(1, ("invoke", 0))
    line.link.close()
    line.link.abort()
    line.link.dataReceived(STATUS)
    assert line.sent() == b""
    assert len(line.observer.told) == 1


def test_before_the_association_requests_fail_at_once() -> None:
    line = Line(Role.CLIENT)
    failure_of(line.link.invoke("makeCall", MAKE_CALL), LinkLost)
    assert line.sent() == frame(AARQ)


def test_mistakes_of_ours_fail_the_request_and_send_nothing() -> None:
    line = open_client()
    failure_of(line.link.invoke("makeCall", {}), LocalProtocolError)
    failure_of(line.link.invoke("cSTAEventReport", {}), LocalProtocolError)
    with pytest.raises(LocalProtocolError):
        line.link.notify("makeCall", {})
    assert line.sent() == b""
    assert line.clock.getDelayedCalls() == []


def test_a_notice_waits_for_nothing() -> None:
    client, switch = pair()
    switch.link.notify("systemStatus", {"systemStatus": "overloadReached"})
    assert switch.clock.getDelayedCalls() == []
    pump(client, switch)  # the client's answer comes and is let go
    assert client.observer.told[-1] == ("invoked", Invoked(1, "systemStatus", {"systemStatus": "overloadReached"}))
    assert switch.link.is_open


def test_no_association_in_time() -> None:
    line = Line(Role.CLIENT, associate_timeout_s=3.0)
    line.clock.advance(3.1)
    assert line.cut
    line.lose()
    assert line.observer.told == [("lost", "no association in 3 s")]


def test_silence_drops_the_link_and_anything_heard_puts_it_off() -> None:
    line = open_client(silence_limit_s=300.0)
    line.clock.advance(299)
    line.link.dataReceived(STATUS)
    line.clock.advance(299)
    assert not line.cut
    line.clock.advance(2)
    assert line.cut
    line.lose()
    assert line.observer.told[-1] == ("lost", "nothing heard for 300 s")
    assert line.clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        ("6403800100", "association aborted by the peer (acse-service-user)"),
        ("6406800101810102", "association aborted by the peer (acse-service-provider, protocol-error)"),
        ("0000", "protocol error of the peer: empty frame"),
        ("FFFF", "protocol error of the peer: frame of 65535 octets; at most 8192 are taken"),
    ],
)
def test_what_ends_the_link(octets: str, reason: str) -> None:
    line = open_client()
    waiting = line.link.invoke("makeCall", MAKE_CALL)
    line.link.dataReceived(bytes.fromhex(octets))
    assert line.cut
    line.link.dataReceived(STATUS)  # still under way: not looked at
    line.lose()
    assert line.observer.told == [("lost", reason)]
    assert failure_of(waiting, LinkLost).reason == reason
    assert line.clock.getDelayedCalls() == []


def test_a_release_is_confirmed_and_closes() -> None:
    line = open_client()
    line.link.dataReceived(bytes.fromhex("0005 6203800100"))
    assert line.sent() == bytes.fromhex("0005 6303800100")
    assert line.cut


def test_closing_and_aborting() -> None:
    line = open_client()
    line.link.close("shutdown")
    assert line.sent() == b""
    assert line.transport.disconnecting
    assert not line.link.is_open
    line.lose()
    assert line.observer.told == [("lost", "shutdown")]
    line = open_client()
    line.link.abort()
    assert line.sent() == bytes.fromhex("0005 6403800100")
    assert line.transport.disconnecting


def test_nothing_that_is_queued_leaves_once_the_link_is_being_closed() -> None:
    line = open_client(window=1, per_s=1.0)
    ends: list[Any] = []
    for _ in range(3):
        line.link.invoke("makeCall", MAKE_CALL).addErrback(ends.append)
    line.sent()
    line.link.close("enough")
    line.clock.advance(1.0)  # the rate
    line.clock.advance(10.0)  # the time-out of the first makes room in the window
    assert line.sent() == b""
    line.lose()
    assert [(each.type, each.value.sent) for each in ends] == [
        (RequestTimedOut, True),
        (LinkLost, False),
        (LinkLost, False),
    ]
    assert line.clock.getDelayedCalls() == []


def test_a_peer_that_takes_nothing_any_more_does_not_keep_the_connection_for_ever() -> None:
    line = open_client()
    line.link.close("enough")
    assert line.transport.disconnecting
    assert not line.transport.disconnected
    line.clock.advance(2.0)
    assert line.transport.disconnected  # cut
    line.lose()
    assert line.observer.told == [("lost", "enough")]
    assert line.clock.getDelayedCalls() == []


def test_an_observer_may_close_the_link_amid_what_it_is_told() -> None:
    line = open_client()
    line.observer.on_invoked = lambda link, event: link.close("enough")
    line.link.dataReceived(STATUS + STATUS)
    line.lose()
    assert [what for what, _ in line.observer.told] == ["invoked", "lost"]


def test_a_line_without_abort_is_closed() -> None:
    """A serial transport has no abortConnection."""

    class Serial:
        closed = 0

        def write(self, octets: bytes) -> None: ...

        def loseConnection(self) -> None:
            self.closed += 1

    serial = Serial()
    link = CSTAProtocol(Role.CLIENT, Observer(), Clock())
    link.makeConnection(serial)
    link.dataReceived(b"\x00\x00")
    assert serial.closed == 1
    link.connectionLost()


# Why a link went


def refusal(**changed: Any) -> bytes:
    return frame(acse.encode("aare", {**acse.decode(AARE)[1], "result": 1, **changed}))


@pytest.mark.parametrize(
    ("octets", "kind", "attributes"),
    [
        (bytes.fromhex("6403800100"), losses.AssociationAborted, {"source": 0, "diagnostic": None}),
        (bytes.fromhex("0005 6203800100"), losses.AssociationReleased, {}),
        (b"\x00\x00", losses.ProtocolBroken, {}),
    ],
)
def test_the_reason_is_a_type_of_its_own(octets: bytes, kind: type[losses.Loss], attributes: dict[str, Any]) -> None:
    line = open_client()
    waiting = line.link.invoke("makeCall", MAKE_CALL)
    line.link.dataReceived(octets)
    line.lose()
    loss = line.link.loss
    assert type(loss) is kind
    for name, value in attributes.items():
        assert getattr(loss, name) == value
    assert failure_of(waiting, LinkLost).why is loss


@pytest.mark.parametrize(
    ("octets", "fault"),
    [(b"\x00\x00", EmptyFrame), (b"\xff\xff", FrameTooLong), (b"\x00\x01\x99", RemoteProtocolError)],
)
def test_broken_frames_are_told_from_broken_apdus(octets: bytes, fault: type[RemoteProtocolError]) -> None:
    line = open_client()
    line.link.dataReceived(octets)
    line.lose()
    assert isinstance(line.link.loss, losses.ProtocolBroken)
    assert type(line.link.loss.fault) is fault


def test_a_refusal_keeps_its_numbers() -> None:
    line = Line(Role.CLIENT)
    line.link.dataReceived(refusal())
    line.lose()
    loss = line.link.loss
    assert isinstance(loss, losses.AssociationRefused)
    assert (loss.result, loss.source, loss.diagnostic) == (1, "acse-service-user", 1)


def test_a_connection_that_breaks_and_one_that_we_close() -> None:
    line = open_client()
    line.lose()
    assert type(line.link.loss) is losses.ConnectionBroken
    line = open_client()
    line.link.close("enough")
    line.lose()
    assert type(line.link.loss) is losses.ClosedByUs


def test_a_request_made_without_a_link_was_never_sent() -> None:
    line = open_client()
    line.lose()
    error = failure_of(line.link.invoke("makeCall", MAKE_CALL), LinkLost)
    assert error.sent is False
    assert error.why is line.link.loss


# Half frames, silence, probes


def test_half_a_frame_that_does_not_go_on_ends_the_link() -> None:
    line = open_client(frame_timeout_s=5.0)
    line.link.dataReceived(STATUS[:4])
    line.clock.advance(4.9)
    assert not line.cut
    line.clock.advance(0.1)
    assert line.cut
    line.lose()
    loss = line.link.loss
    assert isinstance(loss, losses.FrameStalled)
    assert (loss.octets, loss.timeout_s) == (4, 5.0)
    assert line.clock.getDelayedCalls() == []


def test_octet_by_octet_is_slow_and_right_and_a_trickle_without_end_is_not() -> None:
    line = open_client(frame_timeout_s=5.0)
    for octet in STATUS:
        line.link.dataReceived(bytes((octet,)))
        line.clock.advance(0.3)
    assert line.sent() == STATUS_RESULT
    line.clock.advance(60)
    assert not line.cut
    for octet in b"\x00\xf0" + bytes(60):
        line.link.dataReceived(bytes((octet,)))
        line.clock.advance(0.3)
    assert line.cut


def test_each_frame_has_its_own_time() -> None:
    line = open_client(frame_timeout_s=5.0)
    for _ in range(10):
        line.link.dataReceived(STATUS[:5])
        line.clock.advance(3)
        line.link.dataReceived(STATUS[5:] + STATUS[:1])
        line.clock.advance(3)
        line.link.dataReceived(STATUS[1:])
    assert not line.cut
    line.lose()
    assert line.clock.getDelayedCalls() == []


def probed(line: Line) -> int:
    """How many RequestSystemStatus have been sent since the last look."""
    return line.sent().count(b"\x02\x02\x00\xd2")


def test_a_probe_after_silence_and_an_answer_of_any_kind_is_life() -> None:
    line = open_client(probe_s=30.0, request_timeout_s=10.0)
    line.clock.advance(29)
    line.link.dataReceived(STATUS)
    line.sent()
    line.clock.advance(29)
    assert probed(line) == 0
    line.clock.advance(1)
    assert probed(line) == 1
    line.link.dataReceived(frame(rose.encode(rose.Reject(1, ("invoke", 1)))))
    line.clock.advance(30)
    assert probed(line) == 1
    line.link.dataReceived(frame(rose.encode(rose.ReturnError(2, 1, bytes.fromhex("A0030A0132")))))
    line.clock.advance(30)
    assert probed(line) == 1
    assert not line.cut
    line.lose()
    assert line.clock.getDelayedCalls() == []


def test_a_probe_that_nobody_answers_ends_the_link() -> None:
    line = open_client(probe_s=30.0, request_timeout_s=10.0)
    line.clock.advance(30)
    line.clock.advance(10)
    assert line.cut
    line.lose()
    assert type(line.link.loss) is losses.ProbeUnanswered
    assert line.clock.getDelayedCalls() == []


def test_a_peer_that_speaks_of_other_things_is_alive_though_it_has_no_such_service() -> None:
    line = open_client(probe_s=30.0, request_timeout_s=10.0)
    line.clock.advance(30)
    line.clock.advance(5)
    line.link.dataReceived(STATUS)
    line.clock.advance(5)
    assert not line.cut
    line.sent()
    line.clock.advance(30)
    assert probed(line) == 1


# System status under its old number


def test_the_old_system_status_is_answered_as_another_client_does() -> None:
    line = open_client()
    line.link.dataReceived(frame(rose.encode(rose.Invoke(9, 52, b"\x30\x03\x0a\x01\x02"))))
    assert line.sent() == frame(bytes.fromhex("A2 0A 02 01 09 30 05 02 01 34 05 00"))


def test_or_left_alone() -> None:
    line = open_client(old_status=False)
    line.link.dataReceived(frame(rose.encode(rose.Invoke(9, 52, b"\x30\x03\x0a\x01\x02"))))
    assert line.sent() == b""


# A line without connections of its own


def test_a_client_ends_what_an_earlier_run_left_and_waits_for_quiet() -> None:
    line = Line(Role.CLIENT, quiet_s=0.5)
    assert line.sent() == frame(bytes.fromhex("6403800100"))
    line.clock.advance(0.4)
    line.link.dataReceived(STATUS + b"\x00\x30half of some")  # of an association that is over
    line.clock.advance(0.4)
    assert line.sent() == b""
    line.clock.advance(0.1)
    assert line.sent() == frame(AARQ)
    line.link.dataReceived(frame(AARE))
    assert line.observer.told == [("associated", None)]
    assert line.link.is_open


def test_or_waits_for_quiet_only() -> None:
    line = Line(Role.CLIENT, quiet_s=0.5, abort_first=False)
    assert line.sent() == b""
    line.clock.advance(0.5)
    assert line.sent() == frame(AARQ)


def test_a_line_that_is_never_quiet_gets_no_association() -> None:
    line = Line(Role.CLIENT, quiet_s=0.5, associate_timeout_s=3.0)
    line.sent()
    for _ in range(12):
        line.link.dataReceived(b"noise")
        line.clock.advance(0.3)
    assert line.cut
    assert line.sent() == b""
    line.lose()
    assert type(line.link.loss) is losses.NotAssociated
    assert line.clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("octets", "kind"), [(b"\x00\x00", losses.ProtocolBroken), (b"", losses.ClosedByUs)], ids=["garbage", "closed"]
)
def test_the_other_side_hears_of_the_end(octets: bytes, kind: type[losses.Loss]) -> None:
    line = Line(Role.CLIENT, quiet_s=0.5)
    line.clock.advance(0.5)
    line.link.dataReceived(frame(AARE))
    line.sent()
    if octets:
        line.link.dataReceived(octets)
    else:
        line.link.close()
    assert line.sent() == frame(bytes.fromhex("6403800100"))
    assert line.cut
    assert type(line.link.loss) is kind


def test_a_switch_on_such_a_line_waits_for_ever_and_lets_an_early_abort_pass() -> None:
    client, switch = Line(Role.CLIENT, quiet_s=0.5), Line(Role.SWITCH, quiet_s=0.5)
    switch.clock.advance(3600)
    pump(client, switch)
    assert not switch.cut
    client.clock.advance(0.5)
    pump(client, switch)
    assert client.link.is_open
    assert switch.link.is_open
    client.link.close()
    pump(client, switch)
    assert type(switch.link.loss) is losses.AssociationAborted


def test_a_switch_that_began_anew_tells_a_client_that_has_not() -> None:
    client, switch = Line(Role.CLIENT, quiet_s=0.5), Line(Role.SWITCH, quiet_s=0.5)
    client.clock.advance(0.5)
    pump(client, switch)
    fresh = Line(Role.SWITCH, quiet_s=0.5)
    client.link.invoke("makeCall", MAKE_CALL).addErrback(lambda _: None)
    pump(client, fresh)
    assert type(fresh.link.loss) is losses.ProtocolBroken
    assert type(client.link.loss) is losses.AssociationAborted


# Recording, and what is unknown


def test_a_tap_is_shown_every_apdu_of_both_directions() -> None:
    shown: list[tuple[Direction, str]] = []
    line = Line(Role.CLIENT, tap=lambda direction, apdu: shown.append((direction, apdu.hex())))
    line.link.dataReceived(frame(AARE) + STATUS + bytes.fromhex("6403800100"))
    assert shown == [
        (Direction.TO_SWITCH, AARQ.hex()),
        (Direction.TO_CLIENT, AARE.hex()),
        (Direction.TO_CLIENT, STATUS[2:].hex()),
        (Direction.TO_SWITCH, STATUS_RESULT[2:].hex()),
        (Direction.TO_CLIENT, "6403800100"),
    ]
    shown.clear()
    _, switch = pair(tap=lambda direction, apdu: shown.append((direction, apdu.hex())))
    switch.link.abort()
    assert [direction for direction, _ in shown] == [Direction.TO_SWITCH, Direction.TO_CLIENT, Direction.TO_CLIENT]
    assert shown[-1][1] == "6403800100"


def warnings(events: list[dict[str, Any]]) -> list[str]:
    return [formatEvent(event) for event in events if event["log_level"] is LogLevel.warn]


def test_what_is_unknown_is_said_once_for_each_kind() -> None:
    line = open_client()
    events: list[dict[str, Any]] = []
    globalLogPublisher.addObserver(events.append)
    try:
        newer = bytes.fromhex("A1 11 02 01 01 02 02 00 D3 30 08 0A 01 63 BF 7F 02 05 00")
        for _ in range(3):
            line.link.dataReceived(frame(newer))
            line.link.dataReceived(frame(rose.encode(rose.Invoke(2, 999))))
            waiting = line.link.invoke("makeCall", MAKE_CALL)
            waiting.addErrback(lambda _: None)
            (invoke_id,) = line.link._association.outstanding
            line.link.dataReceived(frame(rose.encode(rose.ReturnError(invoke_id, 1, bytes.fromhex("A004 0A0200C8")))))
    finally:
        globalLogPublisher.removeObserver(events.append)
    said = warnings(events)
    assert len(said) == len(set(said)) == 4
    assert any("systemStatus.systemStatus: number 99" in line for line in said)
    assert any("systemStatus: element BF7F" in line and "BF 7F 02 05 00" in line for line in said)
    assert any("operation-999: not declared" in line for line in said)
    assert any("universalFailure.operation: number 200" in line for line in said)


def test_the_log_tells_nobodys_number() -> None:
    line = open_client()
    events: list[dict[str, Any]] = []
    globalLogPublisher.addObserver(events.append)
    try:
        number = b"84951234567"
        wrong = ber.tlv(0x30, ber.tlv(0x16, number))
        newer = ber.tlv(0x30, bytes.fromhex("0A0102") + ber.tlv(0x9F7D, number))
        line.link.dataReceived(frame(rose.encode(rose.Invoke(1, 21, wrong))))
        line.link.dataReceived(frame(rose.encode(rose.Invoke(2, 211, newer))))
    finally:
        globalLogPublisher.removeObserver(events.append)
    said = warnings(events)
    assert len(said) == 2
    assert all(".. .. 36 37" in line for line in said)
    assert not any("38" in line or "34 35" in line for line in said)


def test_a_peer_that_sends_ever_new_kinds_does_not_fill_the_log() -> None:
    line = open_client()
    events: list[dict[str, Any]] = []
    globalLogPublisher.addObserver(events.append)
    try:
        for code in range(1000, 2000):
            line.link.dataReceived(frame(rose.encode(rose.Invoke(2, code))))
    finally:
        globalLogPublisher.removeObserver(events.append)
    assert len(warnings(events)) == MOST


def test_every_request_error_has_its_operation() -> None:
    errors = (
        RequestFailed("a", "b", 1),
        RequestRejected("a", "b"),
        AnswerUnreadable("a", "b"),
        RequestTimedOut("a", 1),
        LinkLost("a", "b"),
    )
    for error in errors:
        assert isinstance(error, RequestError)
        assert str(error).startswith("a: ")
