"""The rows that an import refused, in a file of their own: to be mended and imported again."""

from __future__ import annotations

import csv
from pathlib import Path

from ocm_cti.domain.cells import neutral
from ocm_cti.imports.columns import REASON_HEADING
from ocm_cti.imports.errors import ImportFailed
from ocm_cti.imports.people import People
from ocm_cti.imports.tables import Table


def check_place(path: Path, source: Path | None) -> None:
    """Raises ImportFailed where the file that is read would be written over: its good rows would be lost."""
    try:
        same = source is not None and path.exists() and path.samefile(source)
    except OSError:
        same = False
    if same:
        raise ImportFailed(f"--refused {path}: that is the file to be imported; name another. Nothing was imported")


def write_refused(path: Path, table: Table, reading: People) -> Path | None:
    """The refused rows as they stood and the reason, to be mended and imported again; None: there are none."""
    if not reading.refused:
        return None
    reasons = {refusal.row: refusal.reason for refusal in reading.refused}
    kept = [place for place, heading in enumerate(table.header) if heading != REASON_HEADING]
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow([*(neutral(table.header[place]) for place in kept), REASON_HEADING])
            for row in table.rows:
                if row.number in reasons:
                    cells = [row.cells[place] if place < len(row.cells) else "" for place in kept]
                    beyond = row.cells[len(table.header) :]
                    writer.writerow([neutral(cell) for cell in (*cells, reasons[row.number], *beyond)])
    except OSError as error:
        raise ImportFailed(f"{path}: the refused rows can't be written: {error.strerror or error}") from None
    return path
