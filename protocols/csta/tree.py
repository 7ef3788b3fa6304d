"""An APDU as an indented tree with offsets, names, values and octets, for a technician who reads what his PBX said.

It follows the octets, not a decoded value: what is broken is shown as far as it goes, with ``!!`` and why where it
breaks. Tags that only wrap (EXPLICIT, alternatives of a CHOICE) share the line of what they wrap; ``?`` stands before
what is not declared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from protocols import acse, ber, rose
from protocols.asn1 import ANY, Type, next_fields
from protocols.csta import operations
from protocols.csta.apdus import APDUS, held_type
from protocols.csta.notation import USER_INFORMATION_NAME
from protocols.csta.panasonic import device_kind
from protocols.csta.user_information import ACSEUserInformationForCSTA
from protocols.errors import NeedMoreData, RemoteProtocolError

NAME_COLUMNS = 66  # offset, indentation, name and value
OCTETS_SHOWN = 24
MAX_DEPTH = 24  # of undeclared elements within each other

OBJECT_NAMES = {"1.3.12.0.218": "CSTA II", "1.3.12.0.180.1": "CSTA I", USER_INFORMATION_NAME: "CSTA III information"}
"""OBJECT IDENTIFIERs of an association; 1.3.12.0.218 is what Panasonic uses for Phase III too."""

_NUMBER_NAMES: dict[str, dict[int, str]] = {
    "AARE.result": acse.RESULTS,
    "AARE.acse-service-user": acse.DIAGNOSTICS["acse-service-user"],
    "AARE.acse-service-provider": acse.DIAGNOSTICS["acse-service-provider"],
    "ABRT.abort-source": acse.ABORT_SOURCES,
    **{f"Reject.{group}": names for group, names in rose.PROBLEMS.items()},
}


@dataclass
class _Walk:
    """One APDU being shown; ``seen`` are values of fields that tell the types of later ones."""

    octets: bytes
    apdu: str = ""
    envelope: str = ""
    seen: dict[str, Any] = field(default_factory=dict)

    def held(self, name: str) -> Type | None:
        """The type of an ANY by what was read before it."""
        if name == "single-ASN1-type":
            known = self.seen.get("direct-reference") == USER_INFORMATION_NAME
            return ACSEUserInformationForCSTA if known else None
        code = self.seen.get("errcode" if self.apdu == "returnError" else "opcode")
        if name in ("argument", "result", "parameter") and code is not None:
            type_ = held_type(self.apdu, code)
            return None if type_ is ANY else type_
        return None


def lines(octets: bytes) -> list[str]:
    """The tree of one APDU (without its 2-octet length); never raises."""
    walk = _Walk(octets)
    kind, type_ = APDUS.get(octets[0] if octets else 0, ("", None))
    if type_ is None:
        return list(_unknown(walk, 0, len(octets), 0))
    walk.apdu, walk.envelope = kind, type_.name
    shown = list(_element(walk, type_, kind, 0, len(octets), 0))
    try:
        after = ber.element(octets, 0, len(octets))[3]
    except (NeedMoreData, RemoteProtocolError):
        return shown
    if after < len(octets):
        shown += [_row(after, 0, f"!! {len(octets) - after} octets too many", octets[after:])]
    return shown


def _row(at: int, depth: int, text: str, octets: bytes) -> str:
    more = f" … ({len(octets)})" if len(octets) > OCTETS_SHOWN else ""
    left = f"{at:5}  {'  ' * depth}{text}"
    return f"{left:{NAME_COLUMNS}}  {octets[:OCTETS_SHOWN].hex(' ').upper()}{more}".rstrip()


def _bounds(octets: bytes, at: int, end: int) -> tuple[int, int, int, int, str]:
    """As ber.element, and what is wrong: an element that is cut short goes up to ``end``.

    NeedMoreData or RemoteProtocolError where not even its header can be read.
    """
    try:
        return *ber.element(octets, at, end), ""
    except NeedMoreData:
        tag, start, length = ber.header(octets, at, end)
        why = "its end is missing" if length < 0 else f"{length} octets announced, {end - start} are there"
        return tag, start, end, end, f" !! {why}"


def _element(walk: _Walk, type_: Type, name: str, at: int, end: int, depth: int) -> Iterator[str]:
    """The rows of the element at ``at``; ``type_`` is one that takes it."""
    octets = walk.octets
    first = at
    chain = [name]
    try:
        tag, start, stop, after, wrong = _bounds(octets, at, end)
        # Down through what only wraps, to what holds a value or fields.
        while True:
            if type_.kind == "CHOICE":
                part = next((part for part in type_.parts if tag in part.type.accepts), None)
                if part is None:
                    yield _row(first, depth, f"{_chain(chain)} = (unknown)", octets[first:at])
                    yield from _unknown(walk, at, after, depth + 1)
                    return
                chain.append(part.name)
                type_ = part.type
            elif type_.kind == "EXPLICIT" and type_.inner is not None:
                type_, at = type_.inner, start
                tag, start, stop, after, inner_wrong = _bounds(octets, at, stop)
                wrong = inner_wrong or wrong
                _check(type_, tag)
            elif type_ is ANY and (held := walk.held(chain[-1])) is not None:
                _check(held, tag)
                type_ = held
            else:
                break
    except NeedMoreData:
        yield _row(first, depth, f"{_chain(chain)} !! cut short", octets[first:end])
        return
    except RemoteProtocolError as error:
        yield _row(first, depth, f"{_chain(chain)} !! {error}", octets[first:at])
        yield from _unknown(walk, at, end, depth + 1)
        return
    text = _chain(chain) + wrong
    if type_.kind == "SEQUENCE":
        yield _row(first, depth, text, octets[first:start])
        yield from _fields(walk, type_, start, stop, depth + 1)
    elif type_.kind == "SEQUENCE OF" and type_.inner is not None:
        yield _row(first, depth, text, octets[first:start])
        yield from _items(walk, type_.inner, start, stop, depth + 1)
    elif type_.kind == "ANY":
        yield _row(first, depth, f"{text} (not declared)", octets[first:at])
        yield from _unknown(walk, at, after, depth + 1)
    elif wrong:
        yield _row(first, depth, text, octets[first:stop])
    else:
        yield _row(first, depth, f"{text}: {_value(walk, type_, chain, tag, start, stop)}", octets[first:stop])


_ONLY_FORM = {"present", "absent", "local", "global"}


def _chain(names: list[str]) -> str:
    """Names from the field to the last alternative; what only tells the form of a ROSE number is left out."""
    return " = ".join(name for name in names if name not in _ONLY_FORM)


def _check(type_: Type, tag: int) -> None:
    if type_.accepts and tag not in type_.accepts and type_.kind != "CHOICE":
        raise RemoteProtocolError(f"tag {tag:02X} is no {type_.name}")


def _items(walk: _Walk, item: Type, start: int, stop: int, depth: int) -> Iterator[str]:
    index = 0
    while start < stop:
        try:
            tag, _, _, after, _ = _bounds(walk.octets, start, stop)
            _check(item, tag)
        except (NeedMoreData, RemoteProtocolError) as error:
            yield _row(start, depth, f"[{index}] !! {str(error) or 'cut short'}", walk.octets[start:stop])
            return
        yield from _element(walk, item, f"[{index}]", start, stop, depth)
        start, index = after, index + 1


def _fields(walk: _Walk, type_: Type, start: int, stop: int, depth: int) -> Iterator[str]:
    steps = next_fields(type_.parts)
    index, found = 0, set()
    while start < stop:
        try:
            tag, _, _, after, _ = _bounds(walk.octets, start, stop)
        except (NeedMoreData, RemoteProtocolError) as error:
            yield _row(start, depth, f"!! {str(error) or 'cut short'}", walk.octets[start:stop])
            return
        taken, wild = steps[index]
        number = taken.get(tag, wild)
        if number is None:
            yield from _unknown(walk, start, after, depth)
        else:
            part = type_.parts[number]
            found.add(part.name)
            index = number + 1
            yield from _element(walk, part.type, part.name, start, stop, depth)
        start = after
    missing = [part.name for part in type_.parts if not part.optional and part.name not in found]
    if missing:
        yield _row(stop, depth, f"!! missing: {', '.join(missing)}", b"")


def _unknown(walk: _Walk, start: int, stop: int, depth: int, level: int = 0) -> Iterator[str]:
    """Undeclared elements by their tags alone."""
    octets = walk.octets
    while start < stop:
        try:
            tag, first, last, after, wrong = _bounds(octets, start, stop)
        except (NeedMoreData, RemoteProtocolError) as error:
            yield _row(start, depth, f"!! {str(error) or 'cut short'}", octets[start:stop])
            return
        name = _tag_name(tag) + wrong
        if ber.is_constructed(tag) and level < MAX_DEPTH:
            yield _row(start, depth, f"? {name}", octets[start:first])
            yield from _unknown(walk, first, last, depth + 1, level + 1)
        else:
            yield _row(start, depth, f"? {name}{_guess(tag, octets[first:last])}", octets[start:after])
        start = after


_UNIVERSAL = {
    1: "BOOLEAN",
    2: "INTEGER",
    3: "BIT STRING",
    4: "OCTET STRING",
    5: "NULL",
    6: "OBJECT IDENTIFIER",
    10: "ENUMERATED",
    16: "SEQUENCE",
    22: "IA5String",
    24: "GeneralizedTime",
    25: "GraphicString",
}


def _tag_name(tag: int) -> str:
    leading = ber.identifier_octets(tag)[0]
    number = leading & 0x1F
    if number == 0x1F:
        number = 0
        for octet in ber.identifier_octets(tag)[1:]:
            number = number << 7 | octet & 0x7F
    tag_class = leading & 0xC0
    if tag_class == ber.UNIVERSAL:
        return _UNIVERSAL.get(number, f"[UNIVERSAL {number}]")
    return {ber.APPLICATION: f"[APPLICATION {number}]", ber.CONTEXT: f"[{number}]"}.get(
        tag_class, f"[PRIVATE {number}]"
    )


def _guess(tag: int, contents: bytes) -> str:
    if tag in (ber.INTEGER, ber.ENUMERATED) and 0 < len(contents) <= 8:
        return f": {int.from_bytes(contents, 'big', signed=True)}"
    return f": {_octets_text(contents)}" if contents else ""


def _octets_text(octets: bytes) -> str:
    """Hex, and as text where all of it can be read."""
    text = octets.hex(" ").upper() if len(octets) <= OCTETS_SHOWN else f"{len(octets)} octets"
    if len(octets) > 1 and all(0x20 <= octet < 0x7F for octet in octets):
        return f"{text} {octets[:60].decode('ascii')!r}"
    return text


def _value(walk: _Walk, type_: Type, chain: list[str], tag: int, start: int, stop: int) -> str:
    """The text of a value without fields; remembers what later types depend on."""
    try:
        value = type_.read(walk.octets, tag, start, stop)
    except (NeedMoreData, RemoteProtocolError) as error:
        return f"!! {str(error) or 'cut short'}"
    if chain[0] in ("opcode", "errcode", "direct-reference"):
        walk.seen[chain[0]] = value
    if type_.kind == "OCTET STRING":
        return _octets_text(value)
    if type_.kind == "BIT STRING":
        set_bits = [type_.names.get(at, str(at)) for at, bit in enumerate(value) if bit == "1"]
        return f"{value or 'no bits'}" + (f" ({', '.join(set_bits)})" if set_bits else "")
    if type_.kind == "ENUMERATED":
        number = ber.read_integer(walk.octets, start, stop)
        return f"{value} ({number})" if isinstance(value, str) else f"{number} (not declared)"
    if type_.kind == "NULL":
        return "NULL"
    if type_.kind == "BOOLEAN":
        return "TRUE" if value else "FALSE"
    if type_.kind == "OBJECT IDENTIFIER":
        return f"{value} ({OBJECT_NAMES[value]})" if value in OBJECT_NAMES else str(value)
    if type_.kind == "INTEGER":
        return f"{value}{_meaning(walk, chain, value)}"
    return repr(value) if isinstance(value, str) else str(value)


def _meaning(walk: _Walk, chain: list[str], value: int) -> str:
    """What a number stands for, in brackets, where that is known."""
    if chain[0] == "opcode":
        return f" ({operations.by_code(value).name})"
    if chain[0] == "errcode" and value == 1:
        return " (universalFailure)"
    if chain[-1] == "deviceNumber":
        kind = device_kind({"deviceIdentifier": ("deviceNumber", value)})
        return f" ({kind[0]} {kind[1]}, 0x{value:08X})" if kind and value >= 0 else ""
    name = _NUMBER_NAMES.get(f"{walk.envelope}.{chain[-1]}", {}).get(value)
    return f" ({name})" if name else ""
