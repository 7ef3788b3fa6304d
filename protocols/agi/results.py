"""Commands and results of the Asterisk Gateway Interface (res_agi.c); no I/O.

A result is one line: ``200 result=0 endpos=24000``, ``200 result=1 (human)``, ``510 Invalid or unknown command``. Async
AGI gives it url-encoded in the AsyncAGIExec event, FastAGI as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from protocols.errors import LocalProtocolError, RemoteProtocolError

#: The channel was hung up before or under the command (res_agi.c: ``511 Command Not Permitted on a dead channel``).
DEAD_CHANNEL: Final = 511
SUCCESS: Final = 200
_LINE: Final = re.compile(r"(\d{3})[ -]?(.*)", re.DOTALL)
_RESULT: Final = re.compile(r"result=(-?\d+|[^\s(]*)")
_VALUE: Final = re.compile(r"\((.*)\)", re.DOTALL)
_ENDPOS: Final = re.compile(r"endpos=(\d+)")


@dataclass(frozen=True)
class AgiResult:
    """What a command came to. ``result`` as it is written (``0``, ``-1``, ``35``), ``value`` what stands in brackets.

    ``samples``: how far a file was played or recorded, at 8 kHz; None where the command has no position.
    """

    code: int
    result: str
    value: str = ""
    samples: int | None = None
    text: str = ""

    @property
    def ok(self) -> bool:
        """The command was carried out. A hang-up or a file that can't be opened is not."""
        return self.code == SUCCESS and self.result != "-1"


def parse(line: str) -> AgiResult:
    """RemoteProtocolError for a line that is no result."""
    text = line.strip()
    found = _LINE.fullmatch(text)
    if found is None:
        raise RemoteProtocolError(f"{line[:80]!r} is no result of AGI")
    code, rest = int(found.group(1)), found.group(2)
    result, value, samples = _RESULT.search(rest), _VALUE.search(rest), _ENDPOS.search(rest)
    return AgiResult(
        code,
        result.group(1) if result else "",
        value.group(1) if value else "",
        int(samples.group(1)) if samples else None,
        rest if result is None else "",
    )


def parse_encoded(text: str) -> AgiResult:
    """The same from the Result header of AsyncAGIExec."""
    return parse(unquote(text))


def write(command: str, *arguments: str) -> str:
    """A command line: words stay as they are, everything else in double quotes. LocalProtocolError for a line end."""
    return " ".join([command, *(quote(argument) for argument in arguments)])


def quote(argument: str) -> str:
    if re.search(r"[\r\n\0]", argument):
        raise LocalProtocolError("an argument of AGI has a line end in it, which would be another command")
    if re.fullmatch(r"[A-Za-z0-9_./:@&=*#+-]+", argument):
        return argument
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
