"""The commands that call a list: ``ocm start``, ``stop``, ``pause``, ``resume``, ``waiting``, ``schedule``, …"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ocm_cti.command_line.options import config_option, one_line_errors
from ocm_cti.domain.outcomes import Outcome


@click.command()
@config_option
@click.argument("list_name", metavar="LIST")
@click.option("--also-invalid", is_flag=True, help="Dial numbers again that did not exist in an earlier campaign.")
@click.option(
    "--at",
    metavar="TIME",
    help='Begin then: "2026-12-01 09:00", or "09:00" for the next time it is nine; on the clock of the list\'s zone.',
)
@click.option(
    "--only-after",
    multiple=True,
    type=click.Choice([outcome.value for outcome in Outcome]),
    metavar="OUTCOME",
    help="A follow-up: only those whose last campaign ended so; may be given several times.",
)
@click.option("--group", "groups", multiple=True, metavar="NAME", help="Only who is in this group; several add up.")
@click.option("--test", is_flag=True, help="Call only the list's testers: nobody else is dialled.")
@click.option(
    "--instead",
    is_flag=True,
    help="End the list's campaign that is running, paused or waiting for its hour, and begin this one in its place.",
)
@click.option(
    "--emergency",
    "override_why",
    metavar="WHY",
    help="Neither hours nor caps hold for this campaign; who started it and why is written to the audit.",
)
@one_line_errors
def start(
    config_path: Path,
    list_name: str,
    also_invalid: bool,
    at: str | None,
    only_after: tuple[str, ...],
    test: bool,
    override_why: str | None,
    groups: tuple[str, ...],
    instead: bool,
) -> None:
    """Start calling LIST, now or at an appointed time.

    The scenario and the settings are frozen as they are at this moment.
    A running `ocm serve` begins within a second; otherwise the calls begin when it is started.
    """
    from ocm_cti.commands.campaigns import start as start_list

    if override_why is not None and not override_why.strip():
        raise click.BadParameter("say why: it is written to the audit", param_hint="--emergency")
    sys.exit(
        start_list(
            config_path,
            list_name,
            also_invalid=also_invalid,
            at=at,
            only_after=only_after,
            test=test,
            override_why=(override_why or "").strip(),
            groups=groups,
            instead=instead,
        )
    )


@click.command()
@config_option
@click.argument("list_name", metavar="LIST")
@click.option("--hang-up", is_flag=True, help="End the calls that are up as well.")
@one_line_errors
def stop(config_path: Path, list_name: str, hang_up: bool) -> None:
    """Call nobody more of the running campaign of LIST. Calls that are up go on to their end.

    Those who were still waiting are reported as stopped.
    """
    from ocm_cti.commands.campaigns import stop as stop_list

    sys.exit(stop_list(config_path, list_name, hang_up=hang_up))


@click.command()
@config_option
@click.argument("list_name", metavar="LIST")
@one_line_errors
def pause(config_path: Path, list_name: str) -> None:
    """Call nobody more of LIST until `ocm resume LIST`. Calls that are up go on to their end; nobody is lost."""
    from ocm_cti.commands.campaigns import pause as pause_list

    sys.exit(pause_list(config_path, list_name))


@click.command()
@config_option
@click.argument("list_name", metavar="LIST")
@one_line_errors
def resume(config_path: Path, list_name: str) -> None:
    """Go on with the paused campaign of LIST where it was."""
    from ocm_cti.commands.campaigns import resume as resume_list

    sys.exit(resume_list(config_path, list_name))


@click.command()
@config_option
@click.argument("list_name", metavar="[LIST]", required=False)
@click.option("--person", "search", default="", metavar="TEXT", help="Only whose name or number has this in it.")
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="So many people are listed.")
@one_line_errors
def waiting(config_path: Path, list_name: str | None, search: str, limit: int) -> None:
    """Who is not being called at this moment, and why: one reason for each, and when it changes."""
    from ocm_cti.commands.waiting import show

    sys.exit(show(config_path, list_name, search, limit))


@click.command()
@config_option
@one_line_errors
def audit(config_path: Path) -> None:
    """Who did what that somebody may ask about later, newest first."""
    from ocm_cti.commands.campaigns import show_audit

    sys.exit(show_audit(config_path))


@click.command("rehearse")
@config_option
@click.argument("list_name", metavar="LIST")
@click.option("--at", metavar="TIME", help="As if it were started then; default: now.")
@click.option("--answer", type=click.IntRange(0, 100), default=55, show_default=True, help="Of 100 calls are answered.")
@click.option("--busy", type=click.IntRange(0, 100), default=10, show_default=True, help="... are busy.")
@click.option("--reject", type=click.IntRange(0, 100), default=8, show_default=True, help="... are rejected.")
@click.option(
    "--right-pin", type=click.IntRange(0, 100), default=90, show_default=True, help="Of 100 PINs asked for are right."
)
@one_line_errors
def rehearse_(
    config_path: Path, list_name: str, at: str | None, answer: int, busy: int, reject: int, right_pin: int
) -> None:
    """A dry run of LIST: when would it be over, how many calls an hour, who would never be called? Nobody is.

    The real list, retries, hours, caps, stop lists and lines, through a switch that is only imagined, on a copy of the
    ledger that is thrown away. A running server is not disturbed.
    """
    from ocm_cti.commands.rehearse import run
    from ocm_cti.imagined import People

    assumed = People(answer=answer, busy=busy, reject=reject, right_pin=right_pin)
    sys.exit(run(config_path, list_name, at=at, people=assumed))


@click.group()
def schedule() -> None:
    """Campaigns that the clock starts, on the clock of the list's zone."""


@schedule.command("add")
@config_option
@click.argument("list_name", metavar="LIST")
@click.argument("cron", metavar="CRON")
@one_line_errors
def schedule_add(config_path: Path, list_name: str, cron: str) -> None:
    """Start LIST by a cron line: "0 9 * * mon-fri" is at nine from Monday to Friday. `ocm serve` must be running then.

    What was missed for less than an hour is made up for; a list that is being called already is not started again.
    """
    from ocm_cti.commands.schedule import add

    sys.exit(add(config_path, list_name, cron))


@schedule.command("remove")
@config_option
@click.argument("list_name", metavar="LIST")
@click.argument("cron", metavar="[CRON]", required=False)
@one_line_errors
def schedule_remove(config_path: Path, list_name: str, cron: str | None) -> None:
    """Forget one line of LIST, or all of them."""
    from ocm_cti.commands.schedule import remove

    sys.exit(remove(config_path, list_name, cron))


@schedule.command("show")
@config_option
@one_line_errors
def schedule_show(config_path: Path) -> None:
    """What is planned, and what came of it last."""
    from ocm_cti.commands.schedule import show

    sys.exit(show(config_path))
