"""The association's table: every pair of state and input moves as written, or is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from protocols import acse, rose
from protocols.csta.association import AARE, AARQ, NEED_DATA, Association, Role
from protocols.csta.framing import frame
from protocols.csta.states import TRANSITIONS, Input, State
from protocols.errors import LocalProtocolError, RemoteProtocolError

REFUSAL = acse.encode("aare", {**acse.decode(AARE)[1], "result": 1})

RECEIVED: dict[Input, bytes] = {
    Input.RECEIVE_AARQ: frame(AARQ),
    Input.RECEIVE_AARE_ACCEPTED: frame(AARE),
    Input.RECEIVE_AARE_REFUSED: frame(REFUSAL),
    Input.RECEIVE_RLRQ: frame(acse.encode("rlrq", {})),
    Input.RECEIVE_RLRE: frame(acse.encode("rlre", {})),
    Input.RECEIVE_ABRT: bytes.fromhex("6403800100"),
    Input.RECEIVE_ROSE: frame(rose.encode(rose.Reject(None, ("general", 0)))),
    Input.RECEIVE_END: b"",
}
SENT: dict[Input, Callable[[Association], object]] = {
    Input.SEND_AARQ: lambda association: association.associate(),
    Input.SEND_AARE_ACCEPTED: lambda association: association.accept(),
    Input.SEND_AARE_REFUSED: lambda association: association.refuse(),
    Input.SEND_RLRQ: lambda association: association.release(),
    Input.SEND_RLRE: lambda association: association.confirm_release(),
    Input.SEND_ABRT: lambda association: association.abort(),
    Input.SEND_ROSE: lambda association: association.invoke("systemStatus", {"systemStatus": "normal"}),
}


def drain(association: Association) -> None:
    while association.next_event() is not NEED_DATA:
        pass


def reach(state: State) -> Association:
    """An association in this state, brought there only by the public way."""
    steps: dict[State, tuple[Role, list[Input]]] = {
        State.UNASSOCIATED: (Role.CLIENT, []),
        State.LISTENING: (Role.SWITCH, []),
        State.REQUESTING: (Role.CLIENT, [Input.SEND_AARQ]),
        State.REQUESTED: (Role.SWITCH, [Input.RECEIVE_AARQ]),
        State.OPEN: (Role.CLIENT, [Input.SEND_AARQ, Input.RECEIVE_AARE_ACCEPTED]),
        State.RELEASING: (Role.CLIENT, [Input.SEND_AARQ, Input.RECEIVE_AARE_ACCEPTED, Input.SEND_RLRQ]),
        State.RELEASE_REQUESTED: (Role.CLIENT, [Input.SEND_AARQ, Input.RECEIVE_AARE_ACCEPTED, Input.RECEIVE_RLRQ]),
        State.CLOSED: (Role.CLIENT, [Input.SEND_AARQ, Input.RECEIVE_ABRT]),
    }
    if state is State.BROKEN:
        association = Association(Role.CLIENT)
        association.receive_data(frame(b"\x01\x00"))
        with pytest.raises(RemoteProtocolError):
            association.next_event()
        return association
    role, inputs = steps[state]
    association = Association(role)
    for each in inputs:
        if each in SENT:
            SENT[each](association)
        else:
            association.receive_data(RECEIVED[each])
            drain(association)
    return association


def test_every_input_can_be_played_and_every_state_reached() -> None:
    assert set(RECEIVED) | set(SENT) == set(Input)
    for state in State:
        assert reach(state).state is state


@pytest.mark.parametrize("what", Input)
@pytest.mark.parametrize("state", State)
def test_every_pair(state: State, what: Input) -> None:
    association = reach(state)
    expected = TRANSITIONS.get((state, what))
    if what in SENT:
        if expected is None:
            with pytest.raises(LocalProtocolError):
                SENT[what](association)
            assert association.state is state
        else:
            SENT[what](association)
            assert association.state is expected
        return
    association.receive_data(RECEIVED[what])
    if expected is None:
        for _ in range(2):  # it stays broken
            with pytest.raises(RemoteProtocolError):
                association.next_event()
        assert association.state is State.BROKEN
    else:
        drain(association)
        assert association.state is expected


@pytest.mark.parametrize(("state", "what"), TRANSITIONS)
def test_the_table_leads_only_to_states_that_can_be_left_or_are_final(state: State, what: Input) -> None:
    after = TRANSITIONS[state, what]
    assert after in (State.CLOSED, State.BROKEN) or any(start is after for start, _ in TRANSITIONS)


@pytest.mark.parametrize("state", [state for state in State if state not in (State.CLOSED, State.BROKEN)])
def test_an_abort_and_the_end_of_the_stream_are_understood_in_every_state(state: State) -> None:
    # A switch that has nothing yet has nothing to be aborted; on a serial line it is of an earlier run.
    after = State.LISTENING if state is State.LISTENING else State.CLOSED
    assert TRANSITIONS[state, Input.RECEIVE_ABRT] is after
    assert TRANSITIONS[state, Input.RECEIVE_END] is State.CLOSED
