"""``ocm report`` and ``ocm campaigns``: what came of campaigns, on the screen and in files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Grid

from ocm_cti.clock import utc_now
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.output import load_for_ledger, on_clock, open_console
from ocm_cti.commands.report_screen import Screen
from ocm_cti.config import Config
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.reports.about import About, zone_of
from ocm_cti.reports.compose import compose
from ocm_cti.reports.csv_files import CsvReport
from ocm_cti.reports.json_file import JsonReport
from ocm_cti.reports.words import Words, language_of
from ocm_cti.reports.xlsx_file import XlsxReport
from ocm_cti.service import FolderLock
from ocm_cti.store import audit, campaigns, lists, reports
from ocm_cti.store.transactions import Connection, Store

FORMATS = ("csv", "xlsx", "pdf", "json")


@dataclass(frozen=True)
class Wanted:
    """Which campaigns: those of ``list_name`` (None: of every list), of each the last one, or ``every`` one; or the
    one with ``campaign_id``, the only way to a test. ``since`` and ``until`` are days of this machine's clock, both
    inclusive, on which they began; naming one means every campaign of that time."""

    list_name: str | None = None
    campaign_id: int | None = None
    every: bool = False
    since: date | None = None
    until: date | None = None


def report(
    config_path: Path,
    wanted: Wanted,
    out: Path | None,
    formats: Sequence[str] = ("csv", "xlsx"),
    delimiter: str = ";",
    language: str | None = None,
) -> int:
    config = load_for_ledger(config_path)
    write_reports(config, wanted, out or config.data, open_console(), formats, delimiter, language)
    return 0


def write_reports(
    config: Config,
    wanted: Wanted,
    folder: Path,
    console: Console,
    formats: Sequence[str] = ("csv", "xlsx"),
    delimiter: str = ";",
    language: str | None = None,
) -> int:
    """Print what came of these campaigns, and write it to ``report.*`` in ``folder``, in each of ``formats``.

    ``language`` None: English, on paper the language of the lists. Gives the number of people without an outcome yet.
    Raises CommandError when there is nothing to report, ReportNotWritten with the older files untouched.
    """
    now = utc_now()

    def job(conn: Connection) -> int:
        campaign_ids = find(conn, wanted)
        rows = reports.campaign_rows(conn, campaign_ids, now)
        about = About(
            campaigns=rows,
            made_at=now,
            words=Words(language or "en"),
            zone=zone_of(rows),
            recordings=config.recordings,
            show_numbers=config.show_numbers,
            different_people=reports.different_people(conn, campaign_ids),
        )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(f"{folder}: can't be made: {error.strerror}; name another folder with --out") from None
        screen = Screen(console, about)
        with ExitStack() as stack:
            files: list[Any] = [
                stack.enter_context(_file(each, folder, about, delimiter, language)) for each in formats
            ]
            summary = compose(
                about,
                reports.each_person(conn, campaign_ids, now),
                reports.each_attempt(conn, campaign_ids),
                reports.each_answer(conn, campaign_ids),
                [screen, *files],
            )
        left_out = _tests_left_out(conn, wanted)
        if left_out:
            console.print(f"{left_out} left out: ocm report --campaign N reports one", style="dim", soft_wrap=True)
        screen.show()  # when the files are whole: whoever looks at its first lines only may close it
        for path in (path for file in files for path in file.paths):
            console.print(str(path), highlight=False, soft_wrap=True)
        return summary.total.open

    return Store.open(config.database).read_now(job)


def find(conn: Connection, wanted: Wanted, *, tests: bool = False) -> list[int]:
    """Ids of the campaigns, oldest first; with ``tests`` those among them too. Raises CommandError if there is none."""
    list_id = None
    if wanted.list_name is not None:
        list_id = lists.find(conn, wanted.list_name)
        if list_id is None:
            raise CommandError(lists.no_such(conn, wanted.list_name))
    of = "" if wanted.list_name is None else f" of {wanted.list_name}"
    if wanted.campaign_id is not None:
        if wanted.campaign_id not in reports.started(conn, list_id):
            raise CommandError(f"there is no campaign {wanted.campaign_id}{of}; ocm campaigns lists them")
        return [wanted.campaign_id]
    every = reports.started(conn, list_id, tests=tests)
    if not every and reports.started(conn, list_id):
        raise CommandError(
            f"only tests{of} were started: ocm report --campaign N reports one, ocm campaigns lists them"
        )
    if not every:
        raise CommandError(f"nothing{of} has been started yet; start with: ocm start LIST")
    if wanted.since is not None or wanted.until is not None:
        since_at = None if wanted.since is None else _midnight(wanted.since)
        until_at = None if wanted.until is None else _midnight(wanted.until + timedelta(days=1))
        found = reports.started(conn, list_id, since_at=since_at, until_at=until_at, tests=tests)
        if not found:
            raise CommandError(f"no campaign{of} began in that time; ocm campaigns lists them")
        return found
    return every if wanted.every else campaigns.latest(conn, list_id)


def _tests_left_out(conn: Connection, wanted: Wanted) -> str:
    """The tests among what was asked for, by their numbers; "" when there is none, or one was asked for itself."""
    if wanted.campaign_id is not None or not (wanted.every or wanted.since or wanted.until):
        return ""
    tests = set(find(conn, wanted, tests=True)) - set(find(conn, wanted))
    numbers = ", ".join(str(campaign_id) for campaign_id in sorted(tests))
    return f"test campaign{'s' if len(tests) > 1 else ''} {numbers}" if tests else ""


def list_campaigns(config_path: Path, list_name: str | None, *, as_json: bool) -> int:
    """Print every campaign, its state, and how many of its people are where."""
    config = load_for_ledger(config_path)
    now, console = utc_now(), open_console()
    served = isinstance(config.database, str) or FolderLock.is_held(config.data)  # elsewhere there may be others

    def job(conn: Connection) -> tuple[list[reports.CampaignCounts], dict[int, str]]:
        wanted = find(conn, Wanted(list_name, every=True), tests=True)
        return reports.counts(conn, wanted, now), audit.last_by(conn, campaigns.STOPPED)

    found, stopped_by = Store.open(config.database).read_now(job)
    if as_json:
        console.out(
            json.dumps(
                [_as_json(each, stopped_by.get(each.campaign.campaign_id)) for each in found],
                ensure_ascii=False,
                indent=2,
            ),
            highlight=False,
        )
        return 0
    grid = Grid(box=None, padding=(0, 1), header_style="bold")
    for heading in ("id", "list", "state", "began", "ended", "people", "done", "waiting", "calling", "reached"):
        right = heading in ("id", "people", "done", "waiting", "calling", "reached")
        grid.add_column(heading, justify="right" if right else "left", overflow="fold")
    for each in found:
        grid.add_row(
            str(each.campaign.campaign_id),
            each.campaign.list_name,
            _state(each, served, stopped_by.get(each.campaign.campaign_id, "")),
            _moment(each.campaign.started_at, each.campaign.settings.zone),
            _moment(each.campaign.ended_at, each.campaign.settings.zone),
            *(str(count) for count in (each.people, each.done, each.waiting, each.calling)),
            f"{each.reached} ({Words().percent(each.reached / each.people if each.people else 0)})",
        )
    console.print(grid)
    return 0


def _file(name: str, folder: Path, about: About, delimiter: str, language: str | None) -> Any:
    path = folder / f"report.{name}"
    match name:
        case "csv":
            return CsvReport(path, about, delimiter)
        case "xlsx":
            return XlsxReport(path, about)
        case "json":
            return JsonReport(path, about)
        case "pdf":
            from ocm_cti.reports.pdf_file import PdfReport  # a second of imports that only paper needs

            paper = language or language_of([each.settings.language for each in about.campaigns])
            return PdfReport(path, replace(about, words=Words(paper)))
    raise ValueError(f"{name!r} is none of {', '.join(FORMATS)}")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time()).astimezone()


def _state(counts: reports.CampaignCounts, served: bool, stopped_by: str) -> str:
    campaign = counts.campaign
    state = campaign.state
    if state == campaigns.DONE and Outcome.STOPPED.value in counts.outcomes:
        state = f"stopped by {stopped_by}" if stopped_by else "stopped"
    elif campaign.held is not None:
        until_at, why = campaign.held
        state = why if until_at is None else f"{state}, {why} until {_moment(until_at, campaign.settings.zone)}"
    elif state == campaigns.RUNNING and counts.begins_at is not None:
        state = f"begins {_moment(counts.begins_at, campaign.settings.zone)}"
    if campaign.state == campaigns.RUNNING and not served:
        state += ", no server works (ocm serve)"
    return state + (" (test)" if campaign.test else "")


def _moment(moment: datetime | None, zone: str) -> str:
    """On the clock of the list; "": of this machine."""
    return "" if moment is None else f"{on_clock(moment, zone):%Y-%m-%d %H:%M %Z}"


def _as_json(counts: reports.CampaignCounts, stopped_by: str | None) -> dict[str, object]:
    campaign = counts.campaign
    return {
        "campaign_id": campaign.campaign_id,
        "list": campaign.list_name,
        "state": campaign.state,
        "paused_why": campaign.paused_why,
        "stopped_by": stopped_by,
        "test": campaign.test,
        "started_at": campaign.started_at.isoformat(),
        "begins_at": None if counts.begins_at is None else counts.begins_at.isoformat(),
        "ended_at": None if campaign.ended_at is None else campaign.ended_at.isoformat(),
        "people": counts.people,
        "waiting": counts.waiting,
        "calling": counts.calling,
        "done": counts.done,
        "reached": counts.reached,
        "outcomes": counts.outcomes,
    }
