"""Rows -> people, and for every row that gives none its number and the reason. Nothing is dropped in silence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ocm_cti.domain.people import Person
from ocm_cti.imports.columns import Columns, map_columns
from ocm_cti.imports.spool import Spool
from ocm_cti.imports.tables import Row, Table
from ocm_cti.imports.telephones import NotANumber, cut_short, split_cell, to_e164
from ocm_cti.imports.zones import zone_of

LONGEST_KEY = 200
LONGEST_NAME = 300
#: The variable that a PIN is kept in.
PIN = "pin"
#: So many rows are named in a remark about several.
ROWS_NAMED = 10


@dataclass(frozen=True)
class Refusal:
    """``row`` as the spreadsheet numbers it."""

    row: int
    reason: str


@dataclass(frozen=True)
class People:
    """``rows`` are the row numbers of ``accepted``, place by place.

    ``remarks``: rows that were accepted, but without a part of them (one of several numbers).
    """

    accepted: Collection[Person]
    refused: Sequence[Refusal]
    remarks: Sequence[Refusal]
    rows: Sequence[int]


def people(
    table: Table,
    region: str,
    said: Mapping[str, str] | None = None,
    watch: Callable[[Collection[Row], str], Iterable[Row]] = lambda rows, what: rows,
) -> People:
    """``region`` (``RU``) is the country of numbers written without one; it belongs to the list. ``said`` is what the
    user says of some columns (``map_columns``). ``watch`` gives the rows that it is given, and may show how far it is.
    """
    reading = _Reading(map_columns(table.header, said), len(table.header), region)
    return reading.read(watch(table.rows, "reading"))


class _Reading:
    def __init__(self, columns: Columns, width: int, region: str) -> None:
        self._columns = columns
        self._width = width
        self._own = {field: place for place, field in columns.own}
        self._region = region
        self._accepted: Spool[Person] = Spool()
        self._refused: list[Refusal] = []
        self._remarks: list[Refusal] = []
        self._rows: list[int] = []
        self._row_of_key: dict[str, int] = {}
        self._row_of_number: dict[str, int] = {}  # of people without an id
        self._row_of_any_number: dict[str, int] = {}

    def read(self, rows: Iterable[Row]) -> People:
        for row in rows:
            if not row.empty:
                self._row(row)
        remarks = [*self._remarks, *_short_pins(self._accepted, self._rows)]
        return People(self._accepted.few(), self._refused, sorted(remarks, key=lambda one: one.row), self._rows)

    def _row(self, row: Row) -> None:
        beyond = [cell for cell in row.cells[self._width :] if cell]
        if beyond:
            # Whose "1 234,50" is cut in two is told a wrong sum.
            words = f"more cells than headings, the first is {beyond[0][:40]!r}: a delimiter in a cell without quotes?"
            self._refused.append(Refusal(row.number, words))
            return
        numbers, wrong = self._numbers(row)
        if not numbers:
            self._refused.append(Refusal(row.number, "; ".join(wrong) or "no telephone number"))
            return
        own_key = self._cell(row, self._columns.key)
        key = own_key or numbers[0][0]
        reason = _spoilt(own_key) or self._seen(row, own_key, key, numbers) or _too_long(key, "id", LONGEST_KEY)
        name = " ".join(filter(None, (self._cell(row, place) for place in self._columns.names)))
        reason = reason or _too_long(name, "name", LONGEST_NAME)
        try:
            priority = _priority(self._cell(row, self._own.get("priority")))
            zone = zone_of(self._cell(row, self._own.get("zone")))
        except ValueError as error:
            reason = reason or str(error)
        if reason:
            self._refused.append(Refusal(row.number, reason))
            return
        self._row_of_key[key] = row.number
        if not own_key:
            self._row_of_number.update({number: row.number for number, _ in numbers})
        variables = {"name": name} if name else {}
        for place, variable in self._columns.variables:
            if value := self._cell(row, place):
                variables[variable] = value
        groups = [part.strip() for part in re.split("[,;]", self._cell(row, self._own.get("groups"))) if part.strip()]
        person = Person(
            key,
            name,
            tuple(numbers),
            variables,
            priority=priority,
            groups=tuple(groups),
            zone=zone,
            scenario=self._cell(row, self._own.get("scenario")),
            note=self._cell(row, self._own.get("note")),
        )
        self._accepted.append(person)
        self._rows.append(row.number)
        self._remarks.extend(Refusal(row.number, reason) for reason in wrong)
        for number, _ in numbers:
            first = self._row_of_any_number.setdefault(number, row.number)
            if first != row.number:
                words = "also has this number, under another id: each of them is called on it"
                self._remarks.append(Refusal(row.number, f"row {first} {words}"))
                break

    def _numbers(self, row: Row) -> tuple[list[tuple[str, str]], list[str]]:
        """The good ones with their kinds, each once, and what is wrong with the others."""
        good: dict[str, str] = {}
        wrong = []
        for place, kind in self._columns.numbers:
            for written in split_cell(self._cell(row, place)):
                try:
                    good.setdefault(to_e164(written, self._region), kind)
                except NotANumber as error:
                    wrong.append(str(error))
        return list(good.items()), wrong

    def _seen(self, row: Row, own_key: str, key: str, numbers: Sequence[tuple[str, str]]) -> str | None:
        """Two rows with one id, or with one number and no id, are one person: never two calls."""
        if key in self._row_of_key:
            return f"the same {'id' if own_key else 'number'} as in row {self._row_of_key[key]}"
        of_others = self._row_of_number if own_key else self._row_of_any_number
        earlier = next((of_others[number] for number, _ in numbers if number in of_others), None)
        if earlier is None:
            return None
        return f"the same number as in row {earlier}{', which has no id' if own_key else ''}"

    @staticmethod
    def _cell(row: Row, place: int | None) -> str:
        return row.cells[place] if place is not None and place < len(row.cells) else ""


def _short_pins(accepted: Collection[Person], rows: Sequence[int]) -> list[Refusal]:
    """A spreadsheet that takes a PIN for a number drops its noughts in front, and nobody could type it right."""
    pins = [(row, pin) for row, person in zip(rows, accepted, strict=True) if (pin := person.variables.get(PIN, ""))]
    lengths = Counter(len(pin) for _, pin in pins if pin.isdecimal())
    if len(lengths) < 2:
        return []
    usual, times = lengths.most_common(1)[0]
    short = [row for row, pin in pins if pin.isdecimal() and len(pin) < usual]
    if not short or times * 2 <= len(pins):
        return []
    which = ", ".join(str(row) for row in short[:ROWS_NAMED]) + (" …" if len(short) > ROWS_NAMED else "")
    words = (
        f"the PIN has fewer than the {usual} digits of most others (rows so: {len(short)}: {which}); if the "
        "spreadsheet has dropped noughts in front: format the column as text"
    )
    return [Refusal(short[0], words)]


def _priority(written: str) -> int | None:
    if not written:
        return None
    if re.fullmatch("[0-9]{1,4}", written) is None:
        raise ValueError(f"{written!r} is no priority: a whole number, 0 goes first")
    return int(written)


def _spoilt(key: str) -> str | None:
    if "+" not in key or not cut_short(key):
        return None  # "5E3" is an id; a spreadsheet writes 5E+03
    return f"the id {key!r} was shortened by the spreadsheet: its last digits are lost; format the column as text"


def _too_long(value: str, what: str, longest: int) -> str | None:
    return f"the {what} is longer than {longest} characters" if len(value) > longest else None
