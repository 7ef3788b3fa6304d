"""The server's side of a FastAGI connection, octet by octet."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.agi.results import MAX_LINE, AgiResult
from protocols.agi.session import MAX_ENVIRONMENT, Begun, Done, HungUp, Session, SessionEvent
from protocols.errors import LocalProtocolError, RemoteProtocolError

ENVIRONMENT = (
    b"agi_network: yes\nagi_request: agi://127.0.0.1:4573\nagi_uniqueid: ocm-1\nagi_callerid: unknown\nagi_dnid: \n\n"
)
BEGUN = Begun(
    {
        "agi_network": "yes",
        "agi_request": "agi://127.0.0.1:4573",
        "agi_uniqueid": "ocm-1",
        "agi_callerid": "unknown",
        "agi_dnid": "",
    }
)
USAGE = (
    b"520-Invalid command syntax.  Proper usage follows:\n"
    b"Usage: STREAM FILE <filename>\n\n200 is a number\n"
    b"520 End of proper usage.\n"
)


def begun() -> Session:
    session = Session()
    assert session.receive(ENVIRONMENT) == [BEGUN]
    return session


def test_environment_command_answer_and_the_next() -> None:
    session = begun()
    for endpos in (1, 2):
        session.send('STREAM FILE /a/b ""')
        assert session.data_to_send() == b'STREAM FILE /a/b ""\n'
        assert session.data_to_send() == b""
        line = f"200 result=0 endpos={endpos}"
        assert session.receive(line.encode() + b"\n") == [Done(AgiResult(200, 0, endpos=endpos), line)]


def test_a_hangup_may_come_at_any_moment() -> None:
    session = begun()
    assert session.receive(b"HANGUP\n") == [HungUp()]
    session.send("NOOP")
    assert session.receive(b"HANGUP\n200 result=0\n")[0] == HungUp()
    assert session.ready


def test_the_usage_of_a_wrong_command_is_one_answer() -> None:
    session = begun()
    session.send("STREAM FILE")
    assert session.receive(USAGE) == [Done(AgiResult(520, text="End of proper usage."), "520 End of proper usage.")]
    assert session.ready


@pytest.mark.parametrize("before", [b"", ENVIRONMENT[:-1]])
def test_no_command_before_the_environment_has_come(before: bytes) -> None:
    session = Session()
    session.receive(before)
    with pytest.raises(LocalProtocolError):
        session.send("NOOP")


def test_one_command_at_a_time() -> None:
    session = begun()
    session.send("NOOP")
    with pytest.raises(LocalProtocolError):
        session.send("NOOP")


@pytest.mark.parametrize("text", ["NOOP\nHANGUP", "", " ", "NOOP\r", "\0"])
def test_what_is_no_command_is_not_sent(text: str) -> None:
    session = begun()
    with pytest.raises(LocalProtocolError):
        session.send(text)
    assert session.data_to_send() == b""
    assert session.ready


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\n",
        ENVIRONMENT + b"200 result=0\n",
        b"x" * (MAX_LINE + 1),
        b"agi_x: 1\n" * 3 + b"no colon\n",
        b"".join(b"agi_arg_%d: x\n" % number for number in range(MAX_ENVIRONMENT + 1)),
    ],
)
def test_what_is_no_agi_is_refused(octets: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        Session().receive(octets)


@settings(max_examples=100)
@given(st.lists(st.integers(1, 30), max_size=30))
def test_any_cutting_gives_the_same_events(sizes: list[int]) -> None:
    whole = ENVIRONMENT + b"HANGUP\n"
    session, told, at = Session(), list[SessionEvent](), 0
    for size in [*sizes, len(whole)]:
        told += session.receive(whole[at : at + size])
        at += size
    assert told == [BEGUN, HungUp()]


@settings(max_examples=100)
@given(st.binary(max_size=300))
def test_any_octets_give_events_or_a_remote_error(octets: bytes) -> None:
    for session in (Session(), begun()):
        if session.ready:
            session.send("NOOP")
        try:
            for event in session.receive(octets):
                assert isinstance(event, SessionEvent)
        except RemoteProtocolError:
            continue
