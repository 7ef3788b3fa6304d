"""What a decoded value holds that its type does not declare."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from protocols import ber
from protocols.asn1_compile import UNKNOWN, Type


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
