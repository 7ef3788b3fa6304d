"""dBase files (DBF), which accounting programs of the region still write, by dbfread."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from dbfread import DBF

from ocm_cti.imports.errors import ImportFailed
from ocm_cti.imports.tables import Row
from ocm_cti.imports.text_files import ukrainian

#: First octets of the versions that dbfread reads.
_VERSIONS = frozenset(b"\x02\x03\x04\x05\x30\x31\x32\x43\x63\x83\x8b\x8e\xcb\xf5")
_CODE_PAGE_AT = 29
_HEADER_LENGTH_AT = 8


def is_dbf(path: Path, octets: bytes) -> bool:
    """By its head: a version, a possible date, lengths that fit the file, and its name."""
    if len(octets) < 32 or octets[0] not in _VERSIONS or path.suffix.lower() != ".dbf":
        return False
    month, day = octets[2], octets[3]
    header, record = struct.unpack_from("<HH", octets, 8)
    return 0 <= month <= 12 and 0 <= day <= 31 and 32 < header <= len(octets) and record > 0


def read_dbf(path: Path, encoding: str | None) -> tuple[Sequence[Row], str]:
    """(rows with the header first, encoding). ``encoding`` None: its own, else CP-866 or CP-1125.

    Raises ImportFailed.
    """
    try:
        octets = path.read_bytes()
        if encoding is None and not octets[_CODE_PAGE_AT]:
            encoding = ukrainian(octets[struct.unpack_from("<H", octets, _HEADER_LENGTH_AT)[0] :])
        table = DBF(path, encoding=encoding, char_decode_errors="strict")
        rows = [Row(1, tuple(table.field_names))]
        for number, record in enumerate(table, 2):
            rows.append(Row(number, tuple(_text(value) for value in record.values())))
        return rows, str(table.encoding)
    except UnicodeDecodeError as error:
        raise ImportFailed(f"{path}: is not {error.encoding} text; name the right one: --encoding cp1251") from None
    except LookupError:
        raise ImportFailed(f"{path}: {encoding}: no such encoding; as cp866, cp1251") from None
    except (OSError, ValueError, struct.error) as error:
        words = " ".join(str(error).split()) or type(error).__name__
        raise ImportFailed(f"{path}: the DBF file can't be read: {words}") from None


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        return f"{value:%d.%m.%Y %H:%M}"
    if isinstance(value, date):
        return f"{value:%d.%m.%Y}"
    return str(value).strip()
