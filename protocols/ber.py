"""X.690 Basic Encoding Rules as plain functions over octets; no types, no I/O, nothing is copied before it is needed.

An *identifier* is the identifier octets read as one big-endian number: ``0x30`` (SEQUENCE), ``0xBF26`` ([38],
constructed). So it can be searched in a capture, and the constructed bit is part of it.

In:  definite and indefinite lengths, lengths and integers that are longer than needed, strings in pieces (§8.7.3).
Out: definite lengths, shortest forms, strings in one piece.

Short is not malformed: an element that runs past ``end`` raises NeedMoreData. Who knows that ``end`` is the end of the
enclosing element turns that into RemoteProtocolError (see asn1.Type.decode).
"""

from __future__ import annotations

from protocols.errors import LocalProtocolError, NeedMoreData, RemoteProtocolError

CONSTRUCTED = 0x20
UNIVERSAL, APPLICATION, CONTEXT, PRIVATE = 0x00, 0x40, 0x80, 0xC0

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OBJECT_IDENTIFIER = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
ENUMERATED, SEQUENCE, IA5_STRING, GENERALIZED_TIME, GRAPHIC_STRING, EXTERNAL = 0x0A, 0x30, 0x16, 0x18, 0x19, 0x28

MAX_TAG_OCTETS = 4  # identifier octets after the first: 28 bits of tag number; CSTA's highest known is 46
MAX_LENGTH_OCTETS = 8  # some encoders always send 84 xx xx xx xx
MAX_INTEGER_OCTETS = 128  # far above any CSTA number, and below what Python refuses to print
MAX_STRING_DEPTH = 8  # pieces within pieces


def identifier(tag_class: int, number: int, *, constructed: bool) -> int:
    """The identifier of a tag: ``identifier(CONTEXT, 38, constructed=True) == 0xBF26`` (X.690 §8.1.2)."""
    leading = tag_class | (CONSTRUCTED if constructed else 0)
    if number < 0x1F:
        return leading | number
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(0x80 | number & 0x7F)
    return int.from_bytes(bytes([leading | 0x1F, *reversed(groups)]), "big")


def identifier_octets(tag: int) -> bytes:
    """The octets of an identifier as they go over the wire."""
    return tag.to_bytes(max(1, (tag.bit_length() + 7) // 8), "big")


def is_constructed(tag: int) -> bool:
    while tag > 0xFF:
        tag >>= 8
    return bool(tag & CONSTRUCTED)


def header(octets: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Read identifier and length at ``at``: (identifier, where the contents start, their length or -1 if indefinite).

    Raises NeedMoreData when ``end`` comes first; RemoteProtocolError on a length or tag that X.690 forbids.
    """
    if at >= end:
        raise NeedMoreData
    tag = octets[at]
    position = at + 1
    if tag & 0x1F == 0x1F:
        for _ in range(MAX_TAG_OCTETS):
            if position >= end:
                raise NeedMoreData
            octet = octets[position]
            position += 1
            tag = tag << 8 | octet
            if not octet & 0x80:
                break
        else:
            raise RemoteProtocolError(f"tag number of more than {MAX_TAG_OCTETS} octets at octet {at}")
    if position >= end:
        raise NeedMoreData
    length = octets[position]
    position += 1
    if length < 0x80:
        return tag, position, length
    if length == 0x80:
        if not is_constructed(tag):
            raise RemoteProtocolError(f"indefinite length on a primitive element at octet {at}")
        return tag, position, -1
    count = length & 0x7F
    if count > MAX_LENGTH_OCTETS:
        raise RemoteProtocolError(f"length of {count} octets at octet {at}")
    if position + count > end:
        raise NeedMoreData
    return tag, position + count, int.from_bytes(octets[position : position + count], "big")


def element(octets: bytes, at: int, end: int) -> tuple[int, int, int, int]:
    """Read one element at ``at``: (identifier, start and stop of its contents, where the next element begins).

    Raises NeedMoreData when the element runs past ``end``.
    """
    tag, start, length = header(octets, at, end)
    if length < 0:
        stop = _end_of_contents(octets, start, end)
        return tag, start, stop, stop + 2
    stop = start + length
    if stop > end:
        raise NeedMoreData
    return tag, start, stop, stop


def _end_of_contents(octets: bytes, at: int, end: int) -> int:
    """Where the end-of-contents octets of an indefinite element stand (X.690 §8.1.5), however deep the nesting."""
    depth = 1
    while True:
        if at + 1 < end and octets[at] == 0 and octets[at + 1] == 0:
            depth -= 1
            if not depth:
                return at
            at += 2
            continue
        if at + 1 >= end:
            raise NeedMoreData
        _, at, length = header(octets, at, end)
        if length < 0:
            depth += 1
        else:
            at += length


def length_octets(length: int) -> bytes:
    """The shortest definite form (X.690 §8.1.3)."""
    if length < 0x80:
        return bytes((length,))
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(digits),)) + digits


def tlv(tag: int, contents: bytes) -> bytes:
    """One element with a definite length."""
    if tag <= 0xFF and len(contents) < 0x80:
        return bytes((tag, len(contents))) + contents
    return identifier_octets(tag) + length_octets(len(contents)) + contents


def read_integer(octets: bytes, start: int, stop: int) -> int:
    """Two's complement; more octets than needed are accepted though X.690 §8.3.2 forbids them (seen on real links)."""
    if not 1 <= stop - start <= MAX_INTEGER_OCTETS:
        raise RemoteProtocolError(f"INTEGER of {stop - start} octets at octet {start}")
    return int.from_bytes(octets[start:stop], "big", signed=True)


def integer_contents(value: int) -> bytes:
    magnitude = value if value >= 0 else ~value
    return value.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True)


def read_boolean(octets: bytes, start: int, stop: int) -> bool:
    if stop - start != 1:
        raise RemoteProtocolError(f"BOOLEAN of {stop - start} octets at octet {start}")
    return octets[start] != 0


def read_string(octets: bytes, tag: int, start: int, stop: int, depth: int = 0) -> bytes:
    """Contents of an octet or character string, joined where it comes in pieces (X.690 §8.7.3, §8.23.6)."""
    if not is_constructed(tag):
        return octets[start:stop]
    return b"".join(read_string(octets, *piece, depth + 1) for piece in _pieces(octets, start, stop, depth))


def read_bits(octets: bytes, tag: int, start: int, stop: int, depth: int = 0) -> str:
    """All bits of a BIT STRING as 0 and 1, trailing zeros kept: PBXs send them (X.690 §8.6; ECMA-285 named bits)."""
    if is_constructed(tag):
        return "".join(read_bits(octets, *piece, depth + 1) for piece in _pieces(octets, start, stop, depth))
    if start >= stop:
        raise RemoteProtocolError(f"BIT STRING without its first octet at octet {start}")
    unused, count = octets[start], 8 * (stop - start - 1)
    if unused > 7 or unused > count:
        raise RemoteProtocolError(f"BIT STRING with {unused} unused bits of {count} at octet {start}")
    if not count:
        return ""
    return format(int.from_bytes(octets[start + 1 : stop], "big"), f"0{count}b")[: count - unused]


def _pieces(octets: bytes, start: int, stop: int, depth: int) -> list[tuple[int, int, int]]:
    if depth >= MAX_STRING_DEPTH:
        raise RemoteProtocolError(f"string in pieces nested more than {MAX_STRING_DEPTH} deep at octet {start}")
    pieces = []
    while start < stop:
        tag, first, last, start = element(octets, start, stop)
        pieces.append((tag, first, last))
    return pieces


def bits_contents(bits: str) -> bytes:
    if bits.strip("01"):
        raise LocalProtocolError(f"a BIT STRING is written with 0 and 1, not {bits!r}")
    if not bits:
        return b"\x00"
    count = (len(bits) + 7) // 8
    unused = 8 * count - len(bits)
    return bytes((unused,)) + (int(bits, 2) << unused).to_bytes(count, "big")


def read_object_identifier(octets: bytes, start: int, stop: int) -> str:
    """Dotted numbers (X.690 §8.19)."""
    if start >= stop or octets[stop - 1] & 0x80 or stop - start > MAX_INTEGER_OCTETS:
        raise RemoteProtocolError(f"OBJECT IDENTIFIER that is empty, unfinished or too long at octet {start}")
    arcs: list[int] = []
    arc = 0
    for octet in octets[start:stop]:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(number) for number in (first, arcs[0] - 40 * first, *arcs[1:]))


def object_identifier_contents(dotted: str) -> bytes:
    arcs = dotted.split(".")
    if len(arcs) < 2 or len(dotted) > 1024 or not all(arc.isascii() and arc.isdigit() for arc in arcs):
        raise LocalProtocolError(f"an OBJECT IDENTIFIER is dotted numbers, not {dotted[:80]!r}")
    first, second, *rest = (int(arc) for arc in arcs)
    if first > 2 or (first < 2 and second > 39):
        raise LocalProtocolError(f"no OBJECT IDENTIFIER: {dotted}")
    octets = bytearray()
    for arc in (40 * first + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        octets += bytes(reversed(groups))
    if len(octets) > MAX_INTEGER_OCTETS:
        raise LocalProtocolError(f"OBJECT IDENTIFIER of {len(octets)} octets; at most {MAX_INTEGER_OCTETS} are read")
    return bytes(octets)
