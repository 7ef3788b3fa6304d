"""The ``ocm`` command. Here only words and arguments; what they do stands in ``commands``.

Exit codes: 0 done, 2 something in the input, the configuration or the surroundings is wrong (one line says what).
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click

from ocm_cti._version import __version__
from ocm_cti.commands.csta import csta
from ocm_cti.commands.smdr import smdr
from ocm_cti.domain.outcomes import Outcome

EXISTING_FILE = click.Path(exists=False, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


def one_line_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """What went wrong outside of us is one line and exit code 2; a bug of ours stays a traceback; a reader that goes
    away is no fault at all."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        from ocm_cti.commands.errors import EXPECTED
        from ocm_cti.commands.output import flush

        try:
            return command(*args, **kwargs)
        except EXPECTED as error:
            click.echo(f"ocm: {error}", err=True)
            sys.exit(2)
        except BrokenPipeError:
            if flush():  # it was another pipe
                raise
            sys.exit(0)
        finally:
            flush()

    return wrapped


def config_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "-c",
        "--config",
        "config_path",
        type=EXISTING_FILE,
        default=Path("ocm.toml"),
        show_default=True,
        help="The configuration: which PBX, which extensions, which lists.",
    )(command)


class _Address(click.ParamType[Any]):
    """``HOST:PORT`` or ``PORT``: a pair. ``off`` and ``default`` stay as they are."""

    name = "HOST:PORT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        if value in ("off", "default"):
            return value
        host, _, port = value.rpartition(":")
        if not port.isascii() or not port.isdecimal() or int(port) > 65535:
            self.fail(f"{value!r} is no address: HOST:PORT as 127.0.0.1:8080, or off", param, ctx)
        return host.strip("[]") or "127.0.0.1", int(port)


def panel_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``panel``: a PanelAddress, or None where there is to be no panel."""

    @wraps(command)
    def wrapped(*args: Any, panel: Any, no_panel: bool, **kwargs: Any) -> Any:
        from ocm_cti.service import PanelAddress

        if no_panel or panel == "off":
            return command(*args, panel=None, **kwargs)
        address = PanelAddress() if panel == "default" else PanelAddress(panel[0], panel[1], must=True)
        return command(*args, panel=address, **kwargs)

    with_address = click.option(
        "--panel",
        type=_Address(),
        default="default",
        metavar="HOST:PORT",
        help="Where the web panel listens; off: nowhere.  [default: 127.0.0.1:8080]",
    )(wrapped)
    return click.option("--no-panel", is_flag=True, help="The same as --panel off.")(with_address)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="ocm")
def main() -> None:
    """OCM calls everybody on a list through your PBX, says each a message of his own, takes the key that confirms it.

    \b
    To see it work without a PBX:       ocm demo
    With your own PBX, in this order:   ocm check    is everything reachable?
                                        ocm import   a list from Excel or CSV
                                        ocm serve    the server (leave it running)
                                        ocm start    start calling a list
                                        ocm stop     stop calling it
                                        ocm report   what came of it
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a name that the terminal can't show must not stop the report


@main.command()
@click.option("--once", is_flag=True, help="End when everybody on the demo lists has been dealt with.")
@click.option(
    "--data", type=FOLDER, default=Path("ocm-data"), show_default=True, help="Where database, recordings, reports go."
)
@click.option(
    "--fixtures",
    type=FOLDER,
    default=Path("fixtures"),
    show_default=True,
    help="The demo's lists, scenarios and recorded fragments (they stand in the source tree).",
)
@click.option(
    "--switch",
    type=click.Choice(["panasonic", "asterisk", "sip"]),
    default="panasonic",
    show_default=True,
    help="What is dialled through: a simulated Panasonic PBX, a private Asterisk by AMI, or one as a SIP operator.",
)
@panel_options
@one_line_errors
def demo(once: bool, data: Path, fixtures: Path, switch: str, panel: Any) -> None:
    """Call two real lists through a switch of the demo's own, with real voice, on this machine alone.

    No call leaves the machine. It takes about a minute; then the report is printed and lies in the data folder.
    """
    from ocm_cti.commands.demo import run

    sys.exit(run(data, fixtures, once, switch, panel))


@main.command()
@config_option
@click.option("--once", is_flag=True, help="End (code 0) as soon as no campaign is running.")
@click.option(
    "--no-table", is_flag=True, help="No live table; the log also goes to standard error (for a system service)."
)
@click.option(
    "--drain",
    "drain_s",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="Seconds that calls may go on after Ctrl-C or SIGTERM before they are hung up.",
)
@panel_options
@one_line_errors
def serve(config_path: Path, once: bool, no_table: bool, drain_s: float, panel: Any) -> None:
    """Run the server: keeps the line to the PBX and calls whatever campaign has been started.

    Stop it with Ctrl-C or SIGTERM: calls that are up may end first. After a crash just start it again: the PBX is asked
    about the calls that were up; those that can't be settled are reported as unknown and not called a second time.
    """
    from ocm_cti.commands.serve import run

    sys.exit(run(config_path, once=once, table=not no_table, drain_s=drain_s, panel=panel))


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def simulate(arguments: tuple[str, ...]) -> None:
    """Run the simulated PBX alone, to try a configuration or to train on; --help lists its settings.

    Point an ocm.toml at the CSTA and SIP ports that it prints; extensions are 301-308, the password of 301 is pw301.
    The last two digits of a number choose what the person called does: 01 listens and presses 1, 06 is busy twice, 07
    never answers, 09 does not exist, ...

    \b
    While it runs with --control PORT, from another terminal (each with --help):
      ocm simulate fault NAME [OPTION=VALUE ...] --control HOST:PORT
      ocm simulate clear [NAME] --control HOST:PORT
      ocm simulate status [--json] --control HOST:PORT
      ocm simulate call-in NUMBER EXTENSION --control HOST:PORT
    """
    from ocm_cti.simulator.process import main as simulator_main

    sys.exit(simulator_main(list(arguments)))


@main.command("import")
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


@main.command("lists")
@config_option
@click.option("--remove", "removed", metavar="NAME", help="Take this list away; reports of its campaigns stay.")
@click.option("--yes", "sure", is_flag=True, help="With --remove: also when somebody is on it, or was called.")
@one_line_errors
def lists_(config_path: Path, removed: str | None, sure: bool) -> None:
    """Which lists there are: how many people, the last import, the last campaign, whether ocm.toml knows it."""
    from ocm_cti.commands.lists import remove, show

    sys.exit(show(config_path) if removed is None else remove(config_path, removed, sure=sure))


@main.group()
def user() -> None:
    """Who may use the panel."""


@user.command("add")
@config_option
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(["admin", "operator", "auditor"]),
    default="operator",
    show_default=True,
    help="admin: everything; operator: lists and campaigns; auditor: sees everything, changes nothing.",
)
@click.option("--list", "lists", multiple=True, metavar="LIST", help="He sees this list only; several add up.")
@one_line_errors
def user_add(config_path: Path, name: str, role: str, lists: tuple[str, ...]) -> None:
    """Let NAME in. His first password is printed once; he changes it when he first logs in."""
    from ocm_cti.commands.users import add

    sys.exit(add(config_path, name, role, lists))


@user.command("password")
@config_option
@click.argument("name")
@one_line_errors
def user_password(config_path: Path, name: str) -> None:
    """Give NAME a new password, which is printed once. He is logged out everywhere, and let in again if he was shut out
    by wrong passwords."""
    from ocm_cti.commands.users import password

    sys.exit(password(config_path, name))


@user.command("list")
@config_option
@one_line_errors
def user_list(config_path: Path) -> None:
    """Who may use the panel, and as what."""
    from ocm_cti.commands.users import show

    sys.exit(show(config_path))


@main.group()
def token() -> None:
    """What other systems use the API with."""


@token.command("make")
@config_option
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice(["read", "operate", "admin"]),
    default="read",
    show_default=True,
    help="Each contains those before it.",
)
@one_line_errors
def token_make(config_path: Path, name: str, scope: str) -> None:
    """Make a token for the system NAME and print it; it is nowhere to be had later."""
    from ocm_cti.commands.tokens import make

    sys.exit(make(config_path, name, scope))


@token.command("list")
@config_option
@one_line_errors
def token_list(config_path: Path) -> None:
    """All tokens, revoked ones too."""
    from ocm_cti.commands.tokens import show

    sys.exit(show(config_path))


@token.command("revoke")
@config_option
@click.argument("token_id", metavar="ID", type=click.IntRange(1))
@one_line_errors
def token_revoke(config_path: Path, token_id: int) -> None:
    """The token of that id (see: ocm token list) works no more."""
    from ocm_cti.commands.tokens import revoke

    sys.exit(revoke(config_path, token_id))


@main.group()
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


@main.command("write-back")
@config_option
@click.argument("list_name", metavar="LIST")
@one_line_errors
def write_back(config_path: Path, list_name: str) -> None:
    """Tell the database that LIST comes from what came of its people. `ocm serve` does so by itself, every 30 s."""
    from ocm_cti.commands.write_back import run

    sys.exit(run(config_path, list_name))


@main.command()
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


@main.command()
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


@main.command()
@config_option
@click.argument("list_name", metavar="LIST")
@one_line_errors
def pause(config_path: Path, list_name: str) -> None:
    """Call nobody more of LIST until `ocm resume LIST`. Calls that are up go on to their end; nobody is lost."""
    from ocm_cti.commands.campaigns import pause as pause_list

    sys.exit(pause_list(config_path, list_name))


@main.command()
@config_option
@click.argument("list_name", metavar="LIST")
@one_line_errors
def resume(config_path: Path, list_name: str) -> None:
    """Go on with the paused campaign of LIST where it was."""
    from ocm_cti.commands.campaigns import resume as resume_list

    sys.exit(resume_list(config_path, list_name))


@main.command()
@config_option
@click.argument("list_name", metavar="[LIST]", required=False)
@click.option("--person", "search", default="", metavar="TEXT", help="Only whose name or number has this in it.")
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="So many people are listed.")
@one_line_errors
def waiting(config_path: Path, list_name: str | None, search: str, limit: int) -> None:
    """Who is not being called at this moment, and why: one reason for each, and when it changes."""
    from ocm_cti.commands.waiting import show

    sys.exit(show(config_path, list_name, search, limit))


@main.command()
@config_option
@one_line_errors
def audit(config_path: Path) -> None:
    """Who did what that somebody may ask about later, newest first."""
    from ocm_cti.commands.campaigns import show_audit

    sys.exit(show_audit(config_path))


@main.command("rehearse")
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


@main.group()
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


@main.group("stop-list")
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


def _formats(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[str, ...]:
    from ocm_cti.commands.reports import FORMATS

    given = tuple(dict.fromkeys(part.strip().lower() for part in value.split(",") if part.strip()))
    for name in given:
        if name not in FORMATS:
            raise click.BadParameter(f"{name!r} is none of {', '.join(FORMATS)}")
    return given


@main.command()
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


@main.command()
@config_option
@click.argument("list_name", metavar="[LIST]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@one_line_errors
def campaigns(config_path: Path, list_name: str | None, as_json: bool) -> None:
    """List every campaign of LIST (without LIST: of every list), its state and how far it is."""
    from ocm_cti.commands.reports import list_campaigns

    sys.exit(list_campaigns(config_path, list_name, as_json=as_json))


@main.command()
@config_option
@click.option(
    "--wait", "wait_s", type=click.FloatRange(min=1), default=15.0, show_default=True, help="Seconds to wait for a PBX."
)
@one_line_errors
def check(config_path: Path, wait_s: float) -> None:
    """Check everything without calling anybody: configuration, database, speech, each PBX and each robot extension."""
    from ocm_cti.commands.check import run

    sys.exit(run(config_path, wait_s))


@main.command()
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


@main.command("asterisk-config")
@config_option
@click.option("--gateway", help="Only for this gateway.")
@click.option("--secret", is_flag=True, help="Print the secret of the manager user in full.")
@one_line_errors
def asterisk_config(config_path: Path, gateway: str | None, secret: bool) -> None:
    """Print what an Asterisk needs to be called through: its context and its manager user, and where each goes."""
    from ocm_cti.commands.asterisk_config import run

    sys.exit(run(config_path, gateway, secret=secret))


@main.group()
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


main.add_command(csta)
main.add_command(smdr)


if __name__ == "__main__":
    main()
