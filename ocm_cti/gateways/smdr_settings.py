"""``[gateways.NAME.smdr]``: where the PBX prints its call records, and how it is programmed to print them.

DOC (M-NS1000): telnet to the main board, user SMDR, patterns A, B, C. RE: port 2300, password PCCSMDR, the prompts.
Everything else depends on country and programming, so it is a setting; what is ``auto`` is found out from the lines.
"""

from __future__ import annotations

import codecs
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ocm_cti.gateways.settings import SettingError, Table
from protocols.serial_line import is_serial
from protocols.smdr.layouts import AUTO, CLOCKS, DATE_ORDERS, PATTERNS
from protocols.smdr.link import LinkSettings
from protocols.smdr.login import Credentials
from protocols.smdr.records import Form


@dataclass(frozen=True)
class SmdrSettings:
    """One SMDR line; times in seconds. Built by ``from_table``, or directly where the values are known to be right."""

    link: str  # "tcp:192.168.0.101:2300" or "serial:/dev/ttyS0?baud=9600"
    login: bool = True  # False: records come without a dialogue (serial line, device server); so for serial by itself
    user: str = "SMDR"  # DOC
    password: str = field(default="PCCSMDR", repr=False)  # RE
    user_prompt: str = "-"  # RE
    password_prompt: str = "Enter Password:"  # RE
    pattern: str = AUTO
    date_order: str = AUTO
    clock: str = AUTO
    time_zone: str = "local"  # of the PBX's clock
    encoding: str = "latin-1"  # of the currency sign; everything else is ASCII
    match_window_s: float = 180.0  # how far the PBX's clock may be from ours
    quiet_s: float = 1.0
    login_timeout_s: float = 30.0
    retry_min_s: float = 1.0
    retry_max_s: float = 60.0
    refused_retry_s: float = 300.0

    @classmethod
    def from_table(cls, path: str, table: object, check_link: Any) -> SmdrSettings:
        """Read the table at dotted ``path``; ``check_link(text)`` raises ValueError. SettingError names the key."""
        if not isinstance(table, Mapping):
            raise SettingError(path, f"must be a table, not {table!r}")
        read = Table(path, table, [row.name for row in dataclasses.fields(cls)])
        link = read.text("link")
        try:
            check_link(link)
        except ValueError as error:
            raise SettingError(read.key("link"), str(error)) from None
        given: dict[str, Any] = {"link": link, "login": read.flag("login", not is_serial(link))}
        for name in ("user", "password", "user_prompt", "password_prompt"):
            given[name] = read.text(name, getattr(cls, name))
        given["pattern"] = read.choice("pattern", AUTO, [*PATTERNS, AUTO])
        given["date_order"] = read.choice("date_order", AUTO, [*DATE_ORDERS, AUTO])
        given["clock"] = read.choice("clock", AUTO, [*CLOCKS, AUTO])
        given["time_zone"] = read.text("time_zone", cls.time_zone)
        given["encoding"] = read.text("encoding", cls.encoding)
        given["match_window_s"] = read.number("match_window_s", cls.match_window_s, 0, 3600)
        for name in ("quiet_s", "login_timeout_s", "retry_min_s", "retry_max_s", "refused_retry_s"):
            given[name] = read.number(name, getattr(cls, name), 0.1, 86_400)
        try:
            zone_of(given["time_zone"])
        except ValueError as error:
            raise SettingError(read.key("time_zone"), str(error)) from None
        if not _is_text_encoding(given["encoding"]):
            raise SettingError(read.key("encoding"), f"is no encoding that is known here: {given['encoding']!r}")
        return cls(**given)

    @property
    def form(self) -> Form:
        return Form(self.pattern, self.date_order, self.clock)

    @property
    def zone(self) -> tzinfo | None:
        """The zone of the PBX's clock; None: that of this machine."""
        return zone_of(self.time_zone)

    def link_settings(self) -> LinkSettings:
        login = Credentials(self.user, self.password, self.user_prompt, self.password_prompt) if self.login else None
        return LinkSettings(
            link=self.link,
            form=self.form,
            login=login,
            encoding=self.encoding,
            quiet_s=self.quiet_s,
            login_timeout_s=self.login_timeout_s,
            retry_min_s=self.retry_min_s,
            retry_max_s=self.retry_max_s,
            refused_retry_s=self.refused_retry_s,
        )


def zone_of(name: str) -> tzinfo | None:
    """``local``, ``UTC`` or a name of the time zone database (``Europe/Moscow``); ValueError for what is none."""
    if name == "local":
        return None
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"is no time zone: {name!r}; e.g. Europe/Moscow, UTC or local") from None


#: The clock of the PBX may be so much ahead of ours, and a record still tell of what has been.
CLOCK_AHEAD = timedelta(minutes=10)


def utc_of(printed_at: datetime, zone: tzinfo | None, received_at: datetime | None = None) -> datetime:
    """A time without a zone, as the PBX prints it, as aware UTC.

    Of an hour that comes twice (end of summer time) the second, when it had come by ``received_at``; else the first.
    """
    first, second = (printed_at.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if received_at is not None and first < second <= received_at + CLOCK_AHEAD:
        return second
    return first


def _is_text_encoding(name: str) -> bool:
    """One octet a character, ASCII where ASCII is: lines may be cut anywhere."""
    try:
        codecs.lookup(name)
        octets = bytes(range(32, 127))
        return octets.decode(name) == octets.decode("ascii") and len(bytes([0xC3, 0xA3]).decode(name, "replace")) == 2
    except (LookupError, UnicodeError, TypeError):
        return False
