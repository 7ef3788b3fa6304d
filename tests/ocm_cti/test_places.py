"""Where a number lives."""

from __future__ import annotations

import pytest

from ocm_cti.places import zone_of


@pytest.mark.parametrize(
    ("number", "zone"),
    [
        ("+74951234567", "Europe/Moscow"),
        ("+73431234567", "Asia/Yekaterinburg"),
        ("+380441234567", "Europe/Kyiv"),
        ("+79161234567", ""),  # a Russian mobile may be anywhere
        ("+88312345678", ""),
        ("not a number", ""),
    ],
)
def test_one_zone_or_none(number: str, zone: str) -> None:
    assert zone_of(number) == zone
