"""Declared ASN.1 types on top of BER. A declaration compiles once, when it is made, into plain functions.

    DeviceID = sequence("DeviceID",
        must("deviceIdentifier", choice("", alternative("dialingNumber", implicit(0, IA5_STRING)), ...)),
        may("privateNumber", explicit(0, IA5_STRING)))
    DeviceID.encode({"deviceIdentifier": ("dialingNumber", "301")}) == bytes.fromhex("30 05 80 03 33 30 31")

Values in Python: SEQUENCE dict by ASN.1 identifier, only the fields present (no defaults are filled in) · CHOICE
(alternative, value) · SEQUENCE OF list · INTEGER int · ENUMERATED its identifier, or an int where the number is not
known · BOOLEAN bool · NULL None · OCTET STRING and ANY bytes (ANY: the whole element) · BIT STRING str of 0 and 1, all
bits · character strings and times str, one character per octet (Latin-1), so that what a PBX sends survives.

Unknown survives: an element of a SEQUENCE that fits no field from there on stands under ``"_unknown"`` (list of whole
elements) and is encoded again at the end; an unknown alternative is ``("_unknown", whole element)``. Editions of
ECMA-285 insert and append optional fields without extension markers, so every SEQUENCE and CHOICE is open.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from protocols import ber
from protocols.errors import LocalProtocolError, NeedMoreData, RemoteProtocolError

UNKNOWN = "_unknown"

Read = Callable[[bytes, int, int, int], Any]
"""(octets, identifier seen, start, stop of the contents) -> value."""
Write = Callable[[Any], bytes]


class Part(NamedTuple):
    """A field of a SEQUENCE or an alternative of a CHOICE."""

    name: str
    type: Type
    optional: bool


@dataclass(frozen=True, eq=False)
class Type:
    """One compiled type. ``parts``, ``names`` and ``inner`` keep the declaration for tree printers and checks."""

    name: str
    kind: str  # "SEQUENCE", "INTEGER", ... as ASN.1 spells it
    identifier: int | None  # as we send it; None: untagged CHOICE or ANY
    accepts: frozenset[int]  # identifiers it takes; empty for ANY
    read: Read = field(repr=False)
    write: Write = field(repr=False)  # the whole element
    write_contents: Write = field(repr=False)
    parts: tuple[Part, ...] = field(default=(), repr=False)
    names: Mapping[int, str] = field(default_factory=dict, repr=False)
    inner: Type | None = field(default=None, repr=False)

    def decode(self, octets: bytes, at: int = 0) -> tuple[Any, int]:
        """Decode one element: (value, where it ends).

        Raises NeedMoreData while the element is not there as a whole, RemoteProtocolError when it is no ``name``.
        """
        tag, start, stop, after = ber.element(octets, at, len(octets))
        if self.accepts and tag not in self.accepts and self.kind != "CHOICE":
            raise RemoteProtocolError(f"{self.name}: unexpected tag {tag:02X} at octet {at}")
        try:
            return self.read(octets, tag, start, stop), after
        except NeedMoreData:
            raise RemoteProtocolError(f"{self.name}: an element runs past the end of the one around it") from None

    def decode_all(self, octets: bytes) -> Any:
        """Decode octets that hold one element and nothing else (a frame); anything else is RemoteProtocolError."""
        try:
            value, after = self.decode(octets)
        except NeedMoreData:
            raise RemoteProtocolError(f"{self.name}: cut short after {len(octets)} octets") from None
        if after != len(octets):
            raise RemoteProtocolError(f"{self.name}: {len(octets) - after} octets too many at octet {after}")
        return value

    def encode(self, value: Any) -> bytes:
        """The octets of a value; LocalProtocolError says which field is missing, unknown or of the wrong kind."""
        return self.write(value)


def must(name: str, type_: Type) -> Part:
    """A mandatory field."""
    return Part(name, type_, False)


def may(name: str, type_: Type) -> Part:
    """An optional field (OPTIONAL or DEFAULT)."""
    return Part(name, type_, True)


def alternative(name: str, type_: Type) -> Part:
    return Part(name, type_, False)


def _element_writer(tag: int, write_contents: Write) -> Write:
    prefix = ber.identifier_octets(tag)

    def write(value: Any) -> bytes:
        contents = write_contents(value)
        length = len(contents)
        return prefix + (bytes((length,)) if length < 0x80 else ber.length_octets(length)) + contents

    return write


def _plain(
    name: str, kind: str, tag: int, read: Read, write_contents: Write, *, pieces: bool = False, **more: Any
) -> Type:
    accepts = frozenset({tag, tag | ber.CONSTRUCTED}) if pieces else frozenset({tag})
    return Type(name, kind, tag, accepts, read, _element_writer(tag, write_contents), write_contents, **more)


def _typed(kind: str, python: type, contents: Callable[[Any], bytes]) -> Write:
    """Contents writer that names the mistake when a value is of the wrong Python type (True is no INTEGER)."""

    def write(value: Any) -> bytes:
        if not isinstance(value, python) or (isinstance(value, bool) and python is not bool):
            raise LocalProtocolError(f"{kind} takes {python.__name__}, not {value!r}")
        return contents(value)

    return write


def _latin(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise LocalProtocolError(f"no single-octet characters: {text!r}") from None


def _read_null(octets: bytes, tag: int, start: int, stop: int) -> None:
    if start != stop:
        raise RemoteProtocolError(f"NULL of {stop - start} octets at octet {start}")


def _write_null(value: Any) -> bytes:
    if value is not None:
        raise LocalProtocolError(f"NULL takes None, not {value!r}")
    return b""


def _read_text(octets: bytes, tag: int, start: int, stop: int) -> str:
    return ber.read_string(octets, tag, start, stop).decode("latin-1")


BOOLEAN = _plain(
    "BOOLEAN",
    "BOOLEAN",
    ber.BOOLEAN,
    lambda octets, _, start, stop: ber.read_boolean(octets, start, stop),
    _typed("BOOLEAN", bool, lambda value: b"\xff" if value else b"\x00"),
)
INTEGER = _plain(
    "INTEGER",
    "INTEGER",
    ber.INTEGER,
    lambda octets, _, start, stop: ber.read_integer(octets, start, stop),
    _typed("INTEGER", int, ber.integer_contents),
)
OCTET_STRING = _plain(
    "OCTET STRING",
    "OCTET STRING",
    ber.OCTET_STRING,
    ber.read_string,
    _typed("OCTET STRING", bytes, lambda value: value),
    pieces=True,
)
NULL = _plain("NULL", "NULL", ber.NULL, _read_null, _write_null)
OBJECT_IDENTIFIER = _plain(
    "OBJECT IDENTIFIER",
    "OBJECT IDENTIFIER",
    ber.OBJECT_IDENTIFIER,
    lambda octets, _, start, stop: ber.read_object_identifier(octets, start, stop),
    _typed("OBJECT IDENTIFIER", str, ber.object_identifier_contents),
)


def _text(kind: str, tag: int) -> Type:
    return _plain(kind, kind, tag, _read_text, _typed(kind, str, _latin), pieces=True)


IA5_STRING = _text("IA5String", ber.IA5_STRING)
GRAPHIC_STRING = _text("GraphicString", ber.GRAPHIC_STRING)
GENERALIZED_TIME = _text("GeneralizedTime", ber.GENERALIZED_TIME)


def numbered(table: str) -> dict[int, str]:
    """``"0 prompt 1 doNotPrompt"`` -> {0: "prompt", 1: "doNotPrompt"}: how tables write enumerations, named bits."""
    words = table.split()
    names = {int(number): name for number, name in zip(words[::2], words[1::2], strict=True)}
    if len(names) * 2 != len(words) or len(set(names.values())) != len(names):
        raise TypeError(f"a number or name stands twice in {table!r}")
    return names


def bit_string(name: str, bits: str = "") -> Type:
    """A BIT STRING; ``bits`` are the named bits as ``numbered`` reads them."""
    contents = _typed("BIT STRING", str, ber.bits_contents)
    return _plain(name, "BIT STRING", ber.BIT_STRING, ber.read_bits, contents, pieces=True, names=numbered(bits))


BIT_STRING = bit_string("BIT STRING")


def enumerated(name: str, table: str) -> Type:
    """An ENUMERATED: reads to the identifier, or to the int where the number is unknown; both can be written.

    ``table`` is what ``numbered`` reads.
    """
    names = numbered(table)
    numbers = {text: number for number, text in names.items()}
    by_octet = {bytes((number,)): text for number, text in names.items() if number < 0x80}

    def read(octets: bytes, tag: int, start: int, stop: int) -> Any:
        text = by_octet.get(octets[start:stop])
        if text is not None:
            return text
        number = ber.read_integer(octets, start, stop)
        return names.get(number, number)

    def write_contents(value: Any) -> bytes:
        if isinstance(value, str) and value in numbers:
            return ber.integer_contents(numbers[value])
        if isinstance(value, int) and not isinstance(value, bool):
            return ber.integer_contents(value)
        raise LocalProtocolError(f"{name} has no {value!r}")

    return _plain(name, "ENUMERATED", ber.ENUMERATED, read, write_contents, names=names)


def _read_any(octets: bytes, tag: int, start: int, stop: int) -> bytes:
    return ber.tlv(tag, octets[start:stop])


def _write_any(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise LocalProtocolError(f"ANY takes the octets of a whole element, not {value!r}")
    return value


ANY = Type("ANY", "ANY", None, frozenset(), _read_any, _write_any, _write_any)
"""Whatever element stands there, kept as octets."""


def raw(number: int) -> Type:
    """A field tagged [number] whose type is not declared: the whole element is kept as octets, tag included."""
    both = frozenset(ber.identifier(ber.CONTEXT, number, constructed=flag) for flag in (False, True))
    return Type(f"[{number}]", "ANY", None, both, _read_any, _write_any, _write_any)


def _retag(number: int, type_: Type, tag_class: int, form: int) -> int:
    return ber.identifier(tag_class, number, constructed=ber.is_constructed(form))


def implicit(number: int, type_: Type, tag_class: int = ber.CONTEXT, name: str = "") -> Type:
    """``[number] IMPLICIT type``: only the outermost tag is replaced, of an EXPLICIT one too (traps 2 and 3)."""
    if type_.identifier is None:
        raise TypeError(f"[{number}] IMPLICIT {type_.name}: an untagged CHOICE or ANY takes EXPLICIT only (X.680 §31)")
    tag = _retag(number, type_, tag_class, type_.identifier)
    accepts = frozenset(_retag(number, type_, tag_class, form) for form in type_.accepts)
    write = _element_writer(tag, type_.write_contents)
    return Type(
        name or type_.name,
        type_.kind,
        tag,
        accepts,
        type_.read,
        write,
        type_.write_contents,
        type_.parts,
        type_.names,
        type_.inner,
    )


def explicit(number: int, type_: Type, tag_class: int = ber.CONTEXT, name: str = "") -> Type:
    """``[number] EXPLICIT type``: an element around the element."""
    tag = ber.identifier(tag_class, number, constructed=True)
    name = name or type_.name
    inner_read, accepts, is_open = type_.read, type_.accepts, type_.identifier is None

    def read(octets: bytes, _: int, start: int, stop: int) -> Any:
        inner, first, last, after = ber.element(octets, start, stop)
        if inner not in accepts and not is_open:
            raise RemoteProtocolError(f"{name}: unexpected tag {inner:02X} at octet {start}")
        if after != stop:
            raise RemoteProtocolError(f"{name}: more than one element inside its tag at octet {after}")
        return inner_read(octets, inner, first, last)

    write = _element_writer(tag, type_.write)
    return Type(name, "EXPLICIT", tag, frozenset({tag}), read, write, type_.write, inner=type_)


def application_implicit(number: int, type_: Type, name: str = "") -> Type:
    return implicit(number, type_, ber.APPLICATION, name)


def application_explicit(number: int, type_: Type, name: str = "") -> Type:
    return explicit(number, type_, ber.APPLICATION, name)


def sequence_of(item: Type, name: str = "") -> Type:
    """SEQUENCE OF item."""
    name = name or f"SEQUENCE OF {item.name}"
    item_read, item_write, accepts, is_open = item.read, item.write, item.accepts, item.identifier is None

    def read(octets: bytes, _: int, start: int, stop: int) -> list[Any]:
        values = []
        while start < stop:
            at = start
            tag, first, last, start = ber.element(octets, start, stop)
            if tag not in accepts and not is_open:
                raise RemoteProtocolError(f"{name}: unexpected tag {tag:02X} at octet {at}")
            values.append(item_read(octets, tag, first, last))
        return values

    def write_contents(value: Any) -> bytes:
        if not isinstance(value, list | tuple):
            raise LocalProtocolError(f"{name} takes a list, not {value!r}")
        return b"".join([item_write(each) for each in value])

    return _plain(name, "SEQUENCE OF", ber.SEQUENCE, read, write_contents, inner=item)


def choice(name: str, *alternatives: Part) -> Type:
    """CHOICE; an alternative may itself be an untagged CHOICE."""
    readers: dict[int, tuple[str, Read]] = {}
    for part in alternatives:
        for tag in part.type.accepts:
            readers.setdefault(tag, (part.name, part.type.read))
    writers: dict[str, Write] = {part.name: part.type.write for part in alternatives}
    writers[UNKNOWN] = _write_any

    def read(octets: bytes, tag: int, start: int, stop: int) -> tuple[str, Any]:
        found = readers.get(tag)
        if found is None:
            return UNKNOWN, ber.tlv(tag, octets[start:stop])
        return found[0], found[1](octets, tag, start, stop)

    def write(value: Any) -> bytes:
        try:
            chosen, inner = value
            writer = writers[chosen]
        except (TypeError, ValueError, KeyError):
            raise LocalProtocolError(f"{name or 'CHOICE'} takes (alternative, value), not {value!r}") from None
        return writer(inner)

    return Type(name, "CHOICE", None, frozenset(readers), read, write, write, alternatives)


def sequence(name: str, *fields: Part) -> Type:
    """SEQUENCE. Fields are found in textual order, not by tag number (trap 5): a tag may come again further on."""
    read = _sequence_reader(name, fields)
    return _plain(name, "SEQUENCE", ber.SEQUENCE, read, _sequence_writer(name, fields), parts=fields)


def next_fields(fields: tuple[Part, ...]) -> list[tuple[dict[int, int], int | None]]:
    """For every position: identifier -> first field from there on that takes it; the field for unknown tags, if any.

    A mandatory untagged CHOICE (or ANY) that is due takes an unknown tag as its unknown alternative.
    """
    steps: list[tuple[dict[int, int], int | None]] = [({}, None)]
    for index in range(len(fields) - 1, -1, -1):
        part = fields[index]
        ahead, wild = steps[0]
        if part.type is ANY or (part.type.kind == "CHOICE" and part.type.identifier is None and not part.optional):
            wild = index
        elif not part.optional:
            wild = None
        taken = ahead | dict.fromkeys(part.type.accepts, index)
        steps.insert(0, (taken, wild))
    return steps


def _sequence_reader(name: str, fields: tuple[Part, ...]) -> Read:
    steps = next_fields(fields)
    plan = [(part.name, part.type.read) for part in fields]
    mandatory = [part.name for part in fields if not part.optional]
    element = ber.element

    def read(octets: bytes, _: int, start: int, stop: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        index = 0
        while start < stop:
            at = start
            # The short form, by far the most frequent, without a call.
            tag = octets[at]
            if tag & 0x1F != 0x1F and at + 1 < stop and (length := octets[at + 1]) < 0x80:
                first = at + 2
                last = start = first + length
                if last > stop:
                    raise NeedMoreData
            else:
                tag, first, last, start = element(octets, at, stop)
            taken, wild = steps[index]
            found = taken.get(tag, wild)
            if found is None:
                value.setdefault(UNKNOWN, []).append(octets[at:start])
                continue
            field_name, field_read = plan[found]
            try:
                value[field_name] = field_read(octets, tag, first, last)
            except RemoteProtocolError as error:
                raise RemoteProtocolError(f"{name}.{field_name}: {error}") from None
            index = found + 1
        for field_name in mandatory:
            if field_name not in value:
                raise RemoteProtocolError(f"{name}: {field_name} is missing before octet {stop}")
        return value

    return read


def _sequence_writer(name: str, fields: tuple[Part, ...]) -> Write:
    plan = [(part.name, part.type.write, part.optional) for part in fields]
    names = {part.name for part in fields} | {UNKNOWN}

    def write_contents(value: Any) -> bytes:
        if not isinstance(value, dict):
            raise LocalProtocolError(f"{name} takes a dict, not {value!r}")
        pieces: list[bytes] = []
        for field_name, field_write, optional in plan:
            if field_name in value:
                try:
                    pieces.append(field_write(value[field_name]))
                except LocalProtocolError as error:
                    raise LocalProtocolError(f"{name}.{field_name}: {error}") from None
            elif not optional:
                raise LocalProtocolError(f"{name}: {field_name} is missing")
        pieces.extend(value.get(UNKNOWN, ()))
        if not value.keys() <= names:
            raise LocalProtocolError(f"{name} has no {', '.join(sorted(value.keys() - names))}")
        return b"".join(pieces)

    return write_contents


# What a decoded value holds that is not declared


@functools.cache
def _types_of_parts(type_: Type) -> dict[str, Type]:
    return {part.name: part.type for part in type_.parts}


def unknown_parts(type_: Type, value: Any) -> list[tuple[str, bytes]]:
    """What ``value``, as ``type_`` decoded it, holds that is not declared: (path, octets), mostly nothing.

    The path names the kind, so that a log can say each kind once: ``eventSpecificInfo.callControlEvents.delivered:
    element BF7E`` with the whole element, ``...delivered.cause: number 122`` with the contents of the ENUMERATED.
    Places in lists are left out of it.
    """
    return list(_unknown_parts(type_, value, ""))


def _unknown_parts(type_: Type, value: Any, path: str) -> Iterator[tuple[str, bytes]]:
    kind = type_.kind
    if kind == "SEQUENCE":
        types = _types_of_parts(type_)
        for name, inner in value.items():
            if name == UNKNOWN:
                yield from (_unknown_element(octets, path) for octets in inner)
            elif (held := types[name]).kind in _MAY_HOLD_UNKNOWN:
                yield from _unknown_parts(held, inner, f"{path}.{name}" if path else name)
    elif kind == "CHOICE":
        chosen, inner = value
        if chosen == UNKNOWN:
            yield _unknown_element(inner, path)
        else:
            yield from _unknown_parts(_types_of_parts(type_)[chosen], inner, f"{path}.{chosen}" if path else chosen)
    elif kind == "ENUMERATED":
        if isinstance(value, int):
            yield f"{path}: number {value}", ber.integer_contents(value)
    elif type_.inner is not None:
        for inner in value if kind == "SEQUENCE OF" else (value,):
            yield from _unknown_parts(type_.inner, inner, path)


_MAY_HOLD_UNKNOWN = frozenset({"SEQUENCE", "CHOICE", "ENUMERATED", "SEQUENCE OF", "EXPLICIT"})


def _unknown_element(octets: bytes, path: str) -> tuple[str, bytes]:
    tag, _, _ = ber.header(octets, 0, len(octets))
    return f"{path}: element {tag:02X}", octets
