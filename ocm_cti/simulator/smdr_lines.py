"""How the simulated PBX prints a call: lines of SMDR from the manual's tables, written apart from our reader.

Widths and order of the columns: M-NS1000 p222 (DOC). Which side of a column a value stands on, how the titles read and
what an unanswered outgoing call looks like is assumed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ocm_cti.simulator.effects import CallAccount
from ocm_cti.simulator.faults import Settings

DATE_FORMS = {"dd/mm/yy": "%d/%m/%y", "mm/dd/yy": "%m/%d/%y", "yy/mm/dd": "%y/%m/%d"}
CLOCK_FORMS = {"12": "%I:%M%p", "24": "%H:%M"}
TITLES = {
    "A": "  Date     Time    Ext CO        Dial Number        Ring Duration  Acc code   CD",
    "B": "  Date     Time    Ext CO     Dial Number      Duration    Cost     Acc code   CD",
    "C": "  Date     Time    Ext CO                      Dial Number                       Ring Duration    Cost     "
    "Acc code   CD",
}
DIAL_WIDTH = {"A": 25, "B": 20, "C": 50}
CO_WIDTH = {"A": 2, "B": 2, "C": 4}
PAGE_WIDTH = {"A": 80, "B": 80, "C": 120}
HIGHEST_CO = {"A": 99, "B": 99, "C": 9999}


def page_head(settings: Settings) -> list[str]:
    """The title line and the line of dashes."""
    return [TITLES[settings.smdr_pattern], "-" * PAGE_WIDTH[settings.smdr_pattern]]


def line_of(account: CallAccount, settings: Settings) -> str:
    """One call, without the line end. The time is its end, in whole minutes of the PBX's own clock."""
    pattern = settings.smdr_pattern
    ended_at = datetime.fromtimestamp(account.ended_s, UTC) + timedelta(hours=settings.utc_offset_h)
    talked_s = account.ended_s - account.answered_s if account.answered and account.answered_s is not None else 0.0
    rung_s = (account.answered_s if account.answered_s is not None else account.ended_s) - account.started_s
    co = account.trunk or 0
    width = CO_WIDTH[pattern]
    columns = [
        ended_at.strftime(DATE_FORMS[settings.smdr_date_order]),
        ended_at.strftime(CLOCK_FORMS[settings.smdr_clock]).ljust(7),
        account.extension.rjust(5)[:5],
        (f"{co if co <= HIGHEST_CO[pattern] else 0:0{width}}" if account.trunk is not None else "").ljust(width),
        _dialled(account, settings)[: DIAL_WIDTH[pattern]].ljust(DIAL_WIDTH[pattern]),
    ]
    if pattern in ("A", "C"):
        seconds = min(int(rung_s), 9 * 60 + 59)
        columns.append(f"{seconds // 60}'{seconds % 60:02}")
    seconds = min(int(talked_s), 99 * 3600 + 59 * 60 + 59)
    columns.append(f"{seconds // 3600:02}:{seconds // 60 % 60:02}'{seconds % 60:02}")
    if pattern in ("B", "C"):
        cost = settings.smdr_cost_per_min * seconds / 60 if account.direction == "out" else 0.0
        columns.append(f"{cost:08.2f}{settings.smdr_currency[:3]:<3}")
    columns += ["".ljust(10), account.condition.upper()[:2]]
    return " ".join(columns).rstrip()


def _dialled(account: CallAccount, settings: Settings) -> str:
    if account.direction == "in":
        return f"<I>{account.dialled}"
    if account.direction == "internal":
        return f"EXT{account.dialled}"
    digits = account.dialled
    if not settings.smdr_access_code and digits.startswith(settings.access_code):
        digits = digits[len(settings.access_code) :]
    if settings.smdr_secret_digits:
        digits = digits[: -settings.smdr_secret_digits] + "."
    return digits
