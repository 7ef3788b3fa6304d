"""The dialogue before the records, step by step."""

from __future__ import annotations

from datetime import date

import pytest

from protocols.smdr.login import (
    DIALOGUE,
    Credentials,
    LoggedIn,
    LoggedOut,
    LoginRefused,
    Over,
    Prompt,
    Session,
    SmdrEvent,
    State,
    Telnet,
)
from protocols.smdr.reader import Recorded
from protocols.smdr.records import Form

DAY = date(2026, 11, 23)
A = b"22/11/26 10:03AM   301 01 984951234501              0'05 00:01'05\r\n"
IAC = b"\xff"


class Talk:
    """A session with a PBX played by the test: after each thing said there is silence."""

    def __init__(self, **more: str) -> None:
        self.session = Session(Form("A", "dd/mm/yy"), Credentials(**more))

    def __call__(self, said: bytes) -> tuple[bytes, list[SmdrEvent]]:
        events = self.session.receive(said, DAY) + self.session.quiet()
        return self.session.to_send(), events

    def until_password(self) -> None:
        assert self(b"-") == (b"SMDR\r", [])
        assert self(b"SMDR\r\nEnter Password:") == (b"PCCSMDR\r", [])


def test_the_dialogue_as_documented() -> None:
    talk = Talk()
    assert talk(b"-") == (b"SMDR\r", [])
    assert talk(b"Enter Password:") == (b"PCCSMDR\r", [])
    said, events = talk(b"\r\n" + A)
    assert said == b""
    assert isinstance(events[0], LoggedIn)
    assert isinstance(events[1], Recorded)
    assert talk.session.state is State.RECORDS


def test_silence_after_the_password_is_consent() -> None:
    talk = Talk()
    talk.until_password()
    assert talk(b"*******\r\n") == (b"", [LoggedIn()])


def test_banner_echo_case_and_a_prompt_with_a_name() -> None:
    talk = Talk(user="smdr", password="secret")
    assert talk(b"KX-NS1000 V1.0\r\nWelcome\r\nSMDR-") == (b"smdr\r", [])
    assert talk(b"smdr\r\nENTER PASSWORD: ") == (b"secret\r", [])
    assert talk(b"******\r\n") == (b"", [LoggedIn()])


def test_own_prompts_may_be_set() -> None:
    talk = Talk(user_prompt="login:", password_prompt="password:")
    assert talk(b"Login: ") == (b"SMDR\r", [])
    assert talk(b"Password: ") == (b"PCCSMDR\r", [])


def test_a_password_alone_may_be_asked_for() -> None:
    assert Talk()(b"Enter Password:") == (b"PCCSMDR\r", [])


def test_a_prompt_is_answered_only_when_nothing_follows() -> None:
    """The beginning of a line of dashes looks like one."""
    session = Session(Form(), Credentials())
    assert session.receive(b"-", DAY) == []
    assert session.receive(b"------\r\nKX-NS1000\r\n-", DAY) == []
    assert session.to_send() == b""
    assert session.quiet() == []
    assert session.to_send() == b"SMDR\r"


@pytest.mark.parametrize(
    "answer", [b"\r\n-", b"\r\nEnter Password:", b"\r\nPassword incorrect\r\n-", b"\r\nINVALID LOGIN\r\n"]
)
def test_a_wrong_password(answer: bytes) -> None:
    talk = Talk()
    talk.until_password()
    said, events = talk(answer)
    assert said == b""
    (over,) = events
    assert isinstance(over, Over)
    assert isinstance(over.error, LoginRefused)
    assert "PCCSMDR" not in str(over.error)
    assert talk(A) == (b"", [])


def test_an_unknown_user() -> None:
    talk = Talk()
    assert talk(b"-")[0] == b"SMDR\r"
    assert talk(b"\r\n-")[0] == b"SMDR\r"
    said, (over,) = talk(b"\r\n-")
    assert said == b""
    assert isinstance(over, Over)
    assert isinstance(over.error, LoginRefused)


@pytest.mark.parametrize("said", [b"-", b"Goodbye.\r\n", b"Enter Password:"])
def test_a_session_that_the_pbx_ends(said: bytes) -> None:
    talk = Talk()
    talk.until_password()
    talk(A)
    (over,) = talk(said)[1]
    assert isinstance(over, Over)
    assert isinstance(over.error, LoggedOut)


def test_goodbye_before_the_records() -> None:
    (over,) = Talk()(b"Goodbye.\r\n")[1]
    assert isinstance(over, Over)
    assert isinstance(over.error, LoggedOut)


def test_records_without_a_dialogue_are_taken() -> None:
    """A device server in front of a serial line asks for nothing."""
    said, events = Talk()(b"  Date     Time    Ext CO  Dial Number\r\n" + A)
    assert said == b""
    assert [type(event) for event in events] == [LoggedIn, Recorded]


def test_a_rule_in_pieces_is_no_prompt_between_records() -> None:
    talk = Talk()
    talk.until_password()
    session = talk.session
    events = session.receive(A + b"-", DAY) + session.receive(b"-" * 79 + b"\r\n" + A, DAY) + session.quiet()
    assert [type(event) for event in events] == [LoggedIn, Recorded, Recorded]


def test_the_password_is_not_shown() -> None:
    assert "PCCSMDR" not in repr(Credentials())


def test_every_state_knows_both_prompts() -> None:
    assert set(DIALOGUE) == {(state, prompt) for state in State if state is not State.OVER for prompt in Prompt}


@pytest.mark.parametrize(
    ("octets", "text", "replies"),
    [
        (b"a\xff\xfb\x01b", b"ab", b"\xff\xfe\x01"),  # WILL ECHO: DONT
        (b"\xff\xfd\x18", b"", b"\xff\xfc\x18"),  # DO TERMINAL-TYPE: WONT
        (b"\xff\xfb\x01\xff\xfb\x01", b"", b"\xff\xfe\x01"),  # once
        (b"\xff\xfc\x01\xff\xfe\x01", b"", b""),  # WONT, DONT
        (b"a\xff\xffb", b"a\xffb", b""),
        (b"a\xff\xf1b", b"ab", b""),  # NOP
        (b"a\xff\xfa\x18\x01\xff\xf0b", b"ab", b""),  # a sub-negotiation
    ],
)
@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_telnet_commands_are_no_text(octets: bytes, text: bytes, replies: bytes, chunk: int) -> None:
    telnet, got, said = Telnet(), b"", b""
    for at in range(0, len(octets), chunk):
        more, reply = telnet.feed(octets[at : at + chunk])
        got, said = got + more, said + reply
    assert (got, said) == (text, replies)


def test_a_sub_negotiation_without_end_does_not_hold_the_stream_for_ever() -> None:
    telnet = Telnet()
    text = b"".join(telnet.feed(octets)[0] for octets in [IAC + b"\xfa" + b"x" * 200, b"y" * 200, b"z" * 10])
    assert text.endswith(b"z" * 10)
