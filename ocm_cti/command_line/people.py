"""``ocm import``, ``lists``, ``people``, ``write-back``: who is on the lists."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ocm_cti.command_line.options import EXISTING_FILE, config_option, one_line_errors


@click.command("import")
@config_option
@click.option("--list", "list_name", required=True, metavar="NAME", help="The list to fill; it is made if missing.")
@click.argument("file", type=EXISTING_FILE, required=False)
@click.option("--from-database", is_flag=True, help="In place of FILE: the list's own source, [lists.NAME.source].")
@click.option("--preview", is_flag=True, help="Show the first 50 people as they would be read, write nothing.")
@click.option("--dry-run", is_flag=True, help="Read and check the file, write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option(
    "--map",
    "said",
    multiple=True,
    metavar="HEADING=FIELD",
    help="What a column is: phone, name, id, priority, groups, scenario, zone, note, - (left out) or a variable. "
    "It is remembered with the list.",
)
@click.option("--encoding", metavar="NAME", help="utf-8, cp1251, cp866, koi8-r …; found out if left out.")
@click.option("--delimiter", metavar="SIGN", help='";", "," or "tab"; found out if left out.')
@click.option("--sheet", metavar="NAME", help="The sheet of a workbook; else the first with anything in it.")
@click.option(
    "--refused",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the refused rows with their reasons here, to be mended and imported again.",
)
@click.option("--delete-missing", is_flag=True, help="Take those off the list who are not in FILE.")
@click.option("--yes", "sure", is_flag=True, help="With --delete-missing: also when that is most of the list.")
@one_line_errors
def import_(
    config_path: Path,
    list_name: str,
    file: Path | None,
    from_database: bool,
    preview: bool,
    dry_run: bool,
    as_json: bool,
    said: tuple[str, ...],
    encoding: str | None,
    delimiter: str | None,
    sheet: str | None,
    refused: Path | None,
    delete_missing: bool,
    sure: bool,
) -> None:
    """Read people from a CSV, Excel, OpenDocument or DBF FILE into a list.

    The columns are recognised by their headings (Russian, Ukrainian, English). Rows that can't be used are listed with
    their number and the reason; the others are imported. People already on the list are updated, nobody is deleted.
    """
    from ocm_cti.commands.campaigns import who
    from ocm_cti.commands.imports import import_file, import_source
    from ocm_cti.importing import How

    if (file is None) != from_database:
        raise click.UsageError("either FILE or --from-database")
    wrong = [one for one in said if "=" not in one]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r} must be HEADING=FIELD", param_hint="--map")
    how = How(
        encoding=encoding,
        delimiter="\t" if delimiter == "tab" else delimiter,
        sheet=sheet,
        said=dict(one.rsplit("=", 1) for one in said),
        dry_run=dry_run,
        refused=refused,
        delete_missing=delete_missing,
        sure=sure,
        who=who(),
    )
    if file is None:
        sys.exit(import_source(config_path, list_name, how, as_json=as_json, preview=preview))
    sys.exit(import_file(config_path, list_name, file, how, as_json=as_json, preview=preview))


@click.command("lists")
@config_option
@click.option("--remove", "removed", metavar="NAME", help="Take this list away; reports of its campaigns stay.")
@click.option("--yes", "sure", is_flag=True, help="With --remove: also when somebody is on it, or was called.")
@one_line_errors
def lists_(config_path: Path, removed: str | None, sure: bool) -> None:
    """Which lists there are: how many people, the last import, the last campaign, whether ocm.toml knows it."""
    from ocm_cti.commands.lists import remove, show

    sys.exit(show(config_path) if removed is None else remove(config_path, removed, sure=sure))


@click.group()
def people() -> None:
    """The people of a list, one by one."""


@people.command("show")
@config_option
@click.argument("list_name", metavar="LIST")
@click.option("--search", default="", metavar="TEXT", help="Only whose id, name or number has this in it.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@one_line_errors
def people_show(config_path: Path, list_name: str, search: str, limit: int) -> None:
    """Who is on LIST."""
    from ocm_cti.commands.people import show

    sys.exit(show(config_path, list_name, search, limit))


@people.command("add")
@config_option
@click.argument("list_name", metavar="LIST")
@click.argument("fields", metavar="FIELD=VALUE...", nargs=-1, required=True)
@click.option("--new", "new_list", is_flag=True, help="Make LIST, if there is none of that name.")
@one_line_errors
def people_add(config_path: Path, list_name: str, fields: tuple[str, ...], new_list: bool) -> None:
    """Add somebody to LIST, or change him: phone=+74951234501 name=Анна debt=12,50 groups="shift 1" note=…

    FIELD is phone (several in the order of calling), name, id, priority, groups, scenario, zone, note, or a variable.
    Somebody with the same id (without one: the same first number) is changed; what is not given here he keeps, but for
    his numbers.
    """
    from ocm_cti.commands.people import add

    wrong = [one for one in fields if "=" not in one]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r} must be FIELD=VALUE", param_hint="FIELD=VALUE")
    sys.exit(
        add(config_path, list_name, [(one.split("=", 1)[0], one.split("=", 1)[1]) for one in fields], new_list=new_list)
    )


@people.command("remove")
@config_option
@click.argument("list_name", metavar="LIST")
@click.argument("keys", metavar="ID|NUMBER...", nargs=-1, required=True)
@one_line_errors
def people_remove(config_path: Path, list_name: str, keys: tuple[str, ...]) -> None:
    """Take somebody off LIST, by his id or a telephone number (also masked, as `ocm people show` has it).

    Reports of what was keep him. An import that has him puts him on it again, and says so: who is never to be called
    belongs on a stop list.
    """
    from ocm_cti.commands.people import remove

    sys.exit(remove(config_path, list_name, keys))


@click.command("write-back")
@config_option
@click.argument("list_name", metavar="LIST")
@one_line_errors
def write_back(config_path: Path, list_name: str) -> None:
    """Tell the database that LIST comes from what came of its people. `ocm serve` does so by itself, every 30 s."""
    from ocm_cti.commands.write_back import run

    sys.exit(run(config_path, list_name))
