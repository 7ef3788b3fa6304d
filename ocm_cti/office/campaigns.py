"""Campaigns: which there are, how far they are, and what is done with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ocm_cti import starting
from ocm_cti.domain.access import Caller, Scope
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.imports.errors import ImportFailed
from ocm_cti.office.errors import NotThere, Refused
from ocm_cti.office.floor import Floor
from ocm_cti.office.ledger import Ledger, must
from ocm_cti.office.lists import LONGEST_PAGE
from ocm_cti.office.settings import ConfigFile
from ocm_cti.store import campaigns, lists, pages, tasks
from ocm_cti.store.pages import CampaignRow
from ocm_cti.store.tasks import Counts
from ocm_cti.store.transactions import Connection


@dataclass(frozen=True)
class Campaign:
    """A campaign and how far it is."""

    row: CampaignRow
    counts: Counts


@dataclass(frozen=True)
class CampaignPage:
    """``after`` is what the next page is asked with; None: this is the last."""

    campaigns: tuple[Campaign, ...]
    after: int | None


@dataclass(frozen=True)
class Start:
    """How to start a list; as ``ocm start``. ``begins_at`` aware."""

    list_name: str
    begins_at: datetime | None = None
    test: bool = False
    also_invalid: bool = False
    only_after: Sequence[Outcome] = ()
    groups: Sequence[str] = ()
    override_why: str = ""


class CampaignDesk:
    def __init__(self, ledger: Ledger, settings: ConfigFile, floor: Floor) -> None:
        self._ledger = ledger
        self._settings = settings
        self._floor = floor

    def page(self, caller: Caller, list_name: str = "", after: int | None = None, limit: int = 50) -> CampaignPage:
        """The newest first. ``list_name`` "": of all lists that he may see."""
        if list_name and not caller.sees(list_name):
            raise NotThere(f"there is no list {list_name}")
        names = [list_name] if list_name else sorted(caller.lists)

        def read(conn: Connection) -> CampaignPage:
            size = max(1, min(limit, LONGEST_PAGE))
            rows, more = pages.campaigns(conn, lists=names, before=after, limit=size)
            found = tuple(Campaign(row, tasks.counts(conn, row.campaign_id)) for row in rows)
            return CampaignPage(found, rows[-1].campaign_id if more else None)

        return self._ledger.read(read)

    def one(self, caller: Caller, campaign_id: int) -> Campaign:
        """Raises NotThere."""

        def read(conn: Connection) -> Campaign:
            return Campaign(self._row(conn, caller, campaign_id), tasks.counts(conn, campaign_id))

        return self._ledger.read(read)

    def start(self, caller: Caller, how: Start) -> Campaign:
        """Freeze and start. Raises NotThere, NotAllowed, Refused."""
        must(caller, Scope.OPERATE)
        if not caller.sees(how.list_name):
            raise NotThere(f"there is no list {how.list_name}")
        config = self._settings.load()
        try:
            fetched = starting.fetch(config, how.list_name)
        except ImportFailed as error:
            raise Refused(str(error)) from error
        details = starting.How(
            caller.name,
            also_invalid=how.also_invalid,
            begins_at=how.begins_at,
            only_after=list(how.only_after) or None,
            test=how.test,
            override_why=how.override_why,
            groups=how.groups,
        )

        def write(conn: Connection) -> Campaign:
            if how.list_name not in config.lists and lists.find(conn, how.list_name) is None:
                raise NotThere(f"there is no list {how.list_name}")
            made = starting.start(conn, config, how.list_name, details, self._ledger.now(), fetched)
            note = {"campaign": made.campaign_id, "people": made.counts.total, "test": how.test}
            self._ledger.note(conn, caller, "campaign.start", how.list_name, note)
            return Campaign(self._row(conn, caller, made.campaign_id), made.counts)

        return self._changed(write)

    def pause(self, caller: Caller, campaign_id: int) -> Campaign:
        def pause(conn: Connection, list_id: int) -> int:
            return campaigns.pause(conn, list_id, self._ledger.now())

        return self._change(caller, campaign_id, "campaign.pause", pause)

    def resume(self, caller: Caller, campaign_id: int) -> Campaign:
        def resume(conn: Connection, list_id: int) -> int:
            return campaigns.resume(conn, list_id, self._ledger.now())

        return self._change(caller, campaign_id, "campaign.resume", resume)

    def stop(self, caller: Caller, campaign_id: int, *, hang_up: bool = False) -> Campaign:
        def stop(conn: Connection, list_id: int) -> int:
            return campaigns.stop(conn, list_id, self._ledger.now(), hang_up=hang_up)

        return self._change(caller, campaign_id, campaigns.STOPPED, stop)

    # --- inside ---

    def _change(
        self, caller: Caller, campaign_id: int, deed: str, change: Callable[[Connection, int], int]
    ) -> Campaign:
        must(caller, Scope.OPERATE)

        def write(conn: Connection) -> Campaign:
            row = self._row(conn, caller, campaign_id)
            if row.state == campaigns.DONE:  # its list may have a newer one, which is not meant
                raise Refused("this campaign is over")
            list_id = lists.find(conn, row.list_name)
            assert list_id is not None, "a campaign's list is never deleted"
            change(conn, list_id)
            self._ledger.note(conn, caller, deed, row.list_name, {"campaign": campaign_id})
            return Campaign(self._row(conn, caller, campaign_id), tasks.counts(conn, campaign_id))

        return self._changed(write)

    def _changed(self, write: Callable[[Connection], Campaign]) -> Campaign:
        changed = self._ledger.write(write)
        self._floor.wake()
        return changed

    def _row(self, conn: Connection, caller: Caller, campaign_id: int) -> CampaignRow:
        row = pages.one_campaign(conn, campaign_id)
        if row is None or not caller.sees(row.list_name):
            raise NotThere(f"there is no campaign {campaign_id}")
        return row
