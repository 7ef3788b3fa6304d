"""The calls that a voice process has at the moment, with their media; of SIP nothing is known here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from twisted.internet.defer import Deferred, DeferredList

from ocm_cti.voice.call_media import CallMedia
from ocm_cti.voice.call_parts import Call, Reactor, State, Watch
from ocm_cti.voice.commands import CallOver
from ocm_cti.voice.player import AudioCache
from ocm_cti.voice.recorder import InThread
from protocols.rtp.link import Ticker
from protocols.sip import sdp


class LiveCalls:
    """By key. ``pressed`` is told every key, ``silent`` each call whose peer has sent nothing for ``silent_peer_s``."""

    def __init__(
        self,
        reactor: Reactor,
        host: str,
        in_thread: InThread,
        pressed: Callable[[Call, str], None],
        silent: Callable[[Call], None],
        *,
        rtp_ports: Sequence[int] | None,
        silent_peer_s: float | None,
    ) -> None:
        self._reactor = reactor
        self._host = host
        self._in_thread = in_thread
        self._pressed = pressed
        self._rtp_ports = None if rtp_ports is None else [port for port in rtp_ports if port % 2 == 0]
        self._ticker = Ticker(reactor)
        self._cache = AudioCache(in_thread)
        self._calls: dict[str, Call] = {}
        self._closing: set[Deferred[Any]] = set()
        self.watch = Watch(reactor, silent_peer_s, self._calls, silent)

    def __contains__(self, key: object) -> bool:
        return key in self._calls

    def __iter__(self) -> Iterator[Call]:
        return iter(list(self._calls.values()))

    def is_dialled(self, key: str) -> bool:
        """There is such a call, dialled by us and not answered yet."""
        return key in self._calls and self._calls[key].state is State.DIALLED

    def get(self, key: str) -> Call | None:
        return self._calls.get(key)

    def find(self, key: str) -> Call:
        """CallOver when there is none."""
        try:
            return self._calls[key]
        except KeyError:
            raise CallOver(f"call {key} is over") from None

    def media_of(self, key: str) -> CallMedia:
        """CallOver unless the call is up."""
        call = self.find(key)
        if call.media is None or call.state is State.DIALLED:
            raise CallOver(f"call {key} has not been answered")
        return call.media

    def add(self, call: Call) -> None:
        self._calls[call.key] = call

    def open_media(self, call: Call) -> CallMedia:
        """The call's media, with open ports. CannotListenError when there are none."""
        call.media = CallMedia(
            self._ticker, self._reactor, self._cache, self._in_thread, lambda digit: self._pressed(call, digit)
        )
        call.rtp_port = call.media.listen(self._reactor, self._host, self._ports())
        return call.media

    def describe(self, call: Call, offer: sdp.MediaOffer | None) -> tuple[bytes, sdp.Agreed | None]:
        """Our answer and what it comes to, or our offer. SDPError when there is no common codec."""
        call.version += 1
        if offer is None:
            return sdp.offer(self._host, call.rtp_port, call.rtp_port, call.version), None
        return sdp.answer(offer, self._host, call.rtp_port, call.rtp_port, call.version)

    def drop(self, call: Call) -> None:
        """The call is over: its prompt, recording and transfer report, its sockets close."""
        del self._calls[call.key]
        if call.ring_limit is not None and call.ring_limit.active():
            call.ring_limit.cancel()
        referring, call.referring = call.referring, None
        if referring is not None:
            referring.errback(CallOver(f"call {call.key} is over"))
        self.close_media(call)
        if not self._calls:
            self.watch.end()

    def close_media(self, call: Call) -> None:
        if call.media is not None:
            self.outlive(call.media.close())

    def outlive(self, closing: Deferred[Any]) -> None:
        """Something that ``all_closed`` waits for, also after its call has ended."""
        over: Deferred[None] = Deferred()
        self._closing.add(over)

        def done(result: Any) -> Any:
            self._closing.discard(over)
            over.callback(None)
            return result

        closing.addBoth(done)

    def all_closed(self) -> Deferred[None]:
        """Fires when all recordings lie on disk and all sockets are closed."""
        return DeferredList(list(self._closing)).addCallback(lambda _: None)

    def _ports(self) -> list[int] | None:
        # From where the last call left off, so that a late packet of an old call does not meet a new one.
        if self._rtp_ports is not None:
            self._rtp_ports.append(self._rtp_ports.pop(0))
        return self._rtp_ports
