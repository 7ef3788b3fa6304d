"""Settings of a list: how hard and how often its people are called. Frozen into a campaign at its start."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ocm_cti.domain.outcomes import FINAL, NOT_COUNTED, Outcome


@dataclass(frozen=True)
class RetryRule:
    """At most ``tries`` calls of one number with this result, ``delay_s`` after the end of the last one."""

    tries: int
    delay_s: float


#: A year: beyond it a delay is a slip of the hand (and past the end of the calendar it could not be computed).
LONGEST_S = 366 * 86_400.0

#: Usual in the field (tries and minutes of several peers); every list may set its own.
DEFAULT_RULES: Mapping[Outcome, RetryRule] = {
    Outcome.BUSY: RetryRule(3, 300),
    Outcome.NO_ANSWER: RetryRule(3, 900),
    Outcome.REJECTED: RetryRule(1, 900),
    Outcome.MACHINE: RetryRule(2, 1800),
    Outcome.CUT_SHORT: RetryRule(2, 600),
    Outcome.UNREACHABLE: RetryRule(3, 600),
}


@dataclass(frozen=True)
class ListSettings:
    """``rules`` has a row for each result that may be tried again; seconds everywhere; ``priority`` 0 goes first."""

    scenario: str = ""
    language: str = "ru"
    region: str = "RU"
    priority: int = 5
    caller_id: str | None = None
    ring_timeout_s: float = 30.0
    tries_per_person: int = 6
    tries_per_number: int = 3
    next_number_first: bool = True
    line_fault_delay_s: float = 30.0
    tries_after_fault: int = 3  # calls that rang or were answered and then broke by a fault that is not the person's
    rules: Mapping[Outcome, RetryRule] = field(default_factory=lambda: dict(DEFAULT_RULES))

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> ListSettings:
        """From ``[lists.NAME]``: the fields by name, and ``retry.OUTCOME = { tries = n, delay_s = s }``.

        Raises ValueError with one line that names the key.
        """
        values = dict(table)
        retry = values.pop("retry", {})
        known = {entry.name: entry for entry in fields(cls) if entry.name != "rules"}
        for key, value in values.items():
            if key not in known:
                raise ValueError(f"{key}: unknown key{_hint(key, [*known, 'retry'])}")
            _check(key, value, known[key].default)
        if re.fullmatch("[A-Z]{2}", values.get("region", "RU")) is None:
            raise ValueError(
                f"region: must be a country's two capital letters, as RU, UA, KZ; not {values['region']!r}"
            )
        if not isinstance(retry, Mapping):
            raise ValueError(f"retry: must be a table of outcomes, not {retry!r}")
        rules = dict(DEFAULT_RULES)
        for name, rule in retry.items():
            rules[_outcome(name)] = _rule(name, rule)
        return cls(**values, rules=rules)

    def to_json(self) -> str:
        """What the store keeps; ``from_json`` reads it back equal."""
        plain = asdict(self) | {"rules": {outcome.value: asdict(rule) for outcome, rule in self.rules.items()}}
        return json.dumps(plain, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ListSettings:
        plain = json.loads(text)
        rules = {Outcome(name): RetryRule(**rule) for name, rule in plain.pop("rules", {}).items()}
        return cls(**plain, rules=rules)


def _outcome(name: str) -> Outcome:
    names = [outcome.value for outcome in Outcome if outcome not in FINAL | NOT_COUNTED | {Outcome.INVALID_NUMBER}]
    if name not in names:
        raise ValueError(f"retry.{name}: no result that can be tried again{_hint(name, names)}")
    return Outcome(name)


def _rule(name: str, rule: object) -> RetryRule:
    if not isinstance(rule, Mapping) or set(rule) != {"tries", "delay_s"}:
        raise ValueError(f"retry.{name}: must be {{ tries = n, delay_s = seconds }}, not {rule!r}")
    _check(f"retry.{name}.tries", rule["tries"], 1)
    _check(f"retry.{name}.delay_s", rule["delay_s"], 1.0)
    return RetryRule(rule["tries"], float(rule["delay_s"]))


def _check(key: str, value: object, example: object) -> None:
    """``value`` is of the kind of ``example``; numbers are not negative, counts at least 1."""
    if isinstance(example, bool):
        right, wanted = isinstance(value, bool), "true or false"
    elif isinstance(example, int):
        least = 0 if key == "priority" else 1
        right = isinstance(value, int) and not isinstance(value, bool) and value >= least
        wanted = f"a whole number from {least} on"
    elif isinstance(example, float):
        right = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= LONGEST_S
        wanted = "a number of seconds, from 0 to a year"
    else:
        right, wanted = isinstance(value, str), "a text in quotes"
    if not right:
        raise ValueError(f"{key}: must be {wanted}, not {value!r}")


def _hint(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(known)}"
