"""Line after line: one APDU in, one answer out, at once; a bad line is answered with what is wrong and ends nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

from protocols.csta import apdus, tree
from protocols.csta.capture import apdu_of
from protocols.csta.notation import shown
from protocols.errors import LocalProtocolError, ProtocolError

MAX_LINE = 1 << 20
"""Octets of a line; the largest APDU, in hex and spread out, is far below."""


def decode_line(line: str) -> str:
    """Hex to JSON, both on one line; never raises."""
    try:
        return dumps(apdus.decode(apdu_of(line)))
    except ProtocolError as error:
        return error_line(error)


def tree_of_line(line: str) -> str:
    """Hex to the tree of an APDU, some lines and an empty one; never raises."""
    try:
        apdu = apdu_of(line)
    except ProtocolError as error:
        return error_line(error)
    return "\n".join([*tree.lines(apdu), ""])


def encode_line(line: str) -> str:
    """JSON to hex, or to the JSON object that says what is wrong; never raises."""
    try:
        return encode(line).hex().upper()
    except ProtocolError as error:
        return error_line(error)


def encode(text: str) -> bytes:
    """The APDU that a JSON text stands for; LocalProtocolError says what is wrong and where."""
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
    except RecursionError:
        raise LocalProtocolError("no JSON: nested too deep") from None
    except ValueError as error:
        raise LocalProtocolError(f"no JSON: {error}") from None
    return apdus.encode(value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"{shown(twice)} stands twice in an object")
    return value


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def dumps(value: Any) -> str:
    return json.dumps(value)


def error_line(error: ProtocolError) -> str:
    return dumps({"error": str(error)})


def lines_of(stream: BinaryIO) -> Iterator[str]:
    """Lines as they come, without their ends; one longer than MAX_LINE comes as a line that can't be read."""
    while line := stream.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE)
            yield f"a line of more than {MAX_LINE} octets"
            continue
        yield line.decode("utf-8", "replace").rstrip("\r\n").lstrip("\ufeff")
