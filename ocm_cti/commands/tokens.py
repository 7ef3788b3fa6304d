"""``ocm token``: what other systems use the API with."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table as Grid

from ocm_cti import config as configuration
from ocm_cti.commands.output import open_console
from ocm_cti.commands.users import caller, desk
from ocm_cti.domain.access import Scope


def make(config_path: Path, name: str, scope: str) -> int:
    """The token alone on a line of standard output, so that a script can take it."""
    secret, _ = desk(configuration.load(config_path)).make_token(caller(), name, Scope(scope))
    print(secret)
    return 0


def revoke(config_path: Path, token_id: int) -> int:
    token = desk(configuration.load(config_path)).revoke_token(caller(), token_id)
    open_console().print(f"{token.name} ({token.prefix}…): works no more")
    return 0


def show(config_path: Path) -> int:
    grid = Grid(box=None, padding=(0, 1), header_style="bold")
    for heading in ("id", "name", "token", "scope", "made by", "last used", "state"):
        grid.add_column(heading, overflow="fold")
    for token in desk(configuration.load(config_path)).tokens(caller()):
        used = "never" if token.used_at is None else f"{token.used_at.astimezone():%d.%m.%Y %H:%M}"
        state = "" if token.revoked_at is None else f"revoked {token.revoked_at.astimezone():%d.%m.%Y %H:%M}"
        grid.add_row(str(token.token_id), token.name, f"{token.prefix}…", token.scope.value, token.made_by, used, state)
    open_console().print(grid)
    return 0
