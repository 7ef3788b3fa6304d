"""What calls cost by the records of the switch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ocm_cti.domain.call_records import CallRecord


@dataclass(frozen=True)
class Bill:
    """What an attempt (or a person) cost; ``seconds`` is None where the switch recorded no duration.

    ``cost`` is None where no record has one. ``currency`` is "" where none is printed; different ones are not added
    up: ``cost`` is then None and ``currency`` names them all.
    """

    seconds: int | None = None
    cost: Decimal | None = None
    currency: str = ""


def bill(records: Sequence[CallRecord]) -> Bill:
    """The records of one attempt. Of a call told by SMDR and by CSTA only SMDR counts: it has the cost."""
    counted = [each for each in records if each.source == "smdr"] or records
    return add_bills([Bill(each.duration_s, each.cost, each.currency) for each in counted])


def add_bills(bills: Sequence[Bill]) -> Bill:
    """Their sum."""
    seconds = [each.seconds for each in bills if each.seconds is not None]
    costs = [each.cost for each in bills if each.cost is not None]
    # A sum that could not be made has currencies and no cost, and makes no other.
    currencies = sorted({each.currency for each in bills if each.cost is not None or "/" in each.currency})
    total = sum(seconds) if seconds else None
    if len(currencies) > 1 or any("/" in each for each in currencies):
        return Bill(total, None, "/".join(sorted({name for each in currencies for name in each.split("/")})))
    return Bill(total, sum(costs, Decimal(0)) if costs else None, currencies[0] if currencies else "")
