"""The Asterisk gateway on a test's clock, over a fake Asterisk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asterisk_fake import FakeAsterisk, FakeSound
from gateway_bench import Listener, Watcher
from twisted.internet.task import Clock

from ocm_cti.gateways.asterisk import AsteriskGateway
from ocm_cti.gateways.asterisk_settings import AsteriskSettings

NUMBER = "+74951234501"
GIVEN: dict[str, Any] = {
    "kind": "asterisk",
    "link": "tcp:127.0.0.1:5038",
    "username": "ocm",
    "secret": "s3cret",
    "channel": "PJSIP/{number}@trunk",
    "channels": 3,
}


class Desk:
    """``switch``: what the test lets happen; ``gateway``: what is tested."""

    def __init__(self, recordings: Path = Path("recordings"), **changed: Any) -> None:
        self.clock: Any = Clock()
        self.switch = FakeAsterisk(self.clock)
        self.sounds: dict[str, FakeSound] = {}
        self.settings = AsteriskSettings.from_table("office", {**GIVEN, **changed})
        self.watcher = Watcher()
        self.gateway = AsteriskGateway(
            self.settings, self.clock, recordings, make_link=self.switch.make, make_sound=self._sound
        )

    def _sound(self, channel: str) -> Any:
        self.sounds[channel] = FakeSound(self.clock, channel)
        return self.sounds[channel]

    def start(self) -> Desk:
        self.gateway.start(self.watcher)
        self.pass_s(0)
        assert list(self.gateway.idle_ports) == list(self.gateway.ports)
        self.watcher.freed.clear()
        return self

    def pass_s(self, seconds: float) -> None:
        self.clock.pump([0, 0, 0, seconds, 0, 0, 0])

    def place(
        self, port: str = "1", number: str = NUMBER, ring_timeout_s: float = 20.0, caller_id: str | None = None
    ) -> tuple[Listener, str]:
        """The listener, and the ChannelId that was asked for."""
        listener = Listener()
        listener.call = self.gateway.place(port, number, 7, ring_timeout_s, caller_id, listener)
        return listener, self.switch.originated[-1]["ChannelId"]

    def answered(self, port: str = "1") -> tuple[Listener, str]:
        listener, channel = self.place(port)
        self.switch.answer_whole(channel)
        assert listener.names[-1] == "answered"
        return listener, channel

    def asked(self, action: str) -> Sequence[dict[str, str]]:
        return [headers for name, headers in self.switch.actions if name == action]

    def close(self) -> None:
        """Stop; nothing may be left."""
        gone: list[object] = []
        self.gateway.stop().addBoth(gone.append)
        for _ in range(40):
            self.pass_s(1.0)
        assert gone == [None]
        assert self.clock.getDelayedCalls() == []
