"""Orders to a running simulator: one JSON object a line over TCP on 127.0.0.1, and one a line back.

    {"do": "fault", "name": "drop", "options": {"nth": 3, "after": 10}}    -> {"fault": "drop after_s=10 nth=3"}
    {"do": "clear", "name": "silence"}  (without name: all)                -> {"cleared": ["silence"]}
    {"do": "status"}                                                       -> {"links": [...], "calls": [...], ...}
    {"do": "call-in", "from": "84951234501", "to": "302"}                  -> {"call": 7}

What can't be done is answered by ``{"error": "..."}``, one line for people, and the next line is read. A line that is
no JSON object ends the connection after its answer: whoever sends such a thing (a browser) speaks something else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineOnlyReceiver

from ocm_cti.simulator.effects import RequestError
from ocm_cti.simulator.fault_table import FAULTS, Fault, FaultError, read

MAX_LINE = 16_384  # octets


class OrderError(ValueError):
    """An order that makes no sense; one line for people."""


class Simulated(Protocol):
    """What can be ordered; the Simulator."""

    def inject(self, fault: Fault) -> None:
        """FaultError when it concerns something that is not there."""

    def clear(self, name: str | None = None) -> list[Fault]:
        """End the faults of a name, or all; which they were."""

    def call_in(self, number: str, destination: str) -> int:
        """Somebody outside calls; the call's serial. RequestError when the PBX can't take it."""

    def status(self) -> dict[str, Any]:
        """As overview.py has it; fit for JSON."""


class Control(Factory):
    """Takes orders from whoever connects."""

    noisy = False

    def __init__(self, simulated: Simulated, log: Callable[[str], None]) -> None:
        self.simulated = simulated
        self.log = log
        self.connections: list[Connection] = []

    def buildProtocol(self, addr: IAddress | None) -> Connection:
        return Connection(self)

    def close(self) -> None:
        """Close all connections."""
        for connection in list(self.connections):
            connection.transport.loseConnection()

    def answer(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out one order; its answer."""
        try:
            deed = _DEEDS.get(_text(order, "do"))
            if deed is None:
                raise OrderError(f"do is one of {', '.join(_DEEDS)}, not {order['do']!r}")
            return deed(self.simulated, order)
        except (OrderError, FaultError) as error:
            return {"error": str(error)}


class Connection(LineOnlyReceiver):
    """One connection of somebody who gives orders."""

    delimiter = b"\n"
    MAX_LENGTH = MAX_LINE
    transport: Any

    def __init__(self, control: Control) -> None:
        self._control = control

    def connectionMade(self) -> None:
        self._control.connections.append(self)

    def connectionLost(self, reason: Any = None) -> None:
        self._control.connections.remove(self)

    def lineReceived(self, line: bytes) -> None:
        try:
            order = json.loads(line)
        except (ValueError, RecursionError):
            order = None
        if not isinstance(order, dict):
            self._say({"error": "expected one JSON object a line"})
            self.transport.loseConnection()
            return
        answer = self._control.answer(order)
        self._control.log(f"control: {line.decode('utf-8', 'replace').strip()} -> {answer.get('error', 'done')}")
        self._say(answer)

    def lineLengthExceeded(self, line: bytes) -> None:
        self._say({"error": f"a line of more than {MAX_LINE} octets"})
        self.transport.loseConnection()

    def _say(self, answer: Mapping[str, Any]) -> None:
        self.transport.write(json.dumps(answer, ensure_ascii=False).encode() + self.delimiter)


def _fault(simulated: Simulated, order: Mapping[str, Any]) -> dict[str, Any]:
    _nothing_else(order, "name", "options")
    options = order.get("options", {})
    if not isinstance(options, dict):
        raise OrderError(f"options are an object, not {options!r}")
    fault = read(_text(order, "name"), [f"{option}={_word(option, value)}" for option, value in options.items()])
    simulated.inject(fault)
    return {"fault": fault.described()}


def _clear(simulated: Simulated, order: Mapping[str, Any]) -> dict[str, Any]:
    _nothing_else(order, "name")
    name = _text(order, "name") if "name" in order else None
    if name is not None and name not in FAULTS:
        raise OrderError(f"name is that of a fault ({', '.join(FAULTS)}), not {name!r}")
    return {"cleared": [fault.described() for fault in simulated.clear(name)]}


def _status(simulated: Simulated, order: Mapping[str, Any]) -> dict[str, Any]:
    _nothing_else(order)
    return simulated.status()


def _call_in(simulated: Simulated, order: Mapping[str, Any]) -> dict[str, Any]:
    _nothing_else(order, "from", "to")
    number, extension = _text(order, "from"), _text(order, "to")
    try:
        return {"call": simulated.call_in(number, extension)}
    except RequestError as error:
        why = f"{extension} is busy, not registered or out of service, or no line is free"
        if error.error[1] == "invalidDeviceID":
            why = f"there is no extension {extension!r}"
        raise OrderError(f"the PBX refuses ({error.error[1]}): {why}") from None


_DEEDS: Mapping[str, Callable[[Simulated, Mapping[str, Any]], dict[str, Any]]] = {
    "fault": _fault,
    "clear": _clear,
    "status": _status,
    "call-in": _call_in,
}


def _text(order: Mapping[str, Any], key: str) -> str:
    value = order.get(key)
    if not isinstance(value, str):
        raise OrderError(f"{key} is missing" if value is None else f"{key} is a text, not {value!r}")
    return value


def _nothing_else(order: Mapping[str, Any], *keys: str) -> None:
    for key in order:
        if key not in ("do", *keys):
            raise OrderError(f"{order['do']} has no {key!r}; it has {', '.join(keys) or 'nothing'}")


def _word(option: str, value: Any) -> str:
    """A JSON value as the command line would have it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise OrderError(f"option {option} is a text, a number, true or false, not {value!r}")
