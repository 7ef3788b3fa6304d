"""Whole calls on one task.Clock: the simulator and a robot with CSTA, SIP and RTP of its own, no sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from simulator_bench import HOST, Bench, made_benches

from ocm_cti.simulator import audio
from protocols.rtp import g711
from protocols.sip import sdp
from protocols.sip.events import Ended, Incoming, Registered
from protocols.sip.registration import Account


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    yield from made_benches(tmp_path, Bench)


def correlation(heard: Any, said: Any) -> float:
    """The best normalised correlation of a piece over all offsets."""
    found = np.correlate(heard, said, "valid")
    energy = np.sqrt(np.convolve(heard**2, np.ones(len(said)), "valid") * np.sum(said**2))
    return float(np.max(np.abs(found) / np.maximum(energy, 1.0)))


MESSAGE = audio.speech(2.0, "message")


def test_extensions_register_with_their_passwords(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    robot = bench.robot("301", "302")
    assert {event.user for event in robot.sip_events if isinstance(event, Registered)} == {"301", "302"}
    robot.sip.register(Account("303", "pw303", HOST, 5060))
    robot.sip.register(Account("302", "wrong", HOST, 5060))
    bench.network.run(1)
    assert [type(event).__name__ for event in robot.sip_events[2:]] == ["RegistrationFailed"] * 2


def test_a_person_hears_the_message_confirms_and_replies(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    robot = bench.robot()
    number = "984951234505"
    robot.dial("301", number)
    bench.network.run(5, lambda: robot.saw("delivered"))
    bench.network.run(0.3)
    ringback = bytes(robot.heard)
    assert audio.is_sound(ringback[-800:])
    bench.network.run(5, lambda: robot.saw("established"))
    robot.heard.clear()
    robot.say(MESSAGE)
    bench.network.run(6, lambda: robot.keys != "")
    assert robot.keys == "1"
    robot.say(audio.speech(0.5, "after the tone"))
    bench.network.run(4.5)
    robot.sip.hang_up(robot.call)
    bench.network.run(0.5, lambda: "ended" in bench.journal())
    assert bench.journal() == ["make_call", "dialed", "answered", "ended"]
    assert bench.lines()[-1]["by"] == "extension"
    message = np.frombuffer(g711.decode_alaw(MESSAGE), "<i2").astype(float)
    assert correlation(bench.wav("heard", number), message) > 0.99
    reply = bench.wav("said", number)
    spoken = reply[np.flatnonzero(np.abs(reply) > 500)[0] :][:16000]
    robots_copy = np.frombuffer(g711.decode_alaw(bytes(robot.heard)), "<i2").astype(float)
    assert correlation(robots_copy, spoken[:8000]) > 0.99
    assert robot.saw("connectionCleared")
    assert robot.events == [
        ("serviceInitiated", "makeCall"),
        ("originated", "newCall"),
        ("networkReached", "normal"),
        ("delivered", "normal"),
        ("established", "normal"),
        ("connectionCleared", "normalClearing"),
        ("connectionCleared", "normalClearing"),
    ]


@pytest.mark.parametrize(
    ("number", "cause", "heard"),
    [
        ("984951234506", "busy", True),
        ("984951234513", "networkCongestion", True),
        ("84951234501", "invalidNumberFormat", True),
    ],
)
def test_a_robot_on_tone_is_freed_by_hanging_up(
    make_bench: Callable[..., Bench], number: str, cause: str, heard: bool
) -> None:
    bench = make_bench()
    robot = bench.robot()
    robot.dial("301", number)
    bench.network.run(5, lambda: robot.saw("failed"))
    assert robot.events[-1] == ("failed", cause)
    robot.heard.clear()
    bench.network.run(1)
    assert audio.is_sound(bytes(robot.heard)) == heard
    robot.sip.hang_up(robot.call)
    bench.network.run(1, lambda: robot.saw("connectionCleared"))
    assert robot.dial("301", "984951234501")["callingDevice"]


def test_the_callee_hangs_up_and_the_robot_gets_bye(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    robot = bench.robot()
    robot.dial("301", "984951234503")
    bench.network.run(5, lambda: robot.saw("established"))
    bench.network.run(5, lambda: robot.saw("connectionCleared"))
    bench.network.run(0.5)
    assert [event.by_them for event in robot.sip_events if isinstance(event, Ended)] == [True]
    assert robot.media == {}
    assert bench.lines()[-1]["by"] == "callee"


def test_the_call_is_cleared_by_csta(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    robot = bench.robot()
    connection = robot.dial("301", "984951234507")["callingDevice"]
    bench.network.run(5, lambda: robot.saw("delivered"))
    assert robot.ask("clearConnection", {"connectionToBeCleared": connection}) == ("noData", None)
    bench.network.run(1)
    assert robot.media == {}
    assert bench.journal() == ["make_call", "dialed", "ended"]


def test_a_pin_is_pressed_digit_by_digit(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    robot = bench.robot()
    robot.dial("301", "984951232310")
    bench.network.run(5, lambda: robot.saw("established"))
    robot.say(MESSAGE)
    bench.network.run(6)
    assert robot.keys == "2310"


def test_a_robot_that_dies_in_a_call_is_noticed_by_the_callee(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench("rtp_timeout_s=5")
    robot = bench.robot()
    robot.dial("301", "984951234502")
    bench.network.run(5, lambda: robot.saw("established"))
    bench.network.run(1)
    robot.media[robot.call].close()
    robot.listening.stopListening()
    robot.csta.connectionLost()
    bench.network.run(4.5)
    assert bench.journal()[-1] == "answered"
    bench.network.run(1)
    assert bench.journal()[-1] == "ended"
    again = bench.robot("301")
    assert again.dial("301", "984951234501")["callingDevice"]
    bench.network.run(40)  # BYE to the dead one is given up


def test_an_extension_that_is_dead_does_not_answer(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench("extension_answer_timeout_s=5")
    robot = bench.robot()
    robot.listening.stopListening()
    robot.dial("301", "984951234501")
    bench.network.run(4.5)
    assert robot.saw("failed") is False
    bench.network.run(1)
    assert robot.saw("failed")
    assert [name for name, _ in robot.events[-2:]] == ["failed", "connectionCleared"]
    assert bench.journal() == ["make_call", "failed", "ended"]
    bench.network.run(40)


def test_an_extension_that_rings_too_long_is_cancelled(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    robot = bench.robot(picks_up=False)
    robot.dial("301", "984951234501")
    bench.network.run(6)
    assert any(isinstance(event, Ended) for event in robot.sip_events)
    assert robot.saw("failed")
    bench.network.run(40)


def test_an_extension_that_refuses_fails_its_call(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    robot = bench.robot(picks_up=False)
    robot.dial("301", "984951234501")
    bench.network.run(0.2)
    (incoming,) = [event for event in robot.sip_events if isinstance(event, Incoming)]
    robot.sip.refuse(incoming.call, 486)
    bench.network.run(0.5)
    assert robot.saw("failed")
    assert [name for name, _ in robot.events] == ["serviceInitiated", "failed", "connectionCleared"]
    assert bench.journal() == ["make_call", "failed", "ended"]


def test_an_answer_without_audio_ends_the_call(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    robot = bench.robot(picks_up=False)
    robot.dial("301", "984951234501")
    bench.network.run(0.2)
    (incoming,) = [event for event in robot.sip_events if isinstance(event, Incoming)]
    robot.sip.answer(incoming.call, b"v=0\r\n")
    bench.network.run(1)
    assert bench.journal() == ["make_call", "failed", "ended"]
    assert any(isinstance(event, Ended) for event in robot.sip_events)


def test_the_extension_may_hold_the_call(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    robot = bench.robot()
    robot.dial("301", "984951234502")
    bench.network.run(5, lambda: robot.saw("established"))
    port = robot.media[robot.call].port
    robot.sip.reoffer(robot.call, sdp.offer(HOST, port, 1, 2, direction="inactive"))
    bench.network.run(0.5)
    robot.heard.clear()
    bench.network.run(1)
    assert robot.heard == b""
    robot.sip.reoffer(robot.call, sdp.offer(HOST, port, 1, 3))
    bench.network.run(1)
    assert len(robot.heard) > 4000
