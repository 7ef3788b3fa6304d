"""Our voice engine in the test's own thread, to be set against peers that are not ours: SIP, RTP, prompts, recordings.

The test drives the reactor: ``until`` turns it until something is so. Nothing runs between two such waits.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.selectreactor import SelectReactor

from ocm_cti.voice.calls import Calls
from ocm_cti.voice.trunks import Trunk
from protocols.sip.link import SIPLink
from protocols.sip.user_agent import UserAgent

HOST = "127.0.0.1"
LIMIT_S = 20.0


class TrunkCaller:
    """``told`` is what the parent would be told, in order. ``wire`` keeps what SIP sent and got, as texts."""

    def __init__(self, **options: Any) -> None:
        self.reactor = SelectReactor()
        self.told: list[tuple[Any, ...]] = []
        self.link = SIPLink(self._agent, self.reactor, self._event, resolve=lambda name: succeed(HOST))
        self.calls = Calls(self.reactor, self.link, _Reporter(self.told), HOST, maybeDeferred, **options)
        self.port = self.link.listen(self.reactor, HOST, 0)
        self.sent: list[str] = []
        self.received: list[str] = []
        #: Says which of our messages are lost on the way.
        self.lose: Callable[[str], bool] = lambda text: False

    def _agent(self, host: str, port: int) -> UserAgent:
        caller = self

        class Watched(UserAgent):
            def receive_datagram(self, octets: bytes, source: tuple[str, int], now: float) -> None:
                caller.received.append(octets.decode("utf-8", "replace"))
                super().receive_datagram(octets, source, now)

            def datagrams_to_send(self) -> list[tuple[bytes, tuple[str, int]]]:
                waiting = super().datagrams_to_send()
                texts = [octets.decode("utf-8", "replace") for octets, _ in waiting]
                caller.sent += texts
                return [one for one, text in zip(waiting, texts, strict=True) if not caller.lose(text)]

        return Watched(host, port, token=lambda: secrets.token_hex(8))

    def _event(self, event: object) -> None:
        self.calls.sip_event(event)

    # Time

    def until(self, ready: Callable[[], Any], what: str = "", limit_s: float = LIMIT_S) -> Any:
        """Turn the reactor until ``ready`` gives something true, and return that. AssertionError when it never does."""
        end_s = self.reactor.seconds() + limit_s
        while not (found := ready()):
            assert self.reactor.seconds() < end_s, (
                f"waited {limit_s:g} s for {what}; told {self.told}\n{self.exchange()}"
            )
            self.reactor.iterate(0.01)
        return found

    def run(self, seconds: float) -> None:
        """Let real time pass: what a peer does after it can't be waited for otherwise."""
        end_s = self.reactor.seconds() + seconds
        while self.reactor.seconds() < end_s:
            self.reactor.iterate(0.01)

    def result(self, asked: Deferred[Any], limit_s: float = LIMIT_S) -> Any:
        """What it fires with; the exception when it fails."""
        found: list[Any] = []
        asked.addBoth(found.append)
        self.until(lambda: found, "an answer", limit_s)
        return found[0]

    # The trunk

    def open(self, trunk: Trunk) -> None:
        """Open it, and wait until it is registered where it has to be."""
        self.calls.open_trunk(trunk)
        if trunk.registers:
            told = self.until_told("registration_changed", trunk.name)
            assert told[2], told

    def until_told(self, name: str, key: str, limit_s: float = LIMIT_S) -> tuple[Any, ...]:
        """The first report of that name about this call or trunk."""

        def find() -> tuple[Any, ...] | None:
            return next((told for told in self.told if told[:2] == (name, key)), None)

        found: tuple[Any, ...] = self.until(find, f"{name} of {key}", limit_s)
        return found

    def over(self, key: str, limit_s: float = LIMIT_S) -> tuple[Any, ...]:
        """The one report that ended the call."""

        def find() -> list[tuple[Any, ...]]:
            return [told for told in self.told if told[0] in ("refused", "ended") and told[1] == key]

        found = self.until(find, f"the end of {key}", limit_s)
        assert len(found) == 1
        return tuple(found[0])

    def keys(self, key: str) -> str:
        return "".join(told[2] for told in self.told if told[:2] == ("digit", key))

    # The wire

    def exchange(self) -> str:
        return "\n".join(self.first_lines(self.sent + self.received))

    @staticmethod
    def first_lines(texts: Sequence[str]) -> list[str]:
        return [text.partition("\r\n")[0] for text in texts]

    def requests(self, method: str) -> list[str]:
        """What we sent of that method."""
        return [text for text in self.sent if text.startswith(f"{method} ")]

    # The end

    def close(self) -> None:
        """Hang up, unregister, close; nothing may be left."""
        self.result(self.calls.shut_down().addBoth(lambda _: self.link.stop(3.0)))
        self.until(lambda: not self.reactor.getDelayedCalls(), f"timers: {self.reactor.getDelayedCalls()}", 3.0)
        self.reactor.removeAll()

    def __enter__(self) -> TrunkCaller:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Reporter:
    def __init__(self, told: list[tuple[Any, ...]]) -> None:
        self._told = told

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *arguments: self._told.append((name, *arguments))
