"""One reply: recorded by Asterisk, then brought to where it belongs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.python.failure import Failure

from ocm_cti.gateways.agi_commands import Commands, Ended, NoResult
from ocm_cti.gateways.agi_replies import RecordFailed, Replies
from ocm_cti.gateways.interface import CallOver, Recorded, RecordLimits
from protocols.agi.results import OK, AgiResult, command

#: Result of RECORD FILE that ended by itself at its time limit. TESTED: by silence it is the silence, in ms.
LIMIT = 1
KEYS = "0123456789*#ABCD"


class Recording:
    """``done`` fires once, also when the call ends: then with what he had said."""

    def __init__(self, commands: Commands, replies: Replies, name: str, path: Path, limits: RecordLimits) -> None:
        self.done: Deferred[Recorded] = Deferred()
        self._commands = commands
        self._replies = replies
        self._name = name
        self._path = path
        self._limits = limits
        self._asked = False
        self._ended = False

    def begin(self) -> None:
        self._run().addCallbacks(self.done.callback, self._failed)

    def takes(self, digit: str) -> bool:
        """Whether Asterisk ends this recording with that key: then it is nobody else's."""
        return self._asked and not self._ended and digit in self._limits.stop_keys

    def over(self) -> None:
        """The call is, before it began."""
        self.done.errback(CallOver("the call is over"))

    @property
    def _command(self) -> str:
        # TESTED (22): s= is in whole seconds; a far end that sends nothing at all is not silent for Asterisk, and is
        # recorded until the limit.
        limits = self._limits
        keys = "".join(key for key in limits.stop_keys if key in KEYS)
        silence = [f"s={math.ceil(limits.silence_ms / 1000)}"] if limits.silence_ms > 0 else []
        return command("RECORD FILE", self._replies.place(self._name), "wav", keys, str(limits.max_ms), *silence)

    @inlineCallbacks
    def _run(self) -> Any:
        yield self._replies.prepare()
        for _ in range(2):
            self._asked = True
            try:
                result: AgiResult = yield self._commands.run(self._command)
            except Ended as ended:
                self._ended = True
                found = yield self._fetch(ended.result, "hangup")
                return found
            except NoResult as lost:
                # Asterisk went on without us: what was said is there, or it never began.
                if not lost.taken:
                    continue
                self._ended = True
                found = yield self._fetch(None, "limit")
                return found
            self._ended = True
            if result.code != OK:
                raise RecordFailed(f"Asterisk does not record: {result.text}")
            if result.result < 0:
                raise RecordFailed(
                    f"Asterisk can't write {self._replies.place(self._name)}.wav: the folder must be there,"
                    " and its user must be allowed to write into it"
                )
            found = yield self._fetch(result, _why(result))
            return found
        raise RecordFailed("the link to the switch was lost before it began to record")

    @inlineCallbacks
    def _fetch(self, result: AgiResult | None, why: str) -> Any:
        samples = (result.endpos or 0) if result is not None else 0
        try:
            fetched = yield self._replies.fetch(self._name, samples, self._path)
        except RecordFailed:
            if why != "hangup" or samples:
                raise
            return Recorded(self._path, 0, why)  # he went before it began
        return Recorded(self._path, fetched.length_ms, why)

    def _failed(self, failure: Failure) -> None:
        self.done.errback(failure)


def _why(result: AgiResult) -> str:
    if result.text.startswith("dtmf"):
        return "key"
    return "limit" if result.result <= LIMIT else "silence"
