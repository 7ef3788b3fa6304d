"""Whole calls on one task.Clock: the simulator and a robot with CSTA, SIP and RTP of its own, no sockets."""

from __future__ import annotations

import json
import random
import wave
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.defer import succeed
from twisted.internet.error import CannotListenError
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from ocm_cti.simulator import audio
from ocm_cti.simulator.faults import Settings
from ocm_cti.simulator.process import Arguments, Recordings, Simulator
from protocols.csta.association import NEED_DATA, Association, Invoked, Returned, Role
from protocols.rtp import g711
from protocols.rtp.link import MediaPort, Ticker
from protocols.sip import sdp
from protocols.sip.events import Answered, Ended, Event, Incoming, Refused, Registered
from protocols.sip.link import SIPLink
from protocols.sip.registration import Account
from protocols.sip.user_agent import UserAgent

HOST = "127.0.0.1"


class MemoryPort:
    """A UDP port of the network in memory, as transport and as what listenUDP returns."""

    def __init__(self, network: Network, port: int, protocol: Any) -> None:
        self.network = network
        self.protocol = protocol
        self.address = (HOST, port)
        self.socket = self

    def getHost(self) -> IPv4Address:
        return IPv4Address("UDP", *self.address)

    def write(self, datagram: bytes, address: tuple[str, int]) -> None:
        self.network.under_way.append((datagram, self.address, address))

    sendto = write

    def stopListening(self) -> Any:
        if self.network.ports.pop(self.address[1], None) is not None:
            self.protocol.doStop()
        return succeed(None)


class Network(Clock):
    """A reactor: a clock, and UDP without loss; nothing arrives before ``run`` says so."""

    def __init__(self) -> None:
        super().__init__()
        self.ports: dict[int, MemoryPort] = {}
        self.under_way: deque[tuple[bytes, tuple[str, int], tuple[str, int]]] = deque()
        self._next = 20000

    def listenUDP(self, port: int, protocol: Any, interface: str = "") -> MemoryPort:
        if port == 0:
            self._next += 2 - self._next % 2
            port = self._next
        if port in self.ports:
            raise CannotListenError(interface, port, OSError("taken"))
        self.ports[port] = MemoryPort(self, port, protocol)
        protocol.makeConnection(self.ports[port])
        return self.ports[port]

    def listenTCP(self, port: int, factory: Any, interface: str = "") -> Any:
        return MemoryPort(self, port or 33333, self)

    def doStop(self) -> None: ...

    def deliver(self) -> None:
        while self.under_way:
            datagram, source, destination = self.under_way.popleft()
            port = self.ports.get(destination[1])
            if port is not None:
                port.protocol.datagramReceived(datagram, source)

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Let time pass in steps of 10 ms, or until something is so."""
        self.deliver()
        for _ in range(round(seconds * 100)):
            if until():
                return
            self.advance(0.01)
            self.deliver()


class Robot:
    """What our product is to the PBX: one CSTA client, SIP extensions that pick up, a voice."""

    def __init__(
        self, network: Network, simulator: Simulator, extensions: tuple[str, ...], picks_up: bool = True
    ) -> None:
        self.network = network
        self.picks_up = picks_up
        self.events: list[tuple[str, str]] = []
        self.sip_events: list[Event] = []
        self.keys = ""
        self.heard = bytearray()
        self.media: dict[str, MediaPort] = {}
        self.ticker = Ticker(network)
        self.token = iter(range(10**6))
        self.sip = SIPLink(self._agent, network, self._sip_told)
        self.listening = network.listenUDP(0, self.sip)
        self.csta = simulator.pbx.csta.buildProtocol(None)
        self.transport = StringTransport()
        self.csta.makeConnection(self.transport)
        self.association = Association(Role.CLIENT)
        self.csta.dataReceived(self.association.associate())
        self.read()
        for extension in extensions:
            self.sip.register(Account(extension, f"pw{extension}", HOST, 5060))
        network.run(1)
        for extension in extensions:
            self.ask("monitorStart", {"monitorObject": ("deviceObject", digits(extension))})

    def _agent(self, host: str, port: int) -> UserAgent:
        return UserAgent(host, port, token=lambda: f"robot{next(self.token)}")

    def _sip_told(self, event: Event) -> None:
        self.sip_events.append(event)
        match event:
            case Incoming(call=call, sdp=offer) if self.picks_up:
                media = MediaPort(
                    self.ticker,
                    self.network,
                    self.heard.extend,
                    self._key,
                    wall_clock=lambda: 1e9,
                    numbers=random.Random(1),
                )
                port = media.listen(self.network, HOST)
                answer, agreed = sdp.answer(offer, HOST, port)
                media.connect(
                    agreed.remote_host,
                    agreed.remote_port,
                    payload_type=agreed.pt,
                    telephone_event_pt=agreed.telephone_event_pt,
                )
                self.media[call] = media
                self.sip.answer(call, answer)
            case Ended(call=call) if call in self.media:
                self.media.pop(call).close()

    def _key(self, key: str) -> None:
        self.keys += key

    @property
    def call(self) -> str:
        """The SIP call that is up."""
        (call,) = self.media
        return call

    def say(self, alaw: bytes) -> None:
        self.media[self.call].queue(alaw)

    def ask(self, operation: str, argument: Any) -> Any:
        invoke_id, octets = self.association.invoke(operation, argument)
        self.csta.dataReceived(octets)
        return self.read(invoke_id)

    def dial(self, extension: str, number: str) -> Any:
        return self.ask("makeCall", {"callingDevice": digits(extension), "calledDirectoryNumber": digits(number)})

    def read(self, invoke_id: int | None = None) -> Any:
        received, answer = self.transport.value(), None
        self.transport.clear()
        if received:
            self.association.receive_data(received)
        while (event := self.association.next_event()) is not NEED_DATA:
            match event:
                case Returned(invoke_id=number, result=result) if number == invoke_id:
                    answer = result
                case Invoked(operation="cSTAEventReport", argument=argument):
                    name, body = argument["eventSpecificInfo"][1]
                    self.events.append((name, body["cause"]))
        return answer

    def saw(self, name: str) -> bool:
        self.read()
        return any(event == name for event, _ in self.events)

    def close(self) -> None:
        for media in self.media.values():
            media.close()
        self.listening.stopListening()


def digits(number: str) -> dict[str, Any]:
    return {"deviceIdentifier": ("dialingNumber", number)}


class Bench:
    def __init__(self, directory: Path, *variants: str) -> None:
        self.network = Network()
        self.directory = directory
        self.simulator = Simulator(
            self.network,
            Arguments(
                extensions=("301", "302"),
                sip_port=5060,
                log=directory / "calls.jsonl",
                recordings=Recordings(directory / "heard", directory / "said"),
                settings=Settings.from_pairs(variants),
            ),
            self.network.seconds,
        )
        self.simulator.start()
        self.robots: list[Robot] = []

    def robot(self, *extensions: str, picks_up: bool = True) -> Robot:
        self.robots.append(Robot(self.network, self.simulator, extensions or ("301",), picks_up))
        return self.robots[-1]

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.directory / "calls.jsonl").read_text("utf-8").splitlines()]

    def journal(self) -> list[str]:
        return [line["event"] for line in self.lines()]

    def wav(self, kind: str, number: str) -> Any:
        with wave.open(str(self.directory / kind / f"1-{number}.wav"), "rb") as file:
            return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Makes a bench; afterwards nothing may be left on its clock or its network."""
    made: list[Bench] = []

    def make(*variants: str) -> Bench:
        made.append(Bench(tmp_path, *variants))
        return made[-1]

    yield make
    for bench in made:
        stopped: list[Any] = []
        bench.simulator.stop().addBoth(stopped.append)
        for robot in bench.robots:
            robot.close()
        assert len(stopped) == 1
        assert bench.network.ports == {}
        assert bench.network.getDelayedCalls() == []


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


def test_an_extension_cannot_dial_by_itself(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    robot = bench.robot()
    robot.sip.invite("sip:9@127.0.0.1:5060", from_user="301", destination=(HOST, 5060), sdp=sdp.offer(HOST, 4000))
    bench.network.run(1)
    assert [event.code for event in robot.sip_events if isinstance(event, Refused)] == [501]
    assert not any(isinstance(event, Answered) for event in robot.sip_events)


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
