"""``ocm user``: who may use the panel. Whoever can write the ledger is an administrator anyway."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table as Grid

from ocm_cti import config as configuration
from ocm_cti.clock import utc_now
from ocm_cti.commands.campaigns import who
from ocm_cti.commands.output import open_console
from ocm_cti.config import Config
from ocm_cti.domain.access import Caller, Role, Scope
from ocm_cti.office import passwords
from ocm_cti.office.accounts import AccountDesk
from ocm_cti.office.ledger import Ledger
from ocm_cti.store.transactions import Store


def add(config_path: Path, name: str, role: str, lists: Sequence[str]) -> int:
    config = configuration.load(config_path)
    made = passwords.random_password()
    account = desk(config).add(caller(), name, Role(role), made, lists)
    _tell(account.name, made)
    return 0


def password(config_path: Path, name: str) -> int:
    config = configuration.load(config_path)
    made = passwords.random_password()
    desk(config).give_password(caller(), name, made)
    _tell(name, made)
    return 0


def show(config_path: Path) -> int:
    grid = Grid(box=None, padding=(0, 1), header_style="bold")
    for heading in ("name", "role", "lists", "state"):
        grid.add_column(heading, overflow="fold")
    now = utc_now()
    for account in desk(configuration.load(config_path)).everybody(caller()):
        closed = account.closed_until is not None and account.closed_until > now
        state = "disabled" if account.disabled else "closed by wrong passwords" if closed else ""
        state = state or ("has not chosen a password yet" if account.must_change else "")
        grid.add_row(account.name, account.role.value, ", ".join(sorted(account.lists)) or "all", state)
    open_console().print(grid)
    return 0


def desk(config: Config) -> AccountDesk:
    """Over the ledger of this configuration, whether or not a server runs."""
    return AccountDesk(Ledger(Store.open(config.database), utc_now), config.data)


def caller() -> Caller:
    """Whoever gives the command, for the audit."""
    return Caller("command", who(), Scope.ADMIN)


def _tell(name: str, made: str) -> None:
    open_console().print(
        f"{name}: the password is {made} (shown only now); it must be changed at the first login", soft_wrap=True
    )
