"""The simulated PBX as a process of its own: ``python -m ocm_cti.simulator.process``, also ``ocm simulate``.

When everything listens, one line of JSON is printed on standard output:
``{"csta_port": 33333, "sip_port": 5060, "host": "127.0.0.1"}``, with ``smdr_port``, ``control_port`` and
``csta_serial`` where there are such. It runs until SIGTERM or SIGINT. Whatever is wrong with the arguments, or a port
that is taken, is one line on standard error and exit code 2.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet.error import CannotListenError, ConnectError

from ocm_cti.simulator import control_client, fault_table
from ocm_cti.simulator.callees import Callee, CalleesError, Directory, parse_step
from ocm_cti.simulator.config import PTY, ExtensionConfig, PbxConfig, check_password_pattern, load
from ocm_cti.simulator.config import ArgumentError as ArgumentError
from ocm_cti.simulator.config import Recordings as Recordings
from ocm_cti.simulator.config import parse_extensions as parse_extensions
from ocm_cti.simulator.fault_table import FaultError
from ocm_cti.simulator.faults import SettingError, Settings
from ocm_cti.simulator.simulation import Simulator as Simulator

#: A PBX as the command line describes it, without a file.
Arguments = PbxConfig

EXTENSIONS = "301-308"
#: What the plain PBX has beside them: desk telephones with somebody at them who does what he is asked, a softphone.
DESKS = ("201", "202", "203")
AT_A_DESK = (*("listen", "press 1") * 4, "hear_out")
SOFTPHONE = "310"
PORTS = ("csta_port", "sip_port", "smdr_port", "control_port")


def main(argv: Sequence[str]) -> int:
    """Run until told to stop, or ask a simulator that runs; the exit code."""
    if argv and argv[0] in control_client.COMMANDS:
        return control_client.main(argv)
    try:
        config = parse(argv)
        from twisted.internet import reactor

        simulator = Simulator(reactor, config)
        ready = simulator.start()
    except (ArgumentError, SettingError, CalleesError, FaultError) as error:
        return _sorry(str(error))
    except CannotListenError as error:
        why = getattr(error.socketError, "strerror", None) or error.socketError
        return _sorry(f"can't listen on {error.interface} port {error.port}: {why}")
    except ConnectError as error:
        return _sorry(str(error.args[0] if error.args else error))
    except OSError as error:
        return _sorry(f"cannot use {error.filename or 'the network'}: {error.strerror or error}")
    loop: Any = reactor
    loop.addSystemEventTrigger("before", "shutdown", simulator.stop)
    loop.callWhenRunning(lambda: print(json.dumps(ready), flush=True))
    loop.run()
    return 0


def _sorry(text: str) -> int:
    print(f"simulate: {text}", file=sys.stderr)
    return 2


def parse(argv: Sequence[str]) -> PbxConfig:
    """The command line. ArgumentError, SettingError, CalleesError, FaultError in one line; ``--help`` ends the
    process."""
    given = _parser().parse_args(list(argv))
    for name in PORTS:
        port = getattr(given, name)
        if port is not None and not 0 <= port <= 65535:
            raise ArgumentError(f"--{name.replace('_', '-')} {port} is no port number")
    if given.password_pattern is not None:
        check_password_pattern(given.password_pattern, "--password-pattern")
    config = _base(given)
    if given.password_pattern is not None:
        config = dataclasses.replace(config, password_pattern=given.password_pattern)
    if given.callees is not None:
        config = dataclasses.replace(config, directory=Directory.load(given.callees))
    if given.heard is not None or given.said is not None:
        config = dataclasses.replace(config, recordings=Recordings.given(given.heard, given.said))
    for name in (*PORTS, "host", "log"):
        if getattr(given, name) is not None:
            config = dataclasses.replace(config, **{name: getattr(given, name)})
    if given.csta_pty or given.csta_serial is not None:
        config = dataclasses.replace(config, csta_serial=PTY if given.csta_pty else given.csta_serial)
    if config.host in ("0.0.0.0", "::", ""):
        raise ArgumentError(
            f"host {config.host!r}: telephones are told it as the PBX's address: name one of the machine"
        )
    faults = tuple(" ".join(words) for words in given.fault)
    for text in faults:
        fault_table.read_line(text)
    return dataclasses.replace(config, verbose=given.verbose or config.verbose, faults=config.faults + faults)


def _base(given: argparse.Namespace) -> PbxConfig:
    """The PBX of the file, or the plain one; with the extensions and variants of the command line."""
    if given.config is None:
        extensions: Sequence[ExtensionConfig | str] = parse_extensions(given.extensions or EXTENSIONS)
        if given.extensions is None:
            extensions = (*_desks(), *extensions, SOFTPHONE)
        return PbxConfig(extensions, settings=Settings.from_pairs(given.variant))
    config = load(given.config, given.variant)
    if given.extensions is None:
        return config
    numbers = parse_extensions(given.extensions)
    stay = [one for one in config.devices if one.kind != "sip" and one.number not in numbers]
    return dataclasses.replace(config, extensions=(*numbers, *stay))


def _desks() -> tuple[ExtensionConfig, ...]:
    steps = tuple(parse_step(line, "a desk telephone", Path()) for line in AT_A_DESK)
    return tuple(
        ExtensionConfig(
            number, kind="phone", answer_after_s=1.5, person=Callee(number, f"extension {number}", 0.0, steps=steps)
        )
        for number in DESKS
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ocm simulate",
        description="A simulated Panasonic PBX: CSTA on TCP or a serial line, SIP extensions, desk telephones, outside "
        "lines with callees whose last digits choose what they do, call records. One line of JSON says when it is "
        "ready. While it runs: ocm simulate fault | clear | status | call-in, each with --help.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"Faults (--fault NAME OPTION=VALUE ...):\n{fault_table.described()}\n\n"
        f"Variants (--variant name=value):\n{_variants()}",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the PBX as a file (TOML); options win over it")
    parser.add_argument("--csta-port", type=int, metavar="PORT", help="CSTA, TCP; 0: any free one")
    parser.add_argument("--sip-port", type=int, metavar="PORT", help="SIP, UDP; 0: any free one")
    parser.add_argument("--smdr-port", type=int, metavar="PORT", help="call records (SMDR), TCP; default: none")
    parser.add_argument(
        "--control", type=int, metavar="PORT", dest="control_port", help="orders while it runs, on loopback"
    )
    serial = parser.add_mutually_exclusive_group()
    serial.add_argument("--csta-serial", metavar="PATH", help="CSTA on a serial line too: /dev/ttyUSB0?baud=115200")
    serial.add_argument("--csta-pty", action="store_true", help="CSTA on a pseudo-terminal made for it too")
    parser.add_argument("--host", help="address to listen on; default: 127.0.0.1")
    parser.add_argument(
        "--extensions",
        help=f"SIP extensions: 301-308 or 301,305; default: {EXTENSIONS}, the softphone {SOFTPHONE} and desks",
    )
    parser.add_argument("--password-pattern", help="SIP password of an extension; default: pw{extension}")
    parser.add_argument("--callees", type=Path, metavar="FILE", help="who answers (TOML); default: the built-in table")
    parser.add_argument("--log", type=Path, metavar="FILE", help="journal of calls, one JSON object a line, appended")
    parser.add_argument("--heard", type=Path, metavar="DIR", help="WAV of what each callee heard")
    parser.add_argument(
        "--said", type=Path, metavar="DIR", help="WAV of what each callee said; default: said beside --heard"
    )
    parser.add_argument(
        "--fault", action="append", default=[], nargs="+", metavar="NAME", help="begin with a fault; repeatable"
    )
    parser.add_argument("--variant", action="append", default=[], metavar="NAME=VALUE", help="see below; repeatable")
    parser.add_argument("--verbose", action="store_true", help="tell on standard error what happens")
    return parser


def _variants() -> str:
    lines = []
    for row in dataclasses.fields(Settings):
        choices = f" ({' | '.join(row.metadata['choices'])})" if row.metadata["choices"] else ""
        lines.append(
            f"  {row.name}={row.default}{choices}\n      {row.metadata['about']} [{row.metadata['confidence']}]"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
