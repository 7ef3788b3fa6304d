"""Text tables (CSV and its kin): the encoding and the delimiter are found out, and told so that a person can check."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from charset_normalizer import from_bytes

from ocm_cti.domain.cells import plain
from ocm_cti.imports.errors import ImportFailed
from ocm_cti.imports.spool import Spool
from ocm_cti.imports.tables import Row

#: What programs in our countries write. Without this isolation the detector takes near relatives (koi8_t);
#: cp1125 is told from cp866 apart.
ENCODINGS = ("utf_8", "utf_16", "cp1251", "cp866", "koi8_u", "koi8_r")
#: Best guess first: the one that Excel writes where the decimal comma is used.
DELIMITERS = (";", ",", "\t", "|")
#: The detector looks at so many octets of the lines that are not ASCII; more costs time and changes nothing.
SAMPLE_OCTETS = 65_536

_VOWELS = frozenset("аеёиоуыэюяіАЕЁИОУЫЭЮЯiI")

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")

NOT_A_TABLE = "is neither a text table (CSV) nor an Excel workbook"

_BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf_8_sig"), (codecs.BOM_UTF16_LE, "utf_16"), (codecs.BOM_UTF16_BE, "utf_16"))


def decode(octets: bytes, file: str) -> tuple[str, str]:
    """(text, encoding). A byte order mark decides, then strict UTF-8, then the detector. Raises ImportFailed."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if octets.startswith(mark):
            return _strict(octets, encoding, file), encoding.removesuffix("_sig")
    if b"\0" in octets:
        return _utf_16_without_mark(octets, file)
    try:
        return octets.decode("utf_8"), "utf_8"
    except UnicodeDecodeError:
        pass
    best = from_bytes(_sample(octets), cp_isolation=list(ENCODINGS)).best()
    if best is None:
        raise ImportFailed(f"{file}: {NOT_A_TABLE}")
    encoding = ukrainian(octets) if best.encoding == "cp866" else best.encoding
    return _strict(octets, encoding, file), encoding


def ukrainian(octets: bytes) -> str:
    """``cp866`` or ``cp1125``, the Ukrainian one of DOS: they differ in the letters Ґґ Єє Іі Її alone.

    What is і in one is ў in the other, which Belarusian has only behind a vowel; and ї would be a dot amid letters.
    """
    text = octets.decode("cp866", errors="replace")
    short = re.findall(r"(.?)[Ўў]", text)
    odd = sum(before not in _VOWELS for before in short) + len(
        re.findall(r"(?<=[А-яЄєЇїЎў])[°∙]|[°∙](?=[А-яЄєЇїЎў])", text)
    )
    return "cp1125" if odd * 2 > len(short) and odd else "cp866"


def _sample(octets: bytes) -> bytes:
    """What tells one encoding from another: the first letters that are not Latin may stand far down."""
    lines: list[bytes] = []
    length = 0
    for line in io.BytesIO(octets):
        if not line.isascii():
            lines.append(line)
            length += len(line)
            if length >= SAMPLE_OCTETS:
                break
    return b"".join(lines)[:SAMPLE_OCTETS]


def _utf_16_without_mark(octets: bytes, file: str) -> tuple[str, str]:
    """No 8-bit text has a zero octet. Of the two byte orders the right one gives the letters that we know."""
    for encoding in ("utf_16_le", "utf_16_be"):
        try:
            text = octets.decode(encoding)
        except UnicodeDecodeError:
            continue
        known = sum(character < "\u0530" for character in text)
        if "\0" not in text and known >= 0.9 * len(text):
            return text, encoding
    raise ImportFailed(f"{file}: {NOT_A_TABLE}")


def _strict(octets: bytes, encoding: str, file: str) -> str:
    try:
        return octets.decode(encoding)
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise ImportFailed(f"{file}: line {line} is not {encoding} text, name the right encoding") from None


def named_encoding(octets: bytes, encoding: str, file: str) -> str:
    """Decode as the person said. Raises ImportFailed for an unknown name or text that is not in it."""
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise ImportFailed(f"{file}: {encoding}: no such encoding; known are {', '.join(ENCODINGS)}") from None
    return _strict(octets, encoding, file).removeprefix("\ufeff")


def find_delimiter(text: str) -> str:
    """Decided over all rows: the one that gives most rows the same, largest number of columns, the first row included.

    One short title above the table or a comma in every sum of money must not flip it.
    """
    return max(DELIMITERS, key=lambda delimiter: _evenness(text, delimiter))


def _evenness(text: str, delimiter: str) -> float:
    try:
        widths = [len(cells) for cells in csv.reader(_lines(text), delimiter=delimiter) if any(cells)]
    except csv.Error:
        return 0.0
    if not widths:
        return 0.0
    width, times = Counter(widths).most_common(1)[0]
    evenness = (width - 1) * times / len(widths)
    return evenness if widths[0] == width else evenness / 2


def parse(text: str, delimiter: str | None, file: str) -> tuple[Collection[Row], str]:
    """(rows, delimiter). Empty rows are kept, so that row numbers are the file's own. Raises ImportFailed."""
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:
        # Excel's own hint; Excel does not show this line, so it has no row number either.
        delimiter, text = delimiter or first.strip()[4], rest
    delimiter = delimiter or find_delimiter(text)
    rows: Spool[Row] = Spool()
    lines = _Lines(text)
    try:
        for number, cells in enumerate(csv.reader(lines, delimiter=delimiter), 1):
            rows.append(Row(number, tuple(plain(cell.strip()) for cell in cells)))
            _check_quotes(lines.taken(), cells, delimiter, f"{file}: row {number}")
    except csv.Error as error:
        raise ImportFailed(f"{file}: row {len(rows) + 1} can't be read: {error}") from None
    return rows.few(), delimiter


def _lines(text: str) -> Iterator[str]:
    """With their ends: a file object over the text would be a second copy of it, of four octets a letter."""
    return (found[0] for found in _LINE.finditer(text))


class _Lines:
    """The lines of a text, one by one; ``taken`` gives those since it was asked last: what one row was read from."""

    def __init__(self, text: str) -> None:
        self._lines = _lines(text)
        self._taken: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._taken.append(line)
        return line

    def taken(self) -> list[str]:
        taken, self._taken = self._taken, []
        return taken


def _check_quotes(lines: Sequence[str], cells: Sequence[str], delimiter: str, where: str) -> None:
    """A quotation mark that is opened and never closed swallows rows, and nobody would miss the people in them.

    It ends at the next mark, which was meant to open something, so that no delimiter follows it; or it has whole rows
    inside; or the text ends in it.
    """
    if len(lines) == 1 and lines[0].count('"') % 2 == 0:
        return
    swallowed = [line for cell in cells for line in cell.splitlines()[1:-1]]
    try:
        list(csv.reader([*lines[:-1], lines[-1].rstrip("\r\n")], delimiter=delimiter, strict=True))
    except csv.Error:
        if len(lines) > 1 or _runs_on(lines[0], delimiter):
            raise ImportFailed(f"{where}: a quotation mark is opened there and not closed") from None
    if len(cells) > 1 and any(line.count(delimiter) >= len(cells) - 1 for line in swallowed):
        raise ImportFailed(f"{where}: a quotation mark is opened there and not closed")


def _runs_on(line: str, delimiter: str) -> bool:
    """Whether a row of one line, the last of its text, ends inside of quotation marks."""
    return len(next(csv.reader([line.rstrip("\r\n") + "\n", "."], delimiter=delimiter))[-1].splitlines()) > 1
