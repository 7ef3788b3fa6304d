"""An APDU in a few words: its kind, by which two sessions are compared, and what a reader looks for first."""

from __future__ import annotations

from typing import Any

from protocols import acse, rose
from protocols.asn1 import UNKNOWN
from protocols.csta import apdus, operations
from protocols.csta.capture import Captured
from protocols.csta.panasonic import device_kind
from protocols.csta.recording import Direction
from protocols.errors import ProtocolError

WAYS = {Direction.TO_SWITCH: "> to switch", Direction.TO_CLIENT: "< to client"}

_NESTED_KINDS = ("private", "systemData", "additionalData", "privateEvent", "resourceControl", "getSystemData")


def invoke_id(json: dict[str, Any]) -> int | None:
    """The invoke id of an APDU in JSON form (apdus.py); None for ACSE and for the NULL form."""
    ((_, fields),) = json.items()
    number = fields.get("invokeId")
    return number if isinstance(number, int) else None


def is_answer(json: dict[str, Any]) -> bool:
    return next(iter(json)) in ("returnResult", "returnError", "reject")


def kind(json: dict[str, Any]) -> str:
    """What an APDU in JSON form is, without its numbers and devices: ``invoke cSTAEventReport delivered``."""
    ((apdu, fields),) = json.items()
    if apdu == "invoke":
        return " ".join([apdu, _operation(fields["opcode"]), *_inside(fields.get("argument"))])
    if apdu == "returnResult":
        return " ".join([apdu, *([_operation(fields["opcode"])] if "opcode" in fields else [])])
    if apdu == "returnError":
        parameter = fields.get("parameter")
        return " ".join([apdu, *_error(parameter)]) if fields["errcode"] == 1 else f"{apdu} {fields['errcode']}"
    if apdu == "reject":
        ((group, number),) = fields["problem"].items()
        return f"{apdu} {rose.problem_text((group, number))}"
    if apdu == "aare":
        return f"{apdu} {acse.RESULTS.get(fields['result'], fields['result'])}"
    return apdu


def _operation(code: int | str) -> str:
    return operations.by_code(code).name


def _inside(argument: Any) -> list[str]:
    """The event of a report, the private service of an escape."""
    if not isinstance(argument, dict):
        return []
    inner = argument.get("eventSpecificInfo")
    if isinstance(inner, dict):
        ((_, events),) = inner.items()
        return [next(iter(events))] if isinstance(events, dict) else []
    names = []
    inner = argument.get("privateData")
    while isinstance(inner, dict) and len(inner) == 1:
        ((name, inner),) = inner.items()
        if name == UNKNOWN:
            break
        if name not in ("private", "systemData"):
            names.append(name)
        if name not in _NESTED_KINDS:
            break
    return names[:2]


def _error(parameter: Any) -> list[str]:
    if not isinstance(parameter, dict) or len(parameter) != 1:
        return []
    ((category, value),) = parameter.items()
    return [category, *([str(value)] if isinstance(value, str | int) and category != UNKNOWN else [])]


def summary(json: dict[str, Any]) -> str:
    """One line: kind, invoke id, devices, cause."""
    ((_, fields),) = json.items()
    number = invoke_id(json)
    words = [kind(json)] if number is None else [f"{kind(json)} (id {number})"]
    body: Any = fields.get("argument", fields.get("result"))
    if isinstance(body, dict) and isinstance(body.get("eventSpecificInfo"), dict):
        body = next(iter(body["eventSpecificInfo"].values()))
        body = next(iter(body.values())) if isinstance(body, dict) and body else None
    if isinstance(body, dict):
        words += _salient(body)
    return ", ".join(words)


def _salient(body: dict[str, Any]) -> list[str]:
    words = []
    for name, value in body.items():
        device = device_text(value)
        if device:
            words.append(f"{name} {device}")
        elif name in ("cause", "systemStatus", "localConnectionInfo") and isinstance(value, str | int):
            words.append(f"{name} {value}")
    return words


def device_text(json: Any, depth: int = 0) -> str:
    """The number or trunk of a device or connection in JSON form; "" where there is none."""
    if not isinstance(json, dict) or depth > 8:
        return ""
    for name, value in json.items():
        if name == "dialingNumber" and isinstance(value, str):
            return value
        if name == "deviceNumber" and isinstance(value, int):
            known = device_kind({"deviceIdentifier": ("deviceNumber", value)})
            return "{} {}".format(*known) if known else str(value)
        if name in ("notKnown", "restricted"):
            return str(name)
        if name in ("deviceIdentifier", "deviceObject", "both", "deviceID", "staticID", "callObject", "numberdialed"):
            found = device_text(value, depth + 1)
            if found:
                return found
    return ""


def heading(captured: Captured) -> str:
    """The line above an APDU in a listing: when, which way, what."""
    words = []
    if captured.at is not None:
        words.append(captured.at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + "Z")
    if captured.direction is not None:
        words.append(WAYS[captured.direction])
    if captured.fault:
        words.append(f"!! {captured.fault}")
    else:
        try:
            words.append(summary(apdus.decode(captured.apdu)))
        except ProtocolError as error:
            words.append(f"!! {error}")
    if captured.flow:
        words.append(f"[{captured.flow}]")
    return "  ".join(words)
