"""Rows of a report and its columns: one table for CSV and XLSX. Headings are stable names that programs may rely on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class PersonRow:
    """One person of one campaign.

    ``number`` is the one on which the outcome came about, else the last one called, else the next one to call.
    ``outcome`` is None while the person is not done; ``why`` then says what he waits for. ``attempts`` counts all,
    ``not_counted`` those among them that were faults of the line or of ours. ``heard_s`` of ``of_s`` seconds, ``keys``
    and the causes are those of the attempt that gave the outcome. ``billed_s``, ``cost`` and ``currency`` add up what
    the switch recorded of all his attempts; None where it recorded nothing (of different currencies: no cost).
    """

    campaign_id: int
    list_name: str
    name: str
    number: str
    outcome: str | None
    attempts: int
    not_counted: int
    last_attempt_at: datetime | None
    answered_at: datetime | None
    keys: str
    heard_s: float
    of_s: float
    recordings: str
    answers: str
    cause: str
    native_cause: str
    why: str
    billed_s: int | None = None
    cost: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True)
class AttemptRow:
    """One try. ``certain`` is False where only a timer says that somebody answered; times are None for what was not.

    ``billed_s``, ``cost``, ``currency``: what the switch recorded of it, also after a transfer; None: nothing.
    """

    campaign_id: int
    list_name: str
    name: str
    attempt_no: int
    number: str
    gateway: str
    port: str
    state: str
    outcome: str | None
    counted: bool
    claimed_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    ended_by: str
    certain: bool | None
    keys: str
    heard_s: float
    of_s: float
    recordings: str
    answers: str
    cause: str
    native_cause: str
    billed_s: int | None = None
    cost: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True)
class Column:
    """``field`` of the row under ``heading``; ``is_number``: a telephone number, which may begin with its plus."""

    heading: str
    field: str
    width: int = 12
    is_number: bool = False


#: Last, so that whoever reads a report by the places of its columns finds them where they were.
BILL_COLUMNS = (
    Column("billed s", "billed_s", 9),
    Column("cost", "cost", 9),
    Column("currency", "currency", 9),
)
PEOPLE_COLUMNS = (
    Column("campaign", "campaign_id", 9),
    Column("list", "list_name", 14),
    Column("name", "name", 30),
    Column("number", "number", 16, is_number=True),
    Column("outcome", "outcome", 14),
    Column("attempts", "attempts", 9),
    Column("not counted", "not_counted", 11),
    Column("last attempt at", "last_attempt_at", 19),
    Column("answered at", "answered_at", 19),
    Column("keys", "keys", 10),
    Column("heard s", "heard_s", 8),
    Column("of s", "of_s", 8),
    Column("reply recording", "recordings", 24),
    Column("answers", "answers", 20),
    Column("cause", "cause", 14),
    Column("native cause", "native_cause", 26),
    Column("why", "why", 16),
    *BILL_COLUMNS,
)
ATTEMPT_COLUMNS = (
    Column("campaign", "campaign_id", 9),
    Column("list", "list_name", 14),
    Column("name", "name", 30),
    Column("attempt", "attempt_no", 8),
    Column("number", "number", 16, is_number=True),
    Column("gateway", "gateway"),
    Column("port", "port", 8),
    Column("state", "state", 10),
    Column("outcome", "outcome", 14),
    Column("counted", "counted", 8),
    Column("claimed at", "claimed_at", 19),
    Column("answered at", "answered_at", 19),
    Column("ended at", "ended_at", 19),
    Column("ended by", "ended_by", 9),
    Column("answer certain", "certain", 13),
    Column("keys", "keys", 10),
    Column("heard s", "heard_s", 8),
    Column("of s", "of_s", 8),
    Column("reply recording", "recordings", 24),
    Column("answers", "answers", 20),
    Column("cause", "cause", 14),
    Column("native cause", "native_cause", 26),
    *BILL_COLUMNS,
)
