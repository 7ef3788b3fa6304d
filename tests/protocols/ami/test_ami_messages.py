"""AMI messages: whatever way the octets are cut, nothing is lost, nothing is smuggled in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.ami.messages import MAX_MESSAGE_OCTETS, Event, Message, Reader, Response, write
from protocols.errors import LocalProtocolError, RemoteProtocolError

GREETING = b"Asterisk Call Manager/11.0.0\r\n"


def read(octets: bytes) -> list[Message]:
    reader = Reader()
    messages = list(reader.receive(GREETING + octets))
    assert reader.version == "11.0.0"
    return messages


def test_kinds() -> None:
    response, event, other = read(
        b"Response: Success\r\nActionID: 1\r\nMessage: x: y\r\n\r\n"
        b"Event: OriginateResponse\r\nResponse: Failure\r\nActionID: o-1\r\n\r\n"
        b"something else\r\n\r\n"
    )
    assert isinstance(response, Response)
    assert (response.response, response.message, response.action_id, response.is_error) == (
        "Success",
        "x: y",
        "1",
        False,
    )
    assert isinstance(event, Event), "it has a Response header, too"
    assert (event.name, event.get("response"), event.action_id) == ("OriginateResponse", "Failure", "o-1")
    assert other.headers == (("", "something else"),)


def test_what_real_ones_send() -> None:
    """Two State headers, an empty block after a digit, LF alone, no space after the colon, an empty value, no UTF-8."""
    messages = read(
        b"Event: TestEvent\r\nType: StateChange\r\nState: A\r\nState: B\r\n\r\n\r\n\r\n"
        b"Event:DTMFEnd\nDigit: 5\nCallerIDName:\nName:  two spaces \xff\n\n"
    )
    assert [type(message) for message in messages] == [Event, Event]
    assert messages[0].all("state") == ["A", "B"]
    assert messages[0].get("STATE") == "A"
    assert messages[1].headers == (
        ("Event", "DTMFEnd"),
        ("Digit", "5"),
        ("CallerIDName", ""),
        ("Name", " two spaces \udcff"),
    )
    assert messages[1].get("None", "-") == "-"


@pytest.mark.parametrize("line", [b"SSH-2.0-OpenSSH_9\r\n", b"HTTP/1.1 400 Bad Request\r\n", b"\r\n"])
def test_another_server(line: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="no Asterisk manager"):
        list(Reader().receive(line))


def test_without_an_end() -> None:
    reader = Reader()
    assert list(reader.receive(GREETING)) == []
    with pytest.raises(RemoteProtocolError, match="without an end"):
        for _ in range(MAX_MESSAGE_OCTETS // 1000 + 1):
            list(reader.receive(b"x: " + b"y" * 1000 + b"\r\n"))
    reader = Reader()
    with pytest.raises(RemoteProtocolError, match="without an end"):
        list(reader.receive(b"x" * (MAX_MESSAGE_OCTETS + 1)))


def test_an_action_is_written() -> None:
    assert write("Originate", [("Variable", "a=b"), ("Variable", "c=ю")]) == (
        "Action: Originate\r\nVariable: a=b\r\nVariable: c=ю\r\n\r\n".encode()
    )


@pytest.mark.parametrize("value", ["a\r\nAction: Command", "a\nb", "a\rb", "a\0b"])
def test_a_value_with_a_line_end_is_refused(value: str) -> None:
    with pytest.raises(LocalProtocolError, match="CallerID"):
        write("Originate", [("CallerID", value)])
    with pytest.raises(LocalProtocolError):
        write(value)


@pytest.mark.parametrize("key", ["", "a b", "a:b", "a\r\nb", "ю"])
def test_a_name_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(LocalProtocolError):
        write("Ping", [(key, "x")])


VALUES = st.text(st.characters(blacklist_characters="\r\n\0", blacklist_categories=["Cs"]), max_size=20)
BLOCKS = st.lists(
    st.lists(
        st.tuples(st.sampled_from(["Event", "Response", "ActionID", "X-y.z", "ChanVariable(a)"]), VALUES), min_size=1
    ),
    max_size=5,
)


@settings(max_examples=100)
@given(BLOCKS, st.lists(st.integers(1, 30), min_size=1), st.booleans())
def test_any_cut_gives_the_same(blocks: list[list[tuple[str, str]]], cuts: list[int], extra: bool) -> None:
    octets = GREETING + b"".join(write("A", block) + b"\r\n" * extra for block in blocks)
    whole = list(Reader().receive(octets))
    assert [message.headers for message in whole] == [(("Action", "A"), *block) for block in blocks]
    reader, parts, at = Reader(), [], 0
    while at < len(octets):
        size = cuts[at % len(cuts)]
        parts += reader.receive(octets[at : at + size])
        at += size
    assert parts == whole


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_any_octets_give_messages_or_our_error(octets: bytes) -> None:
    try:
        list(Reader().receive(octets))
    except RemoteProtocolError:
        return
    for message in read(octets):
        assert message.headers
