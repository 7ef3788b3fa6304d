"""``ocm report``: what came of campaigns, on the screen and in files."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from ocm_cti import config as configuration
from ocm_cti.commands.errors import CommandError
from ocm_cti.commands.live import OUTCOME_STYLES, outcome_bars
from ocm_cti.commands.output import open_console
from ocm_cti.config import Config
from ocm_cti.domain.numbers import mask
from ocm_cti.service import utc_now
from ocm_cti.store import campaigns, lists, reports
from ocm_cti.store.report_rows import PersonRow
from ocm_cti.store.transactions import Connection, Store


def report(config_path: Path, list_name: str | None, out: Path | None) -> int:
    config = configuration.load(config_path)
    write_reports(config, list_name, out or config.data, open_console())
    return 0


def write_reports(config: Config, list_name: str | None, folder: Path, console: Console) -> int:
    """The last campaign of the list, or of every list: printed, and written to report.csv and report.xlsx.

    Gives the number of people without an outcome yet. Raises CommandError when nothing has been started.
    """
    store = Store.open(config.database)

    def find(conn: Connection) -> list[int]:
        list_id = None
        if list_name is not None:
            list_id = lists.find(conn, list_name)
            if list_id is None:
                raise CommandError(f"there is no list {list_name}")
        return campaigns.latest(conn, list_id)

    campaign_ids = store.read_now(find)
    if not campaign_ids:
        raise CommandError("nothing has been started yet; start with: ocm start LIST")
    rows, tried = store.read_now(
        lambda conn: (reports.people(conn, campaign_ids), reports.attempts(conn, campaign_ids))
    )
    holds = store.read_now(lambda conn: {one: campaigns.held(conn, one, utc_now()) for one in campaign_ids})
    rows = [_with_hold(row, holds[row.campaign_id]) for row in rows]
    folder.mkdir(parents=True, exist_ok=True)
    reports.write_csv(folder / "report.csv", rows)
    reports.write_xlsx(folder / "report.xlsx", rows, tried)
    grid = Grid(box=None, padding=(0, 1), header_style="bold")
    for heading in ("list", "name", "number", "outcome", "tries", "heard", "keys", "reply", "cause", "waits for"):
        grid.add_column(heading, overflow="fold")
    outcomes: dict[str, int] = {}
    for row in rows:
        outcome = row.outcome or "open"
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        grid.add_row(
            row.list_name,
            row.name,
            row.number if config.show_numbers else mask(row.number),
            Text(outcome, style=OUTCOME_STYLES.get(outcome, "")),
            str(row.attempts - row.not_counted),
            f"{row.heard_s:.0f} of {row.of_s:.0f} s" if row.of_s else "",
            row.keys,
            row.recordings or row.answers,
            row.native_cause,
            row.why,
        )
    console.print(grid)
    console.print(outcome_bars(outcomes))
    console.print(f"{folder / 'report.csv'}\n{folder / 'report.xlsx'}", highlight=False, soft_wrap=True)
    return sum(1 for row in rows if row.outcome is None)


def _with_hold(row: PersonRow, hold: tuple[datetime | None, str] | None) -> PersonRow:
    """What keeps the whole campaign goes before what the person himself waits for."""
    if hold is None or not row.why:
        return row
    until_at, why = hold
    return replace(row, why=why if until_at is None else f"{why} {until_at.astimezone():%d.%m. %H:%M}")
