"""The gateway over an operator's SIP trunk: calls and voice by voice processes of ours, no PBX between.

Start the voice processes -> each account registers in one of them (or is known by our address) -> its ports are idle.
A call: INVITE -> 180 -> 200 -> BYE (sip_trunk_calls.py has the table; sip_trunk_causes.py what a refusal means).

A trunk has no list of its calls that could be asked for. What was in flight when this server was killed is therefore
UNKNOWN, and an answered call that a killed voice process left is ended by the operator, who hears nothing any more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, fail, inlineCallbacks, succeed
from twisted.logger import Logger

from ocm_cti.clock import moment
from ocm_cti.domain.numbers import mask
from ocm_cti.gateways.interface import (
    Call,
    CallObserver,
    GatewayObserver,
    Health,
    InFlight,
    LinkState,
    NotPlaced,
    Settled,
)
from ocm_cti.gateways.last_calls import LastCalls
from ocm_cti.gateways.pace import Pace
from ocm_cti.gateways.sip_trunk_around import Surroundings, Voice, Wanted
from ocm_cti.gateways.sip_trunk_checks import Found, look
from ocm_cti.gateways.sip_trunk_lines import Line
from ocm_cti.gateways.sip_trunk_ping import Ping
from ocm_cti.gateways.sip_trunk_placed import PlacedCall
from ocm_cti.gateways.sip_trunk_reading import ANONYMOUS, caller_number
from ocm_cti.gateways.sip_trunk_settings import SipTrunkSettings, TrunkAccount
from ocm_cti.gateways.sip_trunk_voices import VoiceSide
from ocm_cti.voice.client import VoiceObserver

#: How SIP is told to keep the caller from the person (RFC 3323, RFC 3325).
PRIVACY = ("Privacy", "id")


class LinkDown(Exception):
    """There is no way to the operator."""


@dataclass(eq=False)
class Port:
    """Room for one call of an account, in one voice process."""

    name: str
    line: Line
    side: VoiceSide
    around: Surroundings
    call: PlacedCall | None = None

    @property
    def reason(self) -> str:
        """Why it can't take a call now, for people; "" when it can."""
        if self.call is not None:
            return "in a call"
        if self.side.reason:
            return self.side.reason
        return f"account {self.line.key} {self.line.reason}" if self.line.reason else ""


class SipTrunkGateway:
    """``interface.Gateway`` over one operator.

    ``voice_factory`` makes a voice process, given its observer and its number from 0. ``make_ping`` is for tests.
    """

    def __init__(
        self,
        settings: SipTrunkSettings,
        reactor: Any,
        voice_factory: Callable[[VoiceObserver, int], Voice],
        make_ping: Callable[..., Any] = Ping,
    ) -> None:
        self._settings = settings
        self._reactor = reactor
        self._log = Logger()
        self._observer: GatewayObserver | None = None
        self._lines = {
            account.key: Line(
                account, index % settings.voice_processes, settings, reactor, self._changed, self._line_lost
            )
            for index, account in enumerate(settings.accounts)
        }
        self._pace = Pace(settings.calls_per_s, settings.calls_burst, reactor, self._pace_opened)
        self._paused = False  # until the pace says that it is open: port_freed comes with it
        self._sides = [self._side(number, voice_factory) for number in range(settings.voice_processes)]
        self._ports = {
            name: Port(name, self._lines[account.key], self._sides[process], self._around(self._sides[process]))
            for name, account, process in settings.lines
        }
        self._make_ping = make_ping
        self._ping: Any = None
        self._health = Health(LinkState.DOWN, self._now())
        self._idle: set[str] = set()
        self._started = False
        self._stopping = False
        self._last_calls = LastCalls(settings.name, reactor, settings.stop_timeout_s, self._log)

    def _side(self, number: int, voice_factory: Callable[[VoiceObserver, int], Voice]) -> VoiceSide:
        side = VoiceSide(number, self._settings, self._lines, self._changed, self._log)
        side.voice = voice_factory(side, number)
        return side

    def _around(self, side: VoiceSide) -> Surroundings:
        return Surroundings(
            self._settings, self._reactor, side.voice, side.named, self._call_over, self._hold, self._log
        )

    @property
    def name(self) -> str:
        return self._settings.name

    @property
    def settings(self) -> SipTrunkSettings:
        return self._settings

    @property
    def ports(self) -> Sequence[str]:
        return list(self._ports)

    @property
    def idle_ports(self) -> Sequence[str]:
        if self._held_back:
            return []
        return [name for name, port in self._ports.items() if not port.reason]

    @property
    def starts_left(self) -> int | None:
        return self._pace.starts_left

    @property
    def health(self) -> Health:
        return self._health

    @property
    def _held_back(self) -> str:
        """Why no port at all can take a call now; "" when one may."""
        if self._stopping or not self._started:
            return "is being stopped" if self._stopping else "has not been started"
        return (self._pace.reason or "a call may start in a moment") if self._paused else ""

    def port_reason(self, port: str) -> str:
        """Why a port is not idle, one line for people; "" when it is."""
        return self._ports[port].reason or self._held_back

    def start(self, observer: GatewayObserver) -> None:
        self._observer = observer
        self._started = True
        self._look_at_health()
        for side in self._sides:
            side.voice.start()
        if self._settings.options_ping_s:
            try:
                host = self._settings.voice_host()
            except OSError as error:
                host = self._settings.local_host
                self._log.warn("{gateway}: no way to the operator: {error}", gateway=self.name, error=error)
            self._ping = self._make_ping(self._settings, host, self._reactor, self._pinged)
            self._ping.start()

    @inlineCallbacks
    def stop(self) -> Any:
        self._stopping = True
        self._changed()
        for port in self._ports.values():
            if port.call is not None:
                port.call.hang_up()
        if self._calls:
            yield self._last_calls.wait()
        if self._ping is not None:
            yield self._ping.stop()
        for side in self._sides:
            side.stopping()
        yield DeferredList([side.voice.stop() for side in self._sides], consumeErrors=True)
        for call in self._calls:
            call.give_up("the gateway was stopped")
        for line in self._lines.values():
            line.close()
        self._pace.close()
        self._be(LinkState.DOWN, "stopped")

    @property
    def _calls(self) -> list[PlacedCall]:
        return [port.call for port in self._ports.values() if port.call is not None]

    def place(
        self,
        port: str,
        number: str,
        attempt_id: int,
        ring_timeout_s: float,
        caller_id: str | None,
        observer: CallObserver,
    ) -> Call:
        """As the interface says."""
        line = self._ports.get(port)
        if line is None:
            raise NotPlaced(f"{self.name} has no port {port}")
        reason = line.reason or self._held_back
        if reason:
            raise NotPlaced(f"port {port} of {self.name}: {reason}")
        digits = self._settings.digits(number) if re.fullmatch(r"\+?[0-9*#]+", number) else ""
        if re.fullmatch(r"\+?[0-9*#]{1,32}", digits) is None:
            raise NotPlaced(f"{mask(number)} can't be dialled by the rules of {self.name}")
        wanted = wish(self._settings, line.line.account, digits, caller_id)
        self._log.info(
            "{gateway}: attempt {attempt} at port {port} to {number}",
            gateway=self.name,
            attempt=attempt_id,
            port=port,
            number=mask(number),
        )
        self._idle.discard(port)
        self._pace.spend()
        call = line.call = PlacedCall(line.around, port, ring_timeout_s, observer)
        call.begin(wanted)
        self._mind_the_pace()
        return call

    def settle(self, in_flight: Sequence[InFlight]) -> Deferred[dict[int, Settled]]:
        """As the interface says: UNKNOWN all of them, for there is nobody to ask."""
        if self._health.state is not LinkState.UP:
            return fail(LinkDown(f"{self.name}: {self._health.reason or 'no way to the operator'}"))
        return succeed({row.attempt_id: Settled.UNKNOWN for row in in_flight})

    def checks(self) -> Deferred[list[Found]]:
        """What is right and what is missing at the operator, each as (right, what, words); calls nobody."""
        return look(self._settings, self._lines.values(), self._make_ping, self._reactor)

    # Told by the calls

    def _call_over(self, call: PlacedCall) -> None:
        port = self._ports[call.port]
        port.call = None
        port.side.forget(call)
        port.line.call_over(call.verdict)
        if not self._calls:
            self._last_calls.over()
        self._changed()

    def _hold(self, seconds: float, why: str) -> None:
        if seconds > 0:
            self._log.warn("{gateway}: {why}", gateway=self.name, why=why)
            self._pace.hold(seconds, why)
            self._mind_the_pace()

    def _mind_the_pace(self) -> None:
        if not self._pace.open:
            self._paused = True
            self._idle.clear()

    def _pace_opened(self) -> None:
        self._paused = False
        self._changed()

    # Told by the lines and the voice processes

    def _line_lost(self, line: Line) -> None:
        for port in self._ports.values():
            if port.line is line and port.call is not None:
                port.call.link_lost()

    def _pinged(self, is_there: bool, why: str) -> None:
        for line in self._lines.values():
            line.pinged(is_there, why)

    def _changed(self) -> None:
        """Something that keeps ports from being idle has changed: say which have become so."""
        if self._started and not self._stopping:
            self._look_at_health()
        idle = self.idle_ports
        fresh = [name for name in idle if name not in self._idle]
        self._idle = set(idle)
        for name in fresh:
            # An earlier one of them may have been given a call just now, and with it the pace may be spent.
            if self._observer is not None and name in self.idle_ports:
                self._observer.port_freed(self, name)

    def _look_at_health(self) -> None:
        """Up when calls can go some way; what the others lack is the reason."""
        faults: list[tuple[LinkState, str]] = []
        ways = 0
        for line in self._lines.values():
            sides = {port.side for port in self._ports.values() if port.line is line}
            running = [side for side in sides if not side.reason]
            if line.reason or not running:
                faults.append(self._fault_of(line, [side for side in sides if side.reason]))
            else:
                ways += 1
                faults += [(LinkState.DOWN, side.reason) for side in sides if side.is_lost]
        texts = "; ".join(dict.fromkeys(text for _, text in faults))
        if ways:
            self._be(LinkState.UP, texts)
        else:
            states = [state for state, _ in faults]
            worst = next(
                state for state in (LinkState.DOWN, LinkState.REFUSED, LinkState.CONNECTING) if state in states
            )
            self._be(worst, texts)

    def _fault_of(self, line: Line, sides: Sequence[VoiceSide]) -> tuple[LinkState, str]:
        for side in sides:
            if side.number == line.process or not line.reason:
                return (LinkState.DOWN if side.is_lost else LinkState.CONNECTING), side.reason
        return line.state, f"account {line.key} {line.reason}"

    def _be(self, state: LinkState, reason: str) -> None:
        if self._health.state is state and self._health.reason == reason:
            return
        since_at = self._health.since_at if self._health.state is state else self._now()
        self._health = Health(state, since_at, reason)
        if self._observer is not None:
            self._observer.health_changed(self, self._health)

    def _now(self) -> datetime:
        return moment(self._reactor)


def wish(settings: SipTrunkSettings, account: TrunkAccount, digits: str, caller_id: str | None) -> Wanted:
    """The call as the voice process is asked for it: who stands in From, who is asserted to the operator."""
    shown = (caller_number(caller_id) if caller_id else None) or account.caller_id
    hidden = shown.lower() == ANONYMOUS
    named = account.user if hidden or not shown else shown
    asserted = {"none": "", "caller_id": named, "account": account.user}[settings.asserted]
    if hidden:
        return Wanted(account.key, digits, ANONYMOUS, asserted or account.user, (PRIVACY,))
    sender = shown if settings.from_user == "caller_id" else ""
    return Wanted(account.key, digits, sender, asserted, ())
