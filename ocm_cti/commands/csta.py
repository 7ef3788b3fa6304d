"""``ocm csta``: read, write and replay what goes over the CTI line of a PBX."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import click


class _Wrong(Exception):
    """One line for the user, exit code 2."""


def _quiet(command: Callable[..., int]) -> Callable[..., None]:
    """One line and code 2 for what is wrong outside of us; nothing for Ctrl-C or a reader that went away."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        from ocm_cti.commands.csta_pcap import NoReader
        from protocols.errors import ProtocolError

        try:
            code = command(*args, **kwargs)
            sys.stdout.flush()
        except BrokenPipeError:
            # What is still buffered has nobody to go to; the interpreter would complain about it at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = 0
        except KeyboardInterrupt:
            code = 130
        except (_Wrong, NoReader, ProtocolError, OSError) as error:
            click.echo(f"ocm: {error}", err=True)
            code = 2
        sys.exit(code)

    return wrapped


@click.group()
def csta() -> None:
    """Read, write and replay CSTA, the language of the PBX's CTI line.

    \b
    To see what your PBX said:      ocm csta decode capture.pcap
    One APDU from a log:            ocm csta decode A1 0C 02 01 01 02 02 00 D3 30 03 0A 01 02
    A recorded session once more:   ocm csta replay session.txt --to tcp:192.168.0.101:33333
    """


@csta.command(context_settings={"ignore_unknown_options": True})
@click.option("--json", "as_json", is_flag=True, help="One JSON object per APDU instead of a tree.")
@click.argument("source", metavar="HEX|FILE|-", nargs=-1, required=True, type=click.UNPROCESSED)
@_quiet
def decode(as_json: bool, source: tuple[str, ...]) -> int:
    """Show APDUs (ACSE or ROSE) with names, values, octets and offsets.

    HEX is one APDU, with or without its 2-octet length, in either case, with or without blanks. FILE is a packet
    capture (pcap or pcapng; needs the package dpkt), a recording or log of ours, lines of hex, or raw octets. With -
    each line of the standard input is one APDU in hex and is answered at once; a line that is none gives
    {"error": ...} in its place.

    \b
    JSON: {"invoke": {"invokeId": 1, "linkedId": 2, "opcode": 10, "argument": {...}}}
          {"returnResult": {"invokeId": 1, "opcode": 10, "result": ...}}
          {"returnError": {"invokeId": 1, "errcode": 1, "parameter": ...}}
          {"reject": {"invokeId": 1, "problem": {"invoke": 1}}}     aarq, aare, abrt, rlrq, rlre likewise
      SEQUENCE      object by ASN.1 identifier, only the fields that are present
      CHOICE        {"alternative": value}            SEQUENCE OF   list
      INTEGER       number                            NULL          null
      ENUMERATED    identifier; unknown: number       OCTET STRING  upper-case hex
      BIT STRING    string of 0 and 1, all bits       others        string
      not declared  "_unknown": in a SEQUENCE a list of elements in hex; in place of an alternative, or of an
                    argument of an operation that is not declared, {"_unknown": "hex of the element"}

    Exit codes: 0; 2 when the HEX or the FILE can't be read.
    """
    if source == ("-",):
        return _decode_lines(as_json)
    if len(source) == 1 and os.path.exists(source[0]):
        return _decode_file(source[0], as_json)
    return _decode_hex(" ".join(source), as_json)


@csta.command()
@click.argument("source", metavar="-", type=click.Choice(["-"]))
@_quiet
def encode(source: str) -> int:
    """Turn JSON (as decode --json prints it) into hex: one APDU a line on the standard input, one a line out.

    The hex has no 2-octet length before it. A line that can't be encoded gives {"error": ...} in its place, with the
    path of what is wrong in it, as in "invoke.argument.callingDevice.deviceIdentifier: no alternative 'x'".
    """
    from ocm_cti.commands.csta_lines import encode_line, lines_of

    return _each(encode_line(line) for line in lines_of(sys.stdin.buffer))


@csta.command()
@click.argument("recording", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--to", "address", required=True, metavar="tcp:HOST:PORT", help="The PBX; with --as switch: listen there."
)
@click.option(
    "--as",
    "side",
    type=click.Choice(["client", "switch"]),
    default="client",
    show_default=True,
    help="Whose part of the recording is played.",
)
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0.05),
    default=10.0,
    show_default=True,
    help="Seconds that the other side has for an answer; then the recording goes on without it.",
)
@_quiet
def replay(recording: str, address: str, side: str, wait_s: float) -> int:
    """Play one side of a recorded session to a live PBX (or client), and compare what the other side says.

    FILE is a packet capture or a recording of ours: one APDU a line, "> HEX" from client to switch, "< HEX" from switch
    to client, a time before it if you like, "|" where the connection ended, comments after "#".

    Each exchange stands on one line, as recorded and as it was now; what differs in kind is marked with "!". The
    numbers that a switch chooses itself (callID, cross references, its invoke ids) are put in the place of the recorded
    ones.

    Careful: calls in the recording are made again. Exit codes: 0 nothing differs, 1 something does, 2 it can't be done.
    """
    from ocm_cti.commands.csta_files import sessions
    from ocm_cti.commands.csta_replay import run
    from protocols.csta.recording import Direction

    found = sessions(recording)
    if not found:
        raise _Wrong(f"{recording}: no CSTA in it")
    plays = Direction.TO_SWITCH if side == "client" else Direction.TO_CLIENT
    try:
        return run(found, address, plays, wait_s)
    except ValueError as error:
        raise _Wrong(str(error)) from None


def _each(answers: Iterable[str]) -> int:
    for answer in answers:
        sys.stdout.write(answer + "\n")
        sys.stdout.flush()
    return 0


def _decode_lines(as_json: bool) -> int:
    from ocm_cti.commands.csta_lines import decode_line, lines_of, tree_of_line

    answer = decode_line if as_json else tree_of_line
    return _each(answer(line) for line in lines_of(sys.stdin.buffer))


def _decode_hex(text: str, as_json: bool) -> int:
    from ocm_cti.commands.csta_lines import dumps
    from protocols.csta import apdus, tree
    from protocols.csta.capture import apdu_of
    from protocols.errors import RemoteProtocolError

    try:
        apdu = apdu_of(text)
    except RemoteProtocolError as error:
        raise _Wrong(f"{text[:60]!r} is neither a file nor hex: {error}") from None
    if as_json:
        click.echo(dumps(apdus.decode(apdu)))
        return 0
    click.echo("\n".join(tree.lines(apdu)))
    apdus.decode(apdu)  # the tree shows what is wrong where; this says that something is
    return 0


def _decode_file(path: str, as_json: bool) -> int:
    from ocm_cti.commands.csta_files import read
    from ocm_cti.commands.csta_lines import dumps
    from protocols.csta import apdus, summary, tree
    from protocols.errors import ProtocolError

    found = 0
    for captured in read(path):
        found += 1
        wrong = captured.fault
        shown = ""
        if not wrong:
            try:
                shown = dumps(apdus.decode(captured.apdu))
            except ProtocolError as error:
                wrong = str(error)
        if as_json:
            click.echo(dumps({"error": wrong}) if wrong else shown)
            continue
        click.echo(summary.heading(captured))
        click.echo("\n".join([*tree.lines(captured.apdu), ""]))
    if not found:
        raise _Wrong(f"{path}: no CSTA in it")
    return 0
