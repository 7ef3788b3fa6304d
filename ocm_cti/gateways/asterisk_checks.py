"""Whether an Asterisk is set up for us and what exactly is missing, found out on the live link without calling anybody.

What is allowed is read from ListCommands, which lists to a user what he may ask; the dialplan from ShowDialPlan.
Whether the events come, and the voice, is tried by a call of the context to itself (Local/EXTEN@CONTEXT): every step
of a real call, and nobody's telephone.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.defer import Deferred, TimeoutError, inlineCallbacks

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.asterisk_placed import PlacedCall
from ocm_cti.gateways.asterisk_settings import NUMBER_FIELD, AsteriskSettings
from ocm_cti.gateways.asterisk_site import ACTIONS, MODULES
from ocm_cti.gateways.interface import CallObserver, EndedBy, Native
from protocols.ami.link import ActionRefused, RequestError

#: (right, what was looked at, what was found or is to be done)
Line = tuple[bool, str, str]

ANSWER_WITHIN_S = 8.0
KEY_WITHIN_S = 2.0
PLAYED_WITHIN_S = 10.0
GONE_WITHIN_S = 10.0
PRINTS_IT = "ocm asterisk-config prints it"
#: A tenth of a second of silence, A-law.
SILENCE = b"\xd5" * 800
#: Actions that only a user with write=system or command has: more than we need, and a shell on the switch.
TOO_MUCH = ("Command", "ModuleLoad", "UpdateConfig")


class Links(Protocol):
    """What of the link is used."""

    version: str
    ask: Any
    ask_list: Any


#: Makes a call with these settings: (settings, its observer, told when it is gone).
Probe = Callable[[AsteriskSettings, CallObserver, Callable[[], None]], PlacedCall]
#: What is wrong with the ways of prompts and replies, in words (AgiAround.check).
WaysWrong = Callable[[], Deferred[list[str]]]


class Checks:
    """One run."""

    def __init__(
        self, settings: AsteriskSettings, link: Links, clock: Any, probe: Probe, ways_wrong: WaysWrong
    ) -> None:
        self._settings = settings
        self._ways_wrong = ways_wrong
        self._link = link
        self._clock = clock
        self._probe = probe
        self._lines: list[Line] = []

    @inlineCallbacks
    def run(self) -> Any:
        """Fires with the lines; the link must be up."""
        yield self._version()
        allowed = yield self._rights()
        right = yield self._context()
        yield self._channel()
        wrong = yield self._ways_wrong()
        for words in wrong:
            self._line(False, "prompts and replies", words)
        if right and {"Originate", "AGI"} <= allowed:
            yield self._call()
        return self._lines

    def _line(self, right: bool, what: str, words: str) -> None:
        self._lines.append((right, what, words))

    @inlineCallbacks
    def _version(self) -> Any:
        try:
            answer = yield self._link.ask("CoreSettings")
            words = f"Asterisk {answer.get('AsteriskVersion')}, AMI {self._link.version}"
        except RequestError:
            words = f"AMI {self._link.version}"
        self._line(True, "version", words)

    @inlineCallbacks
    def _rights(self) -> Any:
        user = f"user {self._settings.username}"
        try:
            answer = yield self._link.ask("ListCommands")
        except RequestError as error:
            self._line(False, user, f"what it may do can't be asked: {error}")
            return set()
        allowed = {name for name, _ in answer.headers}
        missing = [action for action in ACTIONS if action not in allowed]
        classes = sorted({ACTIONS[action] for action in missing if action not in MODULES})
        for action in missing:
            if action in MODULES and ACTIONS[action] not in classes:
                self._line(
                    False,
                    user,
                    f"may not ask for {action}: write = {ACTIONS[action]} is missing in manager.conf ({PRINTS_IT}),"
                    f" or {MODULES[action]} is not loaded",
                )
        if classes:
            self._line(False, user, f"write = {','.join(classes)} is missing in manager.conf; {PRINTS_IT}")
        too_much = [action for action in TOO_MUCH if action in allowed]
        more = f"; it may also ask for {', '.join(too_much)}, which we don't need: that is a shell on the switch"
        if not missing:
            self._line(True, user, f"may ask for all that is needed{more if too_much else ''}")
        return allowed

    @inlineCallbacks
    def _context(self) -> Any:
        settings, what = self._settings, f"context {self._settings.context}"
        try:
            rows = yield self._link.ask_list(
                "ShowDialPlan", ("Context", settings.context), ("Extension", settings.exten)
            )
        except ActionRefused as refused:
            if "permission" in refused.message.lower():
                return True  # the rights say so; the call shows whether it is there
            self._line(
                False, what, f"extension {settings.exten} is not in the dialplan ({refused.message}); {PRINTS_IT}"
            )
            return False
        except RequestError as error:
            self._line(False, what, str(error))
            return False
        steps = [(row.get("Application").lower(), row.get("AppData").lower()) for row in rows]
        ours = settings.application.lower()
        at = next((at for at, step in enumerate(steps) if f"{step[0]}({step[1]})" == ours), None)
        if at is None:
            self._line(False, what, f"extension {settings.exten} does not come to {settings.application}; {PRINTS_IT}")
            return False
        loops = any("goto" in application and "agistatus" in data for application, data in steps[at + 1 :])
        words = f"extension {settings.exten} brings an answered call to us"
        if not loops:
            words += (
                f", but one command that fails would end the call: the line with AGISTATUS after {settings.application}"
            )
            words += f" is missing; {PRINTS_IT}"
        self._line(loops, what, words)
        return True

    @inlineCallbacks
    def _channel(self) -> Any:
        settings = self._settings
        technology, _, resource = settings.channel.partition("/")
        what = f"channel {settings.channel}"
        if technology.upper() == "LOCAL":
            context = resource.partition("@")[2].partition("/")[0] or "default"
            try:
                yield self._link.ask_list("ShowDialPlan", ("Context", context))
                self._line(True, what, f"context {context} is in the dialplan")
            except ActionRefused as refused:
                self._line(False, what, f"context {context}: {refused.message}")
            return
        if technology.upper() != "PJSIP":
            self._line(True, what, f"can't be looked at without calling: {technology} has no question for it")
            return
        endpoint = pjsip_endpoint(resource)
        try:
            answer = yield self._link.ask("Getvar", ("Variable", f"PJSIP_DIAL_CONTACTS({endpoint})"))
        except RequestError as error:
            self._line(False, what, f"endpoint {endpoint} can't be looked at: {error}")
            return
        contacts = answer.get("Value")
        missing = (
            f"endpoint {endpoint} is not there, has no contact or can't be reached:"
            f' asterisk -rx "pjsip show endpoint {endpoint}"; or chan_pjsip.so is not loaded'
        )
        self._line(bool(contacts), what, f"{endpoint} is at {contacts}" if contacts else missing)

    @inlineCallbacks
    def _call(self) -> Any:
        seen = _Seen()
        channel = f"Local/{self._settings.exten}@{self._settings.context}"
        call = self._probe(dataclasses.replace(self._settings, channel=channel), seen, seen.freed)
        try:
            yield seen.answered_or_over.addTimeout(ANSWER_WITHIN_S, self._clock)
        except TimeoutError:
            self._line(False, "events", self._not_answered(seen))
        else:
            if seen.failure:
                self._line(False, "call to ourselves", seen.failure)
            else:
                self._line(True, "call to ourselves", f"{channel} came to {self._settings.application}")
                yield self._keys(call, seen)
                yield self._sound(call)
        call.hang_up()
        try:
            yield seen.gone.addTimeout(GONE_WITHIN_S, self._clock)
        except TimeoutError:
            self._line(False, "call to ourselves", "can't be hung up")

    def _not_answered(self, seen: _Seen) -> str:
        if not seen.told:
            return f"nothing of a call is told to us: read = call is missing in manager.conf; {PRINTS_IT}"
        return (
            f"a call was told, and not that it came to {self._settings.application}: read = agi is missing in"
            f" manager.conf, or res_agi.so is not loaded; {PRINTS_IT}"
        )

    @inlineCallbacks
    def _keys(self, call: PlacedCall, seen: _Seen) -> Any:
        try:
            yield self._link.ask("PlayDTMF", ("Channel", call.channel_id), ("Digit", "5"), ("Receive", "true"))
        except RequestError as error:
            self._line(True, "keys", f"not tried: {error} (app_senddtmf.so)")
            return
        try:
            yield seen.key.addTimeout(KEY_WITHIN_S, self._clock)
        except TimeoutError:
            self._line(False, "keys", f"a key was not told to us: read = dtmf is missing in manager.conf; {PRINTS_IT}")
        else:
            self._line(True, "keys", "are told to us")

    @inlineCallbacks
    def _sound(self, call: PlacedCall) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            prompt = Path(folder) / "check.alaw"
            prompt.write_bytes(SILENCE)
            try:
                playing = call.play([prompt])
                played = yield playing.addTimeout(PLAYED_WITHIN_S, self._clock)
            except Exception as error:
                self._line(False, "prompts", f"can't be played: {error}")
            else:
                self._line(played.finished, "prompts", "are played" if played.finished else "are broken off")


class _Seen:
    """Observer of the call to ourselves."""

    def __init__(self) -> None:
        self.told = False
        self.failure = ""
        self.answered_or_over: Deferred[None] = Deferred()
        self.key: Deferred[None] = Deferred()
        self.gone: Deferred[None] = Deferred()

    def dialing(self) -> None:
        self.told = True

    def ringing(self) -> None:
        pass

    def machine(self) -> bool:
        return True

    def answered(self, certain: bool) -> None:
        _fire(self.answered_or_over)

    def digit(self, digit: str) -> None:
        _fire(self.key)

    def failed(self, cause: Cause, native: Native) -> None:
        self.failure = native.text
        _fire(self.answered_or_over)

    def ended(self, cause: Cause, by: EndedBy, native: Native) -> None:
        self.failure = "" if by is EndedBy.US else native.text
        _fire(self.answered_or_over)

    def freed(self) -> None:
        _fire(self.gone)


def _fire(waiting: Deferred[None]) -> None:
    if not waiting.called:
        waiting.callback(None)


def pjsip_endpoint(resource: str) -> str:
    """``{number}@trunk`` -> ``trunk``; ``trunk/sip:{number}@host`` -> ``trunk``; ``{number}`` -> the number's own."""
    before, slash, _ = resource.partition("/")
    if slash and NUMBER_FIELD not in before:
        return before
    return resource.partition("@")[2] or resource
