"""What an import is told by: a few lines, a table of the first people, or JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from ocm_cti.domain.numbers import mask
from ocm_cti.importing import Imported
from ocm_cti.imports.people import Refusal

#: More refused rows than this are counted, not printed.
REFUSALS_SHOWN = 30
PREVIEW_ROWS = 50


def print_import(console: Console, list_name: str, source: str, done: Imported) -> None:
    table, reading, counts = done.table, done.people, done.counts
    found = [table.encoding, repr(table.delimiter) if table.delimiter else None]
    how = f" ({', '.join(filter(None, found))})" if table.encoding else ""
    would = "would be " if done.dry_run else ""
    what = f"{would}created {counts.created}, updated {counts.updated}, unchanged {counts.unchanged}"
    deleted = "" if done.deleted is None else f", deleted {done.deleted}"
    dry = " (dry run)" if done.dry_run else ""
    console.print(f"{list_name} ← {source}{how}: {what}{deleted}, refused {len(reading.refused)}{dry}", highlight=False)
    console.print(Text(f"  {_mapping(done)}", style="dim"), soft_wrap=True)
    if done.at_work:
        words = f"  {done.at_work} of those who are missing stay until the campaign that they are in has ended"
        console.print(words, style="yellow", soft_wrap=True)
    if not done.configured:
        words = f"  there is no [lists.{list_name}] in the configuration yet: it can't be started without a scenario"
        if done.new_list:
            meant = f"; was {' or '.join(done.near)} meant? To take it away: ocm lists --remove {list_name}"
            words += f". It is a new list{meant if done.near else ''}"
        console.print(words, style="bold yellow" if done.new_list else "yellow", soft_wrap=True)
    _print_refused(console, reading.refused)
    if done.refused_file is not None:
        console.print(f"  the refused rows with their reasons: {done.refused_file}", soft_wrap=True)
    for remark in reading.remarks[:REFUSALS_SHOWN]:
        console.print(Text(f"  row {remark.row}: {remark.reason}", style="yellow"), soft_wrap=True)


def _print_refused(console: Console, refused: Sequence[Refusal]) -> None:
    for refusal in refused[:REFUSALS_SHOWN]:
        console.print(Text(f"  row {refusal.row} refused: {refusal.reason}", style="red"), soft_wrap=True)
    if len(refused) > REFUSALS_SHOWN:
        console.print(f"  … and {len(refused) - REFUSALS_SHOWN} more (--refused FILE has all)", style="red")


def _mapping(done: Imported) -> str:
    return ", ".join(f"{heading} = {field}" for heading, field in done.mapping.items())


def print_preview(console: Console, list_name: str, source: str, done: Imported, *, show_numbers: bool) -> None:
    print_import(console, list_name, source, done)
    grid = Grid(box=None, padding=(0, 1), header_style="bold")
    for heading in ("row", "id", "name", "numbers", "variables", "his own"):
        grid.add_column(heading, overflow="fold")
    for row, person in islice(zip(done.people.rows, done.people.accepted, strict=True), PREVIEW_ROWS):
        numbers = [f"{number if show_numbers else mask(number)} {kind}".strip() for number, kind in person.numbers]
        key = mask(person.key) if not show_numbers and person.key.startswith("+") else person.key
        own = {
            "priority": "" if person.priority is None else str(person.priority),
            "groups": ", ".join(person.groups),
            "scenario": person.scenario,
            "zone": person.zone,
            "note": person.note,
        }
        grid.add_row(
            str(row),
            key,
            person.name,
            ", ".join(numbers),
            ", ".join(f"{name}={value}" for name, value in person.variables.items() if name != "name"),
            ", ".join(f"{name}={value}" for name, value in own.items() if value),
        )
    console.print(grid)


def as_json(done: Imported) -> Mapping[str, object]:
    counts = done.counts
    return {
        "dry_run": done.dry_run,
        "created": counts.created,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "deleted": done.deleted or 0,
        "new_list": done.new_list,
        "accepted": len(done.people.accepted),
        "refused": [{"row": refusal.row, "reason": refusal.reason} for refusal in done.people.refused],
        "remarks": [{"row": remark.row, "reason": remark.reason} for remark in done.people.remarks],
        "encoding": done.table.encoding,
        "delimiter": done.table.delimiter,
        "header": list(done.table.header),
        "mapping": dict(done.mapping),
    }
