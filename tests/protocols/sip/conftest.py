"""Two user agents wired back to back in memory, with a clock that only moves when a test says so."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from protocols.sip.events import Event
from protocols.sip.registrar import Registrar
from protocols.sip.user_agent import UserAgent

Hop = tuple[str, int]


class Wire:
    """Carries datagrams between agents. ``lose(octets)`` says which are lost; ``log`` keeps (time, from, octets) of all
    that were sent, lost or not."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.agents: dict[Hop, UserAgent] = {}
        self.events: dict[Hop, list[Event]] = {}
        self.log: list[tuple[float, Hop, bytes]] = []
        self.lose: Callable[[bytes], bool] = lambda octets: False
        self.held: list[tuple[bytes, Hop]] | None = None  # a list: datagrams to strangers are kept there

    def join(self, name: str, port: int, registrar: Registrar | None = None) -> UserAgent:
        numbers = itertools.count(1)
        agent = UserAgent("127.0.0.1", port, token=lambda: f"{name}{next(numbers)}", challenge=registrar)
        self.agents["127.0.0.1", port] = agent
        self.events["127.0.0.1", port] = []
        return agent

    def carry(self) -> None:
        """Until nothing is on the way any more."""
        moved = True
        while moved:
            moved = False
            for hop, agent in self.agents.items():
                for octets, destination in agent.datagrams_to_send():
                    moved = True
                    self.log.append((self.now, hop, octets))
                    if self.lose(octets):
                        continue
                    if destination in self.agents:
                        self.agents[destination].receive_datagram(octets, hop, self.now)
                    elif self.held is not None:
                        self.held.append((octets, destination))
                while (event := agent.next_event()) is not None:
                    self.events[hop].append(event)

    def run(self, seconds: float) -> None:
        """Let time pass, timer by timer."""
        end = self.now + seconds
        self.carry()
        while True:
            due = [at for agent in self.agents.values() if (at := agent.next_timeout()) is not None and at <= end]
            if not due:
                break
            self.now = max(self.now, min(due))
            for agent in self.agents.values():
                agent.advance(self.now)
            self.carry()
        self.now = end

    def told(self, agent: UserAgent) -> list[Event]:
        """Events since the last question."""
        self.carry()
        hop = next(hop for hop, other in self.agents.items() if other is agent)
        events, self.events[hop] = self.events[hop], []
        return events

    def lines(self, since: float = 0.0) -> list[tuple[float, str]]:
        """(seconds since ``since``, ``INVITE`` or ``180 INVITE``) of all that was sent."""
        found = []
        for at, _, octets in self.log:
            head = octets.split(b"\r\n", 1)[0].decode()
            if head.startswith("SIP/2.0"):
                cseq = next(line for line in octets.decode().split("\r\n") if line.startswith("CSeq:"))
                head = f"{head.split()[1]} {cseq.split()[-1]}"
            else:
                head = head.split()[0]
            found.append((round(at - since, 3), head))
        return found

    def heads(self) -> list[str]:
        return [head for _, head in self.lines()]


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    # Whatever a test did, in ten minutes every timer must have come to its end, but for registrations that stand.
    wire.lose = lambda octets: False
    wire.run(600.0)


@pytest.fixture
def alice(wire: Wire) -> UserAgent:
    return wire.join("a", 5061)


@pytest.fixture
def bob(wire: Wire) -> UserAgent:
    return wire.join("b", 5062)


@pytest.fixture
def invite(wire: Wire, alice: UserAgent) -> Callable[[], str]:
    def call() -> str:
        return alice.invite(
            "sip:301@127.0.0.1:5062",
            from_user="100",
            destination=("127.0.0.1", 5062),
            sdp=b"v=0\r\noffer",
            now=wire.now,
        )

    return call
