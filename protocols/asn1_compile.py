"""What a declared type compiles to, once: plain functions that go through the octets, or the value, in one pass.

The tags that may come next are looked up, never tried one after the other; a wrapping tag and the CHOICE or string in
it are read by one function. The short forms (one-octet tags, lengths below 128) have a path of their own; everything
else takes the slower one through ber.element, with the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from protocols import ber
from protocols.asn1_plain import Read, Write, Writer, write_element, writer_of
from protocols.errors import LocalProtocolError, NeedMoreData, RemoteProtocolError

UNKNOWN = "_unknown"

element = ber.element


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
    read: Read = field(repr=False)  # of any identifier that it accepts
    writer: Writer = field(repr=False)  # of the whole element, with another identifier
    read_primitive: Read | None = field(default=None, repr=False)  # of a string that is not in pieces
    parts: tuple[Part, ...] = field(default=(), repr=False)
    names: Mapping[int, str] = field(default_factory=dict, repr=False)
    inner: Type | None = field(default=None, repr=False)
    write: Write = field(init=False, repr=False)  # of the whole element
    choices: Mapping[int, tuple[str, Read]] = field(default_factory=dict, repr=False)  # of an untagged CHOICE

    def __post_init__(self) -> None:
        object.__setattr__(self, "write", self.writer(self.identifier or 0))

    def reader(self, tag: int) -> Read:
        """What reads contents with this identifier, the fastest there is."""
        if self.read_primitive is not None and not ber.is_constructed(tag):
            return self.read_primitive
        return self.read

    @property
    def is_open(self) -> bool:
        """Whether it takes any identifier: an untagged CHOICE keeps an unknown alternative, ANY everything."""
        return self.identifier is None and (self.kind == "CHOICE" or not self.accepts)

    def decode(self, octets: bytes, at: int = 0) -> tuple[Any, int]:
        """Decode one element: (value, where it ends).

        Raises NeedMoreData while the element is not there as a whole, RemoteProtocolError when it is no ``name``.
        """
        tag, start, stop, after = element(octets, at, len(octets))
        if self.accepts and tag not in self.accepts and self.kind != "CHOICE":
            raise RemoteProtocolError(f"{self.name}: unexpected tag {tag:02X} at octet {at}")
        try:
            return self.read(octets, tag, start, stop), after
        except NeedMoreData:
            raise RemoteProtocolError(f"{self.name}: an element runs past the end of the one around it") from None

    def decode_all(self, octets: bytes) -> Any:
        """Decode octets that hold one element and nothing else (a frame); anything else is RemoteProtocolError."""
        size = len(octets)
        if 2 <= size < 0x82 and octets[1] == size - 2 and octets[0] in self.accepts:  # by far the most frequent
            try:
                return self.read(octets, octets[0], 2, size)
            except NeedMoreData:
                raise RemoteProtocolError(f"{self.name}: an element runs past the end of the one around it") from None
        try:
            value, after = self.decode(octets)
        except NeedMoreData:
            raise RemoteProtocolError(f"{self.name}: cut short after {size} octets") from None
        if after != size:
            raise RemoteProtocolError(f"{self.name}: {size - after} octets too many at octet {after}")
        return value

    def encode(self, value: Any) -> bytes:
        """The octets of a value; LocalProtocolError says which field is missing, unknown or of the wrong kind."""
        return self.write(value)


# CHOICE


def choice_table(alternatives: Sequence[Part]) -> dict[int, tuple[str, Read]]:
    """Identifier -> the alternative that it begins, and what reads it; the first that takes an identifier has it."""
    table: dict[int, tuple[str, Read]] = {}
    for part in alternatives:
        for tag in part.type.accepts:
            table.setdefault(tag, (part.name, part.type.reader(tag)))
    return table


def choice_reader(table: Mapping[int, tuple[str, Read]]) -> Read:
    find = table.get

    def read(octets: bytes, tag: int, start: int, stop: int) -> tuple[str, Any]:
        found = find(tag)
        if found is None:
            return UNKNOWN, ber.tlv(tag, octets[start:stop])
        return found[0], found[1](octets, tag, start, stop)

    return read


def choice_writer(name: str, alternatives: Sequence[Part]) -> Writer:
    writers: dict[str, Write] = {part.name: part.type.write for part in alternatives}
    writers[UNKNOWN] = write_element

    def write(value: Any) -> bytes:
        try:
            chosen, inner = value
            writer = writers[chosen]
        except (TypeError, ValueError, KeyError):
            raise LocalProtocolError(f"{name or 'CHOICE'} takes (alternative, value), not {value!r}") from None
        return writer(inner)

    return lambda tag: write


# EXPLICIT


def explicit_reader(name: str, inner: Type) -> Read:
    """Reads the one element inside; a CHOICE in it without a function of its own."""
    # Identifier -> (alternative or None, what reads it)
    table: dict[int, tuple[str | None, Read]] = dict(inner.choices)
    if not inner.choices:
        table = {tag: (None, inner.reader(tag)) for tag in inner.accepts}
    find, inner_read, accepts, is_open = table.get, inner.read, inner.accepts, inner.is_open

    def read(octets: bytes, _: int, start: int, stop: int) -> Any:
        if stop - start >= 2:
            found = find(octets[start])
            if found is not None and start + 2 + octets[start + 1] == stop and stop - start < 0x82:
                chosen, chosen_read = found
                if chosen is None:
                    return chosen_read(octets, octets[start], start + 2, stop)
                return chosen, chosen_read(octets, octets[start], start + 2, stop)
        tag, first, last, after = element(octets, start, stop)
        if tag not in accepts and not is_open:
            raise RemoteProtocolError(f"{name}: unexpected tag {tag:02X} at octet {start}")
        if after != stop:
            raise RemoteProtocolError(f"{name}: more than one element inside its tag at octet {after}")
        return inner_read(octets, tag, first, last)

    return read


# SEQUENCE OF


def list_reader(name: str, item: Type) -> Read:
    item_read, accepts, is_open = item.read, item.accepts, item.is_open

    def read(octets: bytes, _: int, start: int, stop: int) -> list[Any]:
        values = []
        while start < stop:
            at = start
            tag, first, last, start = element(octets, start, stop)
            if tag not in accepts and not is_open:
                raise RemoteProtocolError(f"{name}: unexpected tag {tag:02X} at octet {at}")
            values.append(item_read(octets, tag, first, last))
        return values

    return read


def list_writer(name: str, item: Type) -> Writer:
    item_write = item.write

    def contents(value: Any) -> bytes:
        if not isinstance(value, list | tuple):
            raise LocalProtocolError(f"{name} takes a list, not {value!r}")
        return b"".join([item_write(each) for each in value])

    return writer_of(contents)


# SEQUENCE


def next_fields(fields: tuple[Part, ...]) -> list[tuple[dict[int, int], int | None]]:
    """For every position: identifier -> first field from there on that takes it; the field for unknown tags, if any.

    A mandatory untagged CHOICE (or ANY) that is due takes an unknown tag as its unknown alternative.
    """
    steps: list[tuple[dict[int, int], int | None]] = [({}, None)]
    for index in range(len(fields) - 1, -1, -1):
        part = fields[index]
        ahead, wild = steps[0]
        if part.type.is_open and (part.type.kind == "ANY" or not part.optional):
            wild = index
        elif not part.optional:
            wild = None
        taken = ahead | dict.fromkeys(part.type.accepts, index)
        steps.insert(0, (taken, wild))
    return steps


def _nothing(tag: int) -> _Found | None:
    return None


class _Step:
    """A position in a SEQUENCE: what each identifier leads to. ``due``: the mandatory field that must yet come."""

    __slots__ = ("due", "find", "wild")

    def __init__(self) -> None:
        self.find: Callable[[int], _Found | None] = _nothing
        self.wild: _Found | None = None
        self.due: str | None = None


_Found = tuple[str, str | None, Read, _Step, str | None]
"""(field, alternative of an untagged CHOICE, what reads it, position behind it, mandatory field that was left out)."""


def _steps(fields: tuple[Part, ...]) -> _Step:
    """The position at the beginning, with those behind it."""
    steps = [_Step() for _ in range(len(fields) + 1)]
    for index, (taken, wild) in enumerate(next_fields(fields)):

        def found(number: int, tag: int | None, index: int = index) -> _Found:
            name, type_, _ = fields[number]
            left_out = next((part.name for part in fields[index:number] if not part.optional), None)
            alternative, read = None, type_.read if tag is None else type_.reader(tag)
            if tag is not None and type_.is_open and tag in type_.choices:
                alternative, read = type_.choices[tag]
            return name, alternative, read, steps[number + 1], left_out

        steps[index].find = {tag: found(number, tag) for tag, number in taken.items()}.get
        steps[index].wild = None if wild is None else found(wild, None)
        steps[index].due = next((part.name for part in fields[index:] if not part.optional), None)
    return steps[0]


def sequence_reader(name: str, fields: tuple[Part, ...]) -> Read:
    first_step = _steps(fields)

    def read(octets: bytes, _: int, start: int, stop: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        step = first_step
        last_start = stop - 1  # no element begins there: it would have no length
        while start < last_start:
            at = start
            tag = octets[at]
            length = octets[at + 1]
            found = step.find(tag)
            if found is not None and length < 0x80:
                first = at + 2
                last = start = first + length
                if last > stop:
                    raise NeedMoreData
            else:
                tag, first, last, start = element(octets, at, stop)
                found = step.find(tag) or step.wild
                if found is None:
                    value.setdefault(UNKNOWN, []).append(octets[at:start])
                    continue
            field_name, alternative, field_read, step, left_out = found
            if left_out is not None:
                raise RemoteProtocolError(f"{name}: {left_out} is missing before octet {at}")
            try:
                if alternative is None:
                    value[field_name] = field_read(octets, tag, first, last)
                else:
                    value[field_name] = alternative, field_read(octets, tag, first, last)
            except RemoteProtocolError as error:
                raise RemoteProtocolError(f"{name}.{field_name}: {error}") from None
        if start != stop:
            raise NeedMoreData
        if step.due is not None:
            raise RemoteProtocolError(f"{name}: {step.due} is missing before octet {stop}")
        return value

    return read


def sequence_writer(name: str, fields: tuple[Part, ...]) -> Writer:
    plan = {part.name: (index, part.type.write, not part.optional) for index, part in enumerate(fields)}
    find = plan.get
    mandatory = sum(not part.optional for part in fields)

    def contents(value: Any) -> bytes:
        if not isinstance(value, dict):
            raise LocalProtocolError(f"{name} takes a dict, not {value!r}")
        pieces: list[bytes] = []
        present = 0
        in_order = True
        before = -1
        field_name = ""
        try:
            for field_name, inner in value.items():
                place = find(field_name)
                if place is not None:
                    index, field_write, is_mandatory = place
                    pieces.append(field_write(inner))
                    present += is_mandatory
                    if index < before:
                        in_order = False
                    before = index
        except LocalProtocolError as error:
            raise LocalProtocolError(f"{name}.{field_name}: {error}") from None
        if not in_order:
            places = [plan[field_name][0] for field_name in value if field_name in plan]
            pieces = [piece for _, piece in sorted(zip(places, pieces, strict=True), key=_place)]
        if present != mandatory:
            raise LocalProtocolError(f"{name}: {next(iter(_missing(fields, value)))} is missing")
        if len(pieces) != len(value):
            unknown = value.get(UNKNOWN, ())
            if len(value) - len(pieces) != (UNKNOWN in value):
                raise LocalProtocolError(f"{name} has no {', '.join(sorted(_surplus(plan, value)))}")
            pieces.extend(unknown)
        return b"".join(pieces)

    return writer_of(contents)


def _place(pair: tuple[int, bytes]) -> int:
    return pair[0]


def _missing(fields: tuple[Part, ...], value: dict[str, Any]) -> list[str]:
    return [part.name for part in fields if not part.optional and part.name not in value]


def _surplus(plan: Mapping[str, Any], value: dict[str, Any]) -> list[str]:
    return [str(name) for name in value if name not in plan and name != UNKNOWN]
