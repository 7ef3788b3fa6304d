"""DBF files, made octet by octet."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from ocm_cti.imports.errors import ImportFailed
from ocm_cti.imports.files import read_rows

FIELDS = (("FIO", "C", 20), ("TEL", "C", 20), ("DOLG", "N", 10), ("SROK", "D", 8), ("OK", "L", 1))
ROWS = (
    ("Ёлкина Анна", "8 495 123-45-01", "   1200.50", "20261201", "T"),
    ("Ґалаґан Їжак", "+380441234567", "          ", "        ", "?"),
)


def dbf(encoding: str, code_page: int) -> bytes:
    length = 1 + sum(width for _, _, width in FIELDS)
    head = struct.pack("<BBBBIHH16xBB2x", 3, 126, 11, 23, len(ROWS), 32 + 32 * len(FIELDS) + 1, length, 0, code_page)
    fields = b"".join(
        struct.pack("<11sc4xBB14x", name.encode(), kind.encode(), width, 2 if kind == "N" else 0)
        for name, kind, width in FIELDS
    )
    octets = bytearray(head + fields + b"\r")
    for row in ROWS:
        octets += b" "
        for value, (_, _, width) in zip(row, FIELDS, strict=True):
            octets += value.encode(encoding, "replace").ljust(width)
    return bytes(octets + b"\x1a")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "people.dbf"


@pytest.mark.parametrize(("encoding", "code_page"), [("cp1251", 0xC9), ("cp866", 0x65), ("cp866", 0), ("cp1125", 0)])
def test_the_code_page_is_that_of_the_file_or_of_dos(path: Path, encoding: str, code_page: int) -> None:
    path.write_bytes(dbf(encoding, code_page))
    table = read_rows(path, said={"TEL": "phone"})
    assert table.header == ("FIO", "TEL", "DOLG", "SROK", "OK")
    assert table.rows[0].cells == ("Ёлкина Анна", "8 495 123-45-01", "1200.5", "01.12.2026", "1")
    assert table.rows[1].cells[2:] == ("", "", "")
    assert (table.encoding, table.rows[0].number) == (encoding, 2)


def test_another_encoding_may_be_named(path: Path) -> None:
    path.write_bytes(dbf("cp1251", 0))
    assert read_rows(path, encoding="cp1251", said={"TEL": "phone"}).rows[0].cells[0] == "Ёлкина Анна"
    with pytest.raises(ImportFailed, match="no such encoding"):
        read_rows(path, encoding="klingon", said={"TEL": "phone"})


def test_a_broken_one_is_one_line(path: Path) -> None:
    path.write_bytes(dbf("cp866", 0x65)[:100].ljust(260, b"\0"))
    with pytest.raises(ImportFailed):
        read_rows(path, said={"TEL": "phone"})
