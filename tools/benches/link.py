"""The CSTA link under load: from an event of the PBX to the command that it causes, with 1,000 devices monitored.

A peer process is the PBX: it lists the devices, tells events of all of them, and takes the calls that the robot's ports
make one after the other. Each call fails as busy, and the gateway clears it: the time from that event to that command,
by the peer's clock, is the figure. The gateway is the product's own, with a voice that does nothing. Exits with 1 when
the rate of events was not held or a command did not come.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater

from ocm_cti.domain.call_records import CallRecord
from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import EndedBy, Gateway, Health, Native, NotPlaced
from ocm_cti.gateways.panasonic import PanasonicGateway
from ocm_cti.gateways.panasonic_settings import PanasonicSettings

PEER = Path(__file__).with_name("_link_peer.py")
HELD = 0.98  # of the rate that was asked for
PATIENCE_S = 120.0
SETTLE_S = 1.0


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools/bench link", description=__doc__)
    parser.add_argument("--devices", type=int, default=1000, help="monitored devices, the robot's ports included")
    parser.add_argument("--ports", type=int, default=64, help="robot ports that make calls")
    parser.add_argument("--events", type=int, default=500, help="events a second, besides those of our calls")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds that a port rests between two calls")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    options = parser.parse_args(argv)

    from twisted.internet import reactor as installed

    reactor: Any = installed
    bench = Bench(reactor, options)
    reactor.callWhenRunning(bench.run)
    reactor.run()
    if bench.error:
        print(bench.error, file=sys.stderr)
        return 1
    figures = bench.figures
    if options.json:
        print(json.dumps(figures))
    else:
        print(
            f"{options.devices} devices, {options.ports} ports, {figures['events_per_s']:.0f} events/s,"
            f" {figures['seconds']:.0f} s: event to command p50 {figures['p50_ms']:.2f} p99 {figures['p99_ms']:.2f}"
            f" max {figures['max_ms']:.2f} ms over {figures['commands']} commands; {figures['cores']:.3f} cores"
        )
    held = figures["events_per_s"] >= options.events * HELD
    return 0 if held and not figures["unanswered"] else 1


class Voice:
    """A voice process in which every registration works, every call is picked up, and nothing is ever said.

    SIP is not what is measured: the PBX's INVITE and BYE come by themselves, so long after the call was placed.
    """

    RINGS_S = 0.02
    LEAVES_S = 0.3  # the PBX lets the extension go when its connection has been cleared

    def __init__(self, reactor: Any, observer: Any) -> None:
        self._reactor = reactor
        self._observer = observer

    def start(self) -> None:
        self._observer.process_ready()

    def stop(self) -> Deferred[None]:
        return succeed(None)

    def register(self, extension: str, *args: object) -> Deferred[None]:
        self._observer.registration_changed(extension, True, "")
        return succeed(None)

    def ring(self, extension: str, call_id: str) -> None:
        self._reactor.callLater(self.RINGS_S, self._observer.incoming, call_id, extension, "bench")
        self._reactor.callLater(self.LEAVES_S, self._observer.ended, call_id, "them", "")

    def answer(self, call_id: str) -> Deferred[None]:
        self._reactor.callLater(0, self._observer.established, call_id)
        return succeed(None)

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: succeed(None)


class Caller:
    """One robot port, calling again and again. Observes its call."""

    def __init__(self, bench: Bench, port: str) -> None:
        self._bench = bench
        self._port = port
        self._calls = 0

    def call(self) -> None:
        if not self._bench.calling:
            return
        self._calls += 1
        try:
            self._bench.gateway.place(self._port, "+74951234567", self._calls, 20.0, None, self)
        except NotPlaced as error:
            self._bench.fail(str(error))
            return
        self._bench.voice.ring(self._port, f"{self._port}-{self._calls}")

    def _again(self) -> None:
        if self._bench.calling:
            self._bench.reactor.callLater(self._bench.options.pause, self.call)

    def failed(self, cause: Cause, native: Native) -> None:
        if cause is not Cause.BUSY:
            self._bench.fail(f"a call ended as {cause.value}, not as busy: {native}")
        self._again()

    def ended(self, cause: Cause, by: EndedBy, native: Native) -> None:
        self._again()

    def dialing(self) -> None: ...
    def ringing(self) -> None: ...
    def answered(self, certain: bool) -> None: ...
    def digit(self, digit: str) -> None: ...


class Peer(ProcessProtocol):
    """The PBX's process; it answers with lines of JSON."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._line = b""

    def outReceived(self, data: bytes) -> None:
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self._bench.peer_said(json.loads(line))

    def errReceived(self, data: bytes) -> None:
        sys.stderr.write(data.decode(errors="replace"))

    def processEnded(self, reason: Any) -> None:
        self._bench.peer_gone()


class Bench:
    """One run. Observer of the gateway."""

    def __init__(self, reactor: Any, options: argparse.Namespace) -> None:
        self.reactor = reactor
        self.options = options
        self.figures: dict[str, float] = {}
        self.error = ""
        self.calling = False
        self.gateway: Any = None
        self.voice: Any = None
        self._extensions = [str(1001 + number) for number in range(options.devices)]
        self._ports = self._extensions[: options.ports]
        self._peer = Peer(self)
        self._cpu_s = self._began_s = 0.0
        self._leaving = False

    def run(self) -> None:
        lists = [json.dumps(self._extensions), json.dumps(self._ports), str(self.options.events)]
        command = [sys.executable, str(PEER), *lists]
        self.reactor.spawnProcess(self._peer, sys.executable, command, None)
        self._patience = self.reactor.callLater(PATIENCE_S, self.fail, "not every extension became idle in time")

    def peer_said(self, said: dict[str, float]) -> None:
        if "port" in said:
            self._connect(int(said["port"]))
        else:
            self.figures |= said
            self._leave()

    def _connect(self, port: int) -> None:
        # Every device is monitored, so every one is an extension of the gateway; calls are made by the ports only. The
        # PBX of the bench has no limit of its own on requests, so ours is lifted: it is not what is measured.
        settings = PanasonicSettings(
            name="bench",
            link=f"tcp:127.0.0.1:{port}",
            extensions=tuple(self._extensions),
            sip_host="127.0.0.1",
            passwords=dict.fromkeys(self._extensions, "x"),
            requests_per_s=0.0,
            window=64,
        )
        self.gateway = PanasonicGateway(settings, self.reactor, self._make_voice)
        self.gateway.start(self)

    def _make_voice(self, observer: Any) -> Voice:
        self.voice = Voice(self.reactor, observer)
        return self.voice

    # GatewayObserver

    def port_freed(self, gateway: Gateway, port: str) -> None:
        if not self.calling and len(gateway.idle_ports) == len(self._extensions):
            self._patience.cancel()
            self.calling = True
            for number, name in enumerate(self._ports):
                after_s = self.options.pause * number / len(self._ports)
                self.reactor.callLater(after_s, Caller(self, name).call)
            deferLater(self.reactor, SETTLE_S, self._begin)

    def health_changed(self, gateway: Gateway, health: Health) -> None: ...

    def call_recorded(self, gateway: Gateway, record: CallRecord) -> None: ...

    # Measuring

    def _begin(self) -> None:
        self._peer.transport.write(b"begin\n")
        self._cpu_s, self._began_s = cpu_s(), self.reactor.seconds()
        self.reactor.callLater(self.options.seconds, self._end)

    def _end(self) -> None:
        seconds = self.reactor.seconds() - self._began_s
        self.figures = {"seconds": seconds, "cores": (cpu_s() - self._cpu_s) / seconds}
        self.calling = False
        # What is still on its way belongs to it.
        self.reactor.callLater(0.2, self._peer.transport.write, b"end\n")

    def peer_gone(self) -> None:
        if not self._leaving:
            self.fail("the peer process has gone")
        elif self.reactor.running:
            self.reactor.stop()

    def fail(self, why: str) -> None:
        if not self.error:
            self.error = why
            self._leave()

    def _leave(self) -> None:
        if self._leaving:
            return
        self._leaving = True
        if not self.error and "p99_ms" not in self.figures:
            self.error = "no command was timed"
        stopped: Deferred[Any] = succeed(None) if self.gateway is None else self.gateway.stop()
        stopped.addBoth(lambda _: self._peer.transport.loseConnection())
        if self._peer.transport.pid is None:
            self.reactor.stop()


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
