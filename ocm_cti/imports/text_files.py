"""Text tables (CSV and its kin): the encoding and the delimiter are found out, and told so that a person can check."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Sequence

from charset_normalizer import from_bytes

from ocm_cti.imports.errors import ImportFailed
from ocm_cti.imports.tables import Row

#: What programs in our countries write. Without this isolation the detector takes near relatives (koi8_t, cp1125).
ENCODINGS = ("utf_8", "utf_16", "cp1251", "cp866", "koi8_u", "koi8_r")
#: Best guess first: the one that Excel writes where the decimal comma is used.
DELIMITERS = (";", ",", "\t", "|")
#: The detector looks at this many octets; more costs time and changes nothing.
SAMPLE_OCTETS = 65_536

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
    best = from_bytes(octets[:SAMPLE_OCTETS], cp_isolation=list(ENCODINGS)).best()
    if best is None:
        raise ImportFailed(f"{file}: {NOT_A_TABLE}")
    return _strict(octets, best.encoding, file), best.encoding


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
        widths = [len(cells) for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(cells)]
    except csv.Error:
        return 0.0
    if not widths:
        return 0.0
    width, times = Counter(widths).most_common(1)[0]
    evenness = (width - 1) * times / len(widths)
    return evenness if widths[0] == width else evenness / 2


def parse(text: str, delimiter: str | None, file: str) -> tuple[Sequence[Row], str]:
    """(rows, delimiter). Empty rows are kept, so that row numbers are the file's own. Raises ImportFailed."""
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:
        # Excel's own hint; Excel does not show this line, so it has no row number either.
        delimiter, text = delimiter or first.strip()[4], rest
    delimiter = delimiter or find_delimiter(text)
    rows = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for number, cells in enumerate(reader, 1):
            rows.append(Row(number, tuple(cell.strip() for cell in cells)))
    except csv.Error as error:
        raise ImportFailed(f"{file}: row {len(rows) + 1} can't be read: {error}") from None
    _check_quotes(rows, delimiter, file)
    return rows, delimiter


def _check_quotes(rows: Sequence[Row], delimiter: str, file: str) -> None:
    """A quotation mark that is opened and never closed swallows rows, and nobody would miss the people in them."""
    width = max((len(row.cells) for row in rows[:1]), default=1)
    for row in rows:
        for cell in row.cells:
            if "\n" in cell and any(line.count(delimiter) >= max(width - 1, 1) for line in cell.splitlines()):
                raise ImportFailed(f"{file}: row {row.number}: a quotation mark is opened there and not closed")
