"""Readers and writers of the ASN.1 types that have no parts: one plain function each, made for one tag.

A reader takes (octets, identifier seen, start, stop of the contents); a writer gives the whole element. Each checks
what it takes: RemoteProtocolError for octets, LocalProtocolError for values.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from protocols import ber
from protocols.errors import LocalProtocolError, RemoteProtocolError

Read = Callable[[bytes, int, int, int], Any]
Write = Callable[[Any], bytes]
Writer = Callable[[int], Write]
"""Identifier -> what writes an element with it."""


@functools.cache
def heads(tag: int) -> tuple[bytes, ...]:
    """Identifier and length octets of an element with 0 to 127 octets of contents."""
    prefix = ber.identifier_octets(tag)
    return tuple(prefix + bytes((length,)) for length in range(0x80))


def long_head(tag: int, length: int) -> bytes:
    """Identifier and length octets beyond what ``heads`` has."""
    return ber.identifier_octets(tag) + ber.length_octets(length)


def writer_of(contents: Callable[[Any], bytes]) -> Writer:
    """A writer out of what makes the contents."""

    def writer(tag: int) -> Write:
        head = heads(tag)

        def write(value: Any) -> bytes:
            octets = contents(value)
            length = len(octets)
            return (head[length] if length < 0x80 else long_head(tag, length)) + octets

        return write

    return writer


def _wrong(kind: str, python: str, value: Any) -> LocalProtocolError:
    return LocalProtocolError(f"{kind} takes {python}, not {value!r}")


# BOOLEAN, NULL


def read_boolean(octets: bytes, tag: int, start: int, stop: int) -> bool:
    return ber.read_boolean(octets, start, stop)


def _boolean_contents(value: Any) -> bytes:
    if not isinstance(value, bool):
        raise _wrong("BOOLEAN", "bool", value)
    return b"\xff" if value else b"\x00"


write_boolean = writer_of(_boolean_contents)


def read_null(octets: bytes, tag: int, start: int, stop: int) -> None:
    if start != stop:
        raise RemoteProtocolError(f"NULL of {stop - start} octets at octet {start}")


def write_null(tag: int) -> Write:
    element = heads(tag)[0]

    def write(value: Any) -> bytes:
        if value is not None:
            raise _wrong("NULL", "None", value)
        return element

    return write


# INTEGER, ENUMERATED


def read_integer(octets: bytes, tag: int, start: int, stop: int) -> int:
    if stop - start == 1:
        octet = octets[start]
        return octet if octet < 0x80 else octet - 0x100
    return ber.read_integer(octets, start, stop)


def write_integer(tag: int) -> Write:
    head = heads(tag)
    one_octet = [head[1] + bytes((number,)) for number in range(0x80)]

    def write(value: Any) -> bytes:
        if not isinstance(value, int) or isinstance(value, bool):
            raise _wrong("INTEGER", "int", value)
        if 0 <= value < 0x80:
            return one_octet[value]
        octets = ber.integer_contents(value)
        length = len(octets)
        return (head[length] if length < 0x80 else long_head(tag, length)) + octets

    return write


def enumerated_reader(names: dict[int, str]) -> Read:
    by_octet = {bytes((number,)): text for number, text in names.items() if 0 <= number < 0x80}
    known = by_octet.get

    def read(octets: bytes, tag: int, start: int, stop: int) -> str | int:
        text = known(octets[start:stop])
        if text is not None:
            return text
        number = ber.read_integer(octets, start, stop)
        return names.get(number, number)

    return read


def enumerated_writer(name: str, names: dict[int, str]) -> Writer:
    def writer(tag: int) -> Write:
        elements = {text: ber.tlv(tag, ber.integer_contents(number)) for number, text in names.items()}

        def write(value: Any) -> bytes:
            if isinstance(value, str):
                element = elements.get(value)
                if element is not None:
                    return element
            elif isinstance(value, int) and not isinstance(value, bool):
                return ber.tlv(tag, ber.integer_contents(value))
            raise LocalProtocolError(f"{name} has no {value!r}")

        return write

    return writer


# Strings. A primitive one is a slice; one in pieces is put together.


def read_octets(octets: bytes, tag: int, start: int, stop: int) -> bytes:
    return octets[start:stop]


def read_octets_in_pieces(octets: bytes, tag: int, start: int, stop: int) -> bytes:
    return ber.read_string(octets, tag, start, stop)


def read_text(octets: bytes, tag: int, start: int, stop: int) -> str:
    return octets[start:stop].decode("latin-1")


def read_text_in_pieces(octets: bytes, tag: int, start: int, stop: int) -> str:
    return ber.read_string(octets, tag, start, stop).decode("latin-1")


def write_octets(tag: int) -> Write:
    head = heads(tag)

    def write(value: Any) -> bytes:
        if not isinstance(value, bytes):
            raise _wrong("OCTET STRING", "bytes", value)
        length = len(value)
        return (head[length] if length < 0x80 else long_head(tag, length)) + value

    return write


def text_writer(kind: str) -> Writer:
    def writer(tag: int) -> Write:
        head = heads(tag)

        def write(value: Any) -> bytes:
            if not isinstance(value, str):
                raise _wrong(kind, "str", value)
            try:
                octets = value.encode("latin-1")
            except UnicodeEncodeError:
                raise LocalProtocolError(f"no single-octet characters: {value!r}") from None
            length = len(octets)
            return (head[length] if length < 0x80 else long_head(tag, length)) + octets

        return write

    return writer


def _bits_contents(value: Any) -> bytes:
    if not isinstance(value, str):
        raise _wrong("BIT STRING", "str", value)
    return ber.bits_contents(value)


write_bits = writer_of(_bits_contents)


# OBJECT IDENTIFIER, ANY


def read_object_identifier(octets: bytes, tag: int, start: int, stop: int) -> str:
    return ber.read_object_identifier(octets, start, stop)


def _object_identifier_contents(value: Any) -> bytes:
    if not isinstance(value, str):
        raise _wrong("OBJECT IDENTIFIER", "str", value)
    return ber.object_identifier_contents(value)


write_object_identifier = writer_of(_object_identifier_contents)


def read_any(octets: bytes, tag: int, start: int, stop: int) -> bytes:
    return ber.tlv(tag, octets[start:stop])


def write_element(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise _wrong("ANY", "the octets of a whole element", value)
    return value


def write_any(tag: int) -> Write:
    """An ANY brings its own tag."""
    return write_element
