"""What the keys pressed so far at one question come to. Pure; the interpreter asks after each key."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from ocm_cti.domain.scenario_steps import END, Step

#: While an answer is read back: right, and once more from the beginning.
RIGHT, AGAIN = "1", "2"


class Means(enum.Enum):
    ANSWER = "answer"
    CONFIRMED = "confirmed"
    REPEAT = "repeat"  # say it again
    READ_RIGHT = "read right"  # what was read back is right
    READ_AGAIN = "read again"


class Verdict(enum.Enum):
    DECIDED = "decided"
    OPEN = "open"  # complete as it is, but more keys could make something else of it
    MORE = "more"
    WRONG = "wrong"


@dataclass(frozen=True)
class Taken:
    """What an entry means; ``value`` is kept, ``target`` the next step, None the end of the call."""

    means: Means
    value: str = ""
    target: str | None = None


class Entries:
    """Of one step for one person: ``right`` is the key or PIN that a confirm step expects of him."""

    def __init__(self, step: Step, right: str | None, steps: Mapping[str, Step], read_back: str | None = None) -> None:
        self._step = step
        self._right = right
        self._by_digits = step.is_number and read_back is None
        known = {key: Taken(Means.ANSWER, key, _resolved(to, step, steps)) for key, to in step.keys.items()}
        if read_back is not None:
            known |= {RIGHT: Taken(Means.READ_RIGHT, read_back, step.then), AGAIN: Taken(Means.READ_AGAIN)}
        elif not step.is_number:
            known |= {
                key: Taken(Means.ANSWER, option.value, _resolved(option.target, step, steps))
                for key, option in step.options.items()
            }
        if right is not None:
            known[right] = Taken(Means.CONFIRMED, right, step.then)
        if step.repeat is not None:
            known[step.repeat] = Taken(Means.REPEAT)
        self._known = known

    @property
    def stray_hash(self) -> bool:
        """Many people end a PIN or an answer of digits with #, also where it was complete before; it means nothing."""
        ends_itself = self._step.pin is not None or self._by_digits
        return ends_itself and not any(key.startswith("#") for key in self._known)

    def takes_hash(self) -> bool:
        """# begins something here."""
        return any(key.startswith("#") for key in self._known)

    def judge(self, entry: str) -> Verdict:
        longer = any(key != entry and key.startswith(entry) for key in self._known)
        if entry in self._known:
            return Verdict.OPEN if longer else Verdict.DECIDED
        if self._by_digits and entry.removesuffix("#").isdecimal():
            return self._judge_digits(entry)
        if longer or self._may_grow(entry):
            return Verdict.MORE
        return Verdict.WRONG

    def taken(self, entry: str) -> Taken:
        """The meaning of an entry that is decided or open."""
        if entry in self._known:
            return self._known[entry]
        return Taken(Means.ANSWER, entry.removesuffix("#"), self._step.then)

    def _judge_digits(self, entry: str) -> Verdict:
        digits = entry.removesuffix("#")
        longer = entry == digits and self._could_grow(digits)
        if not self._fits(digits):
            return Verdict.MORE if longer else Verdict.WRONG
        return Verdict.OPEN if longer else Verdict.DECIDED

    def _fits(self, digits: str) -> bool:
        step = self._step
        if step.survey == "digits":
            return step.minimum <= len(digits) <= step.maximum
        return str(int(digits)) == digits and step.minimum <= int(digits) <= step.maximum

    def _could_grow(self, digits: str) -> bool:
        step = self._step
        if step.survey == "digits":
            return len(digits) < step.maximum
        marks = range(step.minimum, step.maximum + 1)
        return any(len(str(mark)) > len(digits) and str(mark).startswith(digits) for mark in marks)

    def _may_grow(self, entry: str) -> bool:
        """An entry that fits nothing is judged at the length of a right one, or a PIN could be guessed by digits."""
        if self._step.pin is not None:
            return entry.isdecimal() and len(entry) < len(self._right or "")
        if self._by_digits:
            return False
        answers = [key for key, taken in self._known.items() if taken.means is not Means.REPEAT]
        return len(entry) < min(map(len, answers), default=0)


def _resolved(target: str | None, step: Step, steps: Mapping[str, Step]) -> str | None:
    if target is None:
        return step.then
    return None if target == END and END not in steps else target
