"""``ocm smdr``: read the PBX's own call records, as they come from its printer port."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from protocols.smdr.layouts import AUTO, CLOCKS, DATE_ORDERS, PATTERNS


@click.group()
def smdr() -> None:
    """Read SMDR, the call records that a PBX prints for the bill."""


@smdr.command("decode")
@click.argument("source", metavar="FILE|-")
@click.option("--pattern", type=click.Choice([*PATTERNS, AUTO]), default=AUTO, show_default=True)
@click.option("--date-order", type=click.Choice([*DATE_ORDERS, AUTO]), default=AUTO, show_default=True)
@click.option("--clock", type=click.Choice([*CLOCKS, AUTO]), default=AUTO, show_default=True)
@click.option("--encoding", default="latin-1", show_default=True, help="Of the currency sign.")
@click.option(
    "--received-on",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day on which the records came, which tells apart what a date may mean [default: today].",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line instead of a table.")
def decode_command(
    source: str,
    pattern: str,
    date_order: str,
    clock: str,
    encoding: str,
    received_on: datetime | None,
    as_json: bool,
) -> None:
    """Show the records of FILE (a log of the printer port or of a telnet session), with the reason for those unread.

    Times are the PBX's own. An order of dates that the lines do not tell is not guessed: name it. Records are taken to
    be at most 500 days old on the day they came.
    """
    from ocm_cti.commands.errors import CommandError
    from ocm_cti.commands.smdr_decode import decode
    from protocols.smdr.records import Form

    try:
        day = (received_on or datetime.now(UTC).astimezone()).date()
        sys.exit(decode(source, Form(pattern, date_order, clock), encoding, day, as_json=as_json))
    except CommandError as error:
        click.echo(f"ocm: {error}", err=True)
        sys.exit(2)
