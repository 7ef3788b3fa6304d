"""The simulated PBX and a robot with CSTA, SIP and RTP of its own, all on one task.Clock, no sockets."""

from __future__ import annotations

import json
import random
import wave
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from twisted.internet.address import IPv4Address
from twisted.internet.defer import succeed
from twisted.internet.error import CannotListenError
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from ocm_cti.simulator.config import PbxConfig, Recordings
from ocm_cti.simulator.faults import Settings
from ocm_cti.simulator.simulation import Simulator
from protocols.csta.association import NEED_DATA, Association, Invoked, Returned, Role
from protocols.rtp.link import MediaPort, Ticker
from protocols.sip import sdp
from protocols.sip.events import Ended, Event, Incoming
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
    def __init__(self, directory: Path, *variants: str, **more: Any) -> None:
        self.network = Network()
        self.directory = directory
        self.simulator = Simulator(
            self.network,
            PbxConfig(
                **{
                    "extensions": ("301", "302"),
                    "sip_port": 5060,
                    "log": directory / "calls.jsonl",
                    "recordings": Recordings(directory / "heard", directory / "said"),
                    "settings": Settings.from_pairs(variants),
                    **more,
                }
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


Kind = TypeVar("Kind", bound=Bench)


def made_benches(directory: Path, kind: type[Kind]) -> Iterator[Callable[..., Kind]]:
    """Makes benches; afterwards nothing may be left on their clocks or networks. For a fixture."""
    made: list[Kind] = []

    def make(*variants: str, **more: Any) -> Kind:
        made.append(kind(directory, *variants, **more))
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
