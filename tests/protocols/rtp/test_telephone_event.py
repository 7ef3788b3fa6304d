"""RFC 4733, both ways."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import LocalProtocolError, RemoteProtocolError
from protocols.rtp.telephone_event import (
    DIGITS,
    EventReceiver,
    EventSender,
    TelephoneEvent,
    decode,
    encode,
)


def test_the_four_octets() -> None:
    event = TelephoneEvent(11, True, 10, 800)
    assert encode(event) == bytes.fromhex("0b 8a 0320")
    assert decode(bytes.fromhex("0b 8a 0320")) == event
    assert event.digit == "#"
    assert TelephoneEvent(16, False, 0, 0).digit is None
    with pytest.raises(RemoteProtocolError):
        decode(b"\x01\x02\x03")


def payloads(digits: str, duration_ms: int = 100, gap_ms: int = 80) -> list[bytes | None]:
    sender = EventSender()
    sender.queue(digits, duration_ms, gap_ms)
    found = []
    while sender.busy:
        found.append(sender.next_step().payload)
    return found


def test_the_end_goes_out_three_times() -> None:
    events = [None if octets is None else decode(octets) for octets in payloads("5", 60, 80)]
    assert [(e.end, e.duration) for e in events if e] == [
        (False, 160),
        (False, 320),
        (True, 480),
        (True, 480),
        (True, 480),
    ]
    assert events[5:] == [None, None]  # with the repeats, 80 ms between the keys


@settings(max_examples=60, deadline=None)
@given(st.text(DIGITS, min_size=1, max_size=6), st.data())
def test_each_key_counts_once_whatever_is_lost_and_doubled(digits: str, data: st.DataObject) -> None:
    receiver = EventReceiver()
    heard = []
    for number, digit in enumerate(digits):
        packets = [octets for octets in payloads(digit) if octets is not None]
        # Any of them may be lost but one, and any may come again.
        kept = data.draw(st.lists(st.sampled_from(packets), min_size=1, max_size=10))
        heard += [receiver.receive(number * 4000, octets) for octets in kept]
    assert "".join(filter(None, heard)) == digits


def test_a_late_packet_of_an_earlier_key_is_no_new_key() -> None:
    receiver = EventReceiver()
    one, two = encode(TelephoneEvent(1, True, 10, 800)), encode(TelephoneEvent(2, False, 10, 160))
    assert [receiver.receive(0, one), receiver.receive(4000, two), receiver.receive(0, one)] == ["1", "2", None]


def test_a_key_held_for_long_goes_on_in_segments() -> None:
    receiver = EventReceiver()
    full, rest = encode(TelephoneEvent(1, False, 10, 0xFFFF)), encode(TelephoneEvent(1, True, 10, 400))
    assert receiver.receive(100, encode(TelephoneEvent(1, False, 10, 160))) == "1"
    assert receiver.receive(100, full) is None
    assert receiver.receive(100 + 0xFFFF, full) is None
    assert receiver.receive(100 + 2 * 0xFFFF, rest) is None
    assert receiver.receive(100 + 3 * 0xFFFF, rest) == "1"


def test_no_key() -> None:
    with pytest.raises(LocalProtocolError, match="'x' is no key"):
        EventSender().queue("1x", 100, 100)
    with pytest.raises(LocalProtocolError):
        encode(TelephoneEvent(300, False, 0, 0))
