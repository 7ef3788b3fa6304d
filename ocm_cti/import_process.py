"""A file of people read and written beside the server: ``python -m ocm_cti.import_process``.

Whatever somebody brings, a workbook that unpacks to gigabytes among it, is taken apart in a process with limits of its
own. It takes one JSON object on standard input (``Order``), says on standard output how far it is, and leaves what came
of it in the folder that the order names:

================= ======================================================
``1200 5000 word`` so many of all rows; the word says what is done
``= name``        ``result.json`` is there, and ``refused.csv`` if any was
``! text``        it can't be read, and why; one line for the person
================= ======================================================

It is written whole or not at all. A dry run writes nothing.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from ocm_cti import config as configuration
from ocm_cti.config import ConfigError
from ocm_cti.importing import How, Imported, write_people
from ocm_cti.imports.columns import UnknownColumn, check_said
from ocm_cti.imports.errors import ImportFailed
from ocm_cti.imports.files import HEADER_WITHIN, read_cells, read_rows
from ocm_cti.imports.refused import write_refused
from ocm_cti.imports.tables import Row
from ocm_cti.imports.workbooks import sheet_names
from ocm_cti.store import lists
from ocm_cti.store.errors import StoreError
from ocm_cti.store.transactions import Store

RESULT_FILE = "result.json"
REFUSED_FILE = "refused.csv"
#: What is shown of a file before it is imported, and of the rows that can't be.
ROWS_SHOWN = 50
REFUSALS_SHOWN = 500
TOLD_EACH = 1000
#: A list of a million people takes half of it; a workbook that was made to be unpacked without end takes any.
MEMORY_OCTETS = 3 * 1024**3
PROCESSOR_S = 1800
#: Calls go first.
_NICE = 10

T = TypeVar("T")


@dataclass(frozen=True)
class Order:
    """``called`` is what the person calls his file. ``said`` is heading -> field; None or "": find it out."""

    config: str
    list_name: str
    path: str
    called: str
    folder: str
    who: str
    dry_run: bool = True
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    said: Mapping[str, str] = field(default_factory=dict)
    delete_missing: bool = False
    sure: bool = False

    def text(self) -> str:
        return json.dumps(asdict(self))


def carry_out(order: Order, say: Callable[[str], object]) -> Mapping[str, Any]:
    """What came of it, as ``result.json`` has it. Raises ImportFailed, ConfigError or StoreError."""
    config = configuration.load(Path(order.config))
    path, folder = Path(order.path), Path(order.folder)
    store = Store.open(config.database)
    try:
        said = {**store.read_now(lambda conn: lists.mapping(conn, order.list_name)), **order.said}
        say("0 0 opening")
        table = read_rows(
            path,
            encoding=order.encoding or None,
            delimiter=order.delimiter or None,
            sheet=order.sheet or None,
            said=said,
        )
        try:
            check_said(table.header, order.said)
        except UnknownColumn as error:
            raise ImportFailed(str(error)) from None
        how = How(
            said=order.said,
            dry_run=order.dry_run,
            delete_missing=order.delete_missing,
            sure=order.sure,
            who=order.who,
        )

        def watch(rows: Collection[T], what: str, /) -> Iterator[T]:
            total = len(rows)
            for done, row in enumerate(rows):
                if done % TOLD_EACH == 0:
                    say(f"{done} {total} {what}")
                yield row
            say(f"{total} {total} {what}")

        done = write_people(config, order.list_name, table, said, how, store, watch)
    finally:
        store.close()
    refused = write_refused(folder / REFUSED_FILE, done.table, done.people)
    if refused is None:
        (folder / REFUSED_FILE).unlink(missing_ok=True)
    return _result(done, sheet_names(path))


def _result(done: Imported, sheets: Sequence[str]) -> Mapping[str, Any]:
    reading, counts, table = done.people, done.counts, done.table
    return {
        "dry_run": done.dry_run,
        "created": counts.created,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "deleted": done.deleted,
        "at_work": done.at_work,
        "refused": len(reading.refused),
        "refusals": [asdict(one) for one in reading.refused[:REFUSALS_SHOWN]],
        "remarks": [asdict(one) for one in reading.remarks[:REFUSALS_SHOWN]],
        "encoding": table.encoding or "",
        "delimiter": table.delimiter or "",
        "header": list(table.header),
        "mapping": dict(done.mapping),
        "sheets": list(sheets),
        "rows": list(_shown(done)),
    }


def _shown(done: Imported) -> Iterable[Mapping[str, Any]]:
    """The first rows of the file: who stands in each as he is read, or why nobody."""
    refused = {one.row: one.reason for one in reversed(done.people.refused)}
    remarks: dict[int, list[str]] = {}
    for remark in done.people.remarks:
        remarks.setdefault(remark.row, []).append(remark.reason)
    accepted = zip(done.people.rows, done.people.accepted, strict=True)
    people = dict(islice(accepted, ROWS_SHOWN))
    for row in islice(done.table.rows, ROWS_SHOWN):
        person = people.get(row.number)
        yield {
            "row": row.number,
            "cells": [cell[:200] for cell in row.cells],
            "refused": refused.get(row.number, ""),
            "remarks": remarks.get(row.number, []),
            "person": None if person is None else asdict(person),
        }


def _what_it_is(order: Order) -> Mapping[str, Any]:
    """Of a file in which nobody was found: its first rows, so that a person can say how it is to be read."""
    path = Path(order.path)
    sheets: Sequence[str] = ()
    cells = None
    with suppress(ImportFailed):
        sheets = sheet_names(path)
        cells = read_cells(
            path, encoding=order.encoding or None, delimiter=order.delimiter or None, sheet=order.sheet or None
        )
    rows: list[Row] = [] if cells is None else list(islice((row for row in cells.rows if not row.empty), HEADER_WITHIN))
    header = max(rows, key=lambda row: sum(map(bool, row.cells)), default=Row(0, ()))
    return {
        "encoding": (cells.encoding if cells is not None else None) or order.encoding,
        "delimiter": (cells.delimiter if cells is not None else None) or order.delimiter,
        "header": list(header.cells),
        "mapping": dict(order.said),
        "sheets": list(sheets),
        "rows": [{"row": row.number, "cells": [cell[:200] for cell in row.cells]} for row in rows],
    }


def _limit() -> None:
    with suppress(OSError, AttributeError):
        os.nice(_NICE)
    for what, most in ((resource.RLIMIT_AS, MEMORY_OCTETS), (resource.RLIMIT_CPU, PROCESSOR_S)):
        with suppress(OSError, ValueError):
            resource.setrlimit(what, (most, most))


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the server decides
    _limit()
    order = Order(**json.load(sys.stdin))

    def say(line: str) -> None:
        print(line, flush=True)

    def leave(result: Mapping[str, Any]) -> None:
        (Path(order.folder) / RESULT_FILE).write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")
        say(f"= {RESULT_FILE}")

    try:
        leave(carry_out(order, say))
    except ImportFailed as error:
        leave(_what_it_is(order))
        say(f"! {_plain(str(error), order)}")
    except (ConfigError, StoreError) as error:
        say(f"! {_plain(str(error), order)}")
    except MemoryError:
        say("! it takes too much memory to be read; bring it in parts")


def _plain(text: str, order: Order) -> str:
    return " ".join(text.replace(order.path, order.called).split())


if __name__ == "__main__":
    main()
