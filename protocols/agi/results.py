"""What AGI commands look like and what is answered: ``200 result=0 endpos=24000``, ``510 Invalid or unknown command``.

The result of a command is its own: -1 is a failure or a hangup for most, a digit's ASCII code where keys may end it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from protocols.errors import LocalProtocolError, RemoteProtocolError

OK: Final = 200
#: The command is not for a channel whose person has hung up.
DEAD: Final = 511
MAX_LINE: Final = 65536
_RESULT: Final = re.compile(r"([0-9]{3})(?:[ -](.*))?", re.DOTALL)
_FIELDS: Final = re.compile(r"result=(-?[0-9]+)(.*)", re.DOTALL)
_ENDPOS: Final = re.compile(r" endpos=([0-9]+)\s*\Z")


@dataclass(frozen=True)
class AgiResult:
    """``text`` is what stands in parentheses (``timeout``, a variable's value), without them; ``endpos`` in samples.

    ``code`` is 200 where the command was carried out, whatever came of it; then ``result`` is its own number.
    """

    code: int
    result: int = 0
    text: str = ""
    endpos: int | None = None

    @property
    def failed(self) -> bool:
        """Asterisk did not or could not do it, or the channel is gone."""
        return self.code != OK or self.result < 0


def parse_result(line: str) -> AgiResult:
    """One answer, without its line end. RemoteProtocolError for what is none."""
    whole = _RESULT.fullmatch(line.strip())
    if whole is None:
        raise RemoteProtocolError(f"no answer to an AGI command: {line[:80]!r}")
    code, rest = int(whole[1]), whole[2] or ""
    fields = _FIELDS.fullmatch(rest) if code == OK else None
    if fields is None:
        return AgiResult(code, text=rest)
    result, more = int(fields[1]), fields[2]
    endpos = _ENDPOS.search(more)
    if endpos is not None:
        more = more[: endpos.start()]
    more = more.strip()
    return AgiResult(
        code,
        result,
        more[1:-1] if more.startswith("(") and more.endswith(")") else more,
        int(endpos[1]) if endpos is not None else None,
    )


def parse_encoded(text: str) -> AgiResult:
    """The ``Result`` header of AsyncAGIExec (``200%20result%3D0%0A``)."""
    return parse_result(unquote_to_bytes(text).decode("utf-8", "surrogateescape"))


def quoted(word: str) -> str:
    """One word of a command, whatever is in it. LocalProtocolError for a line end: it would be another command."""
    if re.search(r"[\r\n\0]", word):
        raise LocalProtocolError(f"a word of an AGI command has a line end or a NUL in it: {word[:40]!r}")
    if word and re.fullmatch(r"[A-Za-z0-9_./:=+*#@&%-]+", word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def command(name: str, *words: str) -> str:
    """``name`` as it is (``STREAM FILE``), then its words, each quoted where it must be."""
    return " ".join([name, *map(quoted, words)])
