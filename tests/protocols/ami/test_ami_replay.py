"""A recorded manager connection (fixtures/captures/asterisk-manager.ami) is understood whole, however it is cut."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.ami.association import ActionFailed, Answered, Association, Broken, Happened, LoggedIn, State
from protocols.ami.messages import Event, Message, Response

CAPTURE = Path(__file__).parents[3] / "fixtures" / "captures" / "asterisk-manager.ami"
#: What the recorded client called its first two actions, and what ours does.
OUR_IDS = {"1": "ocm-challenge", "2": "ocm-login"}

Headers = tuple[tuple[str, str], ...]


def recorded() -> list[tuple[str, Headers]]:
    """(C or S, headers) in order; the greeting is a header without a name."""
    said: list[tuple[str, list[tuple[str, str]]]] = []
    for line in CAPTURE.read_text(encoding="utf-8").splitlines():
        if line.startswith(("#", "---")):
            continue
        if not line.startswith(" "):
            said.append((line[0], []))
        key, colon, value = line[3:].partition(": ")
        if (key, value) in {("ActionID", recorded_id) for recorded_id in OUR_IDS}:
            value = OUR_IDS[value]
        said[-1][1].append((key, value) if colon else ("", line[3:]))
    return [(side, tuple(headers)) for side, headers in said]


SAID = recorded()


def octets(headers: Headers) -> bytes:
    if headers[0][0] == "":
        return f"{headers[0][1]}\r\n".encode()
    return "".join(f"{key}: {value}\r\n" for key, value in headers).encode() + b"\r\n"


@settings(max_examples=30)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=20))
def test_the_recorded_connection(sizes: list[int]) -> None:
    association = Association("gateway", "s3cret-gw")
    told: list[object] = []
    sent: list[Headers] = []
    for turn, (side, headers) in enumerate(SAID):
        if side == "C":
            if association.state is State.READY:
                association.ask(headers[0][1], headers[1:])
            wrote = association.data_to_send().decode().removesuffix("\r\n\r\n").split("\r\n")
            sent.append(tuple((key, value) for key, _, value in (line.partition(": ") for line in wrote)))
            continue
        whole, size = octets(headers), sizes[turn % len(sizes)]
        for at in range(0, len(whole), size):
            association.receive_data(whole[at : at + size])
        while (event := association.next_event()) is not None:
            told.append(event)

    actions = [headers for side, headers in SAID if side == "C"]
    # The login as recorded, in whatever order, and that we want events, which is what a server does unasked.
    assert [dict(one) for one in sent[:2]] == [dict(actions[0]), {**dict(actions[1]), "Events": "on"}]
    assert sent[2:] == actions[2:]

    messages = [Message(headers) for side, headers in SAID if side == "S"][1:]
    expected: list[object] = [LoggedIn("11.0.0")]
    for message in messages[2:]:
        if message.get("Event"):
            expected.append(Happened(Event(message.headers)))
        else:
            expected.append(Answered(message.action_id, Response(message.headers)))
    assert told == [*expected, Broken("the server has said goodbye")]
    assert not any(isinstance(event, ActionFailed) for event in told)
    assert sum(isinstance(event, Happened) for event in told) == 26
