"""``ocm simulate fault | clear | status | call-in``: ask a running simulator, by its control port."""

from __future__ import annotations

import argparse
import json
import socket
import sys
from collections.abc import Sequence
from typing import Any

from ocm_cti.simulator import fault_table
from ocm_cti.simulator.config import ArgumentError

ANSWER_S = 10.0


def main(argv: Sequence[str]) -> int:
    """Exit code 0, or 2 with one line on standard error."""
    try:
        given = _parser().parse_args(list(argv))
        answer = ask(given.control, _request(given))
    except (ArgumentError, fault_table.FaultError) as error:
        print(f"simulate {argv[0]}: {error}", file=sys.stderr)
        return 2
    if "error" in answer:
        print(f"simulate {argv[0]}: {answer['error']}", file=sys.stderr)
        return 2
    if given.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print("\n".join(_told(given.command, answer)))
    return 0


def ask(control: str, request: dict[str, Any]) -> dict[str, Any]:
    """One request to HOST:PORT and its answer; ArgumentError when nobody answers there."""
    host, _, port = control.rpartition(":")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ArgumentError(f"--control {control!r}: expected HOST:PORT")
    try:
        with socket.create_connection((host or "127.0.0.1", int(port)), timeout=ANSWER_S) as connection:
            connection.sendall(json.dumps(request).encode() + b"\n")
            line = connection.makefile("rb").readline()
        answer = json.loads(line)
    except OSError as error:
        raise ArgumentError(f"no simulator's control port at {control}: {error.strerror or error}") from None
    except ValueError:
        raise ArgumentError(f"whoever is at {control} is no simulator") from None
    return answer if isinstance(answer, dict) else {"error": "no answer"}


COMMANDS = ("fault", "clear", "status", "call-in")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ocm simulate", description="Ask a simulated PBX that is running.")
    commands = parser.add_subparsers(dest="command", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--control", required=True, metavar="HOST:PORT", help="control_port of its ready line")
    common.add_argument("--json", action="store_true", help="the answer as JSON")
    fault = commands.add_parser(
        "fault",
        parents=[common],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        help="make something go wrong",
        description="Make something go wrong in a running PBX, until it is cleared.",
        epilog="Faults and their options:\n" + fault_table.described(),
    )
    fault.add_argument("name", metavar="NAME")
    fault.add_argument("options", nargs="*", metavar="OPTION=VALUE")
    clear = commands.add_parser("clear", parents=[common], help="end a fault, or all")
    clear.add_argument("name", nargs="?", metavar="NAME")
    commands.add_parser("status", parents=[common], help="calls, links, monitors, registrations, faults")
    call_in = commands.add_parser("call-in", parents=[common], help="let somebody outside call an extension")
    call_in.add_argument("number", metavar="FROM", help='his number; "" withholds it')
    call_in.add_argument("extension", metavar="EXTENSION")
    return parser


def _request(given: argparse.Namespace) -> dict[str, Any]:
    match given.command:
        case "fault":
            fault_table.read(given.name, given.options)  # what is wrong with it is told without asking
            options = dict(option.split("=", 1) for option in given.options)
            return {"do": "fault", "name": given.name, "options": options}
        case "clear":
            return {"do": "clear"} if given.name is None else {"do": "clear", "name": given.name}
        case "call-in":
            return {"do": "call-in", "from": given.number, "to": given.extension}
        case _:
            return {"do": "status"}


def _told(command: str, answer: dict[str, Any]) -> list[str]:
    match command:
        case "fault":
            return [answer["fault"]]
        case "clear":
            return [f"cleared: {', '.join(answer['cleared']) or 'nothing'}"]
        case "call-in":
            return [f"call {answer['call']}"]
        case _:
            return _status(answer)


def _status(status: dict[str, Any]) -> list[str]:
    lines = [f"power {status['power']}, system status {status['system_status']}"]
    lines += _table(
        "calls",
        ("call", "callID", "state", "dialled", "parties"),
        [
            (
                str(call["call"]),
                call["call_id"],
                call["state"],
                call["dialled"],
                ", ".join(f"{side['device']} {side['state']}" for side in call["connections"]),
            )
            for call in status["calls"]
        ],
    )
    lines += _table(
        "links",
        ("link", "client", "associated", "monitors"),
        [
            (
                str(link["link"]),
                link["peer"],
                "yes" if link["associated"] else "no",
                " ".join(link["monitors"]) or "none",
            )
            for link in status["links"]
        ],
    )
    lines += _table("registrations", ("extension", "contact"), list(status["registrations"].items()))
    faults = [(fault, "in force") for fault in status["faults"]]
    faults += [(fault, "to come") for fault in status["faults_to_come"]]
    lines += _table("faults", ("fault", "state"), faults)
    return [*lines, f"out of service: {' '.join(status['out_of_service']) or 'nothing'}"]


def _table(what: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Aligned columns under a line that counts them; no columns for no rows."""
    if not rows:
        return [f"{what}: none"]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in (heads, *rows)]
    return [f"{what}: {len(rows)}", *(f"  {line}".rstrip() for line in lines)]
