"""What the switch has of our channels: asked after each login, and for a call of which nothing is heard.

A channel is ours by its ChannelId. One that no live call of this process has is left from an earlier one (or from a
call given up while the link was down) and is hung up; a person who was handed over goes on without us.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from ocm_cti.clock import Clock
from ocm_cti.gateways.asterisk_around import Ask, AskList
from ocm_cti.gateways.asterisk_placed import NORMAL_CLEARING, PlacedCall
from ocm_cti.gateways.asterisk_reading import UP, Row, read_rows
from protocols.ami.link import LinkLost

#: After hanging up what was left, it is looked again this soon.
LOOK_AGAIN_S = 0.5
RETRY_S = 5.0


class LinkDown(Exception):
    """The link went before the switch could be asked."""


class Channels:
    """``calls`` are the live ones by ChannelId; ``swept`` is called when nothing of ours is left but theirs."""

    def __init__(
        self,
        prefix: str,
        calls: dict[str, PlacedCall],
        ask: Ask,
        ask_list: AskList,
        clock: Clock,
        swept: Callable[[], None],
        log: Logger,
    ) -> None:
        self._prefix = prefix
        self._calls = calls
        self._ask = ask
        self._ask_list = ask_list
        self._clock = clock
        self._swept = swept
        self._log = log
        self._link = 0  # counts links, so that answers of an old one are told from those of this one
        self._link_up = False
        self._clean = False
        self._why_not = ""
        self._handed_over: set[str] = set()
        self._late: set[str] = set()  # made after their call had been given up
        self._wanted: set[PlacedCall] = set()
        self._timer: Any = None
        self._waiting: list[Deferred[None]] = []

    @property
    def reason(self) -> str:
        """Why no call may be placed yet; "" when it may."""
        return "" if self._clean else self._why_not or "the switch is being asked for calls left from before"

    def link_up(self) -> None:
        self._link += 1
        self._link_up, self._clean, self._why_not = True, False, ""
        self._wanted = set(self._calls.values())
        self._look()

    def link_down(self, reason: str) -> None:
        self._link_up = self._clean = False
        self._why_not = ""
        self._stop()
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.errback(LinkDown(reason))

    def look(self, call: PlacedCall) -> None:
        """Ask for one call."""
        self._wanted.add(call)
        if self._link_up:
            self._look()

    def handed_over(self, channel: str) -> None:
        """The person of this channel is talking to somebody else: it is not ours to hang up any more."""
        self._handed_over.add(channel)

    def is_handed_over(self, channel: str) -> bool:
        return channel in self._handed_over

    def gone(self, channel: str) -> None:
        """Hangup of a channel that no call has."""
        self._handed_over.discard(channel)
        self._late.discard(channel)

    def came_late(self, channel: str) -> None:
        """Made when its call had been given up and reported, by a switch that is far behind: nobody is to be rung."""
        self._late.add(channel)
        self.hang_up(channel, "comes too late")
        if self._clean:
            self._again(RETRY_S)

    def when_swept(self) -> Deferred[None]:
        """Fires when nothing is left of earlier processes; fails with LinkDown."""
        if self._clean:
            return succeed(None)
        waiting: Deferred[None] = Deferred(self._given_up)
        self._waiting.append(waiting)
        return waiting

    def _given_up(self, waiting: Deferred[None]) -> None:
        if waiting in self._waiting:
            self._waiting.remove(waiting)

    def hang_up(self, channel: str, why: str) -> None:
        """One that no call has."""
        self._log.warn("channel {channel} {why}: hung up", channel=channel, why=why)
        self._ask("Hangup", ("Channel", channel), ("Cause", NORMAL_CLEARING)).addErrback(self._not_hung_up)

    def close(self) -> None:
        self._stop()

    def _look(self) -> None:
        self._stop()
        link, wanted = self._link, self._wanted
        self._wanted = set()  # who is placed from now on may be missing in the answer

        def looked(messages: Any) -> None:
            if link == self._link and self._link_up:
                self._looked(read_rows(messages, self._prefix), wanted)

        def failed(failure: Failure) -> None:
            if link != self._link or not self._link_up or isinstance(failure.value, LinkLost):
                return
            self._wanted |= wanted
            self._why_not = f"the switch does not list its channels: {failure.getErrorMessage()}; {CURE}"
            self._log.warn("{why}", why=self._why_not)
            self._again(RETRY_S)

        self._ask_list("CoreShowChannels").addCallbacks(looked, failed).addErrback(
            lambda failure: self._log.failure("the list of channels", failure)
        )

    def _looked(self, rows: dict[str, Row], wanted: set[PlacedCall]) -> None:
        for call in wanted:
            call.looked(rows.get(call.channel_id))
        self._handed_over &= rows.keys()
        self._late &= rows.keys()
        if self._clean:
            for name in self._late:
                self.hang_up(name, "is still there")
            if self._late:
                self._again(RETRY_S)
            return
        left = [row for name, row in rows.items() if name not in self._calls and not self._goes_on(row)]
        for row in left:
            self.hang_up(row.channel_id, f"({row.application or row.state}) is left from before")
        if left:
            self._why_not = "calls left from before are being hung up"
            self._again(LOOK_AGAIN_S)
            return
        self._clean, self._why_not = True, ""
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.callback(None)
        self._swept()

    def _goes_on(self, row: Row) -> bool:
        """Handed over by us, or by an earlier process: answered, and in some other application than ours."""
        if row.channel_id in self._handed_over:
            return not row.in_agi
        return row.state == UP and not row.in_agi and row.application in CONNECTS

    def _again(self, after_s: float) -> None:
        self._stop()
        self._timer = self._clock.callLater(after_s, self._look)

    def _stop(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def _not_hung_up(self, failure: Failure) -> None:
        if not isinstance(failure.value, LinkLost):
            self._log.info("{why}", why=failure.getErrorMessage())


CURE = "the user of AMI needs write = reporting (ocm asterisk-config prints all that it needs)"
#: Where a person can be who was handed over.
CONNECTS = frozenset({"Dial", "Queue", "Bridge", "BridgeWait", "ConfBridge", "VoiceMail", "AppDial", "AppQueue"})
