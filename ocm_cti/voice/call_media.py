"""What is heard on one call: its RTP, the prompt that plays, the reply that is recorded, the keys. Knows no SIP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.python.failure import Failure

from ocm_cti.voice.player import AudioCache, Played, Player
from ocm_cti.voice.recorder import InThread, RecordedReply, Recorder
from protocols.rtp.link import Clock, MediaPort, Ticker, UDPReactor
from protocols.rtp.stream import OCTETS_PER_MS
from protocols.sip.sdp import Agreed


class CallMedia:
    """One call's media. ``digit`` is told each key that did not stop a recording."""

    def __init__(
        self, ticker: Ticker, clock: Clock, cache: AudioCache, in_thread: InThread, digit: Callable[[str], None]
    ) -> None:
        self._clock = clock
        self._cache = cache
        self._in_thread = in_thread
        self._digit = digit
        self._media = MediaPort(ticker, clock, _nothing, self._event_digit)
        self._player = Player(self._media.send)
        self._recorder: Recorder | None = None
        self._turn = 0
        self._events_heard = False
        self._closed = False
        self._on_hold = False
        self._waiting_since_s = clock.seconds()

    def listen(self, reactor: UDPReactor, host: str, ports: Iterable[int] | None) -> int:
        """Open the RTP port and return it. CannotListenError when there is none."""
        return self._media.listen(reactor, host, ports)

    def connect(self, agreed: Agreed) -> None:
        """Media as agreed, at first or after a new offer. Where they do not want to hear us, the prompt waits."""
        self._media.connect(
            agreed.remote_host,
            agreed.remote_port,
            payload_type=agreed.pt,
            mu_law=agreed.codec == "PCMU",
            telephone_event_pt=agreed.telephone_event_pt,
        )
        self._media.send.held = not agreed.may_send
        self._on_hold = not agreed.may_send or agreed.direction == "sendonly"
        self._waiting_since_s = self._clock.seconds()

    def silent_s(self, now_s: float) -> float:
        """How long the peer has sent no RTP at all; 0.0 on hold, where that is its right."""
        if self._on_hold:
            return 0.0
        return now_s - max(self._media.receive.last_heard_s or 0.0, self._waiting_since_s)

    def play(self, paths: Sequence[Path]) -> Deferred[Played]:
        """Play these files; fires when they have been sent, or were stopped, replaced, or the call ended.

        AudioUnreadable when one of them can't be read; then none is played.
        """
        self.stop_playing()
        turn = self._turn
        return gatherResults([self._cache.load(path) for path in paths], consumeErrors=True).addCallbacks(
            self._play, _first_error, callbackArgs=(turn,)
        )

    def _play(self, pieces: list[bytes], turn: int) -> Played | Deferred[Played]:
        if turn != self._turn:
            # Stopped before the disk had given everything.
            return Played(0, sum(map(len, pieces)) // OCTETS_PER_MS, False)
        return self._player.play(pieces)

    def stop_playing(self) -> None:
        self._turn += 1
        self._player.stop()

    def record(self, path: Path, max_ms: int, silence_ms: int, stop_keys: str) -> Deferred[RecordedReply]:
        """Record what they say from now on; a recording that still runs ends as ``replaced``."""
        if self._recorder is not None:
            self._recorder.stop("replaced")
        recorder = Recorder(path, max_ms, silence_ms, stop_keys, self._in_thread, self._recorder_stopped)
        self._recorder = recorder
        self._media.receive.audio = recorder.audio
        self._media.before_tick = recorder.tick
        return recorder.done

    def _recorder_stopped(self) -> None:
        self._recorder = None
        self._media.receive.audio = _nothing
        self._media.before_tick = None

    def press(self, digit: str) -> None:
        """A key by SIP INFO. It does not count on a call that also sends telephone events: it would be there twice."""
        if not self._events_heard:
            self._key(digit)

    def _event_digit(self, digit: str) -> None:
        self._events_heard = True
        self._key(digit)

    def _key(self, digit: str) -> None:
        if not self._closed and (self._recorder is None or not self._recorder.key(digit)):
            self._digit(digit)

    def close(self) -> Deferred[None]:
        """The call is over: prompt and recording report, sockets close. Fires when they are closed."""
        self._closed = True
        self.stop_playing()
        if self._recorder is not None:
            self._recorder.stop("hangup")
        return self._media.close()


def _nothing(alaw: bytes) -> None:
    """Nobody records: what they say is not kept."""


def _first_error(failure: Failure) -> Failure:
    """The error itself instead of gatherResults' wrapping of it."""
    return failure.value.subFailure if isinstance(failure.value, FirstError) else failure
