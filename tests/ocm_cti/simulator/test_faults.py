"""The table of variants, and how the command line sets them."""

from __future__ import annotations

import dataclasses

import pytest

from ocm_cti.simulator.callees import Callee
from ocm_cti.simulator.faults import FAILURE_REASONS, SettingError, Settings


def test_every_variant_says_what_it_is_where_it_comes_from_and_how_sure_that_is() -> None:
    for row in dataclasses.fields(Settings):
        assert row.metadata["about"] and row.metadata["source"], row.name
        assert row.metadata["confidence"] in {"DOC", "DOC3", "CAP", "RE", "INF", "SIM"}, row.name
        assert not row.metadata["choices"] or row.default in row.metadata["choices"], row.name


def test_values_take_the_kind_of_their_default() -> None:
    settings = Settings.from_pairs(["trunks=2", "dial_s=0.5", "delivered=no", "trunk_kind=lco", "access_code = 0"])
    assert (settings.trunks, settings.dial_s, settings.delivered, settings.trunk_kind, settings.access_code) == (
        2,
        0.5,
        False,
        "lco",
        "0",
    )
    assert Settings.from_pairs([]) == Settings()


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        ("trunk", "expected name=value"),
        ("trunkz=1", "does not exist, did you mean 'trunks'"),
        ("qqqq=1", "'qqqq' does not exist"),
        ("trunks=many", "is a number"),
        ("trunks=1.5", "is a number"),
        ("dial_s=-1", "out of range"),
        ("dial_s=nan", "out of range"),
        ("delivered=perhaps", "true or false"),
        ("trunk_kind=adsl", "one of isdn, lco, reached_only"),
    ],
)
def test_a_wrong_variant_is_refused_by_name(pair: str, says: str) -> None:
    with pytest.raises(SettingError) as error:
        Settings.from_pairs([pair])
    assert says in str(error.value)


def test_every_reason_to_fail_has_its_cause() -> None:
    assert all(Settings().failure_cause(reason) for reason in FAILURE_REASONS)
    assert [reason for reason in FAILURE_REASONS if Callee("", "x", fail=reason).rings] == ["rejected", "no_answer"]
