"""Messages out of octets that come in any pieces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import RemoteProtocolError
from protocols.sip.stream import MOST_BODY, MOST_HEADERS, PING, StreamReader

ONE = b"OPTIONS sip:a@h SIP/2.0\r\nContent-Length: 4\r\n\r\n\r\n\r\n"  # a body that looks like a ping
TWO = b"SIP/2.0 200 OK\r\nVia: x\r\nl:0\r\n\r\n"
THREE = b"INFO sip:a@h SIP/2.0\r\nCONTENT-LENGTH :  3 \r\nVia: x\r\n\r\nabc"


def test_messages_and_keep_alives() -> None:
    reader = StreamReader()
    assert reader.feed(ONE + TWO + PING + THREE + b"\r\n") == [ONE, TWO, PING, THREE]
    assert reader.pongs == 1
    assert reader.feed(b"\r\n" + TWO[:5]) == [] and reader.pongs == 2
    assert reader.feed(TWO[5:]) == [TWO]


@settings(max_examples=100)
@given(st.lists(st.sampled_from([ONE, TWO, THREE]), max_size=4), st.data())
def test_any_chunking(messages: list[bytes], data: st.DataObject) -> None:
    octets, reader, found = b"".join(messages), StreamReader(), []
    while octets:
        size = data.draw(st.integers(1, len(octets)))
        found += reader.feed(octets[:size])
        octets = octets[size:]
    assert found == messages


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"INFO sip:a@h SIP/2.0\r\nVia: x\r\n\r\n", "no Content-Length"),
        (b"INFO sip:a@h SIP/2.0\r\nContent-Length: x\r\n\r\n", "no Content-Length"),
        (b"INFO sip:a@h SIP/2.0\r\nContent-Length: 3\r\nl: 4\r\n\r\n", "two different"),
        (b"INFO sip:a@h SIP/2.0\r\nContent-Length: %d\r\n\r\n" % (MOST_BODY + 1), "a body of"),
        (b"x" * (MOST_HEADERS + 1), "no end of headers"),
    ],
)
def test_what_nobody_can_go_on_after(octets: bytes, why: str) -> None:
    with pytest.raises(RemoteProtocolError, match=why):
        StreamReader().feed(octets)


@settings(max_examples=100)
@given(st.binary(max_size=300))
def test_garbage_gives_messages_or_an_error(octets: bytes) -> None:
    try:
        found = StreamReader().feed(octets)
    except RemoteProtocolError:
        return
    assert sum(map(len, found)) <= len(octets)
