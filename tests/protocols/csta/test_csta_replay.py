"""A recorded session played to a peer in memory: order, translated numbers, and what differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from protocols.csta import apdus
from protocols.csta.recording import ConnectionEnded, Direction, Recorded, parse
from protocols.csta.replay import Exchange, Replay, sessions

CAPTURES = Path(__file__).parents[3] / "fixtures" / "captures"
UP, DOWN = Direction.TO_SWITCH, Direction.TO_CLIENT
EXTENSION = {"deviceIdentifier": {"dialingNumber": "301"}}


def connection(call: str) -> dict[str, Any]:
    return {"both": {"callID": call, "deviceID": {"staticID": EXTENSION}}}


def make_call(number: int) -> bytes:
    argument = {"callingDevice": EXTENSION, "calledDirectoryNumber": EXTENSION}
    return apdus.encode({"invoke": {"invokeId": number, "opcode": 10, "argument": argument}})


def made(number: int, call: str) -> bytes:
    result = {"callingDevice": connection(call)}
    return apdus.encode({"returnResult": {"invokeId": number, "opcode": 10, "result": result}})


def clear(number: int, call: str) -> bytes:
    argument = {"connectionToBeCleared": connection(call)}
    return apdus.encode({"invoke": {"invokeId": number, "opcode": 5, "argument": argument}})


def failure(number: int) -> bytes:
    return apdus.encode(
        {"returnError": {"invokeId": number, "errcode": 1, "parameter": {"operation": "invalidDeviceID"}}}
    )


def status(number: int) -> bytes:
    return apdus.encode({"invoke": {"invokeId": number, "opcode": 211, "argument": {"systemStatus": "normal"}}})


def well(number: int) -> bytes:
    return apdus.encode({"returnResult": {"invokeId": number, "opcode": 211, "result": {"noData": None}}})


def cleared(number: int, monitor: str, call: str) -> bytes:
    event = {
        "droppedConnection": connection(call),
        "releasingDevice": {"deviceIdentifier": EXTENSION},
        "cause": "normalClearing",
    }
    info = {"callControlEvents": {"connectionCleared": event}}
    argument = {"crossRefIdentifier": monitor, "eventSpecificInfo": info}
    return apdus.encode({"invoke": {"invokeId": number, "opcode": 21, "argument": argument}})


def session(*said: tuple[Direction, bytes]) -> list[Recorded]:
    return [Recorded(direction, apdu) for direction, apdu in said]


def differences(replay: Replay) -> list[str]:
    return [exchange.difference for exchange in replay.take_exchanges() if exchange.difference]


def test_it_sends_up_to_where_the_peer_must_speak() -> None:
    replay = Replay(session((UP, make_call(1)), (UP, make_call(2)), (DOWN, made(1, "AA")), (UP, make_call(3))), UP)
    assert list(replay.due()) == [make_call(1), make_call(2)]
    assert list(replay.due()) == [] and replay.waiting
    replay.receive(made(1, "AA"))
    assert list(replay.due()) == [make_call(3)]
    assert replay.finished and not replay.waiting
    assert differences(replay) == []


def test_the_numbers_of_the_live_switch_are_used() -> None:
    recorded = session(
        (UP, make_call(1)), (DOWN, made(1, "AA")), (UP, clear(2, "AA")), (DOWN, status(7)), (UP, well(7))
    )
    replay = Replay(recorded, UP)
    assert list(replay.due()) == [make_call(1)]
    replay.receive(made(1, "0B0B"))
    assert list(replay.due()) == [clear(2, "0B0B")]
    replay.receive(status(1))
    assert list(replay.due()) == [well(1)]
    assert replay.finished
    assert differences(replay) == [] and replay.differences == 0


def test_what_differs_in_kind_is_said_and_the_recording_goes_on() -> None:
    replay = Replay(session((UP, make_call(1)), (DOWN, made(1, "AA")), (UP, clear(2, "AA"))), UP)
    assert list(replay.due()) == [make_call(1)]
    replay.receive(failure(1))
    assert differences(replay) == ["returnError operation invalidDeviceID instead of returnResult makeCall"]
    assert list(replay.due()) == [clear(2, "AA")]
    assert replay.finished and replay.differences == 1


def test_what_does_not_come_is_missing_and_its_answer_is_not_sent() -> None:
    replay = Replay(session((UP, make_call(1)), (DOWN, made(1, "AA")), (DOWN, status(1)), (UP, well(1))), UP)
    assert list(replay.due()) == [make_call(1)]
    replay.receive(made(1, "AA"))
    replay.give_up()
    assert list(replay.due()) == []
    assert replay.finished
    assert [(each.live, each.difference) for each in replay.take_exchanges()][2:] == [
        (None, "missing"),
        (None, "not sent: it answers what did not come"),
    ]


def test_a_keep_alive_of_its_own_is_answered_and_no_difference() -> None:
    replay = Replay(session((UP, make_call(1)), (DOWN, made(1, "AA"))), UP)
    assert list(replay.due()) == [make_call(1)]
    replay.receive(status(9))
    assert not replay.finished
    assert list(replay.due()) == [well(9)]
    replay.receive(made(1, "AA"))
    replay.end()
    assert differences(replay) == []


def test_what_comes_too_early_is_kept_for_its_place() -> None:
    replay = Replay(session((DOWN, status(1)), (UP, well(1)), (DOWN, cleared(2, "01", "AA"))), UP)
    assert list(replay.due()) == []
    replay.receive(cleared(8, "01", "AA"))
    replay.receive(status(9))
    assert list(replay.due()) == [well(9)]
    assert replay.finished
    assert differences(replay) == []


def test_of_two_events_of_one_kind_the_one_of_the_same_monitor_is_meant() -> None:
    recorded = session(
        (DOWN, cleared(1, "01", "AA")), (DOWN, cleared(2, "02", "BB")), (UP, clear(1, "AA")), (UP, clear(2, "BB"))
    )
    replay = Replay(recorded, UP)
    assert list(replay.due()) == []
    replay.receive(cleared(1, "02", "0B"))
    replay.receive(cleared(2, "01", "0A"))
    assert list(replay.due()) == [clear(1, "0A"), clear(2, "0B")]


def test_what_the_recording_does_not_have_is_said_at_the_end() -> None:
    replay = Replay(session((UP, make_call(1)), (DOWN, made(1, "AA")), (UP, make_call(2))), UP)
    assert list(replay.due()) == [make_call(1)]
    replay.receive(cleared(1, "01", "AA"))
    replay.end()
    assert [(each.direction, each.difference) for each in replay.take_exchanges()] == [
        (UP, ""),
        (DOWN, "missing"),
        (DOWN, "not in the recording"),
        (UP, "not sent"),
    ]


def test_octets_that_can_not_be_decoded_are_sent_as_they_are() -> None:
    junk = bytes.fromhex("A1030500FF")
    replay = Replay(session((UP, junk), (DOWN, junk)), UP)
    assert list(replay.due()) == [junk]
    replay.receive(status(1))
    assert differences(replay) == ["can't be decoded"]


def test_both_sides_of_a_recording_played_against_each_other_agree() -> None:
    for name in ("panasonic-constants.txt", "our-client.txt"):
        found = sessions(parse((CAPTURES / name).read_text(encoding="utf-8").splitlines()))
        assert len(found) == (3 if name.startswith("panasonic") else 1)
        for recorded in found:
            client, switch = Replay(recorded, UP), Replay(recorded, DOWN)
            compared: list[Exchange] = []
            for _ in range(2 * len(recorded)):
                for sender, receiver in ((client, switch), (switch, client)):
                    for apdu in sender.due():
                        receiver.receive(apdu)
            assert client.finished and switch.finished
            client.end()
            switch.end()
            compared = client.take_exchanges() + switch.take_exchanges()
            assert len(compared) == 2 * len(recorded)
            assert all(each.recorded == each.live and not each.difference for each in compared)


def test_sessions_are_cut_where_connections_ended() -> None:
    first, second = Recorded(UP, status(1)), Recorded(DOWN, status(2))
    assert sessions([ConnectionEnded(), first, ConnectionEnded(), ConnectionEnded(), second]) == [[first], [second]]
