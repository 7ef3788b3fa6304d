"""The simulated PBX as a process of its own: ``python -m ocm_cti.simulator.process``, also ``ocm simulate``.

When everything listens, one line of JSON is printed on standard output:
``{"csta_port": 33333, "sip_port": 5060, "host": "127.0.0.1"}``. It runs until SIGTERM or SIGINT. Whatever is wrong with
the arguments, or a port that is taken, is one line on standard error and exit code 2.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.error import CannotListenError

from ocm_cti.simulator.callees import CalleesError, Directory
from ocm_cti.simulator.faults import SettingError, Settings
from ocm_cti.simulator.journal import Journal
from ocm_cti.simulator.pbx import Pbx
from ocm_cti.simulator.sip_side import Recordings, SipSide


class ArgumentError(ValueError):
    """An argument that can't be used; the text is one line for people."""


@dataclasses.dataclass(frozen=True)
class Arguments:
    """What the command line says; ports 0 let the system choose."""

    extensions: tuple[str, ...]
    csta_port: int = 0
    sip_port: int = 0
    host: str = "127.0.0.1"
    directory: Directory = dataclasses.field(default_factory=Directory.load)
    log: Path | None = None
    recordings: Recordings = dataclasses.field(default_factory=Recordings)
    password_pattern: str = "pw{extension}"
    settings: Settings = dataclasses.field(default_factory=Settings)
    verbose: bool = False


class Simulator:
    """One PBX on a reactor. ``start`` listens, ``stop`` leaves nothing behind. ``seconds`` dates the journal."""

    def __init__(self, reactor: Any, arguments: Arguments, seconds: Callable[[], float] = time.monotonic) -> None:
        self._reactor = reactor
        self._arguments = arguments
        self._journal = Journal(arguments.log, seconds)
        passwords = {
            extension: arguments.password_pattern.format(extension=extension) for extension in arguments.extensions
        }
        self.sip: SipSide

        def telephones(pbx: Pbx) -> SipSide:
            self.sip = SipSide(
                pbx, reactor, arguments.host, passwords, arguments.settings, arguments.recordings, self._log
            )
            return self.sip

        self.pbx = Pbx(
            arguments.settings,
            arguments.extensions,
            arguments.directory,
            reactor,
            self._journal,
            telephones,
            self._log,
        )
        self._csta: Any = None

    def start(self) -> dict[str, Any]:
        """Listen on both ports; the ready line. CannotListenError when one of them is taken."""
        self._csta = self._reactor.listenTCP(self._arguments.csta_port, self.pbx.csta, interface=self._arguments.host)
        try:
            sip_port = self.sip.start(self._arguments.sip_port)
        except CannotListenError:
            self._csta.stopListening()
            raise
        return {"csta_port": self._csta.getHost().port, "sip_port": sip_port, "host": self._arguments.host}

    def stop(self) -> Deferred[Any]:
        """End the calls, close everything; fires when it is closed."""
        self.pbx.close()
        closed = gatherResults([maybeDeferred(self._csta.stopListening), self.sip.stop()], consumeErrors=True)
        closed.addBoth(lambda _: self._journal.close())
        return closed

    def _log(self, text: str) -> None:
        if self._arguments.verbose:
            print(text, file=sys.stderr, flush=True)


def main(argv: Sequence[str]) -> int:
    """Run until told to stop; the exit code."""
    try:
        arguments = parse(argv)
        from twisted.internet import reactor

        simulator = Simulator(reactor, arguments)
        ready = simulator.start()
    except (ArgumentError, SettingError, CalleesError) as error:
        return _sorry(str(error))
    except CannotListenError as error:
        return _sorry(f"port {error.port} on {error.interface} is taken")
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


def parse(argv: Sequence[str]) -> Arguments:
    """The command line. ArgumentError, SettingError, CalleesError in one line; ``--help`` ends the process."""
    parser = argparse.ArgumentParser(
        prog="ocm simulate",
        description="A simulated Panasonic PBX: CSTA on TCP, SIP extensions, outside lines with callees "
        "whose last digits choose what they do.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Variants (--variant name=value):\n" + _variants(),
    )
    parser.add_argument("--csta-port", type=int, default=0, metavar="PORT", help="CSTA, TCP; 0: any free one")
    parser.add_argument("--sip-port", type=int, default=0, metavar="PORT", help="SIP, UDP; 0: any free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--extensions", default="301-308", help="SIP extensions: 301-308 or 301,305")
    parser.add_argument("--password-pattern", default="pw{extension}", help="SIP password of an extension")
    parser.add_argument("--callees", type=Path, metavar="FILE", help="who answers (TOML); default: the built-in table")
    parser.add_argument("--log", type=Path, metavar="FILE", help="journal of calls, one JSON object a line, appended")
    parser.add_argument("--heard", type=Path, metavar="DIR", help="WAV of what each callee heard")
    parser.add_argument(
        "--said", type=Path, metavar="DIR", help="WAV of what each callee said; default: said beside --heard"
    )
    parser.add_argument("--variant", action="append", default=[], metavar="NAME=VALUE", help="see below; repeatable")
    parser.add_argument("--verbose", action="store_true", help="tell on standard error what happens")
    given = parser.parse_args(list(argv))
    said = given.said or (given.heard.parent / "said" if given.heard else None)
    try:
        given.password_pattern.format(extension="1")
    except (KeyError, IndexError, ValueError):
        raise ArgumentError(
            f"--password-pattern {given.password_pattern!r}: only {{extension}} may stand in braces"
        ) from None
    for option, port in (("--csta-port", given.csta_port), ("--sip-port", given.sip_port)):
        if not 0 <= port <= 65535:
            raise ArgumentError(f"{option} {port} is no port number")
    return Arguments(
        extensions=parse_extensions(given.extensions),
        csta_port=given.csta_port,
        sip_port=given.sip_port,
        host=given.host,
        directory=Directory.load(given.callees),
        log=given.log,
        recordings=Recordings(given.heard, said),
        password_pattern=given.password_pattern,
        settings=Settings.from_pairs(given.variant),
        verbose=given.verbose,
    )


def parse_extensions(text: str) -> tuple[str, ...]:
    """``301-308,401`` as numbers in order; ArgumentError when it can't be read or one stands twice."""
    found: list[str] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,8})(?:-([0-9]{1,8}))?\s*", part)
        if match is None:
            raise ArgumentError(f"extensions {text!r}: expected 301-308 or 301,305")
        first, last = match[1], match[2] or match[1]
        if len(first) != len(last) or int(last) < int(first) or int(last) - int(first) >= 1000:
            raise ArgumentError(f"extensions {text!r}: {part.strip()!r} is no range")
        found += [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]
    if len(set(found)) != len(found):
        raise ArgumentError(f"extensions {text!r}: one of them stands twice")
    return tuple(found)


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
