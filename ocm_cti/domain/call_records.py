"""What the switch wrote down about a call, for the bill: from its printer port (SMDR) or by CSTA (CDR)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

#: ``CallRecord.direction``: ``other`` is no call at all (log in and out, timed reminders) or a line nobody could read.
DIRECTIONS = ("out", "in", "internal", "other")


@dataclass(frozen=True)
class CallRecord:
    """One record of one call. A transferred call gives several.

    ``source`` is "smdr" or "csta"; ``raw`` what the switch sent, whole (a line of text, or the hex of an APDU). Times
    are aware UTC, None where the record has none or it could not be read. ``number`` has the digits as recorded: with
    or without the access code, cut to the width of a column, or ended by "." where the switch keeps the rest to itself.
    ``ring_s`` and ``duration_s`` are None where not recorded; ``duration_s`` is what the switch counts, which on an
    analogue trunk begins with a timer. ``cost`` is None where there is no charge column; ``currency`` as the switch
    writes it ("" if it doesn't). ``account`` and ``condition`` (TR, FW, NA...) are "" where there are none.
    ``fault`` says why ``raw`` could not be read; all other fields are then empty. ``copy`` counts, from 1, the records
    of one session with the same ``raw``: the same number again is the same record, sent again after a reconnect.
    """

    gateway: str
    source: str
    raw: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    extension: str = ""
    trunk: str = ""
    number: str = ""
    direction: str = "other"
    ring_s: int | None = None
    duration_s: int | None = None
    cost: Decimal | None = None
    currency: str = ""
    account: str = ""
    condition: str = ""
    fault: str = ""
    copy: int = 1


def started_at(ended_at: datetime | None, duration_s: int | None) -> datetime | None:
    """SMDR prints the end of the call: the beginning of the conversation is that much earlier. None when unknown."""
    if ended_at is None or duration_s is None:
        return None
    return ended_at - timedelta(seconds=duration_s)
