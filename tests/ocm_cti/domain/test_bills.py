"""What calls cost, added up without rounding and without mixing currencies."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ocm_cti.domain.bills import Bill, add_bills, bill
from ocm_cti.domain.call_records import CallRecord


def record(duration_s: int | None, cost: str | None, currency: str = "EUR", source: str = "smdr") -> CallRecord:
    return CallRecord(
        "office",
        source,
        "line",
        duration_s=duration_s,
        cost=None if cost is None else Decimal(cost),
        currency=currency if cost is not None else "",
    )


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], Bill()),
        ([record(None, None)], Bill()),
        ([record(0, None)], Bill(0)),
        ([record(65, None)], Bill(65)),
        ([record(65, "1.95")], Bill(65, Decimal("1.95"), "EUR")),
        ([record(65, "0.00", "")], Bill(65, Decimal("0.00"), "")),
        ([record(60, "0.10"), record(30, "0.20")], Bill(90, Decimal("0.30"), "EUR")),
        ([record(60, "0.10"), record(30, None)], Bill(90, Decimal("0.10"), "EUR")),
        ([record(60, "0.10"), record(30, "0.20", "USD")], Bill(90, None, "EUR/USD")),
        ([record(60, "1.00"), record(61, None, source="csta")], Bill(60, Decimal("1.00"), "EUR")),
        ([record(61, None, source="csta")], Bill(61)),
    ],
)
def test_the_records_of_an_attempt(records: list[CallRecord], expected: Bill) -> None:
    assert bill(records) == expected


def test_attempts_of_one_person() -> None:
    mixed = Bill(10, None, "EUR/USD")
    assert add_bills([Bill(5, Decimal("1.10"), "EUR"), Bill(), Bill(7)]) == Bill(12, Decimal("1.10"), "EUR")
    assert add_bills([mixed, Bill(5, Decimal("1.10"), "GBP")]) == Bill(15, None, "EUR/GBP/USD")
    assert add_bills([mixed]) == mixed
    assert add_bills([]) == Bill()
