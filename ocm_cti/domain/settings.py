"""Settings of a list: how hard and how often its people are called. Frozen into a campaign at its start."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ocm_cti.domain.caps import PRESETS, Caps, Preset
from ocm_cti.domain.outcomes import FINAL, NOT_COUNTED, Outcome
from ocm_cti.domain.windows import Windows


@dataclass(frozen=True)
class RetryRule:
    """At most ``tries`` calls of one number with this result, ``delay_s`` after the end of the last one.

    ``next_number``: whether the person's next number is called before this one again; None: as the list has it.
    """

    tries: int
    delay_s: float
    next_number: bool | None = None


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
    breaker_calls: int = 20  # more than half of so many calls or more were faults of the line: paused; 0: never
    breaker_window_s: float = 300.0  # ... of those that ended so lately
    windows: Windows = field(default_factory=Windows)  # on the clock of ``zone`` (IANA), which is "" only without them
    zone: str = ""
    zone_of_number: bool = True  # a person without a zone of his own lives where his number is, if that has one zone
    gateways: tuple[str, ...] = ()  # those that may call this list; (): any
    ports: int = 0  # at most so many calls of the list at a time; 0: no limit
    share: float = 1.0  # of the lines, beside other lists of the same priority
    testers: tuple[str, ...] = ()  # whom alone a test calls; E.164
    machine: str = ""  # what an answering machine gets: the name of one of the list's `scenarios`; "": it is hung up on
    caps: Caps = field(default_factory=Caps)  # of each person, over all campaigns; days are those of ``zone``
    rules: Mapping[Outcome, RetryRule] = field(default_factory=lambda: dict(DEFAULT_RULES))

    def closed_until(self, at: datetime, zone: str = "") -> datetime | None:
        """When somebody in ``zone`` ("": that of the list) may not be called at this moment (aware): from when on he
        may, aware UTC. None: he may.
        """
        there = zone or self.zone
        return None if self.windows.is_open(at, there) else self.windows.next_open_at(at, there)

    @staticmethod
    def knows_zone(zone: str) -> bool:
        """Whether it is one of the IANA database."""
        try:
            _check_zone(zone)
        except ValueError:
            return False
        return True

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> ListSettings:
        """From ``[lists.NAME]``: the fields by name, and besides ``windows.DAYS = "09:00-20:00"``,

        ``closed_days = [date, …]`` when nobody is called;

        ``caps.PERIOD = n``, or ``caps`` is the name of a preset, which brings its windows where there are none;
        ``retry.OUTCOME = { tries = n, delay_s = s }``.

        Raises ValueError with one line that names the key.
        """
        values = dict(table)
        retry = values.pop("retry", {})
        windows = values.pop("windows", None)
        closed = days("closed_days", values.pop("closed_days", []))
        caps = _caps(values.pop("caps", {}))
        if isinstance(caps, Preset):
            windows = caps.windows if windows is None else windows
            caps = caps.caps
        known = {entry.name: entry for entry in fields(cls) if entry.name not in ("rules", "windows", "caps")}
        for key, value in values.items():
            if key not in known:
                raise ValueError(f"{key}: unknown key{_hint(key, [*known, 'retry', 'windows', 'closed_days', 'caps'])}")
            _check(key, value, known[key].default)
        for key in ("gateways", "testers"):
            values[key] = tuple(values.get(key, ()))
        values["testers"] = tuple(_tester(number) for number in values["testers"])
        if re.fullmatch("[A-Z]{2}", values.get("region", "RU")) is None:
            raise ValueError(
                f"region: must be a country's two capital letters, as RU, UA, KZ; not {values['region']!r}"
            )
        if not isinstance(retry, Mapping):
            raise ValueError(f"retry: must be a table of outcomes, not {retry!r}")
        rules = dict(DEFAULT_RULES)
        for name, rule in retry.items():
            rules[_outcome(name)] = _rule(name, rule)
        zone = values.get("zone", "")
        if zone:
            _check_zone(zone)
        if not zone and not caps.unlimited:
            raise ValueError('zone: is needed with caps: when does a day begin? zone = "Europe/Moscow"')
        if windows is not None and not isinstance(windows, Mapping):
            raise ValueError(f'windows: must be a table as {{ mon-fri = "09:00-20:00" }}, not {windows!r}')
        if not zone and (windows is not None or closed):
            key = "windows" if windows is not None else "closed_days"
            raise ValueError(f'zone: is needed with {key}: by whose clock? zone = "Europe/Moscow"')
        hours = Windows() if windows is None else Windows.from_table(windows)
        return cls(**values, rules=rules, caps=caps, windows=hours.closed_on(closed))

    def to_json(self) -> str:
        """What the store keeps; ``from_json`` reads it back equal."""
        plain = asdict(self) | {"rules": {outcome.value: asdict(rule) for outcome, rule in self.rules.items()}}
        plain["windows"] = self.windows.to_table()
        plain["closed_days"] = sorted(day.isoformat() for day in self.windows.closed)
        return json.dumps(plain, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ListSettings:
        plain = json.loads(text)
        rules = {Outcome(name): RetryRule(**rule) for name, rule in plain.pop("rules", {}).items()}
        # A campaign of an earlier version has none of these.
        hours, caps = plain.pop("windows", {}), Caps(**plain.pop("caps", {}))
        windows = Windows.from_table(hours) if hours else Windows()
        closed = [date.fromisoformat(day) for day in plain.pop("closed_days", [])]
        for key in ("gateways", "testers"):
            plain[key] = tuple(plain.get(key, ()))
        return cls(**plain, rules=rules, caps=caps, windows=windows.closed_on(closed))


def _caps(given: object) -> Caps | Preset:
    if isinstance(given, str):
        if given not in PRESETS:
            raise ValueError(f"caps: no preset {given!r}{_hint(given, list(PRESETS))}")
        return PRESETS[given]
    if not isinstance(given, Mapping):
        raise ValueError(f"caps: must be a table as {{ day = 2, week = 4 }} or the name of a preset, not {given!r}")
    return Caps.from_table(given)


_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


def days(key: str, given: object) -> list[date]:
    """A list of dates. ValueError names the first that is none, and how it is written, however long the list is."""
    if not isinstance(given, list):
        raise ValueError(f"{key}: must be a list of dates, as [2026-12-31, 2027-01-02], not {given!r}")
    for day in given:
        if type(day) is not date:
            meant = _meant(day)
            example = "[2026-12-31, 2027-01-02]" if meant is None else f"[{meant.isoformat()}]"
            quotes = " without quotes" if isinstance(day, str) else ""
            raise ValueError(f"{key}: must be a list of dates{quotes}, as {example}, not [{day!r}]")
    return given


def _meant(given: object) -> date | None:
    """The day that somebody has written in another way; None: it can't be told."""
    if isinstance(given, datetime):
        return given.date()
    if not isinstance(given, str):
        return None
    found = _DAY_FIRST.fullmatch(given.strip())
    try:
        return date(int(found[3]), int(found[2]), int(found[1])) if found else date.fromisoformat(given.strip())
    except ValueError:
        return None


def _tester(number: str) -> str:
    if re.fullmatch(r"\+[0-9]{7,15}", number) is None:
        raise ValueError(f'testers: {number!r} is no number with its country code, as "+74951234567"')
    return number


def _check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, OSError, ValueError):  # not found; a folder of the database; a path
        raise ValueError(
            f"zone: {zone!r} is no zone of the IANA database; as Europe/Moscow, Asia/Yekaterinburg"
        ) from None


def _outcome(name: str) -> Outcome:
    names = [outcome.value for outcome in Outcome if outcome not in FINAL | NOT_COUNTED | {Outcome.INVALID_NUMBER}]
    if name not in names:
        raise ValueError(f"retry.{name}: no result that can be tried again{_hint(name, names)}")
    return Outcome(name)


def _rule(name: str, rule: object) -> RetryRule:
    if not isinstance(rule, Mapping) or set(rule) - {"next_number"} != {"tries", "delay_s"}:
        raise ValueError(
            f"retry.{name}: must be {{ tries = n, delay_s = seconds }}, and next_number = true or false, not {rule!r}"
        )
    _check(f"retry.{name}.tries", rule["tries"], 1)
    _check(f"retry.{name}.delay_s", rule["delay_s"], 1.0)
    if "next_number" in rule:
        _check(f"retry.{name}.next_number", rule["next_number"], example=True)
    return RetryRule(rule["tries"], float(rule["delay_s"]), rule.get("next_number"))


def _check(key: str, value: object, example: object) -> None:
    """``value`` is of the kind of ``example``; numbers are not negative, counts at least 1."""
    if isinstance(example, bool):
        right, wanted = isinstance(value, bool), "true or false"
    elif isinstance(example, int):
        least = 0 if key in ("priority", "breaker_calls", "ports") else 1
        right = isinstance(value, int) and not isinstance(value, bool) and value >= least
        wanted = f"a whole number from {least} on"
    elif isinstance(example, tuple):
        right = isinstance(value, list) and all(isinstance(entry, str) for entry in value)
        wanted = "a list of texts in quotes"
    elif key == "share":
        right = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1000
        wanted = "a number above 0, as 1 or 2.5: who has twice the share gets twice the lines"
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
