"""What an answered call hears and says: by our voice process, or by the PBX's own recorded messages (experimental).

The PBX's own voice (OGM, outgoing messages of its message card) is asked for by Escape resourceControl and reports by
private events. RE that these exist; their inside is assumed (protocols/csta/panasonic.py), and no real PBX has been
tried: experimental.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from ocm_cti.gateways.interface import CallOver, NotSupported, Played, Recorded, RecordLimits
from ocm_cti.gateways.panasonic_around import Surroundings
from ocm_cti.voice.client import CallOver as VoiceCallOver
from protocols.csta.link import RequestFailed
from protocols.csta.panasonic import OgmStatus, PrivateEvent, ogm_start, ogm_stop

NO_VOICE = 'this gateway has no voice of ours (voice = "ogm"): only the PBX\'s own messages'


class Sound:
    """Of one call. ``is_up``: somebody listens. ``connection``: ours at the PBX, None while it is not known."""

    def __init__(self, around: Surroundings, is_up: Callable[[], bool], connection: Callable[[], Any]) -> None:
        self.voice_id: str | None = None
        self._around = around
        self._is_up = is_up
        self._connection = connection
        self._announcing: Deferred[Played] | None = None
        self._began_s = 0.0
        self._limit: Any = None

    # By our voice process

    def play(self, prompt: Sequence[Path]) -> Deferred[Played]:
        if self._around.settings.voice == "ogm":
            return fail(NotSupported(NO_VOICE))
        if self.voice_id is None or not self._is_up():
            return fail(CallOver("the call is over"))
        playing = self._around.voice.play(self.voice_id, prompt)
        return playing.addCallbacks(
            lambda report: Played(report.heard_ms, report.of_ms, report.finished), _media_failed
        )

    def record(self, path: Path, limits: RecordLimits) -> Deferred[Recorded]:
        if self._around.settings.voice == "ogm":
            return fail(NotSupported(NO_VOICE))
        if self.voice_id is None or not self._is_up():
            return fail(CallOver("the call is over"))
        recording = self._around.voice.record(self.voice_id, path, limits.max_ms, limits.silence_ms, limits.stop_keys)
        return recording.addCallbacks(lambda report: Recorded(report.path, report.length_ms, report.why), _media_failed)

    def stop(self) -> None:
        """Silence; who plays reports how far it got."""
        if self._announcing is not None:
            self._around.ask("escape", ogm_stop(self._connection())).addErrback(self._not_stopped)
            self._announced(finished=False)
        if self.voice_id is not None and self._is_up():
            self._around.voice.stop_playing(self.voice_id)

    # By the PBX

    def announce(self, ogm: str) -> Deferred[Played]:
        """``ogm``: the number of the PBX's message. Its length is not known to us: ``of_ms`` is what was heard."""
        connection = self._connection()
        if connection is None or not self._is_up():
            return fail(CallOver("the call is over"))
        self._announced(finished=False)  # one at a time: the PBX goes over to the new one
        announcing = self._announcing = Deferred[Played]()
        self._began_s = self._around.clock.seconds()
        self._limit = self._around.clock.callLater(self._around.settings.ogm_limit_s, self.stop)
        self._around.ask("escape", ogm_start(connection, ogm)).addErrback(self._not_announced, announcing)
        return announcing

    def told(self, event: PrivateEvent) -> None:
        """A private event of our connection."""
        if isinstance(event, OgmStatus) and event.state == "ended":
            self._announced(finished=True)

    def over(self) -> None:
        """The call is; nothing plays any more."""
        self._announced(finished=False)

    def _announced(self, *, finished: bool) -> None:
        announcing, self._announcing = self._announcing, None
        if self._limit is not None and self._limit.active():
            self._limit.cancel()
        if announcing is not None:
            heard_ms = round((self._around.clock.seconds() - self._began_s) * 1000)
            announcing.callback(Played(heard_ms, heard_ms, finished))

    def _not_announced(self, failure: Failure, announcing: Deferred[Played]) -> None:
        if self._announcing is not announcing:
            return  # ended or replaced meanwhile
        self._announcing = None
        if self._limit.active():
            self._limit.cancel()
        error = failure.value
        # Not as unfinished, which would mean that the person has hung up.
        what = str(error.value) if isinstance(error, RequestFailed) else failure.getErrorMessage()
        announcing.errback(NotSupported(f"the PBX does not play its message: {what}"))

    def _not_stopped(self, failure: Failure) -> None:
        self._around.log.info("the PBX's message goes on: {why}", why=failure.getErrorMessage())


def _media_failed(failure: Failure) -> Failure:
    if isinstance(failure.value, VoiceCallOver):
        raise CallOver(str(failure.value)) from failure.value
    return failure
