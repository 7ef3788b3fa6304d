"""Whole APDUs, ROSE and ACSE, as JSON and back: one object with one key, the kind of APDU.

    {"invoke": {"invokeId": 1, "linkedId": 2, "opcode": 10, "argument": {...}}}       invokeId null: the NULL form
    {"returnResult": {"invokeId": 1, "opcode": 10, "result": ...}}                   an empty one has only invokeId
    {"returnError": {"invokeId": 1, "errcode": 1, "parameter": ...}}
    {"reject": {"invokeId": 1, "problem": {"invoke": 1}}}
    {"aarq": {...}}  "aare"  "rlrq"  "rlre"  "abrt"                                  fields by the names of X.227

What argument, result and parameter hold stands in operations.py; an operation that is not declared there has
``{"_unknown": hex of the element}``. A global opcode is its dotted OBJECT IDENTIFIER as a string.
"""

from __future__ import annotations

from typing import Any

from protocols import acse, rose
from protocols.asn1 import ANY, INTEGER, OBJECT_IDENTIFIER, UNKNOWN, Type
from protocols.csta import operations
from protocols.csta.causes import UniversalFailure
from protocols.csta.notation import elements_from_json, from_json, only_key, shown, to_json, wrong
from protocols.errors import RemoteProtocolError

UNIVERSAL_FAILURE = 1
UNKNOWN_INNER = "_unknownInResult"
"""Unknown elements behind opcode and result, inside the SEQUENCE that a ReturnResult holds them in."""

ROSE: dict[int, tuple[str, Type]] = {
    0xA1: ("invoke", rose.INVOKE),
    0xA2: ("returnResult", rose.RETURN_RESULT),
    0xA3: ("returnError", rose.RETURN_ERROR),
    0xA4: ("reject", rose.REJECT),
}
APDUS: dict[int, tuple[str, Type]] = ROSE | acse.APDUS
TYPES: dict[str, Type] = dict(APDUS.values())
OPEN_FIELDS = {"invoke": "argument", "returnResult": "result", "returnError": "parameter"}


def is_apdu(octets: bytes) -> bool:
    """Whether the first octet is that of an APDU."""
    return bool(octets) and octets[0] in APDUS


def unframed(octets: bytes) -> bytes:
    """The APDU alone: its 2-octet length is taken off where it stands there, which no APDU can be mistaken for."""
    if len(octets) > 2 and octets[0] not in APDUS and int.from_bytes(octets[:2], "big") == len(octets) - 2:
        return octets[2:]
    return octets


def held_type(kind: str, code: int | str) -> Type:
    """The type of the argument, result or parameter of an APDU; ANY where it is not declared.

    ``code`` is the opcode, of a returnError the errcode.
    """
    if kind == "returnError":
        return UniversalFailure if code == UNIVERSAL_FAILURE else ANY
    operation = operations.by_code(code)
    return operation.argument if kind == "invoke" else operation.result


def decode(octets: bytes) -> dict[str, Any]:
    """The JSON form of one whole APDU; RemoteProtocolError says what is wrong with it and where."""
    if not octets:
        raise RemoteProtocolError("no octets")
    if octets[0] not in APDUS:
        raise RemoteProtocolError(f"no APDU: tag {octets[0]:02X} at octet 0")
    kind, type_ = APDUS[octets[0]]
    value = type_.decode_all(octets)
    if octets[0] not in ROSE:
        return {kind: to_json(type_, value)}
    json: dict[str, Any] = {"invokeId": _plain(value["invokeId"], "invokeId")}
    if "linkedId" in value:
        json["linkedId"] = _plain(value["linkedId"], "linkedId")
    inner, key = (value.get("result", {}), "opcode") if kind == "returnResult" else (value, "opcode")
    if kind == "returnError":
        key = "errcode"
    if key in inner:
        json[key] = _plain(inner[key], key)
    held = OPEN_FIELDS.get(kind)
    if held is not None and held in inner:
        json[held] = _held(kind, held, json[key], inner[held])
    if kind == "reject":
        json["problem"] = to_json(rose.Problem, value["problem"])
    if inner is not value and UNKNOWN in inner:
        json[UNKNOWN_INNER] = [element.hex().upper() for element in inner[UNKNOWN]]
    if UNKNOWN in value:
        json[UNKNOWN] = [element.hex().upper() for element in value[UNKNOWN]]
    return {kind: json}


def _plain(chosen: tuple[str, Any], name: str) -> int | str | None:
    """An invoke id or a code without its alternative, which the JSON type of the value tells."""
    form, value = chosen
    if form == UNKNOWN:
        raise RemoteProtocolError(f"{name}: unexpected element {value[:8].hex(' ').upper()}")
    plain: int | str | None = value
    return plain


def _held(kind: str, held: str, code: int | str, octets: bytes) -> Any:
    type_ = held_type(kind, code)
    try:
        return to_json(type_, type_.decode_all(octets))
    except RemoteProtocolError as error:
        what = "error" if kind == "returnError" else operations.by_code(code).name
        raise RemoteProtocolError(f"{held} of {what} {code}: {error} (of the {held})") from None


# From JSON


def encode(json: Any) -> bytes:
    """The octets of one APDU, without its 2-octet length; LocalProtocolError names the path of what is wrong."""
    kind, fields = only_key(json, "", f"one of {', '.join(TYPES)}")
    type_ = TYPES.get(kind)
    if type_ is None:
        raise wrong("", f"no APDU {shown(kind)}: one of {', '.join(TYPES)}")
    if kind not in ("invoke", "returnResult", "returnError", "reject"):
        return type_.encode(from_json(type_, fields, kind))
    if not isinstance(fields, dict):
        raise wrong(kind, f"takes an object, not {shown(fields)}")
    return type_.encode(_rose_from_json(kind, fields))


FIELDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "invoke": (("invokeId", "opcode"), ("linkedId", "argument", UNKNOWN)),
    "returnResult": (("invokeId",), ("opcode", "result", UNKNOWN, UNKNOWN_INNER)),
    "returnError": (("invokeId", "errcode"), ("parameter", UNKNOWN)),
    "reject": (("invokeId", "problem"), (UNKNOWN,)),
}
"""Kind -> names of the fields that must be there, and of those that may."""


def _rose_from_json(kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    musts, mays = FIELDS[kind]
    for name in fields:
        if name not in musts and name not in mays:
            raise wrong(kind, f"no field {shown(name)}")
    for name in musts:
        if name not in fields:
            raise wrong(kind, f"field {name!r} is missing")
    value: dict[str, Any] = {"invokeId": _id_from_json(fields["invokeId"], f"{kind}.invokeId")}
    if "linkedId" in fields:
        value["linkedId"] = _id_from_json(fields["linkedId"], f"{kind}.linkedId")
    if kind == "reject":
        value["problem"] = from_json(rose.Problem, fields["problem"], f"{kind}.problem")
    if UNKNOWN in fields:
        value[UNKNOWN] = elements_from_json(fields[UNKNOWN], f"{kind}.{UNKNOWN}")
    inner = value
    if kind == "returnResult":
        inner = {}
        if UNKNOWN_INNER in fields:
            inner[UNKNOWN] = elements_from_json(fields[UNKNOWN_INNER], f"{kind}.{UNKNOWN_INNER}")
        if "opcode" in fields:
            value["result"] = inner
        elif "result" in fields or inner:
            raise wrong(kind, "field 'opcode' is missing: a result needs it")
    key = "errcode" if kind == "returnError" else "opcode"
    if key in fields:
        inner[key] = _code_from_json(fields[key], f"{kind}.{key}")
    held = OPEN_FIELDS.get(kind)
    if held is not None and held in fields:
        type_ = held_type(kind, fields[key])
        json = fields[held]
        if isinstance(json, dict) and set(json) == {UNKNOWN} and isinstance(json[UNKNOWN], str):
            type_ = ANY  # any element may be written here, whatever is declared
        inner[held] = type_.encode(from_json(type_, json, f"{kind}.{held}"))
    return value


def _id_from_json(json: Any, path: str) -> tuple[str, int | None]:
    if json is None:
        return "absent", None
    return "present", from_json(INTEGER, json, path)


def _code_from_json(json: Any, path: str) -> tuple[str, int | str]:
    if isinstance(json, str):
        return "global", from_json(OBJECT_IDENTIFIER, json, path)
    return "local", from_json(INTEGER, json, path)
