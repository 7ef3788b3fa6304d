"""What a place tells: the public holidays of a country, the time zone that a number lives in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import holidays
import phonenumbers
from phonenumbers import timezone


class NoHolidays(ValueError):
    """Nothing is known of the holidays of this place; the text says what to do."""


def public_holidays(place: str, years: Iterable[int]) -> frozenset[date]:
    """``place`` is a country, "RU", "KZ", or a part of one, "DE-BY" (ISO 3166). Raises NoHolidays."""
    country, _, part = place.partition("-")
    wanted = sorted(set(years))
    try:
        found = holidays.country_holidays(country, subdiv=part or None, years=wanted)
    except NotImplementedError:
        raise NoHolidays(f"nothing is known of the holidays of {place!r}; as RU, KZ, BY, DE-BY") from None
    days = frozenset(found)
    if not days:
        # As in Ukraine since 2022: by law there are none under martial law.
        raise NoHolidays(f"{place} has no public holidays in {wanted[0]}-{wanted[-1]}; name the days by closed_days")
    return days


def zone_of(number: str) -> str:
    """The zone (IANA) of an E.164 number that belongs to one alone; "" for mobiles of large countries and the like."""
    try:
        found = timezone.time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ""
    return found[0] if len(found) == 1 and found[0] != timezone.UNKNOWN_TIMEZONE else ""
