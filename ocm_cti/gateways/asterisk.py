"""The gateway to one Asterisk: calls by AMI, the voice by AsyncAGI.

Log in -> list the channels, hang up what an earlier process left -> all ports are idle. A call: Originate with a
ChannelId of ours -> events of that channel tell the progress (asterisk_calls.py has the table) -> the dialplan brings
the answered channel to AGI(agi:async) -> AgiSound plays, listens and hands over.
"""

from __future__ import annotations

import dataclasses
import re
import secrets
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError, fail, inlineCallbacks
from twisted.logger import Logger
from twisted.python.failure import Failure

from ocm_cti.domain.causes import Cause
from ocm_cti.domain.numbers import mask
from ocm_cti.gateways.agi_sound import AgiAround, AgiSound
from ocm_cti.gateways.asterisk_around import Sound, Surroundings
from ocm_cti.gateways.asterisk_channels import Channels, LinkDown
from ocm_cti.gateways.asterisk_checks import ANSWER_WITHIN_S, Checks, Line
from ocm_cti.gateways.asterisk_link import MakeLink, SwitchLink
from ocm_cti.gateways.asterisk_placed import PlacedCall
from ocm_cti.gateways.asterisk_ports import Port
from ocm_cti.gateways.asterisk_reading import SECOND_HALF, channel_of, pressed, read_event
from ocm_cti.gateways.asterisk_settings import AsteriskSettings
from ocm_cti.gateways.interface import (
    Call,
    CallObserver,
    GatewayObserver,
    Health,
    InFlight,
    NotPlaced,
    Settled,
)
from ocm_cti.gateways.last_calls import LastCalls
from ocm_cti.gateways.pace import Pace
from protocols.ami.messages import Event


class AsteriskGateway:
    """``interface.Gateway`` over one Asterisk; owner of its link.

    ``recordings`` is the folder for replies; with ``node``, this server's name in the ledger, it tells our channels
    from those of another server at the same Asterisk.
    """

    def __init__(
        self,
        settings: AsteriskSettings,
        reactor: Any,
        recordings: Path,
        node: str = "",
        make_link: MakeLink | None = None,
        make_sound: Callable[[str], Sound] | None = None,
    ) -> None:
        self._settings = settings
        self._reactor = reactor
        self._log = Logger()
        self._observer: GatewayObserver | None = None
        self._link = SwitchLink(settings, reactor, self, self._log, make_link)
        self._ports = {name: Port(name, settings, reactor, self._changed) for name in settings.ports}
        self._calls: dict[str, PlacedCall] = {}
        self._prefix = channel_prefix(settings.name, node, recordings)
        self._run = secrets.token_hex(3)
        self._serial = 0
        self._pace = Pace(settings.originate_per_s, settings.originate_burst, reactor, self._pace_opened)
        self._paused = False  # until the pace says that it is open: port_freed comes with it
        self._channels = Channels(
            self._prefix, self._calls, self._link.ask, self._link.ask_list, reactor, self._changed, self._log
        )
        self._agi = AgiAround(
            ask=self._link.ask,
            clock=reactor,
            log=self._log,
            settings=settings.agi,
            recordings=recordings,
            event=self.event,
        )
        self._around = Surroundings(
            settings,
            reactor,
            self._link.ask,
            self._channels.look,
            self._call_over,
            make_sound or self._sound,
            self._log,
        )
        self._idle: set[str] = set()
        self._stopping = False
        self._last_calls = LastCalls(settings.name, reactor, settings.stop_timeout_s, self._log)

    def _sound(self, channel_id: str) -> Sound:
        return AgiSound(self._agi, channel_id)

    @property
    def name(self) -> str:
        return self._settings.name

    @property
    def ports(self) -> Sequence[str]:
        return self._settings.ports

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
        return self._link.health

    @property
    def link(self) -> SwitchLink:
        """For checks of the live link."""
        return self._link

    @property
    def settings(self) -> AsteriskSettings:
        return self._settings

    @property
    def _held_back(self) -> str:
        """Why no port at all can take a call now; "" when one may."""
        if self._stopping:
            return "is being stopped"
        if not self._link.is_up:
            return "no link to the switch"
        if self._channels.reason or not self._paused:
            return self._channels.reason
        return self._pace.reason or "a call may start in a moment"

    def port_reason(self, port: str) -> str:
        """Why a port is not idle, one line for people; "" when it is."""
        return self._ports[port].reason or self._held_back

    def start(self, observer: GatewayObserver) -> None:
        """OSError or CannotListenError when a port that prompts or FastAGI are to be fetched from is taken."""
        self._observer = observer
        self._agi.open()
        self._link.start()

    @inlineCallbacks
    def stop(self) -> Any:
        self._stopping = True
        self._changed()
        for call in list(self._calls.values()):
            call.hang_up()
        if self._calls:
            yield self._last_calls.wait()
        yield self._link.stop()
        for call in list(self._calls.values()):
            call.close()
        for port in self._ports.values():
            port.close()
        yield self._agi.close()
        self._channels.close()
        self._pace.close()

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
        digits = self._settings.digits(number)
        if re.fullmatch(r"\+?[0-9*#]{1,32}", digits) is None:
            raise NotPlaced(f"{mask(number)} can't be dialled by the rules of {self.name}")
        self._serial += 1
        channel_id = f"{self._prefix}{self._run}-{self._serial}-{attempt_id}"
        self._log.info(
            "{gateway}: attempt {attempt} at port {port} to {number} is {channel}",
            gateway=self.name,
            attempt=attempt_id,
            port=port,
            number=mask(number),
            channel=channel_id,
        )
        self._idle.discard(port)
        self._pace.spend()
        call = line.call = PlacedCall(self._around, port, channel_id, ring_timeout_s, observer)
        self._calls[channel_id] = call
        call.begin(digits, attempt_id, caller_id or self._settings.caller_id)
        self._mind_the_pace()
        return call

    def settle(self, in_flight: Sequence[InFlight]) -> Deferred[dict[int, Settled]]:
        """As the interface says; fails with LinkDown when the link goes meanwhile: ask again at the next one.

        Whether a channel that was found had rung already can't be told afterwards, nor what one was that is not there.
        """
        if not self._link.is_up:
            return fail(LinkDown(f"{self.name}: no link to the switch"))

        def late(failure: Failure) -> None:
            if not isinstance(failure.value, TimeoutError):
                failure.raiseException()
            self._log.warn("{gateway}: what a crash left can't be hung up", gateway=self.name)

        swept = self._channels.when_swept().addTimeout(self._settings.settle_timeout_s, self._reactor)
        return swept.addErrback(late).addCallback(lambda _: {row.attempt_id: Settled.UNKNOWN for row in in_flight})

    def checks(self) -> Deferred[list[Line]]:
        """What is right and what is missing at the switch, each as (right, what, words); calls nobody. Link up."""
        return Checks(self._settings, self._link, self._reactor, self._call_ourselves, self._agi.check).run()

    def _call_ourselves(
        self, settings: AsteriskSettings, observer: CallObserver, gone: Callable[[], None]
    ) -> PlacedCall:
        def free(call: PlacedCall) -> None:
            self._calls.pop(call.channel_id, None)
            # Its other end is ours as well, and may wait for a command of ours before it looks up.
            other = ("Channel", call.channel_id + SECOND_HALF)
            self._link.ask("Hangup", other).addErrback(lambda _: None).addCallback(lambda _: gone())

        self._serial += 1
        channel_id = f"{self._prefix}{self._run}-{self._serial}-check"
        around = dataclasses.replace(self._around, settings=settings, free=free)
        call = self._calls[channel_id] = PlacedCall(around, "", channel_id, ANSWER_WITHIN_S, observer)
        call.begin("", 0, "")
        return call

    # Told by the calls

    def _call_over(self, call: PlacedCall) -> None:
        self._calls.pop(call.channel_id, None)
        verdict = call.verdict
        if verdict is not None and verdict.cause is Cause.TRANSFERRED:
            self._channels.handed_over(call.channel_id)
        if verdict is not None and verdict.congested:
            self._pace.hold(self._settings.congestion_rest_s, "the trunk has no channel free")
            self._mind_the_pace()
        self._ports[call.port].freed(verdict)
        if not self._calls:
            self._last_calls.over()
        self._changed()

    def _mind_the_pace(self) -> None:
        if not self._pace.open:
            self._paused = True
            self._idle.clear()

    def _pace_opened(self) -> None:
        self._paused = False
        self._changed()

    def _changed(self) -> None:
        """Something that keeps ports from being idle has changed: say which have become so."""
        idle = self.idle_ports
        fresh = [name for name in idle if name not in self._idle]
        self._idle = set(idle)
        for name in fresh:
            # An earlier one of them may have been given a call just now, and with it the pace may be spent.
            if self._observer is not None and name in self.idle_ports:
                self._observer.port_freed(self, name)

    # Told by the link

    def link_up(self) -> None:
        for call in list(self._calls.values()):
            call.link_back()
        self._channels.link_up()

    def link_down(self, reason: str) -> None:
        self._channels.link_down(f"{self.name}: {reason}")
        self._changed()
        for call in list(self._calls.values()):
            call.link_lost()

    def event(self, event: Event) -> None:
        channel = channel_of(event)
        call = self._calls.get(channel)
        if call is None:
            if channel.startswith(self._prefix):
                self._of_no_call(channel, event)
            return
        key = pressed(event)
        if key:
            call.pressed(key)
        else:
            call.told(read_event(event), event)

    def _of_no_call(self, channel: str, event: Event) -> None:
        first = self._calls.get(channel.removesuffix(SECOND_HALF))
        if first is not None:
            if not first.port and event.name == "AsyncAGIStart":  # our call to ourselves is at the other end, too
                pick_up = (("Channel", channel), ("Command", "ANSWER"), ("CommandID", "check"))
                self._agi.ask("AGI", *pick_up).addErrback(lambda _: None)
            return
        if event.name == "Hangup":
            self._channels.gone(channel)
        elif event.name == "Newchannel" and not channel.endswith(SECOND_HALF):
            self._channels.came_late(channel)
        elif event.name == "AsyncAGIStart" or (event.name == "AsyncAGIExec" and self._dials_from_agi(channel)):
            # Whoever was handed over has come back to us, or a call that was given up is answered: nobody listens here.
            self._channels.hang_up(channel, "has come to AGI and is no call of ours any more")

    def _dials_from_agi(self, channel: str) -> bool:
        """Whether the end of an AGI command of this channel is the end of his talk with the operator."""
        return self._settings.agi.transfer == "dial" and self._channels.is_handed_over(channel)

    def health_changed(self, health: Health) -> None:
        if self._observer is not None:
            self._observer.health_changed(self, health)


def channel_prefix(gateway: str, node: str, recordings: Path) -> str:
    """How the ChannelId of our channels begins: the same at each start of one server, and no other server's."""
    whose = f"{node}\0{gateway}\0{recordings.absolute()}".encode()
    return f"ocm-{re.sub('[^A-Za-z0-9]', '_', gateway)[:32]}-{zlib.crc32(whose):08x}-"
