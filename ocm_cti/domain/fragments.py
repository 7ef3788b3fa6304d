"""What is said, piece by piece: recordings, sentences with the person's own values in them, and a beep.

A message is written as text with ``{variables}``; it is cut at the ends of sentences, because a sentence is the
smallest piece that still sounds whole and the largest one that many people share. Values stay unresolved here
(``Part``): the speech room turns them into words, and can say before any call that one of them is unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

KINDS = ("text", "name", "money", "number", "date", "time", "digits", "phone")
CURRENCIES = ("RUB", "UAH", "KZT", "USD", "EUR")
GENDERS = ("masculine", "feminine", "neuter")
CASES = ("nominative", "genitive", "dative", "accusative", "instrumental", "prepositional")
#: Kinds of value that are declined, in the languages that do that.
DECLINED = ("money", "number", "date", "time")

_SLOT = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: A sentence ends where a new one visibly begins; an abbreviation cut by mistake costs only a short pause.
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=[\"«(]?[A-ZА-ЯЁЄІЇҐ0-9{])")


class MessageError(ValueError):
    """A message as written can't be said; the text is one clear line without the place."""


class SpeechDown(Exception):
    """Nothing can be synthesized at this moment, whatever it is: it is nobody's own message that is wrong."""


class VariableMissing(ValueError):
    """A person has no usable value for a variable that the scenario needs."""

    def __init__(self, variable: str, why: str | None = None) -> None:
        super().__init__(why or f"no value for {{{variable}}}")
        self.variable = variable


@dataclass(frozen=True)
class Variable:
    """How a variable is spoken. ``currency`` is a code, or ``{name}`` of the variable that holds one."""

    name: str
    kind: str = "text"
    currency: str | None = None
    gender: str = "masculine"  # of the thing counted, for kind ``number``
    default: str | None = None  # said where the person's own value is empty
    case: str | None = None  # None: as it stands alone, a date in the genitive, all else in the nominative

    def needs(self) -> tuple[str, ...]:
        """Names of the variables whose values this one takes."""
        inner = _SLOT.fullmatch(self.currency or "")
        return (self.name, inner[1]) if inner else (self.name,)


@dataclass(frozen=True)
class Part:
    """A stretch of a sentence: fixed text, or one value of a person (``variable`` tells which, for error texts)."""

    kind: str
    value: str
    variable: str = ""
    currency: str | None = None
    gender: str = "masculine"
    case: str | None = None


@dataclass(frozen=True)
class Recording:
    """A recorded fragment: the path of an audio file, relative to the directory of recordings."""

    path_name: str


@dataclass(frozen=True)
class Spoken:
    """One sentence to be synthesized: its parts in order, not yet turned into words."""

    parts: tuple[Part, ...]
    language: str


@dataclass(frozen=True)
class Beep:
    """The tone after which a reply is recorded."""

    frequency_hz: int = 1000
    length_ms: int = 200


Fragment = Recording | Spoken | Beep


@dataclass(frozen=True)
class Slot:
    """A variable's place in a sentence template."""

    variable: str


@dataclass(frozen=True)
class Sentence:
    """A sentence as written, for everybody: fixed text and slots."""

    pieces: tuple[str | Slot, ...]


#: A message of a scenario: what becomes fragments once the person is known.
Message = tuple[Recording | Sentence, ...]


def value_of(variable: Variable, values: Mapping[str, str]) -> str:
    """The person's value without outer spaces, or the default; VariableMissing where there is neither."""
    value = values.get(variable.name, "").strip()
    if value:
        return value
    if variable.default is None:
        raise VariableMissing(variable.name)
    return variable.default


def parse_text(text: str) -> list[Sentence]:
    """Cut a text into sentence templates. MessageError on an empty text, a stray brace, a bad variable name."""
    sentences = []
    for written in _SENTENCE_END.split(" ".join(text.split())):
        pieces: list[str | Slot] = []
        end = 0
        for slot in _SLOT.finditer(written):
            if not _NAME.fullmatch(slot[1]):
                raise MessageError(
                    f"{slot[0]} is no variable: between braces goes a name of Latin letters, digits and _"
                )
            pieces += [written[end : slot.start()], Slot(slot[1])]
            end = slot.end()
        pieces.append(written[end:])
        if any(isinstance(piece, str) and set(piece) & set("{}") for piece in pieces):
            raise MessageError(f"a brace without its partner in {written!r}")
        kept = tuple(piece for piece in pieces if piece)
        if not any(isinstance(piece, Slot) or any(letter.isalnum() for letter in piece) for piece in kept):
            raise MessageError(f"nothing to say in {text!r}")
        sentences.append(Sentence(kept))
    return sentences


def slots(message: Message) -> tuple[str, ...]:
    """Names of the variables in a message, in order, with repetitions."""
    return tuple(
        piece.variable
        for sentence in message
        if isinstance(sentence, Sentence)
        for piece in sentence.pieces
        if isinstance(piece, Slot)
    )


def resolve(
    message: Sequence[Recording | Sentence], declared: Mapping[str, Variable], values: Mapping[str, str], language: str
) -> tuple[Fragment, ...]:
    """The message for one person. Raises VariableMissing where a value is empty and has no default."""
    return tuple(
        fragment if isinstance(fragment, Recording) else _sentence(fragment, declared, values, language)
        for fragment in message
    )


def _sentence(sentence: Sentence, declared: Mapping[str, Variable], values: Mapping[str, str], language: str) -> Spoken:
    parts = []
    for piece in sentence.pieces:
        if isinstance(piece, str):
            parts.append(Part("text", piece))
            continue
        variable = declared[piece.variable]
        currency = variable.currency
        if currency is not None and (inner := _SLOT.fullmatch(currency)):
            currency = value_of(declared[inner[1]], values)
        value = value_of(variable, values)
        parts.append(Part(variable.kind, value, variable.name, currency, variable.gender, variable.case))
    return Spoken(tuple(parts), language)
