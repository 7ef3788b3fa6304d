"""A spool is a list that lies on the disk from some length on."""

from __future__ import annotations

import pytest

from ocm_cti.imports import spool
from ocm_cti.imports.spool import Spool


@pytest.mark.parametrize("length", [0, 1, 6, 7, 8, 500, 1507])
def test_it_gives_what_it_was_given(length: int) -> None:
    kept: Spool[tuple[int, str]] = Spool(few=7)
    for number in range(length):
        kept.append((number, f"№ {number}"))
    wanted = [(number, f"№ {number}") for number in range(length)]
    assert list(kept) == wanted and len(kept) == length and bool(kept) == bool(length)
    assert list(kept) == wanted, "as often as needed"
    one, other = iter(kept), iter(kept)
    assert [pair for pair in zip(one, other, strict=True)] == list(zip(wanted, wanted, strict=True)), "also by two"
    assert (0, "№ 0") in kept or not length
    assert isinstance(kept.few(), list) == (length < 7)


def test_many_rows_are_a_table_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    from ocm_cti.imports.text_files import parse

    text = "Телефон;Имя\n" + "".join(f"8495{number:07};П{number}\n" for number in range(spool.FEW + 20))
    rows, _ = parse(text, None, "people.csv")
    assert isinstance(rows, Spool) and len(rows) == spool.FEW + 21
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
