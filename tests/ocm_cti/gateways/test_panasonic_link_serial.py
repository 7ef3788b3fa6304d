"""The link of a PBX over a serial line, from setting to snapshot, and again after either side was killed."""

from __future__ import annotations

import os
import sys
import tty
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.application.internet import ClientService
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.internet.selectreactor import SelectReactor

from ocm_cti.gateways.interface import Health, LinkState
from ocm_cti.gateways.panasonic_link import PbxLink
from ocm_cti.gateways.panasonic_settings import PanasonicSettings
from protocols.csta.association import Invoked, Role
from protocols.csta.link import CSTAProtocol
from protocols.csta.losses import ClosedByUs
from protocols.csta.panasonic import dialing_number
from protocols.serial_line import endpoint_from_setting

pytestmark = [
    pytest.mark.sockets,
    pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals"),
]

EMPTY = {"crossRefIDorSnapshotData": ("snapshotData", [])}
PATIENCE_S = 30.0


class Owner:
    def __init__(self) -> None:
        self.ups = 0
        self.healths: list[Health] = []

    def link_up(self) -> None:
        self.ups += 1

    def health_changed(self, health: Health) -> None:
        self.healths.append(health)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args: None


class Switch:
    """The far end, opened again whenever its line was closed. Observes its links."""

    def __init__(self, reactor: Any, setting: str) -> None:
        self.link: CSTAProtocol | None = None
        self.opened: list[CSTAProtocol] = []
        factory: Any = Factory.forProtocol(lambda: self._open(reactor))
        factory.noisy = False
        endpoint: Any = endpoint_from_setting(reactor, setting)
        self.service = ClientService(endpoint, factory, retryPolicy=lambda _: 0.02, clock=reactor)
        self.service.startService()

    def _open(self, reactor: Any) -> CSTAProtocol:
        self.opened.append(CSTAProtocol(Role.SWITCH, self, reactor, quiet_s=0.1, frame_timeout_s=0.5))
        return self.opened[-1]

    def associated(self, link: CSTAProtocol) -> None:
        self.link = link

    def refused(self, link: CSTAProtocol, reason: str) -> None: ...

    def invoked(self, link: CSTAProtocol, event: Invoked) -> None:
        link.respond(event.invoke_id, event.operation, EMPTY)

    def lost(self, link: CSTAProtocol, reason: str) -> None: ...


class Bench:
    def __init__(self) -> None:
        self.reactor: Any = SelectReactor()
        pairs = [os.openpty() for _ in range(2)]
        self.masters = [master for master, _ in pairs]
        self.slaves = [slave for _, slave in pairs]
        for master, slave in pairs:
            tty.setraw(slave)
            os.set_blocking(master, False)
        near, far = map(os.ttyname, self.slaves)
        self.owner = Owner()
        settings = PanasonicSettings(
            name="office",
            link=f"serial:{near}?baud=115200",
            extensions=("301",),
            sip_host="127.0.0.1",
            passwords={"301": "x"},
            serial_quiet_s=0.15,
            retry_min_s=0.1,
            retry_max_s=0.2,
            associate_timeout_s=1.0,
        )
        self.link = PbxLink(settings, self.reactor, self.owner)
        self.switch = Switch(self.reactor, f"serial:{far}?baud=115200")
        self.link.start()

    def until(self, condition: Callable[[], object], what: str) -> None:
        deadline_s = self.reactor.seconds() + PATIENCE_S
        while not condition():
            assert self.reactor.seconds() < deadline_s, f"never: {what}"
            for source, target in (self.masters, self.masters[::-1]):
                try:
                    os.write(target, os.read(source, 4096))
                except OSError:
                    continue
            self.reactor.runUntilCurrent()
            self.reactor.doIteration(0.005)

    def works(self) -> None:
        results: list[Any] = []
        self.link.ask("snapshotDevice", {"snapshotObject": dialing_number("301")}).addBoth(results.append)
        self.until(lambda: results, "answered")
        assert results == [EMPTY]

    def close(self) -> None:
        gone: list[object] = []
        stopping: list[Deferred[Any]] = [self.link.stop(), self.switch.service.stopService()]
        for deferred in stopping:
            deferred.addBoth(gone.append)
        self.until(lambda: len(gone) == 2, "closed")
        assert self.reactor.getDelayedCalls() == []
        for descriptor in (*self.masters, *self.slaves):
            os.close(descriptor)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def test_up_and_asked(bench: Bench) -> None:
    bench.until(lambda: bench.owner.ups == 1, "up")
    bench.works()


def test_the_switch_was_killed(bench: Bench) -> None:
    bench.until(lambda: bench.owner.ups == 1, "up")
    left = bench.switch.link
    assert left is not None
    left.loss = ClosedByUs("killed")  # without a word to us
    left.transport.abortConnection()
    bench.until(lambda: len(bench.switch.opened) == 2, "the switch is there again")
    bench.link.ask("snapshotDevice", {"snapshotObject": dialing_number("301")}).addErrback(lambda _: None)
    bench.until(lambda: bench.owner.ups == 2, "up again: the new one knows nothing of our association and says so")
    bench.works()
    assert any(health.state is LinkState.DOWN and "abort" in health.reason for health in bench.owner.healths)


def test_we_were_killed_amid_a_frame(bench: Bench) -> None:
    bench.until(lambda: bench.owner.ups == 1, "up")
    link, left = bench.link._link, bench.switch.link
    assert link is not None
    assert left is not None
    link.transport.write(b"\x00\xf0half a frame")
    bench.until(lambda: left._association.held, "half a frame is there")
    link.loss = ClosedByUs("killed")
    link.transport.abortConnection()
    bench.until(lambda: bench.owner.ups == 2, "up again")
    bench.works()
