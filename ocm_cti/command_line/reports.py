"""``ocm report``, ``campaigns``, ``calls``: what came of it."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from ocm_cti.command_line.options import FOLDER, config_option, one_line_errors


def _formats(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[str, ...]:
    from ocm_cti.commands.reports import FORMATS

    given = tuple(dict.fromkeys(part.strip().lower() for part in value.split(",") if part.strip()))
    for name in given:
        if name not in FORMATS:
            raise click.BadParameter(f"{name!r} is none of {', '.join(FORMATS)}")
    return given


@click.command()
@config_option
@click.argument("list_name", metavar="[LIST]", required=False)
@click.option("--campaign", "campaign_id", type=int, metavar="ID", help="This campaign; `ocm campaigns` lists them.")
@click.option("--all", "every", is_flag=True, help="Every campaign, not only the last one of each list.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%d.%m.%Y"]),
    metavar="DATE",
    help="Every campaign that began on this day or later: 2026-11-30 or 30.11.2026.",
)
@click.option("--until", type=click.DateTime(["%Y-%m-%d", "%d.%m.%Y"]), metavar="DATE", help="... on it or before.")
@click.option(
    "--format",
    "formats",
    default="csv,xlsx",
    show_default=True,
    callback=_formats,
    help="Any of csv, xlsx, pdf, json, with commas between them.",
)
@click.option(
    "--delimiter", type=click.Choice([";", ","]), default=";", show_default=True, help="Between the cells of CSV."
)
@click.option(
    "--language",
    type=click.Choice(["en", "ru", "uk"]),
    help="Of headings and words [default: en; in PDF the language of the lists]. Keys of JSON never change.",
)
@click.option("--out", type=FOLDER, help="Folder for report.csv, report.xlsx ... [default: the data folder].")
@one_line_errors
def report(
    config_path: Path,
    list_name: str | None,
    campaign_id: int | None,
    every: bool,
    since: datetime | None,
    until: datetime | None,
    formats: tuple[str, ...],
    delimiter: str,
    language: str | None,
    out: Path | None,
) -> None:
    """Print what came of the last campaign of LIST (without LIST: of every list); write report.csv and report.xlsx."""
    from ocm_cti.commands.reports import Wanted
    from ocm_cti.commands.reports import report as report_campaigns

    days = (None if since is None else since.date(), None if until is None else until.date())
    wanted = Wanted(list_name, campaign_id, every, *days)
    sys.exit(report_campaigns(config_path, wanted, out, formats, delimiter, language))


@click.command()
@config_option
@click.argument("list_name", metavar="[LIST]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@one_line_errors
def campaigns(config_path: Path, list_name: str | None, as_json: bool) -> None:
    """List every campaign of LIST (without LIST: of every list), its state and how far it is."""
    from ocm_cti.commands.reports import list_campaigns

    sys.exit(list_campaigns(config_path, list_name, as_json=as_json))


@click.command()
@config_option
@click.option(
    "--which",
    type=click.Choice(["all", "unmatched", "others", "unread"]),
    default="all",
    show_default=True,
    help="unmatched: calls of the robot's extensions that belong to no attempt; others: everybody else's; unread: "
    "lines that could not be read, with the reason.",
)
@click.option("--days", type=click.FloatRange(min=0), help="Only those that came in the last so many days.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="The newest so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per record.")
@one_line_errors
def calls(config_path: Path, which: str, days: float | None, limit: int, as_json: bool) -> None:
    """List what the PBX itself wrote down about calls (SMDR, CDR): duration and cost, and whose attempt it was."""
    from ocm_cti.commands.calls import calls as list_calls

    sys.exit(list_calls(config_path, which=which, days=days, limit=limit, as_json=as_json))
