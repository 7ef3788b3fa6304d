"""An Asterisk as its AMI link shows it, without an Asterisk: what is asked is kept, what is told is up to the test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import CallOver, Played, Recorded, RecordLimits, TransferFailed
from protocols.ami.link import ActionRefused, LinkLost, RequestTimedOut
from protocols.ami.messages import Event, Response

ACTION_ID = "ocm-originate:"


def event(name: str, **headers: str) -> Event:
    return Event([("Event", name), *headers.items()])


@dataclass
class Channel:
    """One channel of the switch."""

    channel_id: str
    state: str = "0"  # Down
    application: str = ""
    data: str = ""
    context: str = "ocm"

    def row(self) -> Event:
        return event(
            "CoreShowChannel",
            Uniqueid=self.channel_id,
            ChannelState=self.state,
            Context=self.context,
            Application=self.application,
            ApplicationData=self.data,
        )


@dataclass
class FakeAsterisk:
    """Stands in for AmiLink (``make_link``). Latency: answers and events come with the next turn of the clock."""

    clock: Clock
    actions: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    channels: dict[str, Channel] = field(default_factory=dict)
    refuses: dict[str, str] = field(default_factory=dict)  # action -> the message of its error
    silent: set[str] = field(default_factory=set)  # actions that are never answered
    hangs_up: bool = True  # Hangup has an effect
    is_up: bool = False
    owner: Any = None
    reachable: bool = True
    gone: set[str] = field(default_factory=set)  # a ChannelId is not used again
    request_timeout_s: float = 10.0
    _waiting: list[Deferred[Any]] = field(default_factory=list)
    _stopped: bool = False

    # AmiLink

    def make(self, endpoint: Any, *, owner: Any, request_timeout_s: float, **_: Any) -> FakeAsterisk:
        self.owner = owner
        self.request_timeout_s = request_timeout_s
        return self

    def start(self) -> None:
        self.clock.callLater(0, self.come_up)

    def stop(self) -> Deferred[None]:
        self._stopped = True
        self._lose("stopped")
        return succeed(None)

    def ask(self, action: str, *headers: tuple[str, str]) -> Deferred[Response]:
        if not self.is_up:
            return fail(LinkLost("no link", sent=False))
        told = dict(headers)
        self.actions.append((action, told))
        answer: Deferred[Response] = Deferred()
        self._waiting.append(answer)
        if action in self.silent:
            self.clock.callLater(self.request_timeout_s, self._fail, answer, RequestTimedOut(action))
        elif action in self.refuses:
            self.clock.callLater(0, self._fail, answer, ActionRefused(action, self.refuses[action]))
        elif action == "Hangup" and told["Channel"] not in self.channels:
            self.clock.callLater(0, self._fail, answer, ActionRefused(action, "No such channel"))
        else:
            self.clock.callLater(0, self._answer, answer, Response([("Response", "Success")]))
            if action == "Hangup" and self.hangs_up:
                self.clock.callLater(0, self.hang_up, told["Channel"], "16")
        return answer

    def ask_list(self, action: str, *headers: tuple[str, str]) -> Deferred[list[Event]]:
        if not self.is_up:
            return fail(LinkLost("no link", sent=False))
        self.actions.append((action, dict(headers)))
        answer: Deferred[list[Event]] = Deferred()
        self._waiting.append(answer)
        if action in self.silent:
            self.clock.callLater(self.request_timeout_s, self._fail, answer, RequestTimedOut(action))
        elif action in self.refuses:
            self.clock.callLater(0, self._fail, answer, ActionRefused(action, self.refuses[action]))
        else:
            self.clock.callLater(0, self._answer, answer, [one.row() for one in self.channels.values()])
        return answer

    def _answer(self, waiting: Deferred[Any], result: object) -> None:
        if waiting in self._waiting:
            self._waiting.remove(waiting)
            waiting.callback(result)

    def _fail(self, waiting: Deferred[Any], error: Exception) -> None:
        if waiting in self._waiting:
            self._waiting.remove(waiting)
            waiting.errback(error)

    # The test

    def come_up(self) -> None:
        if self.reachable and not self._stopped and not self.is_up:
            self.is_up = True
            self.owner.link_up("11.0.0")

    def break_link(self) -> None:
        self.reachable = False
        self._lose("connection lost")

    def mend_link(self) -> None:
        self.reachable = True
        self.come_up()

    def _lose(self, reason: str) -> None:
        was_up, self.is_up = self.is_up, False
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.errback(LinkLost(reason, sent=True))
        if was_up:
            self.owner.link_down(reason)

    @property
    def originated(self) -> list[dict[str, str]]:
        return [headers for action, headers in self.actions if action == "Originate"]

    def tell(self, name: str, channel: str, **headers: str) -> None:
        """An event; lost when there is no link, as the switch's are."""
        if not self.is_up:
            return
        if name == "OriginateResponse":
            self.owner.event(event(name, ActionID=ACTION_ID + channel, Uniqueid=channel, **headers))
        else:
            key = "DestUniqueid" if name.startswith("Dial") else "Uniqueid"
            self.owner.event(event(name, **{key: channel}, **headers))

    def has_had(self, channel: str) -> bool:
        """Whether the channel was ever made."""
        return channel in self.channels or channel in self.gone

    def new(self, channel: str) -> None:
        if channel in self.gone:
            return
        self.channels[channel] = Channel(channel)
        self.tell("Newchannel", channel, ChannelState="0")

    def begin(self, channel: str) -> None:
        self.tell("DialBegin", channel)

    def ring(self, channel: str) -> None:
        if channel in self.channels:
            self.channels[channel].state = "5"
        self.tell("Newstate", channel, ChannelState="5")
        self.tell("DialState", channel, DialStatus="RINGING")

    def pick_up(self, channel: str) -> None:
        if channel in self.channels:
            self.channels[channel].state = "6"
        self.tell("Newstate", channel, ChannelState="6")
        self.tell("DialEnd", channel, DialStatus="ANSWER")

    def agi(self, channel: str) -> None:
        if channel in self.channels:
            self.channels[channel].application, self.channels[channel].data = "AGI", "agi:async"
        self.tell("AsyncAGIStart", channel)

    def hang_up(self, channel: str, cause: str = "0") -> None:
        if self.channels.pop(channel, None) is not None:
            self.gone.add(channel)
            self.tell("Hangup", channel, Cause=cause)

    def answer_whole(self, channel: str) -> None:
        for step in (self.new, self.begin, self.ring, self.pick_up, self.agi):
            step(channel)


class FakeSound:
    """A sound that plays at once what it is given until it is told otherwise."""

    def __init__(self, clock: Clock, channel: str) -> None:
        self.clock = clock
        self.channel = channel
        self.told: list[str] = []
        self.transferring: Deferred[None] | None = None
        self.detecting: Deferred[str] = Deferred()
        self.greeting: Deferred[bool] = Deferred()
        self.is_over = False
        self.takes = ""  # a key that ends a recording

    def agi_started(self, event: Event) -> None:
        self.told.append("started")

    def agi_executed(self, event: Event) -> None:
        self.told.append("executed")

    def agi_ended(self, event: Event) -> None:
        self.told.append("ended")

    def digit(self, digit: str) -> bool:
        self.told.append(digit)
        return digit == self.takes

    def link_lost(self) -> None:
        self.told.append("link lost")

    def link_back(self) -> None:
        self.told.append("link back")

    def over(self, reason: str) -> None:
        if not self.is_over:
            self.is_over = True
            transferring, self.transferring = self.transferring, None
            if transferring is not None:
                transferring.errback(CallOver(reason))

    def play(self, paths: Sequence[Path]) -> Deferred[Played]:
        return succeed(Played(1000, 1000, True))

    def stop_playing(self) -> None:
        self.told.append("stop")

    def record(self, path: Path, limits: RecordLimits) -> Deferred[Recorded]:
        return succeed(Recorded(path, 1000, "silence"))

    def transfer(self, number: str) -> Deferred[None]:
        self.transferring = Deferred()
        return self.transferring

    def transferred(self, *, done: bool) -> None:
        transferring, self.transferring = self.transferring, None
        if transferring is not None and done:
            transferring.callback(None)
        elif transferring is not None:
            transferring.errback(TransferFailed(Cause.BUSY, "busy"))

    def detect(self) -> Deferred[str]:
        return self.detecting

    def greeting_over(self) -> Deferred[bool]:
        return self.greeting
