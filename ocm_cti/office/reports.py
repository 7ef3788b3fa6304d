"""Reports: the figures of campaigns, their people, what these said, and files of all that."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from ocm_cti.config import Config
from ocm_cti.domain.access import Caller
from ocm_cti.office.errors import NotNow, NotThere, Refused
from ocm_cti.office.ledger import Ledger
from ocm_cti.office.lists import LONGEST_PAGE
from ocm_cti.office.report_jobs import ReportJob, ReportJobs
from ocm_cti.report_process import FORMATS, Order, made
from ocm_cti.reports.json_file import figures_text
from ocm_cti.reports.words import LANGUAGES
from ocm_cti.store import lists, pages, report_pages, reports
from ocm_cti.store.report_pages import Filter, OnePerson, Reported
from ocm_cti.store.report_rows import CampaignRow
from ocm_cti.store.transactions import Connection

__all__ = ["DELIMITERS", "FORMATS", "Figures", "ReportDesk", "ReportedPage", "Selection"]

#: So many rows are read in the time that somebody waits for a page; more in a process of its own.
AT_ONCE = 4000
#: How long a page waits for that process before it says how far it is.
PATIENCE_S = 2.0
#: Figures that took a while are shown again for so long.
FRESH = timedelta(minutes=15)
MOST_CAMPAIGNS = 500
MOST_CHOICES = 60
DELIMITERS = (";", ",")
FOLDER = "panel-reports"


@dataclass(frozen=True)
class Selection:
    """Which campaigns. ``campaign_ids`` name them; else those of ``list_name`` ("": of all lists) that began in the
    days ``since`` to ``until`` of the server's clock, both inclusive; without days the last one of the list, or the
    newest of all. Tests are among them only where they are named."""

    list_name: str = ""
    campaign_ids: tuple[int, ...] = ()
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Figures:
    """``figures`` as in the JSON of reports, of ``made_at``. None while ``job`` still makes them."""

    campaigns: tuple[CampaignRow, ...]
    made_at: datetime
    figures: Mapping[str, Any] | None
    job: ReportJob | None = None

    @property
    def zone(self) -> str:
        """The clock of the lists where they agree on one, else ""."""
        zones = {each.settings.zone for each in self.campaigns}
        return zones.pop() if len(zones) == 1 else ""


@dataclass(frozen=True)
class ReportedPage:
    """``after`` is what the next page is asked with; None: this is the last. ``campaigns`` of its people, by id."""

    people: tuple[Reported, ...]
    campaigns: Mapping[int, CampaignRow]
    after: int | None


class ReportDesk:
    def __init__(self, ledger: Ledger, config: Config) -> None:
        self._ledger = ledger
        self._config = config
        self._jobs = ReportJobs(config.data / FOLDER)

    def close(self) -> None:
        self._jobs.close()

    def figures(
        self, caller: Caller, chosen: Selection, *, anew: bool = False, patience_s: float = PATIENCE_S
    ) -> Figures:
        """Of small campaigns at once; of others as soon as they are made, or what was made a while ago unless
        ``anew``. Raises NotThere when there is nothing to report."""
        now = self._ledger.now()

        def read(conn: Connection) -> Figures:
            ids = self._ids(conn, caller, chosen)
            rows = tuple(reports.campaign_rows(conn, ids, now))
            if report_pages.size(conn, ids) > AT_ONCE:
                return Figures(rows, now, None)
            return Figures(rows, now, json.loads(figures_text(made(conn, ids, now))))

        found = self._ledger.read(read)
        if found.figures is not None:
            return found
        ids = [each.campaign_id for each in found.campaigns]
        job = self._jobs.latest(caller.key, ids)
        if job is None or (job.over.is_set() and (anew or now - job.ordered_at > FRESH)):
            job = self._jobs.begin(caller.key, self._order(ids), now)
        job.over.wait(patience_s)
        if job.state == "failed":
            raise NotNow(job.why)
        made_at = job.ordered_at
        return Figures(found.campaigns, made_at, json.loads(job.figures) if job.state == "done" else None, job)

    def campaigns(self, caller: Caller, chosen: Selection) -> list[CampaignRow]:
        """Those that are chosen, oldest first. Raises NotThere."""
        return self._ledger.read(lambda conn: reports.campaign_rows(conn, self._ids(conn, caller, chosen)))

    def choices(self, caller: Caller, list_name: str = "") -> list[pages.CampaignRow]:
        """Campaigns to choose among, the newest first, tests too."""
        names = [list_name] if list_name and caller.sees(list_name) else sorted(caller.lists)
        return self._ledger.read(lambda conn: pages.campaigns(conn, lists=names, limit=MOST_CHOICES)[0])

    def people(
        self, caller: Caller, chosen: Selection, wanted: Filter, after: int = 0, limit: int = 50
    ) -> ReportedPage:
        """Campaign by campaign in the order of the list. Raises NotThere."""

        def read(conn: Connection) -> ReportedPage:
            ids = self._ids(conn, caller, chosen)
            size = max(1, min(limit, LONGEST_PAGE))
            rows, more = report_pages.people(conn, ids, wanted, after=after, limit=size, now=self._ledger.now())
            of = reports.campaign_rows(conn, sorted({row.person.campaign_id for row in rows}))
            campaigns = {each.campaign_id: each for each in of}
            return ReportedPage(tuple(rows), campaigns, rows[-1].task_id if more else None)

        return self._ledger.read(read)

    def person(self, caller: Caller, task_id: int) -> OnePerson:
        """Raises NotThere."""
        found = self._ledger.read(lambda conn: report_pages.one(conn, task_id, self._ledger.now()))
        if found is None or not caller.sees(found.campaign.list_name):
            raise NotThere("there is no such person in a campaign")
        return found

    def reply(self, caller: Caller, answer_id: int) -> Path:
        """The file of a reply: its name is the ledger's, whoever asks. Raises NotThere."""
        found = self._ledger.read(lambda conn: report_pages.reply(conn, answer_id))
        if found is None or not caller.sees(found[0]):
            raise NotThere("there is no such reply")
        folder = self._config.recordings.resolve()
        path = (folder / found[1]).resolve()
        if not path.is_relative_to(folder) or not path.is_file():
            raise NotThere("the recording of this reply is not there any more")
        return path

    # --- files ---

    def order(
        self, caller: Caller, chosen: Selection, kind: str, delimiter: str = ";", language: str = "en"
    ) -> ReportJob:
        """Begin to make files of one of FORMATS. Raises NotThere, Refused, NotNow."""
        if kind not in FORMATS:
            raise Refused(f"reports are written as {', '.join(FORMATS)}")
        if delimiter not in DELIMITERS:
            raise Refused("cells are separated by ; or ,")
        if language not in LANGUAGES:
            raise Refused(f"reports are written in {', '.join(LANGUAGES)}")
        ids = self._ledger.read(lambda conn: self._ids(conn, caller, chosen))

        def note(conn: Connection) -> None:
            self._ledger.note(conn, caller, "report.export", kind, {"campaigns": ids})

        self._ledger.write(note)
        order = self._order(ids, (kind,), delimiter, language)
        return self._jobs.begin(caller.key, order, self._ledger.now())

    def ordered(self, caller: Caller, job_id: str) -> ReportJob:
        """Raises NotThere, also for what somebody else ordered."""
        return self._jobs.of(caller.key, job_id)

    # --- inside ---

    def _order(
        self, ids: Sequence[int], formats: tuple[str, ...] = (), delimiter: str = ";", language: str = "en"
    ) -> Order:
        return Order(
            database=str(self._config.database),
            is_url=isinstance(self._config.database, str),
            campaign_ids=tuple(ids),
            now=self._ledger.now().isoformat(),
            folder="",
            recordings=str(self._config.recordings.absolute()),
            show_numbers=self._config.show_numbers,
            formats=formats,
            delimiter=delimiter,
            language=language,
        )

    def _ids(self, conn: Connection, caller: Caller, chosen: Selection) -> list[int]:
        if chosen.campaign_ids:
            return [self._one(conn, caller, campaign_id) for campaign_id in sorted(set(chosen.campaign_ids))]
        if chosen.list_name and not caller.sees(chosen.list_name):
            raise NotThere(f"there is no list {chosen.list_name}")
        list_ids: list[int | None] = [None]
        list_id: int | None
        if chosen.list_name or caller.lists:
            names = [chosen.list_name] if chosen.list_name else sorted(caller.lists)
            list_ids = [list_id for name in names if (list_id := lists.find(conn, name)) is not None]
        if chosen.list_name and not list_ids:
            raise NotThere(f"there is no list {chosen.list_name}")
        if chosen.since is not None or chosen.until is not None:
            since_at = None if chosen.since is None else _midnight(chosen.since)
            until_at = None if chosen.until is None else _midnight(chosen.until, 1)
            found = [
                campaign_id
                for each in list_ids
                for campaign_id in reports.started(conn, each, since_at=since_at, until_at=until_at, tests=False)
            ]
            if not found:
                raise NotThere("no campaign began in that time")
        else:
            found = [campaign_id for each in list_ids for campaign_id in _newest(conn, each)]
            found = sorted(found)[-1:]
            if not found:
                raise NotThere("nothing has been started yet")
        if len(found) > MOST_CAMPAIGNS:
            raise Refused(f"these are {len(found)} campaigns; at most {MOST_CAMPAIGNS} make one report")
        return sorted(found)

    def _one(self, conn: Connection, caller: Caller, campaign_id: int) -> int:
        row = pages.one_campaign(conn, campaign_id)
        if row is None or not caller.sees(row.list_name):
            raise NotThere(f"there is no campaign {campaign_id}")
        return campaign_id


def _newest(conn: Connection, list_id: int | None) -> list[int]:
    """The newest of the list, of tests only where it has nothing else."""
    found = reports.started(conn, list_id, tests=False) or reports.started(conn, list_id)
    return found[-1:]


def _midnight(day: date, later: int = 0) -> datetime:
    """As ``day`` begins, so many days ``later``, on the server's clock."""
    try:
        return datetime.combine(day + timedelta(days=later), time()).astimezone()
    except (OverflowError, ValueError, OSError):
        raise Refused("this day is too far away") from None
