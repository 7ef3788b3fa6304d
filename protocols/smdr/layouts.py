"""How a line of SMDR is laid out: the three patterns of the manual as tables, and the forms of their fields.

Widths: M-NS1000 p222 (DOC), one blank between columns; where that puts each column agrees with working code of others
(RE). What follows the duration (account, condition, in B and C the charge before them) is read by its words, not by its
place: pattern B of 80 columns leaves none over for a currency of three letters, so it is not certain where they stand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

AUTO = "auto"
#: The first two by manuals and samples, by country; the third has not been seen.
DATE_ORDERS: Mapping[str, tuple[int, int, int]] = {  # where day, month and year stand among the three fields
    "dd/mm/yy": (0, 1, 2),
    "mm/dd/yy": (1, 0, 2),
    "yy/mm/dd": (2, 1, 0),
}
CLOCKS = ("12", "24")
CENTURY = 2000

_WIDTHS: Mapping[str, tuple[tuple[str, int], ...]] = {
    "A": (
        ("date", 8),
        ("time", 7),
        ("extension", 5),
        ("trunk", 2),
        ("dial", 25),
        ("ring", 4),
        ("duration", 8),
        ("tail", 0),  # account 10, condition 2
    ),
    "B": (
        ("date", 8),
        ("time", 7),
        ("extension", 5),
        ("trunk", 2),
        ("dial", 20),
        ("duration", 8),
        ("tail", 0),  # cost 8 and currency, account 10, condition 2
    ),
    "C": (
        ("date", 8),
        ("time", 7),
        ("extension", 5),
        ("trunk", 4),
        ("dial", 50),
        ("ring", 4),
        ("duration", 8),
        ("tail", 0),  # cost 8 and currency 3, account 10, condition 2
    ),
}


@dataclass(frozen=True)
class Pattern:
    """``columns``: field -> (first column, column after the last; None: to the end), from 0."""

    name: str
    columns: Mapping[str, tuple[int, int | None]]

    @property
    def has_charge(self) -> bool:
        return self.name in ("B", "C")

    def cut(self, line: str) -> dict[str, str]:
        """Every field of the table, also those that the line is too short for (""); the tail with its blanks."""
        fields = {name: line[first:last].strip() for name, (first, last) in self.columns.items()}
        fields["tail"] = line[self.columns["tail"][0] :].rstrip()
        return fields

    def blanks_between(self, line: str) -> bool:
        """Whether the column between two fields is blank everywhere, as it must be."""
        starts = [first for name, (first, _) in self.columns.items() if name != "date"]
        return all(line[first - 1 : first] in ("", " ") for first in starts)

    def where(self, field: str) -> str:
        """The field's columns as people count them, from 1."""
        first, last = self.columns[field]
        return f"columns {first + 1}-{last}" if last is not None else f"column {first + 1} on"


def _pattern(name: str, widths: tuple[tuple[str, int], ...]) -> Pattern:
    columns: dict[str, tuple[int, int | None]] = {}
    at = 0
    for field, width in widths:
        columns[field] = (at, at + width if width else None)
        at += width + 1
    return Pattern(name, columns)


PATTERNS: Mapping[str, Pattern] = {name: _pattern(name, widths) for name, widths in _WIDTHS.items()}

DATE = re.compile(r"(\d{1,2}) ?[/.-] ?(\d{1,2}) ?[/.-] ?(\d{1,2})", re.ASCII)
TIME = re.compile(r"(\d{1,2}):(\d{2}) ?([AP]M?)?", re.ASCII | re.IGNORECASE)  # the AM or PM is glued on
RING = re.compile(r"(\d{1,2})'(\d{2})\"?", re.ASCII)
DURATION = re.compile(r"(\d{1,2}):(\d{2})'(\d{2})\"?", re.ASCII)
#: Two separators (1,234.50) are an amount that nobody has seen printed: better unread than 1.234.
CHARGE = re.compile(r"\s*([^\d\s.,*#]{0,3}) ?(\d+(?:[.,]\d+)?)(?![\d.,]) ?((?:[^\d\s.,*#][^\d\s,*#]{0,2})?)", re.ASCII)
CHARGE_WIDTH = 11  # cost 8, currency 3; whatever comes after it is account and condition
#: DOC: TR transferred, FW forwarded, D0 by DISA or TIE, NA not answered, RC, AN, VR, VA; RE: older sets RM, CL.
CONDITION = re.compile(r"(?:TR|FW|D0|NA|RC|AN|VR|VA|RM|CL|[A-Z][A-Z0-9])", re.ASCII)
ACCOUNT = re.compile(r"[\d*#.\-]{1,10}", re.ASCII)

OUT, IN, INTERNAL, OTHER = "out", "in", "internal", "other"
#: What the dial column may say -> direction; a group ``number`` where it names one, ``ddi`` the number that was called.
DIALLED: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"<D>(?P<ddi>[^<]*)<I>(?P<number>.*)"), IN),
    (re.compile(r"<I>(?P<number>.*)"), IN),
    (re.compile(r"<D>(?P<ddi>[^<]*)"), IN),
    (re.compile(r"<\s*incoming\s*>(?P<number>.*)", re.IGNORECASE), IN),  # RE: other and older models
    (re.compile(r"EXT\s*(?P<number>[0-9*#]+)", re.IGNORECASE), INTERNAL),
    # "." secret dialling, X privacy, "-" transfer, P pause, F EFA signal, "=" host PBX code
    (re.compile(r"(?P<number>[0-9*#.XPF=\- ]*[0-9*#.X][0-9*#.XPF=\- ]*)"), OUT),
)

#: Words of the column titles, and which patterns have them: SMDR prints the titles at the top of every page.
TITLES: tuple[tuple[str, frozenset[str]], ...] = (("ring", frozenset("AC")), ("cost", frozenset("BC")))


def is_title(line: str) -> bool:
    """The line of column titles at the head of a page."""
    words = line.casefold()
    return "date" in words and "time" in words and ("ext" in words or "dial" in words)


def is_rule(line: str) -> bool:
    """The line of dashes under the titles."""
    return len(line) > 1 and not line.strip("-=_ ")


def pattern_of_title(line: str) -> str:
    """The pattern whose titles these are, "" when they don't tell."""
    words = line.casefold()
    fitting = frozenset(PATTERNS)
    for word, patterns in TITLES:
        fitting &= patterns if word in words else frozenset(PATTERNS) - patterns
    return next(iter(fitting)) if len(fitting) == 1 else ""


def day_of(fields: tuple[int, int, int], order: str) -> date | None:
    """The day that three numbers mean in that order; None when there is no such day."""
    day, month, year = (fields[place] for place in DATE_ORDERS[order])
    try:
        return date(CENTURY + year, month, day)
    except ValueError:
        return None


def begins_like_a_record(line: str) -> bool:
    """A date at its place: what tells a record from whatever else the PBX says."""
    return DATE.match(line.lstrip()) is not None
