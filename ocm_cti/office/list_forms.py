"""``[lists.NAME]`` as a form has it: texts for each field, and back. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from typing import Any

from ocm_cti.domain.caps import PERIODS, PRESETS
from ocm_cti.domain.settings import DEFAULT_RULES, ListSettings
from ocm_cti.domain.windows import DAYS, Windows
from ocm_cti.office.errors import Refused

__all__ = ["DAYS", "DEFAULTS", "DEFAULT_RULES", "PERIODS", "PRESETS", "WrongSetting", "table_of", "values_of"]

#: The plain fields of the form: what kind each is of.
KINDS: Mapping[str, str] = {
    "scenario": "text",
    "language": "text",
    "region": "text",
    "zone": "text",
    "zone_of_number": "flag",
    "machine": "text",
    "priority": "whole",
    "closed_days": "days",
    "holidays": "text",
    "open_days": "days",
    "ring_timeout_s": "number",
    "tries_per_person": "whole",
    "tries_per_number": "whole",
    "next_number_first": "flag",
    "gateways": "texts",
    "ports": "whole",
    "share": "number",
    "caller_id": "text",
    "testers": "texts",
    "breaker_calls": "whole",
    "breaker_window_s": "number",
    "line_fault_delay_s": "number",
    "tries_after_fault": "whole",
}
FLAGS = {"": None, "yes": True, "no": False}
#: What is said when a field is left empty.
DEFAULTS: Mapping[str, object] = {entry.name: entry.default for entry in fields(ListSettings) if entry.name in KINDS}


class WrongSetting(Refused):
    """``field`` is the one that was wrong; "": it can't be told."""

    def __init__(self, field: str, what: str) -> None:
        super().__init__(what)
        self.field = field


def values_of(table: Mapping[str, Any]) -> dict[str, str]:
    """A text for each field; of what a person has written otherwise than a form would, the same in its words."""
    values = {key: _text(table.get(key)) for key in KINDS}
    windows = table.get("windows")
    hours = Windows.from_table(windows).to_table() if isinstance(windows, Mapping) and windows else {}
    values |= {f"hours-{day}": hours.get(day, "") for day in DAYS}
    caps = table.get("caps", {})
    values["caps"] = caps if isinstance(caps, str) else ""
    values |= {f"caps-{period}": _text(caps.get(period)) if isinstance(caps, Mapping) else "" for period in PERIODS}
    retry = table.get("retry", {})
    for outcome in DEFAULT_RULES:
        rule = retry.get(outcome.value, {}) if isinstance(retry, Mapping) else {}
        rule = rule if isinstance(rule, Mapping) else {}
        values[f"tries-{outcome.value}"] = _text(rule.get("tries"))
        values[f"delay-{outcome.value}"] = _text(None if "delay_s" not in rule else _short(rule["delay_s"] / 60))
        values[f"next-{outcome.value}"] = _text(rule.get("next_number"))
    return values


def table_of(values: Mapping[str, str], before: Mapping[str, Any]) -> dict[str, Any]:
    """What the form says of each key that it has; None: nothing. ``before``: what stood there, which stays as it was
    written where it means the same. Raises WrongSetting.
    """
    table: dict[str, Any] = {}
    for key, kind in KINDS.items():
        if key in values:
            table[key] = _value(key, kind, values[key].strip())
    if any(f"hours-{day}" in values for day in DAYS):
        table["windows"] = _windows(values, before.get("windows"))
    if "caps" in values:
        periods = {period: _value(f"caps-{period}", "whole", values.get(f"caps-{period}", "")) for period in PERIODS}
        table["caps"] = values["caps"] or {key: value for key, value in periods.items() if value} or None
    if any(f"tries-{outcome.value}" in values for outcome in DEFAULT_RULES):
        table["retry"] = _retry(values, before.get("retry"))
    return table


def _windows(values: Mapping[str, str], before: object) -> object:
    hours = {day: " ".join(values.get(f"hours-{day}", "").split()) for day in DAYS}
    named = {day: text for day, text in hours.items() if text}
    if not named:
        return None
    try:
        wanted = Windows.from_table(named)
        if isinstance(before, Mapping) and Windows.from_table(before).hours == wanted.hours:
            return before
    except ValueError as error:
        found = re.match(r"windows\.([a-z]{3})", str(error))
        raise WrongSetting(f"hours-{found[1]}" if found else "hours-mon", str(error)) from None
    grouped: dict[str, str] = {}
    first = 0
    for place in range(1, len(DAYS) + 1):
        if place < len(DAYS) and hours[DAYS[place]] == hours[DAYS[first]]:
            continue
        if hours[DAYS[first]]:
            key = DAYS[first] if place - first == 1 else f"{DAYS[first]}-{DAYS[place - 1]}"
            grouped[key] = hours[DAYS[first]]
        first = place
    return grouped


def _retry(values: Mapping[str, str], before: object) -> object:
    rules: dict[str, Any] = dict(before) if isinstance(before, Mapping) else {}
    for outcome, usual in DEFAULT_RULES.items():
        name = outcome.value
        tries = _value(f"tries-{name}", "whole", values.get(f"tries-{name}", ""))
        minutes = _value(f"delay-{name}", "number", values.get(f"delay-{name}", ""))
        following = _value(f"next-{name}", "flag", values.get(f"next-{name}", ""))
        if tries is None and minutes is None and following is None:
            rules.pop(name, None)
            continue
        delay_s = usual.delay_s if minutes is None else minutes * 60
        rule = {"tries": usual.tries if tries is None else tries, "delay_s": _whole_if_so(delay_s)}
        rules[name] = rule if following is None else {**rule, "next_number": following}
    return rules or None


def _value(key: str, kind: str, text: str) -> Any:
    """None: nothing is said."""
    text = text.strip()
    if not text:
        return None
    try:
        if kind == "whole":
            return int(text)
        if kind == "number":
            return _whole_if_so(float(text.replace(",", ".")))
        if kind == "flag":
            return FLAGS[text]
        if kind == "days":
            return [_day(one) for one in re.split(r"[\s,;]+", text)]
    except (ValueError, KeyError):
        wanted = {"whole": "a whole number", "number": "a number", "days": "dates as 31.12.2026", "flag": "yes or no"}
        raise WrongSetting(key, f"{key}: must be {wanted[kind]}, not {text[:60]!r}") from None
    return [one.strip() for one in re.split(r"[\n,;]+", text) if one.strip()] if kind == "texts" else text


def _day(text: str) -> date:
    found = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text)
    return date(int(found[3]), int(found[2]), int(found[1])) if found else date.fromisoformat(text)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "\n".join(f"{one:%d.%m.%Y}" if isinstance(one, date) else str(one) for one in value)
    return _short(value) if isinstance(value, float) else str(value)


def _short(number: float) -> str:
    return f"{number:g}"


def _whole_if_so(number: float) -> int | float:
    return int(number) if number == int(number) else number
