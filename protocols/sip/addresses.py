"""Addresses in SIP headers: URIs, From, To and Contact, Via.

They are read leniently, in linear time, and kept as the text that the peer wrote. Only RemoteProtocolError is raised.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from sipmessage import URI, Address

from protocols.errors import LocalProtocolError, RemoteProtocolError

COOKIE = "z9hG4bK"  # 8.1.1.7: a branch that begins so is unique, and identifies the transaction
DEFAULT_PORT = 5060

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)" ?')
_HOST = r"(\[[0-9A-Fa-f:.]+\]|[^\s:;?@<>\[\]]+)"
_URI = re.compile(
    rf"(sips?):(?:([^@\s<>\x22]*)@)?{_HOST}(?::(\d{{1,5}}))?((?:;[^?\s<>]*)?)(?:\?[^\s<>]*)?\Z", re.IGNORECASE
)
_TEL = re.compile(r"tel:([0-9A-Fa-f*#+.()\-]+)((?:;.*)?)\Z", re.IGNORECASE)
_VIA = re.compile(rf"SIP ?/ ?2\.0 ?/ ?([^\s/]+) {_HOST} ?(?:: ?(\d{{1,5}}))? ?((?:;.*)?)\Z", re.IGNORECASE)


def split_outside(text: str, separator: str) -> list[str]:
    """Split where ``separator`` stands neither in quotes nor in brackets; pieces are stripped, empty ones dropped."""
    if separator not in text:
        return [text.strip()] if text.strip() else []
    pieces, begin, quoted, angle, skip = [], 0, False, False, False
    for index, letter in enumerate(text):
        if skip:
            skip = False
        elif quoted:
            skip = letter == "\\"
            quoted = letter != '"'
        elif letter == '"':
            quoted = True
        elif letter in "<>":
            angle = letter == "<"
        elif letter == separator and not angle:
            pieces.append(text[begin:index])
            begin = index + 1
    pieces.append(text[begin:])
    return [piece.strip() for piece in pieces if piece.strip()]


def parameters(text: str) -> dict[str, str | None]:
    """``;a=1;b`` -> {"a": "1", "b": None}; names in lower case, quotes taken off."""
    found: dict[str, str | None] = {}
    for piece in split_outside(text, ";"):
        name, equals, value = piece.partition("=")
        value = value.strip()
        if value.startswith('"') and value.endswith('"') and len(value) > 1:
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        found[name.strip().lower()] = value if equals else None
    return found


@dataclass(frozen=True)
class Target:
    """A SIP or tel URI taken apart. ``text`` is what was written."""

    text: str
    scheme: str
    user: str
    host: str
    port: int | None
    parameters: dict[str, str | None]

    @classmethod
    def read(cls, text: str) -> Target:
        text = text.strip()
        if m := _URI.match(text):
            port = int(m[4]) if m[4] else None
            if port is not None and port > 65535:
                raise RemoteProtocolError(f"a port beyond 65535 in the URI {text[:100]!r}")
            user = unquote((m[2] or "").partition(":")[0])
            return cls(text, m[1].lower(), user, m[3], port, parameters(m[5]))
        if m := _TEL.match(text):
            return cls(text, "tel", m[1], "", None, parameters(m[2]))
        raise RemoteProtocolError(f"not a SIP or tel URI: {text[:100]!r}")


@dataclass(frozen=True)
class NameAddress:
    """From, To, Contact, Route. ``text`` is what was written; ``uri`` the URI in it, as text."""

    text: str
    display_name: str
    uri: str
    parameters: dict[str, str | None]

    @classmethod
    def read(cls, text: str) -> NameAddress:
        text = " ".join(text.split())
        if quoted := _QUOTED.match(text):
            name = re.sub(r"\\(.)", r"\1", quoted[1])
            before, bracket, rest = text[quoted.end() :].partition("<")
            fault = not bracket or bool(before)
        elif "<" in text:
            name, _, rest = text.partition("<")
            fault = '"' in name
        else:
            # 20.10: without brackets, parameters after a semicolon belong to the header and not to the URI.
            uri, _, more = (part.strip() for part in text.partition(";"))
            if not uri or any(letter in uri for letter in '> "'):
                raise RemoteProtocolError(f"not an address: {text[:100]!r}")
            return cls(text, "", uri, parameters(more))
        uri, closed, more = rest.partition(">")
        if fault or not closed:
            raise RemoteProtocolError(f"not an address: {text[:100]!r}")
        return cls(text, name.strip(), uri.strip(), parameters(more))

    @property
    def tag(self) -> str:
        return self.parameters.get("tag") or ""


@dataclass(frozen=True)
class Via:
    """The topmost Via of a message."""

    text: str
    transport: str
    host: str
    port: int | None
    parameters: dict[str, str | None]

    @classmethod
    def read(cls, text: str) -> Via:
        text = " ".join(text.split())
        m = _VIA.match(text)
        if m is None or (m[3] and int(m[3]) > 65535):
            raise RemoteProtocolError(f"not a Via: {text[:100]!r}")
        return cls(text, m[1].upper(), m[2], int(m[3]) if m[3] else None, parameters(m[4]))

    @property
    def branch(self) -> str:
        return self.parameters.get("branch") or ""


def one_line(text: str) -> str:
    """A text for a header, or LocalProtocolError: a line break in it would be a second header."""
    if "\r" in text or "\n" in text or "\0" in text:
        raise LocalProtocolError(f"a line break in a header value: {text!r}")
    return text


def sip_uri(user: str, host: str, port: int | None = None) -> str:
    """``sip:user@host:port`` with what must be escaped escaped."""
    return one_line(str(URI(scheme="sip", user=user or None, host=host, port=port)))


def address(uri: str, display_name: str = "", tag: str = "") -> str:
    """``"Name" <uri>;tag=...``"""
    name = str(Address(uri=URI(scheme="sip", host="h"), name=display_name)).rpartition("<")[0]
    return one_line(f"{name}<{uri}>" + (f";tag={tag}" if tag else ""))
