"""Settings of a list: from the configuration, to the store and back, and every slip named."""

from __future__ import annotations

import dataclasses
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.settings import DEFAULT_RULES, ListSettings, RetryRule


def from_toml(text: str) -> ListSettings:
    return ListSettings.from_table(tomllib.loads(text))


def test_defaults() -> None:
    settings = from_toml("")
    assert settings == ListSettings()
    assert (settings.tries_per_person, settings.tries_per_number, settings.ring_timeout_s) == (6, 3, 30.0)
    assert settings.rules[Outcome.BUSY] == RetryRule(3, 300)
    assert settings.rules[Outcome.REJECTED].tries == 1


def test_everything_can_be_set() -> None:
    settings = from_toml(
        """
        scenario = "debt"
        language = "uk"
        region = "UA"
        priority = 0
        machine = "short"
        caller_id = "+380441234500"
        ring_timeout_s = 5
        tries_per_person = 4
        tries_per_number = 2
        next_number_first = false
        line_fault_delay_s = 1.5
        tries_after_fault = 1
        caps = { day = 2, month = 16 }
        breaker_calls = 0
        breaker_window_s = 60
        zone = "Europe/Kyiv"
        windows.mon-fri = "09:00-20:00"
        zone_of_number = false
        gateways = ["office"]
        ports = 3
        share = 2.5
        testers = ["+380441234567"]
        retry.busy = { tries = 9, delay_s = 4, next_number = false }
        """
    )
    assert settings.rules == {**DEFAULT_RULES, Outcome.BUSY: RetryRule(9, 4.0, False)}
    changed = {
        field.name
        for field in dataclasses.fields(settings)
        if getattr(settings, field.name) != getattr(ListSettings(), field.name)
    }
    assert changed == {field.name for field in dataclasses.fields(settings)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("priorty = 1", "priorty: unknown key; did you mean priority?"),
        ("zzz = 1", "zzz: unknown key; known: "),
        ("rules = 1", "rules: unknown key"),
        ("priority = -1", "priority: must be a whole number from 0 on"),
        ("tries_per_person = 0", "tries_per_person: must be a whole number from 1 on"),
        ("tries_per_person = true", "tries_per_person: must be a whole number"),
        ("tries_per_person = 1.5", "tries_per_person: must be a whole number"),
        ('ring_timeout_s = "30"', "ring_timeout_s: must be a number of seconds"),
        ("ring_timeout_s = -1", "ring_timeout_s: must be a number of seconds"),
        ("ring_timeout_s = nan", "ring_timeout_s: must be a number of seconds"),
        ("line_fault_delay_s = inf", "line_fault_delay_s: must be a number of seconds"),
        ("next_number_first = 1", "next_number_first: must be true or false"),
        ("language = 1", "language: must be a text"),
        ("retry = 1", "retry: must be a table"),
        ("windows = 1", "windows: must be a table"),
        ("caps = 1", "caps: must be a table"),
        ('caps = "ru-230fz-robot"', "caps: no preset 'ru-230fz-robot'; did you mean ru-230fz-robots?"),
        ("caps.day = 2", "zone: is needed with caps"),
        ('caps = "ru-230fz-robots"', "zone: is needed with caps"),
        ('zone = "Europe/Moscow"\ncaps.year = 2', "caps.year: is no period"),
        ('windows.mon = "09:00-20:00"', "zone: is needed with windows"),
        ('zone = "Europe/Moscow"\nwindows.mon = "9-20"', "windows.mon: '9-20' must be as"),
        ('zone = "Moscow"', "zone: 'Moscow' is no zone"),
        ('zone = "../etc/passwd"', "zone: '../etc/passwd' is no zone"),
        ('zone = "Europe"', "zone: 'Europe' is no zone"),
        (
            "retry.buzy = { tries = 1, delay_s = 1 }",
            "retry.buzy: no result that can be tried again; did you mean bu",
        ),
        ("retry.unknown = { tries = 1, delay_s = 1 }", "retry.unknown: no result that can be tried again"),
        ("retry.confirmed = { tries = 1, delay_s = 1 }", "retry.confirmed: no result"),
        ("retry.line_fault = { tries = 1, delay_s = 1 }", "retry.line_fault: no result"),
        ("retry.busy = { tries = 1 }", "retry.busy: must be { tries = n, delay_s = seconds }"),
        ("retry.busy = { tries = 0, delay_s = 1 }", "retry.busy.tries: must be a whole number"),
        ("retry.busy = { tries = 1, delay_s = 1e99 }", "retry.busy.delay_s: must be a number of seconds"),
    ],
)
def test_a_slip_is_one_line_that_names_the_key(text: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        from_toml(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


SECONDS = st.floats(0, 1e6)
RULES = st.dictionaries(
    st.sampled_from(list(DEFAULT_RULES)),
    st.builds(RetryRule, st.integers(1, 99), SECONDS),
)


@given(
    st.builds(
        ListSettings,
        scenario=st.text(max_size=20),
        caller_id=st.none() | st.text(max_size=20),
        priority=st.integers(0, 99),
        ring_timeout_s=SECONDS,
        next_number_first=st.booleans(),
        line_fault_delay_s=SECONDS,
        rules=RULES,
    )
)
def test_the_store_gives_back_what_it_was_given(settings: Any) -> None:
    assert ListSettings.from_json(settings.to_json()) == settings


def test_a_preset_brings_its_hours_where_there_are_none() -> None:
    preset = from_toml('zone = "Europe/Moscow"\ncaps = "ru-230fz-robots"')
    assert (preset.caps.day, preset.caps.week, preset.caps.month) == (2, 4, 16)
    assert preset.windows.to_table()["sun"] == "09:10-19:50"
    own = from_toml('zone = "Europe/Moscow"\ncaps = "ru-230fz-robots"\nwindows.mon = "10:00-11:00"')
    assert own.windows.to_table() == {"mon": "10:00-11:00"}
