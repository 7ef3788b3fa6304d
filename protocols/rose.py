"""X.880 remote operations: Invoke, ReturnResult, ReturnError, Reject, with their arguments left as octets.

What an argument means depends on the operation and is the business of the layer above (csta/services.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from protocols.asn1 import (
    ANY,
    INTEGER,
    NULL,
    OBJECT_IDENTIFIER,
    UNKNOWN,
    Type,
    alternative,
    choice,
    implicit,
    may,
    must,
    sequence,
)
from protocols.errors import LocalProtocolError, NeedMoreData, RemoteProtocolError

InvokeId = choice("InvokeId", alternative("present", INTEGER), alternative("absent", NULL))
LinkedId = choice("linkedId", alternative("present", implicit(0, INTEGER)), alternative("absent", implicit(1, NULL)))
Code = choice("Code", alternative("local", INTEGER), alternative("global", OBJECT_IDENTIFIER))
Problem = choice(
    "problem",
    alternative("general", implicit(0, INTEGER)),
    alternative("invoke", implicit(1, INTEGER)),
    alternative("returnResult", implicit(2, INTEGER)),
    alternative("returnError", implicit(3, INTEGER)),
)

INVOKE = implicit(
    1,
    sequence(
        "Invoke", must("invokeId", InvokeId), may("linkedId", LinkedId), must("opcode", Code), may("argument", ANY)
    ),
)
RETURN_RESULT = implicit(
    2,
    sequence(
        "ReturnResult",
        must("invokeId", InvokeId),
        may("result", sequence("result", must("opcode", Code), may("result", ANY))),
    ),
)
RETURN_ERROR = implicit(
    3, sequence("ReturnError", must("invokeId", InvokeId), must("errcode", Code), may("parameter", ANY))
)
REJECT = implicit(4, sequence("Reject", must("invokeId", InvokeId), must("problem", Problem)))

PROBLEMS: dict[str, dict[int, str]] = {
    "general": {0: "unrecognizedPDU", 1: "mistypedPDU", 2: "badlyStructuredPDU"},
    "invoke": {
        0: "duplicateInvocation",
        1: "unrecognizedOperation",
        2: "mistypedArgument",
        3: "resourceLimitation",
        4: "releaseInProgress",
        5: "unrecognizedLinkedId",
        6: "linkedResponseUnexpected",
        7: "unexpectedLinkedOperation",
    },
    "returnResult": {0: "unrecognizedInvocation", 1: "resultResponseUnexpected", 2: "mistypedResult"},
    "returnError": {
        0: "unrecognizedInvocation",
        1: "errorResponseUnexpected",
        2: "unrecognizedError",
        3: "unexpectedError",
        4: "mistypedParameter",
    },
}


@dataclass(frozen=True)
class Invoke:
    """A request. ``invoke_id`` None: the NULL form, no answer possible. ``opcode``: int local, dotted str global."""

    invoke_id: int | None
    opcode: int | str
    argument: bytes | None = None
    linked_id: int | None = None
    unknown: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class ReturnResult:
    """A positive answer. ``opcode`` is None where the answer is empty (X.880 allows it when there is no result)."""

    invoke_id: int | None
    opcode: int | str | None = None
    result: bytes | None = None
    unknown: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class ReturnError:
    """A negative answer; ``errcode`` 1 is CSTA's universalFailure."""

    invoke_id: int | None
    errcode: int | str
    parameter: bytes | None = None
    unknown: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Reject:
    """The other side could make nothing of an APDU of ours; ``problem`` is (alternative, number), see PROBLEMS."""

    invoke_id: int | None
    problem: tuple[str, int]
    unknown: tuple[bytes, ...] = ()


Apdu = Invoke | ReturnResult | ReturnError | Reject


def _id(value: dict[str, Any], key: str = "invokeId") -> int | None:
    chosen, number = value.get(key, ("absent", None))
    if chosen == UNKNOWN:
        raise RemoteProtocolError(f"{key} is neither INTEGER nor NULL")
    known: int | None = number
    return known


def _code(value: dict[str, Any], key: str) -> int | str:
    chosen, code = value[key]
    if chosen == UNKNOWN:
        raise RemoteProtocolError(f"{key} is neither INTEGER nor OBJECT IDENTIFIER")
    known: int | str = code
    return known


def _unknown(value: dict[str, Any]) -> tuple[bytes, ...]:
    return tuple(value.get(UNKNOWN, ()))


def _read_invoke(value: dict[str, Any]) -> Invoke:
    if len(value) == 3 and "argument" in value:  # by far the most frequent
        return Invoke(_id(value), _code(value, "opcode"), value["argument"])
    return Invoke(_id(value), _code(value, "opcode"), value.get("argument"), _id(value, "linkedId"), _unknown(value))


def _read_result(value: dict[str, Any]) -> ReturnResult:
    inner = value.get("result")
    if inner is None:
        return ReturnResult(_id(value), unknown=_unknown(value))
    return ReturnResult(_id(value), _code(inner, "opcode"), inner.get("result"), (*_unknown(inner), *_unknown(value)))


def _read_error(value: dict[str, Any]) -> ReturnError:
    return ReturnError(_id(value), _code(value, "errcode"), value.get("parameter"), _unknown(value))


def _read_reject(value: dict[str, Any]) -> Reject:
    return Reject(_id(value), value["problem"], _unknown(value))


_READERS: dict[int, tuple[Type, Callable[[dict[str, Any]], Apdu]]] = {
    0xA1: (INVOKE, _read_invoke),
    0xA2: (RETURN_RESULT, _read_result),
    0xA3: (RETURN_ERROR, _read_error),
    0xA4: (REJECT, _read_reject),
}


def is_rose(first_octet: int) -> bool:
    """Whether an APDU that begins with this octet is one of ours."""
    return first_octet in _READERS


def decode(octets: bytes) -> Apdu:
    """Decode one whole APDU. NeedMoreData while it is not all there; RemoteProtocolError when it is none."""
    if not octets:
        raise NeedMoreData
    if octets[0] not in _READERS:
        raise RemoteProtocolError(f"no ROSE APDU: tag {octets[0]:02X}")
    type_, read = _READERS[octets[0]]
    value, after = type_.decode(octets)
    if after != len(octets):
        raise RemoteProtocolError(f"{len(octets) - after} octets too many after the {type_.name} at octet {after}")
    return read(value)


def _id_value(invoke_id: int | None) -> tuple[str, int | None]:
    return ("absent", None) if invoke_id is None else ("present", invoke_id)


def _code_value(code: int | str) -> tuple[str, int | str]:
    return ("global", code) if isinstance(code, str) else ("local", code)


def encode(apdu: Apdu) -> bytes:
    """The octets of one APDU, without any frame."""
    value: dict[str, Any] = {"invokeId": _id_value(apdu.invoke_id)}
    type_: Type
    match apdu:
        case Invoke():
            type_ = INVOKE
            value["opcode"] = _code_value(apdu.opcode)
            if apdu.linked_id is not None:
                value["linkedId"] = _id_value(apdu.linked_id)
            if apdu.argument is not None:
                value["argument"] = apdu.argument
        case ReturnResult():
            type_ = RETURN_RESULT
            if apdu.opcode is not None:
                value["result"] = {"opcode": _code_value(apdu.opcode)}
                if apdu.result is not None:
                    value["result"]["result"] = apdu.result
            elif apdu.result is not None:
                raise LocalProtocolError("a result needs its opcode")
        case ReturnError():
            type_ = RETURN_ERROR
            value["errcode"] = _code_value(apdu.errcode)
            if apdu.parameter is not None:
                value["parameter"] = apdu.parameter
        case Reject():
            type_ = REJECT
            value["problem"] = apdu.problem
    if apdu.unknown:
        value[UNKNOWN] = list(apdu.unknown)
    return type_.encode(value)


def problem_text(problem: tuple[str, int]) -> str:
    """A reject's problem in words: ``invoke: unrecognizedOperation``."""
    group, number = problem
    return f"{group}: {PROBLEMS.get(group, {}).get(number, number)}"
