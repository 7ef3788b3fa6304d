"""Which keys a step of each type may have, and what a key, a number or a recording may look like."""

from __future__ import annotations

import re

_COLLECT = (
    "message",
    "announcement",
    "question",
    "keys",
    "repeat",
    "tries",
    "timeout_s",
    "wrong",
    "silent",
    "barge_in",
    "heard",
    "then",
    "else",
)
#: Keys that only some kinds of survey have.
_OF_SURVEY: dict[str, tuple[str, ...]] = {
    "single": ("options",),
    "yes_no": ("options",),
    "scale": ("min", "max", "options", "next_key_s"),
    "digits": ("min_length", "max_length", "read_back", "next_key_s"),
}
#: Which keys a step of each type may have.
FIELDS: dict[str, tuple[str, ...]] = {
    "say": ("message", "announcement", "barge_in", "heard", "then"),
    "ask": _COLLECT,
    "confirm": ("key", "pin", *(key for key in _COLLECT if key != "question")),
    "survey": ("kind", *_COLLECT),
    "record": ("message", "question", "max_s", "silence_s", "stop_keys", "beep", "barge_in", "heard", "then"),
    "pause": ("seconds", "barge_in", "then"),
    "goto": ("when", "then", "else"),
    "transfer": ("message", "announcement", "to", "heard", "else"),
    "stop_list": ("list", "message", "announcement", "barge_in", "heard", "then"),
    "hang_up": ("message", "announcement"),
}
REQUIRED: dict[str, tuple[str, ...]] = {
    "ask": ("keys",),
    "survey": ("kind",),
    "transfer": ("to",),
    "pause": ("seconds",),
    "goto": ("then",),
    "stop_list": ("list",),
}
#: What a kind of survey can't do without.
REQUIRED_OF_SURVEY: dict[str, tuple[str, ...]] = {"single": ("options",), "digits": ("max_length",), "scale": ("max",)}
#: Steps that say something: one of ``message`` and ``announcement``.
SPEAK = frozenset({"say", "ask", "confirm", "survey"})
#: Key of the document -> field of Step, where Python or the unit makes them differ.
SPELLED = {
    "else": "otherwise",
    "max_s": "max_ms",
    "silence_s": "silence_ms",
    "beep": "with_beep",
    "kind": "survey",
    "min": "minimum",
    "max": "maximum",
    "min_length": "minimum",
    "max_length": "maximum",
    "list": "stop_list",
}


def fields_of(kind: str, survey: object) -> tuple[str, ...]:
    """Keys that a step of this type may have; a survey of no known kind may have those of every kind."""
    if kind != "survey":
        return FIELDS[kind]
    every = tuple(dict.fromkeys(key for keys in _OF_SURVEY.values() for key in keys))
    return FIELDS[kind] + (_OF_SURVEY.get(survey, every) if isinstance(survey, str) else every)


DTMF = "0123456789*#ABCD"
#: An extension or feature number as it is dialled at the switch, or a variable that holds one.
DESTINATION = re.compile(r"[0-9*#]{1,32}|\{[^{}]+\}")
#: What such a variable may hold.
DIALLED = re.compile(r"[0-9*#]{1,32}")
#: A step's name: it stands in the ledger and in the file name of a reply.
NAME = re.compile(r"[^./\\\x00-\x1f][^/\\\x00-\x1f]{0,99}")
#: Number of a recorded message of the switch (OGM).
ANNOUNCEMENT = re.compile(r"[0-9]{1,8}")
AUDIO = (".wav", ".flac", ".ogg", ".mp3")
#: Of a scale.
HIGHEST_MARK = 99
#: Digits of an answer.
LONGEST_ENTRY = 32
#: As the store keeps them.
LONGEST_STOP_LIST = 100
