"""``ocm stop-list``: who is not to be called, whatever list he stands on."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ocm_cti.command_line.options import config_option, one_line_errors


def _region(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    from phonenumbers import SUPPORTED_REGIONS

    if value is not None and value.upper() not in SUPPORTED_REGIONS:
        raise click.BadParameter(f"{value!r} is no country; its two letters, as RU, UA, KZ")
    return value and value.upper()


region_option = click.option(
    "--region",
    metavar="XX",
    callback=_region,
    help="The country of numbers without its code; else that of the lists, where they agree.",
)


@click.group("stop-list")
def stop_list() -> None:
    """Who is not to be called, whatever list he stands on; asked before each call."""


@stop_list.command("add")
@config_option
@click.option("--reason", default="", help="For people who ask later why.")
@region_option
@click.option("--yes", "sure", is_flag=True, help="Also a pattern that means most of a country.")
@click.argument("name")
@click.argument("entries", metavar="NUMBER|PATTERN|@FILE...", nargs=-1, required=True)
@one_line_errors
def stop_list_add(
    config_path: Path, reason: str, region: str | None, sure: bool, name: str, entries: tuple[str, ...]
) -> None:
    """Put numbers on the stop list NAME: +74951234501, +7900* (whatever follows), +7495123450? (any one digit).

    @FILE is a text, CSV or Excel file with one in each row: the columns whose headings say telephone, without headings
    the first one.
    """
    from ocm_cti.commands.stop_lists import add

    sys.exit(add(config_path, name, entries, reason, region=region, sure=sure))


@stop_list.command("remove")
@config_option
@region_option
@click.argument("name")
@click.argument("entries", metavar="NUMBER|PATTERN|@FILE...", nargs=-1, required=True)
@one_line_errors
def stop_list_remove(config_path: Path, region: str | None, name: str, entries: tuple[str, ...]) -> None:
    """Take numbers off the stop list NAME."""
    from ocm_cti.commands.stop_lists import remove

    sys.exit(remove(config_path, name, entries, region=region))


@stop_list.command("show")
@config_option
@click.argument("name", required=False)
@one_line_errors
def stop_list_show(config_path: Path, name: str | None) -> None:
    """Print the stop list NAME, or all of them."""
    from ocm_cti.commands.stop_lists import show

    sys.exit(show(config_path, name))
