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

from typing import Any

from protocols import asn1_plain as plain
from protocols import ber
from protocols.asn1_compile import (
    UNKNOWN,
    Part,
    Type,
    choice_reader,
    choice_table,
    choice_writer,
    explicit_reader,
    list_reader,
    list_writer,
    next_fields,
    sequence_reader,
    sequence_writer,
)
from protocols.asn1_plain import Read, Writer
from protocols.asn1_unknown import unknown_parts

__all__ = [
    "ANY",
    "BIT_STRING",
    "BOOLEAN",
    "GENERALIZED_TIME",
    "GRAPHIC_STRING",
    "IA5_STRING",
    "INTEGER",
    "NULL",
    "OBJECT_IDENTIFIER",
    "OCTET_STRING",
    "UNKNOWN",
    "Part",
    "Type",
    "alternative",
    "application_explicit",
    "application_implicit",
    "bit_string",
    "choice",
    "enumerated",
    "explicit",
    "implicit",
    "may",
    "must",
    "next_fields",
    "numbered",
    "raw",
    "sequence",
    "sequence_of",
    "unknown_parts",
]


def must(name: str, type_: Type) -> Part:
    """A mandatory field."""
    return Part(name, type_, False)


def may(name: str, type_: Type) -> Part:
    """An optional field (OPTIONAL or DEFAULT)."""
    return Part(name, type_, True)


def alternative(name: str, type_: Type) -> Part:
    return Part(name, type_, False)


def _plain(name: str, kind: str, tag: int, read: Read, writer: Writer, **more: Any) -> Type:
    return Type(name, kind, tag, frozenset({tag}), read, writer, **more)


def _string(name: str, kind: str, tag: int, in_pieces: Read, whole: Read, writer: Writer, **more: Any) -> Type:
    """A type whose contents may come in pieces, each an element of its own (X.690 §8.7.3)."""
    accepts = frozenset({tag, tag | ber.CONSTRUCTED})
    return Type(name, kind, tag, accepts, in_pieces, writer, read_primitive=whole, **more)


def _text(kind: str, tag: int) -> Type:
    return _string(kind, kind, tag, plain.read_text_in_pieces, plain.read_text, plain.text_writer(kind))


BOOLEAN = _plain("BOOLEAN", "BOOLEAN", ber.BOOLEAN, plain.read_boolean, plain.write_boolean)
INTEGER = _plain("INTEGER", "INTEGER", ber.INTEGER, plain.read_integer, plain.write_integer)
NULL = _plain("NULL", "NULL", ber.NULL, plain.read_null, plain.write_null)
OBJECT_IDENTIFIER = _plain(
    "OBJECT IDENTIFIER",
    "OBJECT IDENTIFIER",
    ber.OBJECT_IDENTIFIER,
    plain.read_object_identifier,
    plain.write_object_identifier,
)
OCTET_STRING = _string(
    "OCTET STRING",
    "OCTET STRING",
    ber.OCTET_STRING,
    plain.read_octets_in_pieces,
    plain.read_octets,
    plain.write_octets,
)
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
    return _string(
        name, "BIT STRING", ber.BIT_STRING, ber.read_bits, ber.read_bits, plain.write_bits, names=numbered(bits)
    )


BIT_STRING = bit_string("BIT STRING")


def enumerated(name: str, table: str) -> Type:
    """An ENUMERATED: reads to the identifier, or to the int where the number is unknown; both can be written.

    ``table`` is what ``numbered`` reads.
    """
    names = numbered(table)
    read, writer = plain.enumerated_reader(names), plain.enumerated_writer(name, names)
    return _plain(name, "ENUMERATED", ber.ENUMERATED, read, writer, names=names)


ANY = Type("ANY", "ANY", None, frozenset(), plain.read_any, plain.write_any)
"""Whatever element stands there, kept as octets."""


def raw(number: int) -> Type:
    """A field tagged [number] whose type is not declared: the whole element is kept as octets, tag included."""
    both = frozenset(ber.identifier(ber.CONTEXT, number, constructed=flag) for flag in (False, True))
    return Type(f"[{number}]", "ANY", None, both, plain.read_any, plain.write_any)


def implicit(number: int, type_: Type, tag_class: int = ber.CONTEXT, name: str = "") -> Type:
    """``[number] IMPLICIT type``: only the outermost tag is replaced, of an EXPLICIT one too (traps 2 and 3)."""
    if type_.identifier is None:
        raise TypeError(f"[{number}] IMPLICIT {type_.name}: an untagged CHOICE or ANY takes EXPLICIT only (X.680 §31)")

    def retagged(form: int) -> int:
        return ber.identifier(tag_class, number, constructed=ber.is_constructed(form))

    return Type(
        name or type_.name,
        type_.kind,
        retagged(type_.identifier),
        frozenset(retagged(form) for form in type_.accepts),
        type_.read,
        type_.writer,
        type_.read_primitive,
        type_.parts,
        type_.names,
        type_.inner,
    )


def explicit(number: int, type_: Type, tag_class: int = ber.CONTEXT, name: str = "") -> Type:
    """``[number] EXPLICIT type``: an element around the element."""
    tag = ber.identifier(tag_class, number, constructed=True)
    name = name or type_.name
    return _plain(name, "EXPLICIT", tag, explicit_reader(name, type_), plain.writer_of(type_.write), inner=type_)


def application_implicit(number: int, type_: Type, name: str = "") -> Type:
    return implicit(number, type_, ber.APPLICATION, name)


def application_explicit(number: int, type_: Type, name: str = "") -> Type:
    return explicit(number, type_, ber.APPLICATION, name)


def sequence_of(item: Type, name: str = "") -> Type:
    """SEQUENCE OF item."""
    name = name or f"SEQUENCE OF {item.name}"
    return _plain(name, "SEQUENCE OF", ber.SEQUENCE, list_reader(name, item), list_writer(name, item), inner=item)


def choice(name: str, *alternatives: Part) -> Type:
    """CHOICE; an alternative may itself be an untagged CHOICE."""
    table = choice_table(alternatives)
    return Type(
        name,
        "CHOICE",
        None,
        frozenset(table),
        choice_reader(table),
        choice_writer(name, alternatives),
        parts=alternatives,
        choices=table,
    )


def sequence(name: str, *fields: Part) -> Type:
    """SEQUENCE. Fields are found in textual order, not by tag number (trap 5): a tag may come again further on."""
    read, writer = sequence_reader(name, fields), sequence_writer(name, fields)
    return _plain(name, "SEQUENCE", ber.SEQUENCE, read, writer, parts=fields)
