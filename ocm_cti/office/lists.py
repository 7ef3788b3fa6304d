"""The lists: how many people each has, who they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from ocm_cti.config import ListConfig
from ocm_cti.domain.access import Caller
from ocm_cti.office.errors import NotThere, Refused
from ocm_cti.office.ledger import Ledger
from ocm_cti.office.settings import ConfigFile
from ocm_cti.store import lists, pages
from ocm_cti.store.pages import ListRow, PersonRow
from ocm_cti.store.transactions import Connection

#: Rows of one page at most.
LONGEST_PAGE = 500


@dataclass(frozen=True)
class ListEntry:
    """A list as the panel shows it. ``configured`` False: it has people but no scenario, so it can't be started.

    ``imported`` False: it is in the configuration only. ``zone``: in which its times are shown, "" the server's.
    """

    name: str
    people: int
    configured: bool
    imported: bool
    scenario: str
    language: str
    zone: str
    campaign_id: int | None
    campaign_state: str
    called_at: datetime | None
    next_at: datetime | None


@dataclass(frozen=True)
class PeoplePage:
    """``after`` is what the next page is asked with; None: this is the last."""

    people: tuple[PersonRow, ...]
    after: int | None


class ListDesk:
    def __init__(self, ledger: Ledger, settings: ConfigFile) -> None:
        self._ledger = ledger
        self._settings = settings

    def overview(self, caller: Caller) -> list[ListEntry]:
        """Those that he may see, by name: of the ledger and of the configuration."""
        configured = self._configured()
        rows = {row.name: row for row in self._ledger.read(pages.all_lists)}
        names = sorted({*rows, *configured}, key=str.casefold)
        return [_entry(name, rows.get(name), configured.get(name)) for name in names if caller.sees(name)]

    def startable(self, caller: Caller) -> list[ListEntry]:
        """Those of them that have people and a scenario, and are not being called."""
        configured = self._configured()
        rows = self._ledger.read(partial(pages.all_lists, idle=True))
        seen = [row for row in rows if row.people and row.name in configured and caller.sees(row.name)]
        seen.sort(key=lambda row: row.name.casefold())
        return [_entry(row.name, row, configured[row.name]) for row in seen]

    def entry(self, caller: Caller, name: str) -> ListEntry:
        """Raises NotThere."""
        row = next(iter(self._ledger.read(partial(pages.all_lists, name=name))), None)
        settings = self._configured().get(name)
        if (row is None and settings is None) or not caller.sees(name):
            raise NotThere(f"there is no list {name}")
        return _entry(name, row, settings)

    def people(self, caller: Caller, name: str, search: str = "", after: int = 0, limit: int = 50) -> PeoplePage:
        """In the order in which they came. Raises NotThere."""
        self.entry(caller, name)

        def read(conn: Connection) -> PeoplePage:
            list_id = lists.find(conn, name)
            if list_id is None:
                return PeoplePage((), None)
            size = max(1, min(limit, LONGEST_PAGE))
            rows, more = pages.people(conn, list_id, search=search[:200], after=after, limit=size)
            return PeoplePage(tuple(rows), rows[-1].subscriber_id if more else None)

        return self._ledger.read(read)

    # --- inside ---

    def _configured(self) -> Mapping[str, ListConfig]:
        try:
            return self._settings.load().lists
        except Refused:  # a mistake in the file must not hide the lists; whoever starts one is told of it
            return self._settings.first.lists


def _entry(name: str, row: ListRow | None, settings: ListConfig | None) -> ListEntry:
    return ListEntry(
        name=name,
        people=0 if row is None else row.people,
        configured=settings is not None,
        imported=row is not None,
        scenario="" if settings is None else settings.scenario_path.stem,
        language="" if settings is None else settings.settings.language,
        zone="" if settings is None else settings.settings.zone,
        campaign_id=None if row is None else row.campaign_id,
        campaign_state="" if row is None else row.campaign_state,
        called_at=None if row is None else row.called_at,
        next_at=None if row is None else row.next_at,
    )
