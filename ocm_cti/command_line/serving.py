"""The server and the switch it works with: ``ocm demo``, ``serve``, ``simulate``, ``check`` and so on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from ocm_cti.command_line.options import FOLDER, config_option, one_line_errors


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


@click.command()
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


@click.command()
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


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
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


@click.command()
@config_option
@click.option(
    "--wait", "wait_s", type=click.FloatRange(min=1), default=15.0, show_default=True, help="Seconds to wait for a PBX."
)
@one_line_errors
def check(config_path: Path, wait_s: float) -> None:
    """Check everything without calling anybody: configuration, database, speech, each PBX and each robot extension."""
    from ocm_cti.commands.check import run

    sys.exit(run(config_path, wait_s))


@click.command("asterisk-config")
@config_option
@click.option("--gateway", help="Only for this gateway.")
@click.option("--secret", is_flag=True, help="Print the secret of the manager user in full.")
@one_line_errors
def asterisk_config(config_path: Path, gateway: str | None, secret: bool) -> None:
    """Print what an Asterisk needs to be called through: its context and its manager user, and where each goes."""
    from ocm_cti.commands.asterisk_config import run

    sys.exit(run(config_path, gateway, secret=secret))
