"""The people of a campaign: who is where, why not now, and what is done with them by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ocm_cti.control import CampaignProgress, Snapshot
from ocm_cti.domain.access import Caller, Scope
from ocm_cti.domain.why_not import GatewayNow, World
from ocm_cti.gateways.interface import LinkState
from ocm_cti.office.errors import NotNow, NotThere, Refused
from ocm_cti.office.floor import Floor
from ocm_cti.office.ledger import Ledger, must
from ocm_cti.office.lists import LONGEST_PAGE
from ocm_cti.store import campaigns, pages, task_deeds, task_pages, tasks
from ocm_cti.store.pages import CampaignRow
from ocm_cti.store.task_pages import TaskRow, Wanted
from ocm_cti.store.tasks import Counts
from ocm_cti.store.transactions import Connection

__all__ = ["DEEDS", "Deed", "Head", "TaskDesk", "TaskPage", "Wanted"]

FIRST, SKIP, AGAIN, SCENARIO, STOP_LIST = "call_first", "skip", "again", "scenario", "stop_list"
DEEDS = (FIRST, SKIP, AGAIN, SCENARIO, STOP_LIST)
#: People changed in one transaction: calls that are up have something to write too.
PORTION = 500
#: Of a stop list.
LONGEST_NAME = 100
#: On one page somebody can have ticked no more.
MOST_TICKED = LONGEST_PAGE


@dataclass(frozen=True)
class Head:
    """A campaign and how far it is. ``scenarios`` are those that its people can have besides the list's ("")."""

    row: CampaignRow
    counts: Counts
    zone: str
    ring_timeout_s: float
    scenarios: Sequence[str]


@dataclass(frozen=True)
class TaskPage:
    """``after`` is what the next page is asked with; "": this is the last."""

    tasks: Sequence[TaskRow]
    after: str


@dataclass(frozen=True)
class Deed:
    """``task_ids`` None: with all who are ``wanted``. ``name``: of the scenario, or of the stop list."""

    what: str
    task_ids: Sequence[int] | None
    wanted: Wanted = field(default_factory=Wanted)
    name: str = ""


class TaskDesk:
    def __init__(self, ledger: Ledger, floor: Floor) -> None:
        self._ledger = ledger
        self._floor = floor

    def head(self, caller: Caller, campaign_id: int) -> Head:
        """Raises NotThere, NotNow."""
        known = self._progress(campaign_id)

        def read(conn: Connection) -> Head:
            row = _row(conn, caller, campaign_id)
            frozen = campaigns.frozen(conn, campaign_id)
            assert frozen is not None, "it was there in this transaction"
            counts = _counts(known) if known is not None else tasks.counts(conn, campaign_id)
            settings = frozen.settings
            return Head(row, counts, settings.zone, settings.ring_timeout_s, sorted(frozen.own_scenarios))

        return self._ledger.read(read)

    def page(
        self,
        caller: Caller,
        campaign_id: int,
        wanted: Wanted,
        *,
        order: str = "id",
        backwards: bool = False,
        after: str = "",
        limit: int = 50,
    ) -> TaskPage:
        """Raises NotThere, Refused, NotNow."""
        if order not in task_pages.ORDERS or wanted.state not in ("", *task_pages.STATES):
            raise Refused("no page can be ordered or chosen so")
        world = world_of(self._floor.snapshot())

        def read(conn: Connection) -> TaskPage:
            _row(conn, caller, campaign_id)
            try:
                rows, further = task_pages.page(
                    conn,
                    campaign_id,
                    wanted,
                    world,
                    self._ledger.now(),
                    order=order,
                    backwards=backwards,
                    after=after,
                    limit=max(1, min(limit, LONGEST_PAGE)),
                )
            except ValueError as error:
                raise Refused(str(error)) from None
            return TaskPage(rows, further)

        return self._ledger.read(read)

    def count(self, caller: Caller, campaign_id: int, wanted: Wanted) -> int:
        """How many people of the campaign are ``wanted``. Raises NotThere."""

        def read(conn: Connection) -> int:
            _row(conn, caller, campaign_id)
            return len(conn.execute(task_pages.matching(conn, campaign_id, wanted, None)).all())

        return self._ledger.read(read)

    def do(self, caller: Caller, campaign_id: int, deed: Deed) -> int:
        """Gives with how many people it was done; who is being called is left alone.

        In portions of PORTION, each with its row in the audit. Raises NotThere, NotAllowed, Refused.
        """
        must(caller, Scope.OPERATE)
        if deed.what not in DEEDS:
            raise Refused(f"{deed.what!r} is no deed; there are: {', '.join(DEEDS)}")
        if deed.task_ids is not None and len(deed.task_ids) > MOST_TICKED:
            raise Refused(f"at most {MOST_TICKED} people can be named; use a filter for more")
        if deed.what == STOP_LIST and not 0 < len(deed.name.strip()) <= LONGEST_NAME:
            raise Refused(f"a stop list's name has 1 to {LONGEST_NAME} letters")

        def whom(conn: Connection) -> list[int]:
            row = _row(conn, caller, campaign_id)
            if row.state not in (campaigns.RUNNING, campaigns.PAUSED) and deed.what != STOP_LIST:
                raise Refused("this campaign is over, or is being stopped; start one that follows it up")
            query = task_pages.matching(conn, campaign_id, deed.wanted, deed.task_ids)
            return list(conn.execute(query).scalars())

        ids = self._ledger.read(whom)
        changed = 0
        for place in range(0, len(ids), PORTION):
            changed += self._portion(caller, campaign_id, deed, ids[place : place + PORTION])
        self._floor.wake()
        return changed

    # --- inside ---

    def _portion(self, caller: Caller, campaign_id: int, deed: Deed, ids: Sequence[int]) -> int:
        def write(conn: Connection) -> int:
            row, now = _row(conn, caller, campaign_id), self._ledger.now()
            changed = _done(conn, campaign_id, deed, ids, now, f"campaign {campaign_id} of {row.list_name}")
            if changed:
                note = {"campaign": campaign_id, "people": changed, "name": deed.name}
                self._ledger.note(conn, caller, f"task.{deed.what}", row.list_name, note)
            return changed

        return self._ledger.write(write)

    def _progress(self, campaign_id: int) -> CampaignProgress | None:
        """What the monitor knows of it; counting a million people anew would take longer than the page."""
        try:
            known = self._floor.snapshot().campaigns
        except NotNow:
            return None
        return next((one for one in known if one.campaign_id == campaign_id), None)


def world_of(snapshot: Snapshot) -> World:
    """What is known beside the ledger of why somebody is not being called."""
    lines = [line for line in snapshot.lines if line.gateway in snapshot.health]
    idle = Counter(line.gateway for line in lines if line.state.name == "IDLE")
    up = Counter(line.campaign_id for line in lines if line.campaign_id is not None)
    gateways = {}
    for name in {line.gateway for line in lines}:
        health = snapshot.health[name]
        is_up = health.state is LinkState.UP
        gateways[name] = GatewayNow(is_up, "" if is_up else health.reason or health.state.value, idle[name])
    return World(True, gateways, dict(up))


def _done(conn: Connection, campaign_id: int, deed: Deed, ids: Sequence[int], now: datetime, whence: str) -> int:
    match deed.what:
        case "call_first":
            return task_deeds.call_first(conn, ids)
        case "skip":
            return task_deeds.skip(conn, campaign_id, ids, now)
        case "again":
            return task_deeds.again(conn, campaign_id, ids, now)
        case "scenario":
            return task_deeds.change_scenario(conn, campaign_id, ids, deed.name)
        case _:
            return task_deeds.stop_list(conn, ids, deed.name.strip(), f"by hand, in {whence}"[:300], now)


def _counts(known: CampaignProgress) -> Counts:
    waiting = known.total - known.done - known.calling
    return Counts(known.total, waiting, known.calling, known.done, known.outcomes)


def _row(conn: Connection, caller: Caller, campaign_id: int) -> CampaignRow:
    row = pages.one_campaign(conn, campaign_id)
    if row is None or not caller.sees(row.list_name):
        raise NotThere(f"there is no campaign {campaign_id}")
    return row
