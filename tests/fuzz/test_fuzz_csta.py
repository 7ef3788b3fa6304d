"""Hypothesis over codec, framing, association and link: nothing but errors of ours, no hang, bounded memory."""

from __future__ import annotations

from typing import Any

import fuzz_association
import fuzz_codec
import fuzz_framing
import fuzz_seeds
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import globalLogPublisher
from twisted.python.failure import Failure

from protocols.csta.association import AARE, AARQ, MAX_RECEIVED_APDU, Invoked, Role
from protocols.csta.framing import frame
from protocols.csta.link import CSTAProtocol, RequestError
from protocols.csta.panasonic import connection_id, dialing_number

SEEDS = fuzz_seeds.apdus()
STREAMS = fuzz_seeds.streams()
EXAMPLES = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

#: (place, how many octets go there, what comes instead of them)
EDITS = st.lists(st.tuples(st.integers(0, 250), st.integers(0, 4), st.binary(max_size=4)), max_size=4)


def edited(octets: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for place, gone, instead in edits:
        at = place % (len(octets) + 1)
        octets = octets[:at] + instead + octets[at + gone :]
    return octets


DAMAGED = st.builds(edited, st.sampled_from(SEEDS), EDITS)
DAMAGED_STREAMS = st.lists(st.builds(edited, st.sampled_from(STREAMS), EDITS), max_size=4).map(b"".join)


def test_the_seeds_reach_something() -> None:
    """A seed that nothing can read would only look like one."""
    read = [octets for octets in STREAMS if fuzz_framing.cut(octets, [])[0]]
    assert len(read) > len(SEEDS) * 0.8


@pytest.mark.parametrize("kind", range(len(fuzz_codec.TYPES)))
def test_any_octets_for_every_declared_type(kind: int) -> None:
    for seed in SEEDS:
        for at in range(0, len(seed), 2):
            fuzz_codec.check(bytes((kind,)) + seed[at:])


@EXAMPLES
@given(st.integers(0, 255), DAMAGED | st.binary(max_size=300))
def test_damaged_apdus(kind: int, octets: bytes) -> None:
    fuzz_codec.check(bytes((kind,)) + octets)
    fuzz_codec.check(octets)


@EXAMPLES
@given(st.lists(st.integers(1, 64), min_size=8, max_size=8), DAMAGED_STREAMS | st.binary(max_size=600))
def test_any_chunking_of_any_stream_gives_the_same_apdus(sizes: list[int], stream: bytes) -> None:
    fuzz_framing.check(bytes(size - 1 for size in sizes) + stream)


@EXAMPLES
@given(
    st.sampled_from(Role),
    st.lists(st.integers(0, len(fuzz_association.DEEDS) - 1) | DAMAGED_STREAMS | st.binary(max_size=80), max_size=25),
)
def test_any_history_of_an_association(role: Role, history: list[int | bytes]) -> None:
    it = fuzz_association.History(role)
    for step in history:
        if isinstance(step, int):
            it.do(fuzz_association.DEEDS[step])
        else:
            it.receive(step)
    it.receive(b"")


@EXAMPLES
@given(DAMAGED_STREAMS, st.lists(st.integers(1, 40), max_size=60), st.sampled_from(Role))
def test_any_chunking_gives_an_association_the_same_history(stream: bytes, sizes: list[int], role: Role) -> None:
    opening = frame(AARE) if role is Role.CLIENT else frame(AARQ)

    def history(pieces: list[bytes]) -> tuple[list[Any], str]:
        it = fuzz_association.History(role)
        if role is Role.CLIENT:
            it.do(fuzz_association.DEEDS[0])
        it.receive(opening)
        if role is Role.SWITCH:
            it.do(fuzz_association.DEEDS[1])
        for piece in filter(None, pieces):
            it.receive(piece)
        it.receive(b"")
        return it.events, it.fault

    pieces, rest = [], stream
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]
    assert history([*pieces, rest]) == history([stream])


@EXAMPLES
@given(st.binary(min_size=1, max_size=255))
def test_the_association_target_takes_any_octets(octets: bytes) -> None:
    fuzz_association.check(octets)


class Observer:
    """Answers what it can, asks back, and keeps count."""

    def __init__(self) -> None:
        self.lost_times = 0

    def associated(self, link: CSTAProtocol) -> None: ...

    def refused(self, link: CSTAProtocol, reason: str) -> None: ...

    def invoked(self, link: CSTAProtocol, event: Invoked) -> None:
        if link.queued < 20:
            ask(link)

    def lost(self, link: CSTAProtocol, reason: str) -> None:
        self.lost_times += 1


CLEAR = {"connectionToBeCleared": connection_id(b"\x01", dialing_number("301"))}


def ask(link: CSTAProtocol) -> None:
    link.invoke("clearConnection", CLEAR).addErrback(lambda failure: failure.trap(RequestError) and None)


LINK_STEPS = st.one_of(
    DAMAGED_STREAMS,
    st.binary(max_size=80),
    st.floats(0.0, 20.0),
    st.sampled_from(["ask", "notify", "close", "abort"]),
)


@EXAMPLES
@given(st.sampled_from(Role), st.sampled_from([None, 0.5]), st.lists(LINK_STEPS, max_size=25))
def test_any_history_of_a_link(role: Role, quiet_s: float | None, steps: list[Any]) -> None:
    """Nothing escapes to the reactor or into the log as a fault of ours; at the end no timer and no request is left."""
    faults: list[Any] = []

    def keep(event: Any) -> None:
        if event.get("log_failure") is not None:
            faults.append(event["log_failure"])

    clock, observer, transport = Clock(), Observer(), StringTransport()
    link = CSTAProtocol(
        role,
        observer,
        clock,
        silence_limit_s=300.0,
        probe_s=7.0,
        frame_timeout_s=5.0,
        window=2,
        per_s=10.0,
        burst=2,
        quiet_s=quiet_s,
    )
    globalLogPublisher.addObserver(keep)
    try:
        link.makeConnection(transport)
        clock.advance(1.0)
        link.dataReceived(frame(AARE) if role is Role.CLIENT else frame(AARQ))
        ends: list[Any] = []
        for step in steps:
            match step:
                case bytes():
                    link.dataReceived(step)
                    assert link._association.held < MAX_RECEIVED_APDU + 2 + len(step)
                case float():
                    clock.advance(step)
                case "ask":
                    link.invoke("clearConnection", CLEAR).addBoth(ends.append)
                case "notify":
                    link.notify("systemStatus", {"systemStatus": "normal"})
                case "close":
                    link.close()
                case "abort":
                    link.abort()
        link.connectionLost(Failure(ConnectionDone()))
    finally:
        globalLogPublisher.removeObserver(keep)
    assert observer.lost_times == 1
    assert len(ends) == steps.count("ask")
    assert clock.getDelayedCalls() == []
    assert faults == []


def test_the_longest_frame_is_all_that_is_held() -> None:
    link = CSTAProtocol(Role.CLIENT, Observer(), Clock())
    link.makeConnection(StringTransport())
    link.dataReceived(MAX_RECEIVED_APDU.to_bytes(2, "big"))
    for _ in range(MAX_RECEIVED_APDU - 1):
        link.dataReceived(b"\x30")
    assert link.loss is None
    assert link._association.held == MAX_RECEIVED_APDU + 1
    link.dataReceived(b"\x30")
    assert link.loss is not None
