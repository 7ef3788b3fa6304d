"""fixtures/config/panasonic.toml explains every setting of the gateway, with the default that the code has."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path
from typing import Any

from ocm_cti.gateways.panasonic_settings import DIAL_RULES, PanasonicSettings
from ocm_cti.gateways.smdr_settings import SmdrSettings

EXAMPLE = Path(__file__).resolve().parents[3] / "fixtures" / "config" / "panasonic.toml"
#: Keys of the file that make up another field.
NO_FIELDS = {"kind", "password_pattern"}
#: Without a default in the code, or one that is found out on the spot: the file shows an example.
EXAMPLES_ONLY = {"link", "extensions", "sip_host", "passwords", "local_host"}


def explained(
    first: str = "[gateways.office]", last: str = "[gateways.office.smdr]"
) -> dict[str, tuple[bool, Any, str]]:
    """Key -> (whether the line is commented out, value, meaning) of a part of the example: the gateway's own table."""
    text = EXAMPLE.read_text(encoding="utf-8")
    part = text[text.index(first) : text.index(last)]
    lines = re.findall(r"^(# )?([a-z_0-9]+) = (.*?) +# (.+)$", part, flags=re.MULTILINE)
    keys = [key for _, key, _, _ in lines]
    assert len(keys) == len(set(keys)), "a setting is explained twice"
    return {key: (bool(off), tomllib.loads(f"x = {value}")["x"], meaning) for off, key, value, meaning in lines}


def test_every_setting_is_explained_and_no_other() -> None:
    fields = {field.name for field in dataclasses.fields(PanasonicSettings)} - {"name", "smdr"}
    assert set(explained()) - NO_FIELDS == fields


def test_the_defaults_are_those_of_the_code() -> None:
    """Also their type: 10.0 seconds, not 10, so that it is seen that a part of a second may be given."""
    for field in dataclasses.fields(PanasonicSettings):
        if field.name in EXAMPLES_ONLY or field.name in ("name", "smdr"):
            continue
        _, value, _ = explained()[field.name]
        default = [list(pair) for pair in DIAL_RULES] if field.name == "dial" else field.default
        assert (value, type(value)) == (default, type(default)), field.name


def test_the_call_records_are_explained_with_the_defaults_of_the_code() -> None:
    """A table of its own, left out as a whole by whoever does not read them."""
    rows = explained("[gateways.office.smdr]", "[lists.")
    assert set(rows) == {field.name for field in dataclasses.fields(SmdrSettings)}
    for field in dataclasses.fields(SmdrSettings):
        off, value, meaning = rows[field.name]
        assert off and len(meaning) > 8, field.name
        if field.name != "link":
            assert (value, type(value)) == (field.default, type(field.default)), field.name


def test_only_what_has_no_default_must_be_given() -> None:
    """Of what is switched on in the example everything but the dial rules, which are every site's own, is needed."""
    switched_on = {key for key, (off, _, _) in explained().items() if not off}
    assert switched_on == {"kind", "link", "sip_host", "extensions", "password_pattern", "dial"}


def test_every_meaning_says_something() -> None:
    for key, (_, _, meaning) in explained().items():
        assert len(meaning) > 10, key
