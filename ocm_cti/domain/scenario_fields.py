"""Reading the single fields of a scenario: which step has which, of what type, and one clear line when it is wrong."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from ocm_cti.domain.fragments import (
    CASES,
    CURRENCIES,
    DECLINED,
    GENDERS,
    KINDS,
    Message,
    MessageError,
    Recording,
    Sentence,
    Variable,
    parse_text,
)
from ocm_cti.domain.scenario_steps import Condition


class ScenarioError(ValueError):
    """The scenario can't be used; the text is one line with the step and what is wrong."""


_COLLECT = (
    "message",
    "announcement",
    "keys",
    "tries",
    "timeout_s",
    "wrong",
    "silent",
    "barge_in",
    "heard",
    "then",
    "else",
)
#: Which keys a step of each type may have.
FIELDS: dict[str, tuple[str, ...]] = {
    "say": ("message", "announcement", "barge_in", "heard", "then"),
    "ask": _COLLECT,
    "confirm": ("key", "pin", *_COLLECT),
    "record": ("message", "max_s", "silence_s", "stop_keys", "beep", "barge_in", "heard", "then"),
    "pause": ("seconds", "barge_in", "then"),
    "goto": ("when", "then", "else"),
    "transfer": ("message", "announcement", "to", "heard", "else"),
    "hang_up": ("message", "announcement"),
}
REQUIRED: dict[str, tuple[str, ...]] = {
    "ask": ("keys",),
    "transfer": ("to",),
    "pause": ("seconds",),
    "goto": ("then",),
}
#: Steps that say something: one of ``message`` and ``announcement``.
SPEAK = frozenset({"say", "ask", "confirm"})
#: Key of the document -> field of Step, where Python or the unit makes them differ.
SPELLED = {"else": "otherwise", "max_s": "max_ms", "silence_s": "silence_ms", "beep": "with_beep"}

DTMF = "0123456789*#ABCD"
#: An extension or feature number as it is dialled at the switch, or a variable that holds one.
DESTINATION = re.compile(r"[0-9*#]{1,32}|\{[^{}]+\}")
#: Number of a recorded message of the switch (OGM).
ANNOUNCEMENT = re.compile(r"[0-9]{1,8}")
AUDIO = (".wav", ".flac", ".ogg", ".mp3")


class Reader:
    """One table of the document; every fault it raises begins with its place."""

    def __init__(self, table: Mapping[str, Any], place: str) -> None:
        self._table = table
        self.place = place

    def wrong(self, why: str) -> ScenarioError:
        return ScenarioError(f"{self.place}: {why}")

    def refuse_unknown(self, known: Iterable[str]) -> None:
        names = tuple(known)
        for key in self._table:
            if key not in names:
                near = difflib.get_close_matches(key, names, 1)
                raise self.wrong(f"unknown key {key!r}" + (f", did you mean {near[0]!r}?" if near else ""))

    def required(self, key: str) -> Any:
        if key not in self._table:
            raise self.wrong(f"{key} is missing")
        return self._table[key]

    def text(self, key: str, default: str | None) -> str | None:
        value = self._table.get(key, default)
        if value is not default and (not isinstance(value, str) or not value.strip()):
            raise self.wrong(f"{key} is a text, not {value!r}")
        return value

    def value(self, key: str) -> Any:
        return _READ[key](self, key)

    def message(self, key: str) -> Message:
        told = self._table[key]
        found: list[Recording | Sentence] = []
        for piece in told if isinstance(told, list) else [told]:
            if isinstance(piece, str):
                try:
                    found += parse_text(piece)
                except MessageError as error:
                    raise self.wrong(f"{key}: {error}") from None
            elif isinstance(piece, dict) and set(piece) == {"recording"} and isinstance(piece["recording"], str):
                found.append(self._recording(key, piece["recording"]))
            else:
                raise self.wrong(f'{key}: {piece!r} is neither a text nor {{ recording = "file.wav" }}')
        if not found:
            raise self.wrong(f"{key} is empty")
        return tuple(found)

    def _recording(self, key: str, name: str) -> Recording:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
            raise self.wrong(f"{key}: {name!r} must lie in the directory of recordings")
        if path.suffix.lower() not in AUDIO:
            raise self.wrong(f"{key}: {name!r} is no audio file ({', '.join(AUDIO)})")
        return Recording(str(path))

    def dtmf(self, key: str) -> str:
        return self._dtmf(key, self._table[key])

    def _dtmf(self, key: str, value: Any) -> str:
        if not isinstance(value, str) or not value or set(value) - set(DTMF):
            raise self.wrong(f'{key}: {value!r} is no key; write the keys 0-9, * and # in quotes, like "1"')
        return value

    def destination(self, key: str) -> str:
        value = self._table[key]
        if not isinstance(value, str) or not DESTINATION.fullmatch(value):
            raise self.wrong(
                f'{key}: {value!r} can\'t be dialled; write digits in quotes, like "201", or "{{variable}}"'
            )
        return value

    def announcement(self, key: str) -> str:
        value = self._table[key]
        if not isinstance(value, str) or not ANNOUNCEMENT.fullmatch(value):
            raise self.wrong(f'{key}: {value!r} is no number of a recorded message; write it in quotes, like "12"')
        return value

    def stop_keys(self, key: str) -> str:
        return "" if self._table[key] == "" else self.dtmf(key)

    def pin(self, key: str) -> str:
        value = self._table[key]
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]+|\{[^{}]+\}", value):
            raise self.wrong(f'{key}: {value!r} is neither digits nor a variable like "{{pin}}"')
        return value

    def keys(self, key: str) -> dict[str, str | None]:
        told = self._table[key]
        if isinstance(told, list):
            found: dict[str, str | None] = {self._dtmf(key, pressed): None for pressed in told}
        elif isinstance(told, dict):
            found = {}
            for pressed, target in told.items():
                if not isinstance(target, str) or not target:
                    raise self.wrong(f"{key}: {pressed} must lead to the name of a step, not {target!r}")
                found[self._dtmf(key, pressed)] = target
        else:
            raise self.wrong(f"{key} is a list of keys, or a table key = step")
        if not found:
            raise self.wrong(f"{key} is empty")
        return found

    def flag(self, key: str) -> bool:
        value = self._table[key]
        if not isinstance(value, bool):
            raise self.wrong(f"{key} is true or false, not {value!r}")
        return value

    def count(self, key: str) -> int:
        value = self._table[key]
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 10:
            raise self.wrong(f"{key} is a whole number from 1 to 10, not {value!r}")
        return value

    def seconds(self, key: str) -> float:
        value = self._table[key]
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= 600:
            raise self.wrong(f"{key} is a number of seconds above 0 and up to 600, not {value!r}")
        return float(value)

    def milliseconds(self, key: str) -> int:
        return round(self.seconds(key) * 1000)

    def target(self, key: str) -> str:
        return str(self.text(key, ""))

    def condition(self, key: str) -> Condition:
        told = self._table[key]
        if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
            raise self.wrong(f'{key}: write {{ variable = "name", is = "value" }} or {{ answer = "step", is = "1" }}')
        if set(told) not in ({"variable", "is"}, {"answer", "is"}):
            raise self.wrong(f"{key} has is and one of variable, answer; not {', '.join(told)}")
        return Condition(told.get("variable"), told.get("answer"), told["is"])

    def variable(self, name: str) -> Variable:
        self.refuse_unknown(("kind", "currency", "gender", "default", "case"))
        kind = self.text("kind", "text") or "text"
        currency = self.text("currency", None)
        gender = self.text("gender", "masculine") or "masculine"
        if kind not in KINDS:
            raise self.wrong(f"kind {kind!r} is none of {', '.join(KINDS)}")
        if currency is not None and kind != "money":
            raise self.wrong(f"a currency belongs to kind money, not {kind}")
        if currency is not None and currency not in CURRENCIES and not currency.startswith("{"):
            raise self.wrong(f"currency {currency!r} is none of {', '.join(CURRENCIES)}")
        if gender not in GENDERS:
            raise self.wrong(f"gender {gender!r} is none of {', '.join(GENDERS)}")
        if "gender" in self._table and kind != "number":
            raise self.wrong(f"a gender belongs to kind number, not {kind}")
        case = self.text("case", None)
        if case is not None and case not in CASES:
            raise self.wrong(f"case {case!r} is none of {', '.join(CASES)}")
        if case is not None and kind not in DECLINED:
            raise self.wrong(f"a case belongs to {', '.join(DECLINED)}; {kind} is said as it is written")
        return Variable(name, kind, currency, gender, self.text("default", None), case)


_READ: dict[str, Callable[[Reader, str], Any]] = {
    "message": Reader.message,
    "announcement": Reader.announcement,
    "to": Reader.destination,
    "wrong": Reader.message,
    "silent": Reader.message,
    "keys": Reader.keys,
    "key": Reader.dtmf,
    "pin": Reader.pin,
    "stop_keys": Reader.stop_keys,
    "tries": Reader.count,
    "timeout_s": Reader.seconds,
    "seconds": Reader.seconds,
    "max_s": Reader.milliseconds,
    "silence_s": Reader.milliseconds,
    "barge_in": Reader.flag,
    "heard": Reader.flag,
    "beep": Reader.flag,
    "then": Reader.target,
    "else": Reader.target,
    "when": Reader.condition,
}
