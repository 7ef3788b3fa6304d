"""How single settings of a SIP trunk are read: hosts, users, caller IDs, dial rules, a table of statuses."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.settings import SettingError, Table

#: A caller who does not want to be seen (RFC 3323).
ANONYMOUS = "anonymous"
CALLER_ID_FORMS = "{!r} is no caller id: a number, a name with a number as Firm <2000>, or anonymous"

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
#: What may stand before the @ of a SIP address, without the characters that would have to be escaped there.
_USER = re.compile(r"[+0-9A-Za-z*#._~!-]{1,64}")
_NAMED = re.compile(r'"?[^"<>\r\n]*"?\s*<([^<>]*)>')
#: What a status of the operator may be said to mean.
_MEANINGS = {
    cause.value: cause
    for cause in (
        Cause.BUSY,
        Cause.NO_ANSWER,
        Cause.REJECTED,
        Cause.INVALID_NUMBER,
        Cause.UNREACHABLE,
        Cause.LINE_FAULT,
        Cause.UNKNOWN,
    )
}


def place(text: str, default_port: int) -> tuple[str, int]:
    """``host`` or ``host:port``. ValueError."""
    name, colon, digits = text.partition(":")
    if _HOST.fullmatch(name) is None or (colon and re.fullmatch(r"[0-9]{1,5}", digits) is None):
        raise ValueError(text)
    port = int(digits) if colon else default_port
    if not 1 <= port <= 65535:
        raise ValueError(text)
    return name, port


def host(read: Table, key: str) -> str:
    name = read.text(key)
    if _HOST.fullmatch(name) is None:
        raise SettingError(
            read.key(key), f"{name!r} is no host: a name or an IPv4 address, the port has a key of its own"
        )
    return name


def optional_host(read: Table, key: str) -> str:
    return "" if read.get(key) in (None, "") else host(read, key)


def optional_place(read: Table, key: str) -> str:
    if read.get(key) in (None, ""):
        return ""
    text = read.text(key)
    try:
        place(text, 1)
    except ValueError:
        raise SettingError(read.key(key), f"{text!r} must be host or host:port") from None
    return text


def optional_line(read: Table, key: str) -> str:
    """A text of one line: a line end would be a SIP header of its own."""
    if read.get(key) in (None, ""):
        return ""
    text = read.text(key)
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise SettingError(read.key(key), "must be one line without control characters")
    return text


def optional_word(read: Table, key: str) -> str:
    text = optional_line(read, key)
    if text and re.fullmatch(r"[A-Za-z0-9_.+-]{1,40}", text) is None:
        raise SettingError(read.key(key), f"{text!r}: letters, digits and _ . - + only")
    return text


def user(read: Table, key: str) -> str:
    text = read.text(key)
    if _USER.fullmatch(text) is None:
        raise SettingError(
            read.key(key), f"{text!r} is no user: what stands before the @ of the account's address, without the domain"
        )
    return text


def caller_number(text: str) -> str | None:
    """The number of a caller ID: ``2000`` of ``Firm <2000>``; None: it is none."""
    named = _NAMED.fullmatch(text.strip())
    number = (named[1] if named else text).strip()
    return number if _USER.fullmatch(number) else None


def caller_id(read: Table, key: str) -> str:
    text = optional_line(read, key)
    if text and caller_number(text) is None:
        raise SettingError(read.key(key), CALLER_ID_FORMS.format(text))
    return caller_number(text) or "" if text else ""


def access_prefix(read: Table, international: bool) -> str:
    text = optional_line(read, "access_prefix")
    if text and re.fullmatch(r"[0-9*#]{1,16}", text) is None:
        raise SettingError(read.key("access_prefix"), f"{text!r} can't be dialled: digits, * and #")
    if text and international:
        raise SettingError(read.key("access_prefix"), 'nothing stands before a +; format = "digits" or "national"')
    return text


def dial(read: Table, national: bool) -> tuple[tuple[str, str], ...]:
    """``[["+7", "8"], ["+", "810"]]``: a number that begins with the first is dialled with the second instead."""
    value, key = read.get("dial"), read.key("dial")
    if not national:
        if value is not None:
            raise SettingError(key, 'is for format = "national"')
        return ()
    if not isinstance(value, list | tuple) or not value:
        raise SettingError(
            key if value is not None else read.path,
            'dial is missing: format = "national" wants a list of pairs, e.g. [["+7", "8"], ["+", "810"]]',
        )
    rules = []
    for pair in value:
        if not isinstance(pair, list | tuple) or len(pair) != 2 or not all(isinstance(part, str) for part in pair):
            raise SettingError(key, f"{pair!r} is no pair of texts")
        prefix, replacement = pair
        if not re.fullmatch(r"\+[0-9]*", prefix):
            raise SettingError(key, f"{prefix!r} must be + and digits: numbers of lists are kept in that form")
        if not re.fullmatch(r"\+?[0-9*#]*", replacement):
            raise SettingError(key, f"{replacement!r} can't be dialled: digits, * and #, with a + before them or not")
        rules.append((prefix, replacement))
    return tuple(rules)


def statuses(read: Table) -> tuple[tuple[int, Cause], ...]:
    """``{ 480 = "unreachable" }``: what a final SIP status means at this operator."""
    value, key = read.get("statuses"), read.key("statuses")
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise SettingError(key, 'must be a table, e.g. { 480 = "unreachable" }')
    rows = []
    for code, meaning in value.items():
        if not re.fullmatch(r"[3-6][0-9]{2}", str(code)):
            raise SettingError(key, f"{code} is no final SIP status (300 to 699)")
        if meaning not in _MEANINGS:
            raise SettingError(key, f"{code} can mean {', '.join(_MEANINGS)}; not {meaning!r}")
        rows.append((int(code), _MEANINGS[meaning]))
    return tuple(sorted(rows, key=lambda row: row[0]))
