"""Values of declared types as JSON and back, as ``ocm csta decode --json`` shows them.

SEQUENCE: object by ASN.1 identifier, only the fields present · CHOICE: ``{"alternative": value}`` · SEQUENCE OF: list ·
NULL: null · INTEGER: number · ENUMERATED: its identifier, or the number where that is not known · BOOLEAN: true or
false · OCTET STRING: upper-case hex · BIT STRING: string of 0 and 1, all bits · strings, times, OBJECT IDENTIFIERs:
string.

What is not declared stands under ``"_unknown"`` as upper-case hex of whole elements: a list of them in a SEQUENCE, the
one element in place of a CHOICE's alternative, and likewise ``{"_unknown": hex}`` where no type at all is declared.
"""

from __future__ import annotations

import functools
import reprlib
from typing import Any

from protocols import ber
from protocols.asn1 import UNKNOWN, Part, Type
from protocols.csta.user_information import ACSEUserInformationForCSTA
from protocols.errors import LocalProtocolError, NeedMoreData, RemoteProtocolError

USER_INFORMATION_NAME = "1.3.12.0.285.200"
"""The direct-reference of an EXTERNAL that holds ACSEUserInformationForCSTA."""


@functools.cache
def parts_by_name(type_: Type) -> dict[str, Part]:
    return {part.name: part for part in type_.parts}


def open_type(sequence: Type, value: dict[str, Any]) -> Type | None:
    """What an EXTERNAL's single-ASN1-type holds, by its direct-reference; None where it can't be told."""
    if sequence.name == "EXTERNAL" and value.get("direct-reference") == USER_INFORMATION_NAME:
        return ACSEUserInformationForCSTA
    return None


def to_json(type_: Type, value: Any) -> Any:
    """The JSON form of a value that ``type_`` decoded; never fails on such a value."""
    kind = type_.kind
    if kind == "SEQUENCE":
        return _sequence_to_json(type_, value)
    if kind == "CHOICE":
        chosen, inner = value
        if chosen == UNKNOWN:
            return {UNKNOWN: _hex(inner)}
        return {chosen: to_json(parts_by_name(type_)[chosen].type, inner)}
    if type_.inner is not None:
        if kind == "SEQUENCE OF":
            return [to_json(type_.inner, each) for each in value]
        return to_json(type_.inner, value)  # EXPLICIT
    if kind == "ANY":
        return {UNKNOWN: _hex(value)}
    return _hex(value) if kind == "OCTET STRING" else value


def _sequence_to_json(type_: Type, value: dict[str, Any]) -> dict[str, Any]:
    parts = parts_by_name(type_)
    held = open_type(type_, value)
    if held is not None:
        match value.get("encoding"):
            case ("single-ASN1-type", bytes(octets)):
                try:
                    inner = to_json(held, held.decode_all(octets))
                except RemoteProtocolError:
                    pass  # not what its reference says: shown as it is
                else:
                    shown = {name: to_json(parts[name].type, each) for name, each in value.items() if name in parts}
                    shown["encoding"] = {"single-ASN1-type": inner}
                    return _with_unknown(shown, value)
    return _with_unknown({name: to_json(parts[name].type, value[name]) for name in value if name in parts}, value)


def _with_unknown(shown: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    if value.get(UNKNOWN):
        shown[UNKNOWN] = [_hex(element) for element in value[UNKNOWN]]
    return shown


def _hex(octets: bytes) -> str:
    return octets.hex().upper()


# From JSON


def wrong(path: str, what: str) -> LocalProtocolError:
    return LocalProtocolError(f"{path}: {what}" if path else what)


_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = 40


def shown(json: Any) -> str:
    """A wrong value as an error repeats it: never long, however large or deep it is."""
    return _short.repr(json)


def from_json(type_: Type, json: Any, path: str = "") -> Any:
    """The value of ``type_`` that the JSON form stands for; LocalProtocolError names the path of what is wrong."""
    kind = type_.kind
    if kind == "SEQUENCE":
        return _sequence_from_json(type_, json, path)
    if kind == "CHOICE":
        chosen, inner = only_key(json, path, "an alternative")
        if chosen == UNKNOWN:
            return UNKNOWN, element_from_json(inner, f"{path}.{UNKNOWN}")
        part = parts_by_name(type_).get(chosen)
        if part is None:
            raise wrong(path, f"no alternative {shown(chosen)}")
        return chosen, from_json(part.type, inner, f"{path}.{chosen}")
    if type_.inner is not None:
        if kind != "SEQUENCE OF":
            return from_json(type_.inner, json, path)
        if not isinstance(json, list):
            raise wrong(path, f"takes a list, not {shown(json)}")
        return [from_json(type_.inner, each, f"{path}[{index}]") for index, each in enumerate(json)]
    if kind == "ANY":
        chosen, inner = only_key(json, path, f'"{UNKNOWN}"')
        if chosen != UNKNOWN:
            raise wrong(path, f'no declared type: takes {{"{UNKNOWN}": hex of the element}}, not {shown(chosen)}')
        return element_from_json(inner, f"{path}.{UNKNOWN}", type_)
    return _plain_from_json(type_, json, path)


def only_key(json: Any, path: str, what: str) -> tuple[str, Any]:
    """Key and value of an object with a single one."""
    if not isinstance(json, dict) or len(json) != 1:
        raise wrong(path, f"takes an object with {what} as its only key, not {shown(json)}")
    ((key, inner),) = json.items()
    return key, inner


def octets_from_json(json: Any, path: str) -> bytes:
    if isinstance(json, str):
        try:
            return bytes.fromhex(json)
        except ValueError:
            pass
    raise wrong(path, f"takes a string of hex digits, not {shown(json)}")


def element_from_json(json: Any, path: str, type_: Type | None = None) -> bytes:
    """The octets of one whole element, whose tag is one that ``type_`` takes."""
    octets = octets_from_json(json, path)
    try:
        tag, _, _, after = ber.element(octets, 0, len(octets))
    except NeedMoreData:
        raise wrong(path, f"takes the hex of a whole element, not {shown(json)}") from None
    except RemoteProtocolError as error:
        raise wrong(path, str(error)) from None
    if after != len(octets):
        raise wrong(path, f"takes the hex of one element, not {shown(json)}")
    if type_ is not None and type_.accepts and tag not in type_.accepts:
        raise wrong(path, f"an element tagged {type_.name} stands here, not {tag:02X}")
    return octets


def elements_from_json(json: Any, path: str) -> list[bytes]:
    """What stands under ``_unknown`` in a SEQUENCE: a list of hex strings; a single one is taken too."""
    if isinstance(json, str):
        return [element_from_json(json, path)]
    if not isinstance(json, list):
        raise wrong(path, f"takes a list of hex strings, not {shown(json)}")
    return [element_from_json(each, f"{path}[{index}]") for index, each in enumerate(json)]


def _sequence_from_json(type_: Type, json: Any, path: str) -> dict[str, Any]:
    if not isinstance(json, dict):
        raise wrong(path, f"takes an object, not {shown(json)}")
    parts = parts_by_name(type_)
    value: dict[str, Any] = {}
    for name, inner in json.items():
        below = f"{path}.{name}"
        if name == UNKNOWN:
            value[UNKNOWN] = elements_from_json(inner, below)
        elif name not in parts:
            raise wrong(path, f"no field {shown(name)}")
        elif name == "encoding" and type_.name == "EXTERNAL" and _is_declared_encoding(inner):
            held = from_json(ACSEUserInformationForCSTA, inner["single-ASN1-type"], f"{below}.single-ASN1-type")
            value[name] = ("single-ASN1-type", ACSEUserInformationForCSTA.encode(held))
        else:
            value[name] = from_json(parts[name].type, inner, below)
    for part in type_.parts:
        if not part.optional and part.name not in value:
            raise wrong(path, f"field {part.name!r} is missing")
    return value


def _is_declared_encoding(json: Any) -> bool:
    match json:
        case {"single-ASN1-type": {**held}} if len(json) == 1:
            return UNKNOWN not in held
    return False


def _plain_from_json(type_: Type, json: Any, path: str) -> Any:
    kind = type_.kind
    if kind == "OCTET STRING":
        return octets_from_json(json, path)
    if kind == "NULL":
        if json is not None:
            raise wrong(path, f"takes null, not {shown(json)}")
        return None
    if kind == "BOOLEAN":
        if not isinstance(json, bool):
            raise wrong(path, f"takes true or false, not {shown(json)}")
        return json
    if kind in ("INTEGER", "ENUMERATED") and isinstance(json, int) and not isinstance(json, bool):
        if json.bit_length() >= 8 * ber.MAX_INTEGER_OCTETS:
            raise wrong(path, f"a number of more than {ber.MAX_INTEGER_OCTETS} octets")
        return json
    if kind == "INTEGER":
        raise wrong(path, f"takes a whole number, not {shown(json)}")
    if kind == "ENUMERATED":
        if json not in type_.names.values():
            raise wrong(path, f"takes a number or one of {', '.join(type_.names.values())}, not {shown(json)}")
        return json
    if not isinstance(json, str):
        raise wrong(path, f"takes a string, not {shown(json)}")
    try:
        type_.write(json)
    except LocalProtocolError as error:
        raise wrong(path, str(error)) from None
    return json
