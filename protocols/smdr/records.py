"""One line of SMDR -> one record; learns on the way what the settings leave open.

A ``Form`` says how the PBX prints. What is ``auto`` is found out from the lines themselves: the pattern by where the
duration stands (or by the page's titles), the clock by AM and PM, the order of a date by what is a day at all, and near
the day on which it came. Two orders that are both possible are never guessed between: such a line is Unreadable until
another line (a field above 12) or the setting decides.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from protocols.errors import RemoteProtocolError
from protocols.smdr.layouts import (
    ACCOUNT,
    AUTO,
    CHARGE,
    CHARGE_WIDTH,
    CONDITION,
    DATE,
    DATE_ORDERS,
    DIALLED,
    DURATION,
    OTHER,
    PATTERNS,
    RING,
    TIME,
    Pattern,
    begins_like_a_record,
    day_of,
    pattern_of_title,
)

#: A record that is sent only now may have waited in the PBX; one from the future is none (a day for time zones).
OLDEST_DAYS = 500
NEWEST_DAYS = 1


class Unreadable(RemoteProtocolError):
    """The line is no record as the form has it; the text says what is wrong and in which columns."""


@dataclass(frozen=True)
class Form:
    """How the PBX is programmed to print; each may be ``auto``."""

    pattern: str = AUTO  # A, B, C
    date_order: str = AUTO  # dd/mm/yy, mm/dd/yy, yy/mm/dd
    clock: str = AUTO  # 12, 24


@dataclass(frozen=True)
class SmdrRecord:
    """One line, read. ``printed_at`` is the END of the call in the PBX's local time, whole minutes, without a zone.

    ``extension`` and ``trunk`` as printed: D and T before a doorphone and a tie line, * before a verified code; trunk
    "00" is one whose number has no room. ``number`` has the digits with the marks among them (".", X, P, F, "-", "=");
    ``ddi`` is the number that an incoming call dialled. ``text`` is what stands in the dial column of what is no call
    ("LOG IN", "Timed Reminder/Answer"). ``cost`` is None where the pattern has no charge or none is printed.
    """

    raw: str
    printed_at: datetime
    extension: str
    trunk: str
    number: str
    ddi: str
    direction: str
    text: str
    ring_s: int | None
    duration_s: int | None
    cost: Decimal | None
    currency: str
    account: str
    condition: str


class Decoder:
    """Reads lines of one PBX. ``pattern`` and ``date_order`` are "" until they are set or found."""

    def __init__(self, form: Form | None = None) -> None:
        self._form = form or Form()
        self.pattern = "" if self._form.pattern == AUTO else self._form.pattern
        self.date_order = "" if self._form.date_order == AUTO else self._form.date_order
        self._orders = frozenset(DATE_ORDERS)

    def saw_titles(self, line: str) -> None:
        """The titles of a page tell the pattern, where nothing else has."""
        if not self.pattern:
            self.pattern = pattern_of_title(line)

    def decode(self, line: str, received_on: date | None = None) -> SmdrRecord:
        """``received_on``: the day on which it came, which rules out dates far from it; None: not known.

        Raises Unreadable, and nothing else whatever the line is.
        """
        line = line.rstrip()
        if not begins_like_a_record(line):
            raise Unreadable("does not begin with a date")
        pattern = self._pattern_of(line)
        fields = pattern.cut(line)
        clock = self._time(fields["time"], pattern)
        number, ddi, direction = _dialled(fields["dial"])
        cost, currency, account, condition = _tail(fields["tail"], pattern)
        return SmdrRecord(
            raw=line,
            extension=fields["extension"],
            trunk=fields["trunk"],
            number=number,
            ddi=ddi,
            direction=direction,
            text=fields["dial"] if direction == OTHER else "",
            ring_s=_seconds(fields.get("ring", ""), "ring"),
            duration_s=_seconds(fields["duration"], "duration"),
            cost=cost,
            currency=currency,
            account=account,
            condition=condition,
            # Last, so that nothing is learnt from a line that is wrong elsewhere.
            printed_at=datetime.combine(self._day(fields["date"], received_on), clock),
        )

    # The pattern

    def _pattern_of(self, line: str) -> Pattern:
        fitting = [pattern for pattern in PATTERNS.values() if _fits(pattern, line)]
        if self.pattern:
            pattern = PATTERNS[self.pattern]
            if pattern in fitting or _fits_without_duration(pattern, line):
                return pattern
            if self._form.pattern == AUTO and len(fitting) == 1:
                self.pattern = fitting[0].name  # reprogrammed: the PBX tells by every line
                return fitting[0]
            hint = f"; it looks like pattern {fitting[0].name}" if fitting else ""
            where = pattern.where("duration")
            raise Unreadable(f"does not fit pattern {pattern.name}: no duration (hh:mm'ss) in {where}{hint}")
        if len(fitting) != 1:
            raise Unreadable("fits none of the patterns A, B, C: no duration (hh:mm'ss) where one of them has it")
        self.pattern = fitting[0].name
        return fitting[0]

    # Date and time

    def _day(self, text: str, received_on: date | None) -> date:
        match = DATE.fullmatch(text)
        if match is None:
            raise Unreadable(f"the date {text!r} in columns 1-8 is no date")
        fields = (int(match[1]), int(match[2]), int(match[3]))
        if self.date_order:
            day = day_of(fields, self.date_order)
            if day is None:
                raise Unreadable(f"there is no day {text} in the order {self.date_order}")
            return day
        possible = {order: day for order in DATE_ORDERS if (day := _near(day_of(fields, order), received_on))}
        if not possible:
            raise Unreadable(f"the date {text} is no day in any order that is near the day on which it came")
        left = self._orders & possible.keys()
        if not left:
            raise Unreadable(f"the date {text} contradicts the dates before it; set date_order")
        self._orders = left
        if len(left) == 1:
            (self.date_order,) = left
            return possible[self.date_order]
        days = {possible[order] for order in left}
        if len(days) == 1:  # 05/05/26
            return days.pop()
        raise Unreadable(f"the date {text} may be {' or '.join(sorted(left))}; set date_order")

    def _time(self, text: str, pattern: Pattern) -> time:
        match = TIME.fullmatch(text)
        where = pattern.where("time")
        if match is None:
            raise Unreadable(f"the time {text!r} in {where} is no time")
        hour, minute, half = int(match[1]), int(match[2]), (match[3] or "").upper()
        if half and self._form.clock == "24":
            raise Unreadable(f"the time {text} has {half}, but the clock is set to 24 hours")
        if not half and self._form.clock == "12":
            raise Unreadable(f"the time {text} has neither AM nor PM, but the clock is set to 12 hours")
        if minute > 59 or (half and not 1 <= hour <= 12) or hour > 23:
            raise Unreadable(f"there is no time {text}")
        if half:
            hour = hour % 12 + (12 if half.startswith("P") else 0)
        return time(hour, minute)


def _near(day: date | None, received_on: date | None) -> date | None:
    if day is None or received_on is None:
        return day
    age = received_on - day
    return day if -timedelta(days=NEWEST_DAYS) <= age <= timedelta(days=OLDEST_DAYS) else None


def _fits(pattern: Pattern, line: str) -> bool:
    fields = pattern.cut(line)
    return (
        pattern.blanks_between(line)
        and DATE.fullmatch(fields["date"]) is not None
        and TIME.fullmatch(fields["time"]) is not None
        and DURATION.fullmatch(fields["duration"]) is not None
    )


def _fits_without_duration(pattern: Pattern, line: str) -> bool:
    """Log in and out and the like have no duration."""
    return pattern.blanks_between(line) and not pattern.cut(line)["duration"]


def _dialled(text: str) -> tuple[str, str, str]:
    for form, direction in DIALLED:
        match = form.fullmatch(text)
        if match is not None:
            named = match.groupdict()
            return (
                (named.get("number") or "").replace(" ", ""),
                (named.get("ddi") or "").replace(" ", ""),
                direction,
            )
    return "", "", OTHER


def _seconds(text: str, field: str) -> int | None:
    if not text:
        return None
    match = (RING if field == "ring" else DURATION).fullmatch(text)
    if match is None:
        raise Unreadable(f"the {field} {text!r} is none")
    parts = [int(part) for part in match.groups()]
    if any(part > 59 for part in parts[1:]):
        raise Unreadable(f"the {field} {text!r} is none")
    seconds = 0
    for part in parts:
        seconds = seconds * 60 + part
    return seconds


def _tail(text: str, pattern: Pattern) -> tuple[Decimal | None, str, str, str]:
    """Cost, currency, account, condition."""
    cost, currency = None, ""
    if pattern.has_charge:
        match = CHARGE.match(text[:CHARGE_WIDTH])
        if match is not None:
            cost, currency = Decimal(match[2].replace(",", ".")), match[1] or match[3]
            text = text[match.end() :]
        elif text[:CHARGE_WIDTH].strip():
            raise Unreadable(f"the charge {text[:CHARGE_WIDTH].strip()!r} is none")
    words = text.split()
    condition = words.pop() if words and CONDITION.fullmatch(words[-1]) else ""
    account = "".join(words)
    if account and ACCOUNT.fullmatch(account) is None:
        raise Unreadable(f"the account {account!r} is none")
    return cost, currency, account, condition


def with_order(form: Form, decoder: Decoder) -> Form:
    """The form with what the decoder has found out by now, so that lines kept unread may be read again."""
    return dataclasses.replace(
        form, pattern=decoder.pattern or form.pattern, date_order=decoder.date_order or form.date_order
    )


__all__ = ["Decoder", "Form", "SmdrRecord", "Unreadable", "with_order"]
