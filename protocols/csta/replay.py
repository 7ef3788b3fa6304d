"""One side of a recorded session played again to a live peer, and what the peer answers compared with the recording.

No I/O: ``due`` gives what is to be sent, ``receive`` takes what came, ``give_up`` ends the waiting for what does not
come. What a live peer numbers its own way is translated: the invoke ids of its requests in our answers to them, and the
callIDs and cross references that it gave out, wherever we name them again. Everything else is sent as it was recorded,
octet by octet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from protocols.csta import apdus
from protocols.csta.recording import ConnectionEnded, Direction, Entry, Recorded
from protocols.csta.summary import invoke_id, is_answer, kind
from protocols.errors import ProtocolError

LEARNED = ("callID", "crossRefIdentifier", "crossRefID", "serviceCrossRefID", "systemDataPosAck", "dynamicID")
"""Fields whose octets the switch chooses."""
_CROSS_REFERENCES = {"crossRefID", "systemDataPosAck"}  # one number under two names

SYSTEM_STATUS = 211


@dataclass(frozen=True)
class Exchange:
    """One line of the comparison. ``recorded`` or ``live`` is None where the other has nothing to go with it."""

    direction: Direction
    recorded: bytes | None
    live: bytes | None
    difference: str = ""
    """What is different in kind; "" when nothing is."""


@dataclass
class _Awaited:
    apdu: bytes
    json: dict[str, Any] | None


def sessions(entries: Iterable[Entry]) -> list[list[Recorded]]:
    """The connections of a recording, one after the other; those without an APDU are left out."""
    found: list[list[Recorded]] = [[]]
    for entry in entries:
        if isinstance(entry, ConnectionEnded):
            found.append([])
        else:
            found[-1].append(entry)
    return [session for session in found if session]


def json_of(apdu: bytes) -> dict[str, Any] | None:
    """None for what can't be decoded."""
    try:
        return apdus.decode(apdu)
    except ProtocolError:
        return None


class Replay:
    """One connection of a recording; ``plays`` is the way of the APDUs that we send."""

    def __init__(self, session: list[Recorded], plays: Direction) -> None:
        self._left = list(reversed(session))
        self._plays = plays
        self._awaited: list[_Awaited] = []
        self._early: list[bytes] = []
        self._live_ids: dict[int, int] = {}
        self._unanswerable: set[int] = set()
        self._learned: dict[tuple[str, str], str] = {}
        self._done: list[Exchange] = []
        self._answers: list[bytes] = []
        self.differences = 0

    @property
    def finished(self) -> bool:
        """Whether everything was sent and everything that was waited for has come, or been given up."""
        return not self._left and not self._awaited and not self._answers

    @property
    def waiting(self) -> bool:
        """Whether the peer has to say something before the next APDU of ours."""
        return bool(self._awaited)

    def take_exchanges(self) -> list[Exchange]:
        """What has been compared since the last time."""
        done, self._done = self._done, []
        return done

    def due(self) -> Iterator[bytes]:
        """What is to be sent now, up to where the recording waits for the peer."""
        while self._answers:
            yield self._answers.pop(0)
        while self._left:
            if self._left[-1].direction is self._plays:
                if self._awaited:
                    return
                apdu = self._translated(self._left.pop().apdu)
                if apdu is not None:
                    yield apdu
                continue
            recorded = self._left.pop().apdu
            self._awaited.append(_Awaited(recorded, json_of(recorded)))
            for early in list(self._early):
                if self._match(early):
                    self._early.remove(early)

    def receive(self, apdu: bytes) -> None:
        """One APDU of the peer."""
        if self._match(apdu):
            return
        json = json_of(apdu)
        if json is not None and json.get("invoke", {}).get("opcode") == SYSTEM_STATUS and not self._expects_status():
            # A keep-alive at a time of its own is no difference, but it wants its answer.
            number = invoke_id(json)
            if number is not None:
                answer = {"invokeId": number, "opcode": SYSTEM_STATUS, "result": {"noData": None}}
                self._answers.append(apdus.encode({"returnResult": answer}))
            self._note(None, apdu)
            return
        self._early.append(apdu)

    def give_up(self) -> None:
        """The peer has had its time: what it did not say is missing, and the recording goes on."""
        for awaited in self._awaited:
            number = invoke_id(awaited.json) if awaited.json else None
            if awaited.json and not is_answer(awaited.json) and number is not None:
                self._unanswerable.add(number)
            self._note(awaited.apdu, None, "missing")
        self._awaited.clear()

    def end(self) -> None:
        """The connection is over: what was not sent, not received, or not in the recording, is noted."""
        self.give_up()
        for apdu in self._early:
            self._note(None, apdu, "not in the recording")
        self._early.clear()
        while self._left:
            left = self._left.pop()
            if left.direction is self._plays:
                self._note_sent(left.apdu, None, "not sent")
            else:
                self._note(left.apdu, None, "missing")

    def _note(self, recorded: bytes | None, live: bytes | None, difference: str = "") -> None:
        self._done.append(Exchange(self._plays.opposite, recorded, live, difference))
        self.differences += bool(difference)

    def _note_sent(self, recorded: bytes, sent: bytes | None, difference: str = "") -> None:
        self._done.append(Exchange(self._plays, recorded, sent, difference))
        self.differences += bool(difference)

    # What came against what was recorded

    def _expects_status(self) -> bool:
        """Whether the recording has a SystemStatus of the peer still to come, that this one must be."""
        to_come = [json_of(entry.apdu) for entry in self._left if entry.direction is not self._plays]
        return any(json is not None and json.get("invoke", {}).get("opcode") == SYSTEM_STATUS for json in to_come[-3:])

    def _match(self, apdu: bytes) -> bool:
        json = json_of(apdu)
        found = [awaited for awaited in self._awaited if self._goes_with(awaited, apdu, json)]
        if not found:
            return False
        # Of two events of one kind, the one of the same monitor.
        awaited = next((each for each in found if self._same_monitor(each.json, json)), found[0])
        self._awaited.remove(awaited)
        self._compare(awaited, apdu, json)
        return True

    def _same_monitor(self, recorded: dict[str, Any] | None, live: dict[str, Any] | None) -> bool:
        before, now = _monitor(recorded), _monitor(live)
        return before is not None and self._learned.get(("crossRefIdentifier", before), before) == now

    def _goes_with(self, awaited: _Awaited, apdu: bytes, json: dict[str, Any] | None) -> bool:
        recorded = awaited.json
        if recorded is None or json is None:
            return awaited.apdu[:1] == apdu[:1]
        if is_answer(recorded) or is_answer(json):
            return is_answer(recorded) and is_answer(json) and invoke_id(recorded) == invoke_id(json)
        if "invoke" in recorded or "invoke" in json:
            return kind(recorded) == kind(json)
        return True  # an answer to our association, whichever it is

    def _compare(self, awaited: _Awaited, apdu: bytes, json: dict[str, Any] | None) -> None:
        if awaited.json is None or json is None:
            self._note(awaited.apdu, apdu, "" if awaited.json is json else "can't be decoded")
            return
        was, now = kind(awaited.json), kind(json)
        self._note(awaited.apdu, apdu, "" if was == now else f"{now} instead of {was}")
        old, new = invoke_id(awaited.json), invoke_id(json)
        if "invoke" in json and old is not None and new is not None:
            self._live_ids[old] = new
            self._unanswerable.discard(old)
        for name, before, after in _learned(awaited.json, json):
            self._learned[name, before] = after

    # What we send

    def _translated(self, apdu: bytes) -> bytes | None:
        """The APDU with the peer's own numbers; None where it answers what the peer never asked."""
        json = json_of(apdu)
        if json is None:
            self._note_sent(apdu, apdu)
            return apdu
        ((_, fields),) = json.items()
        changed = self._rename(fields)
        number = invoke_id(json)
        if is_answer(json) and number is not None:
            if number in self._unanswerable:
                self._unanswerable.discard(number)
                self._note_sent(apdu, None, "not sent: it answers what did not come")
                return None
            live = self._live_ids.pop(number, number)
            if live != number:
                fields["invokeId"], changed = live, True
        sent = apdus.encode(json) if changed else apdu
        self._note_sent(apdu, sent)
        return sent

    def _rename(self, json: Any) -> bool:
        changed = False
        pairs = json.items() if isinstance(json, dict) else enumerate(json) if isinstance(json, list) else ()
        for name, inner in list(pairs):
            if isinstance(inner, str) and name in LEARNED:
                live = self._learned.get((_number_name(name), inner), inner)
                if live != inner:
                    json[name], changed = live, True
            elif isinstance(inner, dict | list):
                changed = self._rename(inner) or changed
        return changed


def _monitor(json: dict[str, Any] | None) -> str | None:
    match json:
        case {"invoke": {"argument": {"crossRefIdentifier": str(number)}}}:
            return number
    return None


def _number_name(name: str) -> str:
    return "crossRefID" if name in _CROSS_REFERENCES else name


def _learned(recorded: Any, live: Any) -> Iterator[tuple[str, str, str]]:
    """(field, octets in the recording, octets now) of what the peer numbers its own way, where both have it."""
    if isinstance(recorded, dict) and isinstance(live, dict):
        for name, before in recorded.items():
            after = live.get(name)
            if name in LEARNED and isinstance(before, str) and isinstance(after, str):
                yield _number_name(name), before, after
            else:
                yield from _learned(before, after)
    elif isinstance(recorded, list) and isinstance(live, list):
        for before, after in zip(recorded, live, strict=False):
            yield from _learned(before, after)
