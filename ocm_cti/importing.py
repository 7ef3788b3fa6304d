"""A table of people, wherever it is from, becomes a list: judged row by row, written all at once or not at all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol, TypeVar

from ocm_cti.clock import utc_now
from ocm_cti.config import Config
from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings
from ocm_cti.imports.columns import map_columns
from ocm_cti.imports.errors import ImportFailed
from ocm_cti.imports.people import People, Refusal, people
from ocm_cti.imports.spool import Spool
from ocm_cti.imports.tables import Table
from ocm_cti.starting import only_speakable
from ocm_cti.store import audit, kept_lists, lists, subscribers
from ocm_cti.store.transactions import Connection, Store
from ocm_cti.store.upserts import Upserted, upsert

#: Nobody takes more than half of a list off it by naming the wrong file; a few people are a few people.
FEW = 10

T = TypeVar("T")


class Watch(Protocol):
    """Shows how far ``rows`` have come, which are gone through to ``what`` (a word or two) them."""

    def __call__(self, rows: Collection[T], what: str, /) -> Iterable[T]: ...


@dataclass(frozen=True)
class How:
    """How to read the file, where the user knows better than it can be found out; ``said``: heading -> field.

    ``refused``: a file for the rows that were refused. ``delete_missing``: who is not in it goes off the list, with
    ``sure`` even when that is most of it. ``by_hand``: who is known keeps what he has of other variables.
    """

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    said: Mapping[str, str] | None = None
    dry_run: bool = False
    refused: Path | None = None
    delete_missing: bool = False
    sure: bool = False
    by_hand: bool = False
    who: str = ""


@dataclass(frozen=True)
class Imported:
    """What came of one import; of a dry run, what would have. ``deleted`` is None where nobody was to be.

    ``at_work``: who was to be deleted, but is in a campaign that is going on. ``new_list``: it was made by this import;
    ``near`` are the names of lists that are like it.
    """

    table: Table
    people: People
    counts: Upserted
    mapping: Mapping[str, str]
    dry_run: bool = False
    configured: bool = True  # the configuration has this list
    new_list: bool = False
    near: Collection[str] = ()
    deleted: int | None = None
    at_work: int = 0
    refused_file: Path | None = None


@dataclass(frozen=True)
class _Written:
    counts: Upserted
    new_list: bool
    near: Collection[str] = ()
    deleted: int | None = None
    at_work: int = 0


class _NotToBe(Exception):
    """Takes a dry run out of its transaction, which is undone by that."""

    def __init__(self, written: _Written) -> None:
        self.written = written


def unwatched(rows: Collection[T], what: str, /) -> Iterable[T]:
    return rows


def write_people(
    config: Config,
    list_name: str,
    table: Table,
    said: Mapping[str, str],
    how: How,
    store: Store | None,
    watch: Watch = unwatched,
) -> Imported:
    """Judge the rows of a table, wherever it is from, and write those that can be used; without a store, none.

    What the table has no column for (a name, a note, …) stays as it is on the list. Raises ImportFailed.
    """
    settings = config.lists.get(list_name)
    reading = people(table, settings.settings.region if settings else ListSettings().region, said, watch)
    if settings is not None:
        reading = only_speakable(reading, settings)
    columns = map_columns(table.header, said)

    def write(conn: Connection) -> _Written:
        new_list = lists.find(conn, list_name) is None
        near = get_close_matches(list_name, {*config.lists, *lists.names(conn)}) if new_list else ()
        list_id = lists.find_or_create(conn, list_name, utc_now())
        kept = columns.untold | ({"variables"} if how.by_hand else set())
        upserted = upsert(conn, list_id, watch(reading.accepted, "writing"), kept, ids=columns.key is not None)
        if how.said:
            lists.remember_mapping(conn, list_id, {**lists.mapping(conn, list_name), **how.said})
        if not how.delete_missing:
            written = _Written(upserted, new_list, near)
        else:
            _nobody_unread(_without(reading, upserted).refused)
            deleted, at_work = _delete_missing(conn, list_id, list_name, upserted.keys, how)
            written = _Written(upserted, new_list, near, deleted, at_work)
        if how.who:
            counts = {"created": upserted.created, "updated": upserted.updated, "deleted": written.deleted or 0}
            audit.write(conn, audit.Entry(utc_now(), how.who, kept_lists.IMPORTED, list_name, counts))
        if how.dry_run:
            raise _NotToBe(written)
        return written

    if store is None:
        written = _Written(Upserted(len(reading.accepted), 0, 0), new_list=True)
    else:
        try:
            written = store.run_now(write)
        except _NotToBe as undone:
            written = undone.written
    return Imported(
        table,
        _without(reading, written.counts),
        written.counts,
        columns.mapping(table.header),
        dry_run=how.dry_run,
        configured=settings is not None,
        new_list=written.new_list,
        near=written.near,
        deleted=written.deleted,
        at_work=written.at_work,
    )


def _nobody_unread(refused: Collection[Refusal]) -> None:
    for first in refused:
        raise ImportFailed(
            f"who is missing was to go off the list, but {len(refused)} rows were refused (the first: row {first.row}: "
            f"{first.reason}); who stands in them would be deleted. Mend them first; nothing was changed"
        )


def _delete_missing(conn: Connection, list_id: int, list_name: str, keys: Collection[str], how: How) -> tuple[int, int]:
    everybody, missing = subscribers.missing(conn, list_id, keys)
    if len(missing) > FEW and len(missing) * 2 > everybody and not how.sure and not how.dry_run:
        raise ImportFailed(
            f"{len(missing)} of the {everybody} people of {list_name} are not in this file and would go off the list: "
            "is it the right file? They do when you say that you are sure (--yes); nothing was changed"
        )
    deleted = subscribers.delete(conn, list_id, missing)
    return deleted, len(missing) - deleted


def _without(reading: People, upserted: Upserted) -> People:
    """``reading`` after what the list itself says of its rows."""
    if not upserted.refused and not upserted.remarks:
        return reading
    accepted: Spool[Person] = Spool()
    rows: list[int] = []
    refused, remarks = list(reading.refused), list(reading.remarks)
    for person, row in zip(reading.accepted, reading.rows, strict=True):
        if person.key in upserted.refused:
            refused.append(Refusal(row, upserted.refused[person.key]))
            continue
        accepted.append(person)
        rows.append(row)
        if person.key in upserted.remarks:
            remarks.append(Refusal(row, upserted.remarks[person.key]))
    return People(
        accepted.few(), sorted(refused, key=lambda one: one.row), sorted(remarks, key=lambda one: one.row), rows
    )
