"""``ocm scenario``: what is going to be said, checked and tried."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ocm_cti.command_line.options import EXISTING_FILE, FOLDER, config_option, one_line_errors


@click.group()
def scenario() -> None:
    """Look at a scenario before anybody is called with it."""


@scenario.command("check")
@config_option
@click.option("--audio", type=FOLDER, help="Where its recordings lie [default: the configuration's audio].")
@click.option("--list", "list_name", metavar="NAME", help="Also whether it can be said to everybody on this list.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=EXISTING_FILE)
@one_line_errors
def scenario_check(config_path: Path, audio: Path | None, list_name: str | None, files: tuple[Path, ...]) -> None:
    """Say everything that is wrong with scenario files, with line numbers; warnings are told apart.

    Exit code 2 when something is wrong.
    """
    from ocm_cti.commands.scenario import check as check_scenarios

    sys.exit(check_scenarios(config_path, files, audio, list_name))


@scenario.command("show")
@click.argument("file", type=EXISTING_FILE)
@one_line_errors
def scenario_show(file: Path) -> None:
    """Draw the steps of a scenario and the ways between them."""
    from ocm_cti.commands.scenario import show

    sys.exit(show(file))


@scenario.command("try")
@config_option
@click.option(
    "--list", "list_name", metavar="NAME", help="Say it to somebody on this list (to the first, or --person)."
)
@click.option("--person", "person_key", metavar="TEXT", help="His id, number or name (or a part of it).")
@click.option("--set", "values", multiple=True, metavar="NAME=VALUE", help="A variable; may be given several times.")
@click.option("--keys", help="What is pressed at each question, e.g. 1,,42#,h: one, silence, 42 and #, hang up.")
@click.option("--nobody-there", is_flag=True, help="Whom the person is handed over to does not answer.")
@click.option("--call", "number", metavar="NUMBER", help="Call this extension or number instead, really.")
@click.option("--gateway", metavar="NAME", help="With --call: over this gateway [default: the first with a free line].")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0),
    default=15.0,
    show_default=True,
    help="With --call: seconds to wait for a free line.",
)
@click.argument("file", type=EXISTING_FILE)
@one_line_errors
def scenario_try(
    config_path: Path,
    list_name: str | None,
    person_key: str | None,
    values: tuple[str, ...],
    keys: str | None,
    nobody_there: bool,
    number: str | None,
    gateway: str | None,
    wait_s: float,
    file: Path,
) -> None:
    """Go through a scenario in the terminal: read what would be said, type what would be pressed.

    Without --keys each line of the input is what is pressed then (an empty one: silence, h: he hangs up). At the end
    stands what the report would say.

    With --call a telephone rings: one call over a free line of the robot, while no `ocm serve` runs. It is kept in the
    ledger under the list test-calls, and is not repeated.
    """
    if number is not None:
        from ocm_cti.commands.scenario_call import call

        if keys is not None or nobody_there:
            raise click.UsageError("--keys and --nobody-there are for the terminal; with --call the person presses")
        code = call(
            config_path,
            file,
            number,
            list_name=list_name,
            person_key=person_key,
            values=values,
            gateway=gateway,
            wait_s=wait_s,
        )
        sys.exit(code)
    from ocm_cti.commands.scenario_try import walk_through

    sys.exit(
        walk_through(
            config_path,
            file,
            list_name=list_name,
            person_key=person_key,
            values=values,
            keys=keys,
            nobody_there=nobody_there,
        )
    )
