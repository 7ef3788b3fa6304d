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
    Slot,
    Variable,
    parse_text,
)
from ocm_cti.domain.scenario_faults import Faults, ScenarioError
from ocm_cti.domain.scenario_grammar import (
    ANNOUNCEMENT,
    AUDIO,
    DESTINATION,
    DTMF,
    HIGHEST_MARK,
    LONGEST_ENTRY,
    LONGEST_STOP_LIST,
)
from ocm_cti.domain.scenario_steps import SURVEY_KINDS, Condition, Option


class Reader:
    """One table of the document; every fault it raises has its place, and the line that ``line_of`` a key gives."""

    def __init__(self, table: Mapping[str, Any], place: str, line_of: Callable[[str | None], int | None]) -> None:
        self._table = table
        self.place = place
        self._line_of = line_of

    def wrong(self, why: str, key: str | None = None) -> ScenarioError:
        return ScenarioError(self.place, why, self._line_of(key))

    def refuse_unknown(self, known: Iterable[str], faults: Faults) -> None:
        names = tuple(known)
        for key in self._table:
            if key not in names:
                near = difflib.get_close_matches(key, names, 1)
                faults.wrong.append(
                    self.wrong(f"unknown key {key!r}" + (f", did you mean {near[0]!r}?" if near else ""), key)
                )

    def required(self, key: str) -> Any:
        if key not in self._table:
            raise self.wrong(f"{key} is missing")
        return self._table[key]

    def get(self, key: str) -> Any:
        return self._table.get(key)

    def text(self, key: str, default: str | None) -> str | None:
        value = self._table.get(key, default)
        if value is not default and (not isinstance(value, str) or not value.strip()):
            raise self.wrong(f"{key} is a text, not {value!r}", key)
        return value

    def value(self, key: str) -> Any:
        return _READ[key](self, key)

    def message(self, key: str) -> Message:
        return self._message(key)[0]

    def mark(self) -> int | None:
        """How many pieces of ``message`` stand before ``{ delivered = true }`` in it."""
        return self._message("message")[1] if "message" in self._table else None

    def _message(self, key: str) -> tuple[Message, int | None]:
        told = self._table[key]
        found: list[Recording | Sentence] = []
        mark = None
        for piece in told if isinstance(told, list) else [told]:
            if key == "message" and piece == {"delivered": True}:
                if mark is not None or not found:
                    raise self.wrong(
                        f"{key}: {{ delivered = true }} stands once, behind what must have been heard", key
                    )
                mark = len(found)
                continue
            if isinstance(piece, str):
                try:
                    found += parse_text(piece)
                except MessageError as error:
                    raise self.wrong(f"{key}: {error}", key) from None
            elif isinstance(piece, dict) and set(piece) == {"recording"} and isinstance(piece["recording"], str):
                found.append(self._recording(key, piece["recording"]))
            else:
                raise self.wrong(f'{key}: {piece!r} is neither a text nor {{ recording = "file.wav" }}', key)
        if not found:
            raise self.wrong(f"{key} is empty", key)
        return tuple(found), mark

    def read_back(self, key: str) -> tuple[Message, Message]:
        """What is said before and after ``{answer}``."""
        sides: tuple[list[Recording | Sentence], list[Recording | Sentence]] = ([], [])
        met = 0
        for piece in self.message(key):
            place = piece.pieces.index(Slot("answer")) if isinstance(piece, Sentence) and _says_answer(piece) else None
            if isinstance(piece, Recording) or place is None:
                sides[met > 0].append(piece)
                continue
            met += 1
            for side, part in zip(sides, (piece.pieces[:place], piece.pieces[place + 1 :]), strict=True):
                if any(isinstance(word, Slot) or any(letter.isalnum() for letter in word) for word in part):
                    side.append(Sentence(_trimmed(part)))
        if met != 1 or any(isinstance(piece, Sentence) and _says_answer(piece) for side in sides for piece in side):
            raise self.wrong(f"{key} is a text with {{answer}} in it, once", key)
        return tuple(sides[0]), tuple(sides[1])

    def _recording(self, key: str, name: str) -> Recording:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
            raise self.wrong(f"{key}: {name!r} must lie in the directory of recordings", key)
        if path.suffix.lower() not in AUDIO:
            raise self.wrong(f"{key}: {name!r} is no audio file ({', '.join(AUDIO)})", key)
        return Recording(str(path))

    def dtmf(self, key: str) -> str:
        return self._dtmf(key, self._table[key])

    def _dtmf(self, key: str, value: Any) -> str:
        if not isinstance(value, str) or not value or set(value) - set(DTMF):
            raise self.wrong(f'{key}: {value!r} is no key; write the keys 0-9, * and # in quotes, like "1"', key)
        return value

    def destination(self, key: str) -> str:
        value = self._table[key]
        if not isinstance(value, str) or not DESTINATION.fullmatch(value):
            raise self.wrong(
                f'{key}: {value!r} can\'t be dialled; write digits in quotes, like "201", or "{{variable}}"', key
            )
        return value

    def announcement(self, key: str) -> str:
        value = self._table[key]
        if not isinstance(value, str) or not ANNOUNCEMENT.fullmatch(value):
            raise self.wrong(f'{key}: {value!r} is no number of a recorded message; write it in quotes, like "12"', key)
        return value

    def stop_keys(self, key: str) -> str:
        return "" if self._table[key] == "" else self.dtmf(key)

    def pin(self, key: str) -> str:
        value = self._table[key]
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]+|\{[^{}]+\}", value):
            raise self.wrong(f'{key}: {value!r} is neither digits nor a variable like "{{pin}}"', key)
        return value

    def keys(self, key: str) -> dict[str, str | None]:
        told = self._table[key]
        if isinstance(told, list):
            found: dict[str, str | None] = {self._dtmf(key, pressed): None for pressed in told}
        elif isinstance(told, dict):
            found = {}
            for pressed, target in told.items():
                if not isinstance(target, str) or not target:
                    raise self.wrong(f"{key}: {pressed} must lead to the name of a step, not {target!r}", key)
                found[self._dtmf(key, pressed)] = target
        else:
            raise self.wrong(f"{key} is a list of keys, or a table key = step", key)
        if not found:
            raise self.wrong(f"{key} is empty", key)
        return found

    def flag(self, key: str) -> bool:
        value = self._table[key]
        if not isinstance(value, bool):
            raise self.wrong(f"{key} is true or false, not {value!r}", key)
        return value

    def count(self, key: str) -> int:
        value = self._table[key]
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 10:
            raise self.wrong(f"{key} is a whole number from 1 to 10, not {value!r}", key)
        return value

    def seconds(self, key: str) -> float:
        value = self._table[key]
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= 600:
            raise self.wrong(f"{key} is a number of seconds above 0 and up to 600, not {value!r}", key)
        return float(value)

    def milliseconds(self, key: str) -> int:
        return round(self.seconds(key) * 1000)

    def target(self, key: str) -> str:
        return str(self.text(key, ""))

    def condition(self, key: str) -> Condition:
        told = self._table[key]
        if not isinstance(told, dict):
            raise self.wrong(
                f'{key}: write {{ variable = "name", is = "value" }} or {{ answer = "step", is = "1" }}', key
            )
        names = set(told)
        if names in ({"variable", "is"}, {"answer", "is"}) and all(isinstance(value, str) for value in told.values()):
            return Condition(told.get("variable"), told.get("answer"), told["is"])
        bounds = {name: told[name] for name in ("at_least", "at_most") if name in told}
        whole = all(isinstance(value, int) and not isinstance(value, bool) for value in bounds.values())
        if bounds and whole and names - set(bounds) == {"answer"} and isinstance(told["answer"], str):
            return Condition(None, told["answer"], None, told.get("at_least"), told.get("at_most"))
        raise self.wrong(
            f"{key} has is (a text) and one of variable, answer; or answer with at_least, at_most (whole numbers); "
            f"not {', '.join(told)}",
            key,
        )

    def survey_kind(self, key: str) -> str:
        value = self._table[key]
        if not isinstance(value, str) or value not in SURVEY_KINDS:
            raise self.wrong(f"{key} {value!r} is none of {', '.join(SURVEY_KINDS)}", key)
        return value

    def one_key(self, key: str) -> str:
        value = self.dtmf(key)
        if len(value) != 1:
            raise self.wrong(f"{key}: {value!r} is more than one key", key)
        return value

    def bound(self, key: str) -> int:
        value = self._table[key]
        least, most = (1, LONGEST_ENTRY) if key.endswith("_length") else (0, HIGHEST_MARK)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.wrong(f"{key} is a whole number from {least} to {most}, not {value!r}", key)
        return value

    def options(self, key: str) -> dict[str, Option]:
        told = self._table[key]
        if not isinstance(told, dict) or not told:
            raise self.wrong(f'{key} is a table: 1 = "yes, gladly"', key)
        scale = self._table.get("kind") == "scale"
        found = {}
        for pressed, value in told.items():
            label, target = value, None
            if isinstance(value, dict) and set(value) <= {"label", "to"} and not scale:
                label, target = value.get("label"), value.get("to")
            if not isinstance(label, str) or not label.strip() or not (target is None or _is_name(target)):
                forms = "a text" if scale else 'a text or { label = "…", to = "step" }'
                raise self.wrong(f"{key}: {pressed} has {forms}, not {value!r}", key)
            if scale and not (pressed.isascii() and pressed.isdecimal() and len(pressed) <= 2):
                raise self.wrong(f"{key}: {pressed!r} is no answer of a scale", key)
            if not scale:
                self._dtmf(key, pressed)
            found[pressed] = Option(pressed, label, target)
        return found

    def stop_list(self, key: str) -> str:
        value = str(self.text(key, ""))
        if len(value) > LONGEST_STOP_LIST:
            raise self.wrong(f"{key}: the name of a stop list has at most {LONGEST_STOP_LIST} letters", key)
        return value

    def variable(self, name: str, faults: Faults) -> Variable:
        self.refuse_unknown(("kind", "currency", "gender", "default", "case"), faults)
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


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _trimmed(part: tuple[str | Slot, ...]) -> tuple[str | Slot, ...]:
    """Without the spaces that stood beside what was cut out."""
    words = list(part)
    if isinstance(words[0], str):
        words[0] = words[0].lstrip()
    if isinstance(words[-1], str):
        words[-1] = words[-1].rstrip()
    return tuple(words)


def _says_answer(piece: Sentence) -> bool:
    return Slot("answer") in piece.pieces


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
    "question": Reader.target,
    "repeat": Reader.one_key,
    "kind": Reader.survey_kind,
    "options": Reader.options,
    "min": Reader.bound,
    "max": Reader.bound,
    "min_length": Reader.bound,
    "max_length": Reader.bound,
    "next_key_s": Reader.seconds,
    "read_back": Reader.read_back,
    "list": Reader.stop_list,
}
