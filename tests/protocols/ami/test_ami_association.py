"""The client's side of an AMI connection: every state with everything that can come in it."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.ami.association import (
    ActionFailed,
    Answered,
    Association,
    Broken,
    Happened,
    Listed,
    LoggedIn,
    LoginRefused,
    State,
)
from protocols.ami.messages import Event
from protocols.errors import LocalProtocolError

GREETING = b"Asterisk Call Manager/11.0.0\r\n"


def block(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def events(association: Association) -> list[object]:
    told: list[object] = []
    while (event := association.next_event()) is not None:
        told.append(event)
    return told


def logged_in(**options: bool) -> Association:
    association = Association("gateway", "s3cret", **options)
    association.receive_data(GREETING)
    if options.get("md5", True):
        association.receive_data(block("Response: Success", "ActionID: ocm-challenge", "Challenge: 160597193"))
    association.receive_data(block("Response: Success", "ActionID: ocm-login", "Message: Authentication accepted"))
    assert events(association) == [LoggedIn("11.0.0")]
    association.data_to_send()
    return association


def test_login_by_challenge_never_sends_the_secret() -> None:
    association = Association("gateway", "s3cret")
    assert association.data_to_send() == b""
    association.receive_data(GREETING)
    assert b"Action: Challenge\r\n" in association.data_to_send()
    association.receive_data(block("Response: Success", "Challenge: 160597193"))
    sent = association.data_to_send().decode()
    assert f"Key: {hashlib.md5(b'160597193s3cret').hexdigest()}\r\n" in sent
    assert "Username: gateway\r\n" in sent
    assert "s3cret" not in sent
    association.receive_data(block("Response: Success", "Message: Authentication accepted"))
    assert events(association) == [LoggedIn("11.0.0")]


def test_login_in_plain_text() -> None:
    association = Association("gateway", "s3cret", md5=False)
    association.receive_data(GREETING)
    assert b"Secret: s3cret\r\n" in association.data_to_send()
    association.receive_data(block("Response: Success"))
    assert association.state is State.READY


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([block("Response: Error", "ActionID: ocm-challenge", "Message: Must specify AuthType")], "Must specify"),
        ([block("Response: Success", "ActionID: ocm-challenge")], "no challenge"),
        (
            [block("Response: Success", "Challenge: 1"), block("Response: Error", "Message: Authentication failed")],
            "Authentication failed",
        ),
        ([block("Response: Error")], "refused"),
    ],
)
def test_a_login_that_is_refused(answers: list[bytes], words: str) -> None:
    association = Association("gateway", "wrong")
    for octets in (GREETING, *answers, block("Event: Late")):
        association.receive_data(octets)
    (refused,) = events(association)
    assert isinstance(refused, LoginRefused)
    assert words in refused.reason
    assert association.state is State.CLOSED


def test_a_user_name_with_a_line_end_logs_nobody_in() -> None:
    association = Association("a\r\nAction: Logoff", "s", md5=False)
    association.receive_data(GREETING)
    assert isinstance(events(association)[0], LoginRefused)
    assert association.data_to_send() == b""


def test_events_before_the_login_are_told_after_it() -> None:
    association = Association("gateway", "s3cret")
    association.receive_data(GREETING + block("Event: FullyBooted") + block("Response: Success", "Challenge: 1"))
    association.receive_data(block("Event: Hangup") + block("Response: Success"))
    assert events(association) == [
        LoggedIn("11.0.0"),
        Happened(Event([("Event", "FullyBooted")])),
        Happened(Event([("Event", "Hangup")])),
    ]


def test_answers_find_their_actions_in_any_order() -> None:
    association = logged_in()
    first = association.ask("Ping")
    second = association.ask("Hangup", [("Channel", "x"), ("ActionID", "mine")])
    assert second == "mine"
    assert association.data_to_send().count(b"ActionID") == 2
    association.receive_data(block("Response: Error", "ActionID: mine", "Message: No such channel"))
    association.receive_data(block("Response: Success", f"ActionID: {first}", "Ping: Pong"))
    failed, answered = events(association)
    assert failed == ActionFailed("mine", "No such channel")
    assert isinstance(answered, Answered)
    assert (answered.action_id, answered.response.get("Ping")) == (first, "Pong")


def test_an_answer_without_an_action_id() -> None:
    association = logged_in()
    only = association.ask("Ping")
    association.receive_data(block("Response: Error", "Message: Permission denied"))
    assert events(association) == [ActionFailed(only, "Permission denied")]
    association.ask("Ping")
    association.ask("Ping")
    association.receive_data(block("Response: Success"))
    assert events(association) == [], "nobody can tell whose it is"


@pytest.mark.parametrize("end", ["EventList: Complete", "ListItems: 2"])
def test_a_list_with_other_events_between_its_rows(end: str) -> None:
    association = logged_in()
    asked = association.ask("CoreShowChannels", is_list=True)
    association.receive_data(
        block("Response: Success", f"ActionID: {asked}", "EventList: start")
        + block("Event: CoreShowChannel", f"ActionID: {asked}", "Uniqueid: 1")
        + block("Event: Hangup", "Uniqueid: 7")
        + block("Event: CoreShowChannel", f"ActionID: {asked}", "Uniqueid: 2")
    )
    assert [type(event) for event in events(association)] == [Happened]
    association.receive_data(block("Event: CoreShowChannelsComplete", f"ActionID: {asked}", end))
    (listed,) = events(association)
    assert isinstance(listed, Listed)
    assert [row.get("Uniqueid") for row in listed.events] == ["1", "2"]


def test_a_list_that_is_refused() -> None:
    association = logged_in()
    asked = association.ask("CoreShowChannels", is_list=True)
    association.receive_data(block("Response: Error", f"ActionID: {asked}", "Message: Permission denied"))
    assert events(association) == [ActionFailed(asked, "Permission denied")]


def test_originate_response_is_an_event_although_it_has_our_action_id() -> None:
    association = logged_in()
    asked = association.ask("Originate", [("Async", "true")])
    association.receive_data(block("Event: OriginateResponse", f"ActionID: {asked}", "Response: Failure"))
    association.receive_data(block("Response: Success", f"ActionID: {asked}"))
    assert [type(event) for event in events(association)] == [Happened, Answered]


def test_an_answer_that_nobody_waits_for() -> None:
    association = logged_in()
    late = association.ask("Ping")
    association.forget(late)
    association.receive_data(
        block("Response: Success", f"ActionID: {late}") + block("Response: Success", "ActionID: 99")
    )
    assert events(association) == []


def test_what_can_not_be_asked() -> None:
    association = Association("gateway", "s")
    with pytest.raises(LocalProtocolError, match="waiting for the greeting"):
        association.ask("Ping")
    association = logged_in()
    association.ask("Ping", [("ActionID", "1")])
    with pytest.raises(LocalProtocolError, match="ActionID 1"):
        association.ask("Ping", [("ActionID", "1")])
    association.data_to_send()
    with pytest.raises(LocalProtocolError):
        association.ask("Originate", [("CallerID", "x\r\nAction: Command")])
    assert association.data_to_send() == b"", "nothing of it was sent"


@pytest.mark.parametrize("octets", [b"220 mail ESMTP\r\n", GREETING + b"x" * (1 << 21)])
def test_another_server(octets: bytes) -> None:
    association = Association("gateway", "s")
    association.receive_data(octets)
    assert isinstance(events(association)[-1], Broken)
    association.receive_data(GREETING)
    assert events(association) == []


def test_goodbye() -> None:
    association = logged_in()
    association.ask("Logoff")
    association.receive_data(block("Response: Goodbye", "Message: Thanks for all the fish."))
    assert events(association) == [Broken("the server has said goodbye")]


LINES = st.sampled_from(
    [
        *(
            "Response: Success",
            "Response: Error",
            "Response: Goodbye",
            "Event: Hangup",
            "Event: XComplete",
            "EventList: start",
        ),
        *("EventList: Complete", "ActionID: ocm-1", "ActionID: ocm-login", "ActionID: ocm-challenge", "Challenge: 1"),
        *("Message: m", "Uniqueid: 1", "", "garbage", ":", "Response:"),
    ]
)


@settings(max_examples=100)
@given(st.lists(LINES, max_size=40), st.booleans(), st.booleans())
def test_nothing_that_comes_breaks_it(lines: list[str], greeted: bool, is_list: bool) -> None:
    association = Association("gateway", "s")
    association.receive_data(GREETING * greeted)
    told: list[object] = []
    asked = ""
    for line in lines:
        association.receive_data(f"{line}\r\n".encode())
        told += events(association)
        if association.state is State.READY and not asked:
            asked = association.ask("Ping", is_list=is_list)
    association.receive_data(b"\r\n")
    told += events(association)
    answers = [event for event in told if isinstance(event, Answered | Listed | ActionFailed)]
    assert len(answers) <= 1
    assert sum(isinstance(event, LoggedIn) for event in told) <= 1
    last = [event for event in told if isinstance(event, LoginRefused | Broken)]
    assert len(last) == (association.state is State.CLOSED)
    assert not last or told[-1] is last[0]
