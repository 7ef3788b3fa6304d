"""A report made beside the server: ``python -m ocm_cti.report_process``, so that a million rows cost it nothing.

Takes one JSON object on standard input (``Order``), says on standard output how far it is, and leaves its files in the
folder that the order names:

=========== ==========================================================
``12 5000`` so many rows of all have been read
``= name``  a file is there under its name
``! text``  it can't be made, and why; one line for the person who asks
=========== ==========================================================
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from ocm_cti.reports.about import About, zone_of
from ocm_cti.reports.compose import compose
from ocm_cti.reports.csv_files import CsvReport
from ocm_cti.reports.figures import Summary
from ocm_cti.reports.json_file import JsonReport, figures_text
from ocm_cti.reports.replies_zip import FOLDER, RepliesZip
from ocm_cti.reports.whole import ReportNotWritten
from ocm_cti.reports.words import Words
from ocm_cti.reports.xlsx_file import XlsxReport
from ocm_cti.store import report_pages, reports
from ocm_cti.store.errors import StoreError
from ocm_cti.store.transactions import Connection, Store

FORMATS = ("csv", "xlsx", "pdf", "json", "replies")
FIGURES_FILE = "figures.json"
#: How far it is, is said each so many rows.
TOLD_EACH = 500
#: Calls go first.
_NICE = 10

T = TypeVar("T")


@dataclass(frozen=True)
class Order:
    """``now`` is ISO 8601. ``database`` is a path or a URL. ``formats`` (): the figures alone."""

    database: str
    is_url: bool
    campaign_ids: Sequence[int]
    now: str
    folder: str
    recordings: str
    show_numbers: bool = False
    formats: Sequence[str] = ()
    delimiter: str = ";"
    language: str = "en"

    def text(self) -> str:
        return json.dumps(asdict(self))


def made(
    conn: Connection,
    campaign_ids: Sequence[int],
    now: datetime,
    write: Callable[[About], Sequence[Any]] = lambda about: (),
    recordings: Path = Path("recordings"),
    show_numbers: bool = False,
    words: Words | None = None,
    counted: Callable[[Iterable[Any]], Iterable[Any]] = lambda rows: rows,
) -> Summary:
    """The figures of these campaigns, and with ``write`` their files, which it opens."""
    rows = reports.campaign_rows(conn, campaign_ids, now)
    about = About(
        campaigns=rows,
        made_at=now,
        words=words or Words(),
        zone=zone_of(rows),
        recordings=recordings,
        show_numbers=show_numbers,
        different_people=reports.different_people(conn, campaign_ids),
    )
    return compose(
        about,
        counted(reports.each_person(conn, campaign_ids, now)),
        counted(reports.each_attempt(conn, campaign_ids)),
        reports.each_answer(conn, campaign_ids),
        write(about),
    )


def carry_out(order: Order, say: Callable[[str], object]) -> None:
    """Raises StoreError or ReportNotWritten."""
    folder, now = Path(order.folder), datetime.fromisoformat(order.now)
    store = Store.open(order.database if order.is_url else Path(order.database))

    def job(conn: Connection) -> None:
        done, total = 0, report_pages.size(conn, order.campaign_ids)

        def counted(rows: Iterable[T]) -> Iterator[T]:
            nonlocal done
            for row in rows:
                yield row
                done += 1
                if done % TOLD_EACH == 0:
                    say(f"{done} {total}")

        say(f"0 {total}")
        with ExitStack() as stack:
            files: list[Any] = []

            def write(about: About) -> Sequence[Any]:
                files.extend(stack.enter_context(_file(each, folder, about, order)) for each in order.formats)
                return files

            summary = made(
                conn,
                order.campaign_ids,
                now,
                write,
                folder / FOLDER,
                order.show_numbers,
                Words(order.language),
                counted,
            )
        (folder / FIGURES_FILE).write_text(figures_text(summary), encoding="utf-8")
        for path in (path for file in files for path in file.paths):
            say(f"= {path.name}")

    try:
        store.read_now(job)
    finally:
        store.close()


def _file(name: str, folder: Path, about: About, order: Order) -> Any:
    path = folder / f"report.{name}"
    match name:
        case "csv":
            return CsvReport(path, about, order.delimiter)
        case "xlsx":
            return XlsxReport(path, about)
        case "json":
            return JsonReport(path, replace(about, words=Words()))
        case "pdf":
            from ocm_cti.reports.pdf_file import PdfReport  # a second of imports that only paper needs

            return PdfReport(path, about)
        case "replies":
            return RepliesZip(path.with_name("replies.zip"), about, Path(order.recordings))
    raise ValueError(f"{name!r} is none of {', '.join(FORMATS)}")


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the server decides
    with suppress(OSError, AttributeError):
        os.nice(_NICE)
    order = Order(**json.load(sys.stdin))
    try:
        carry_out(order, lambda line: print(line, flush=True))
    except (StoreError, ReportNotWritten) as error:
        print(f"! {' '.join(str(error).split())}", flush=True)


if __name__ == "__main__":
    main()
