"""A list that comes from the customer's own database: what is asked of it, and what is told to it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

_COMMENTS = re.compile(r"\A(?:\s*(?:--[^\n]*\n|/\*.*?\*/)\s*)+", re.DOTALL)
_PARAMETER = re.compile(r"(?<![:\w]):([A-Za-z_]\w*)")
#: What a statement of write-back may name: what came of one person.
RESULT_FIELDS = ("key", "attempts", "outcome", "keys", "answers", "number", "next_try", "done_at")


@dataclass(frozen=True)
class Source:
    """``[lists.NAME.source]``. ``url`` as SQLAlchemy's, ``${NAME}`` in it is taken from the environment. The ``select``
    has no parameters: a colon in it is a colon.

    ``before_each_run``: the list is whoever the SELECT gives at the start of a campaign. ``write_back`` is an UPDATE
    with ``:key`` and any other of RESULT_FIELDS; "": nothing is written.
    """

    url: str
    select: str
    before_each_run: bool = False
    write_back: str = ""

    @classmethod
    def from_table(cls, table: Mapping[str, object]) -> Source:
        """Raises ValueError with one line that names the key."""
        known = {entry.name: entry.type for entry in fields(cls)}
        for key, value in table.items():
            if key not in known:
                close = difflib.get_close_matches(key, known, n=1)
                raise ValueError(f"{key}: unknown key{f'; did you mean {close[0]}?' if close else ''}")
            wanted = bool if known[key] == "bool" else str
            if not isinstance(value, wanted):
                words = "true or false" if wanted is bool else "a text in quotes"
                raise ValueError(f"{key}: must be {words}, not {value!r}")
        for key in ("url", "select"):
            if not table.get(key):
                raise ValueError(f"{key}: is missing")
        source = cls(**table)  # type: ignore[arg-type]
        source._check()
        return source

    def _check(self) -> None:
        first = _COMMENTS.sub("", self.select, count=1).lstrip("( \n\t").split(None, 1)
        if not first or first[0].lower() not in ("select", "with"):
            raise ValueError("select: must be a SELECT; nothing else is run to read a list")
        if self.write_back:
            named = set(_PARAMETER.findall(self.write_back))
            unknown = sorted(named - set(RESULT_FIELDS))
            if unknown or "key" not in named:
                wrong = f"knows no :{unknown[0]}" if unknown else "must say who is meant, by :key"
                raise ValueError(f"write_back: {wrong}; there are {', '.join(':' + name for name in RESULT_FIELDS)}")
