"""The simulated PBX with all its sockets: CSTA on TCP and a serial line, SIP, SMDR, the control port; its faults."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.error import CannotListenError, ConnectError

from ocm_cti.simulator.clock import DelayedCall
from ocm_cti.simulator.config import ArgumentError, PbxConfig
from ocm_cti.simulator.control import Control
from ocm_cti.simulator.fault_table import Fault, read_line
from ocm_cti.simulator.injection import Injection
from ocm_cti.simulator.journal import Journal
from ocm_cti.simulator.overview import overview
from ocm_cti.simulator.pbx import Pbx
from ocm_cti.simulator.serial_port import SerialLine, line_setting
from ocm_cti.simulator.sip_side import SipSide
from ocm_cti.simulator.smdr_server import SmdrServer
from ocm_cti.simulator.wire_faults import Faults

LOOPBACK = "127.0.0.1"
# A port that another program has taken while the PBX was off is tried again so often.
AGAIN_S = 1.0


class Simulator:
    """One PBX on a reactor. ``start`` listens, ``stop`` leaves nothing behind. ``seconds`` dates the journal."""

    def __init__(self, reactor: Any, config: PbxConfig, seconds: Callable[[], float] = time.monotonic) -> None:
        self._reactor = reactor
        self._config = config
        self._journal = Journal(config.log, seconds)
        self.sip: SipSide

        def telephones(pbx: Pbx) -> SipSide:
            self.sip = SipSide(
                pbx, reactor, config.host, config.passwords, config.settings, config.recordings, self._log
            )
            return self.sip

        self.pbx = Pbx(
            config.settings, config.numbering, config.directory, reactor, self._journal, telephones, self._log
        )
        self.smdr = SmdrServer(config.settings, self._log)
        self.wires = Faults(self.pbx.csta, reactor)
        self.injection = Injection(reactor, self.pbx, self.wires, self._restart, self.sip.lose_registration, self._log)
        self._control = Control(self, self._log)
        self._line: SerialLine | None = None
        self._ports: dict[str, Any] = {}  # what listens, by its key in the ready line
        self._numbers: dict[str, int] = {}
        self._coming_up: DelayedCall | None = None
        self._stopped = False

    def start(self) -> dict[str, Any]:
        """Listen everywhere; the ready line. CannotListenError, ConnectError, ArgumentError leave nothing open."""
        config = self._config
        self._numbers = {"csta_port": config.csta_port, "sip_port": config.sip_port}
        if config.smdr_port is not None:
            self._numbers["smdr_port"] = config.smdr_port
            self.pbx.accounts.append(self.smdr.call_ended)
        ready: dict[str, Any] = {"host": config.host}
        try:
            self._listen()
            ready |= self._numbers
            if config.control_port is not None:
                self._ports["control_port"] = self._reactor.listenTCP(
                    config.control_port, self._control, interface=LOOPBACK
                )
                ready["control_port"] = self._ports["control_port"].getHost().port
            if config.csta_serial is not None:
                ready["csta_serial"] = self._open_line(config.csta_serial)
            for text in config.faults:
                self.inject(read_line(text))
        except (CannotListenError, ConnectError, ArgumentError, ValueError):
            self.stop()
            raise
        return ready

    def stop(self) -> Deferred[Any]:
        """End the calls, close everything; fires when it is closed."""
        self._stopped = True
        if self._coming_up is not None and self._coming_up.active():
            self._coming_up.cancel()
        self.injection.close()
        self.pbx.close()
        self.smdr.close()
        self._control.close()
        if self._line is not None:
            self._line.close()
        closing = [maybeDeferred(port.stopListening) for port in self._ports.values()]
        self._ports.clear()
        closed = gatherResults([*closing, self.sip.stop()], consumeErrors=True)
        closed.addBoth(lambda _: self._journal.close())
        return closed

    # What the control port and tests ask

    def inject(self, fault: Fault) -> None:
        """Let something go wrong. FaultError when it concerns a device that is not there."""
        self.injection.inject(fault)

    def clear(self, name: str | None = None) -> list[Fault]:
        """End the faults of a name, or all; which they were."""
        return self.injection.clear(name)

    def call_in(self, number: str, destination: str) -> int:
        """Somebody outside calls; the call's serial. RequestError when the PBX can't take it."""
        return self.pbx.call_in(number, destination)

    def status(self) -> dict[str, Any]:
        """What goes on now, fit for JSON."""
        return {
            **overview(self.pbx, [wire.link for wire in self.wires.wires]),
            "registrations": self.sip.registrations,
            "faults": [fault.described() for fault in self.injection.in_force],
            "faults_to_come": [fault.described() for fault in self.injection.waiting],
            "power": "off" if self._coming_up is not None and self._coming_up.active() else "on",
            "smdr_waiting": len(self.smdr.kept),
        }

    # Power

    def _listen(self) -> None:
        """Open the ports of the PBX; those that the system chose stay the same when it comes up again."""
        host, numbers = self._config.host, self._numbers
        factories: dict[str, Any] = {"csta_port": self.wires, "smdr_port": self.smdr}
        for key in ("csta_port", "smdr_port"):
            if key in numbers and key not in self._ports:
                self._ports[key] = self._reactor.listenTCP(numbers[key], factories[key], interface=host)
                numbers[key] = self._ports[key].getHost().port
        numbers["sip_port"] = self.sip.start(numbers["sip_port"])

    def _open_line(self, setting: str) -> str:
        try:
            setting = line_setting(setting)
        except ValueError as error:
            raise ArgumentError(f"CSTA's serial line: {error}") from None
        self._line = SerialLine(self._reactor, self.wires, setting, self._log)
        return self._line.open()

    def _restart(self, down_s: float) -> None:
        """Power off now, on after ``down_s``; what was lost is lost."""
        if self._coming_up is not None and self._coming_up.active():
            self._coming_up.cancel()
        closing = [self.sip.stop()]
        for key in ("csta_port", "smdr_port"):
            if key in self._ports:
                closing.append(maybeDeferred(self._ports.pop(key).stopListening))
        self.pbx.restart()
        self.smdr.close()
        if self._line is not None:
            self._line.deaf = True
            self._line.drop_link()
        # Off is off at once, whenever the last socket is really closed.
        closed = gatherResults(closing, consumeErrors=True)
        self._coming_up = self._reactor.callLater(down_s, closed.addBoth, self._come_up)

    def _come_up(self, _: Any) -> None:
        if self._stopped:
            return
        try:
            self._listen()
        except CannotListenError as error:
            self._log(f"the PBX can't come up yet: {error}")
            self._coming_up = self._reactor.callLater(AGAIN_S, self._come_up, None)
            return
        if self._line is not None:
            self._line.deaf = False
        self.injection.restarted()
        self._log("the PBX is up again")

    def _log(self, text: str) -> None:
        if self._config.verbose:
            print(text, file=sys.stderr, flush=True)
