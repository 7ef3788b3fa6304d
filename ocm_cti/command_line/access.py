"""``ocm user`` and ``token``: who may use the panel and the API."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ocm_cti.command_line.options import config_option, one_line_errors


@click.group()
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


@click.group()
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
