"""``ocm user``, and where ``ocm serve`` has its panel."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from panel_office import CONFIG

from ocm_cti import config as configuration
from ocm_cti.cli import main
from ocm_cti.domain.access import Role, Scope
from ocm_cti.office import passwords
from ocm_cti.service import PanelAddress, Service
from ocm_cti.store import accounts, audit, tokens
from ocm_cti.store.transactions import Store


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "ocm.toml"
    path.write_text(CONFIG % "", encoding="utf-8")
    return path


def ocm(config: Path, *arguments: str) -> str:
    done = CliRunner().invoke(main, [*arguments[:2], "-c", str(config), *arguments[2:]])
    assert done.exit_code == 0, done.output
    return done.output


def test_somebody_is_let_in_given_a_new_password_and_listed(config: Path) -> None:
    said = ocm(config, "user", "add", "Anna", "--role", "operator", "--list", "debtors")
    first = re.search(r"password is (\S+)", said)
    assert first
    store = Store.open(config.parent / "ocm-data" / "ocm.db")
    made = store.read_now(lambda conn: accounts.find(conn, "anna"))
    assert made is not None and passwords.fits(first[1], made.password_hash)
    assert (made.role, made.lists, made.must_change) == (Role.OPERATOR, {"debtors"}, True)
    second = re.search(r"password is (\S+)", ocm(config, "user", "password", "anna"))
    changed = store.read_now(lambda conn: accounts.find(conn, "anna"))
    assert second and changed is not None and passwords.fits(second[1], changed.password_hash)
    assert not passwords.fits(first[1], changed.password_hash)
    shown = ocm(config, "user", "list")
    assert "anna" in shown and "operator" in shown and "debtors" in shown and "has not chosen" in shown
    deeds = [entry.deed for entry in store.read_now(audit.entries)]
    assert deeds == ["user.password", "user.add"]
    store.close()


def test_a_token_is_printed_once_listed_and_revoked(config: Path) -> None:
    secret = ocm(config, "token", "make", "billing", "--scope", "operate").strip()
    store = Store.open(config.parent / "ocm-data" / "ocm.db")
    made = store.read_now(lambda conn: tokens.find(conn, secret))
    assert made is not None and made.scope is Scope.OPERATE
    shown = ocm(config, "token", "list")
    assert "billing" in shown and made.prefix in shown and secret not in shown
    assert "works no more" in ocm(config, "token", "revoke", str(made.token_id))
    assert store.read_now(lambda conn: tokens.find(conn, secret)) is None
    assert "revoked" in ocm(config, "token", "list")
    store.close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "anna"], "there is a user anna already"),
        (["password", "boris"], "there is no user boris"),
        (["add", "a" * 101], "1 to 100 letters"),
    ],
    ids=["twice", "nobody", "long"],
)
def test_what_can_not_be_done_is_one_line(config: Path, arguments: list[str], words: str) -> None:
    ocm(config, "user", "add", "anna")
    done = CliRunner().invoke(main, ["user", arguments[0], "-c", str(config), *arguments[1:]])
    assert done.exit_code == 2 and words in done.output and "Traceback" not in done.output


@pytest.mark.parametrize(
    ("arguments", "address"),
    [
        ([], PanelAddress()),
        (["--panel", "0.0.0.0:8443"], PanelAddress("0.0.0.0", 8443, must=True)),
        (["--panel", "9000"], PanelAddress("127.0.0.1", 9000, must=True)),
        (["--panel", "[::1]:9000"], PanelAddress("::1", 9000, must=True)),
        (["--panel", "off"], None),
        (["--no-panel"], None),
    ],
    ids=["default", "named", "port", "ipv6", "off", "no-panel"],
)
def test_where_the_panel_is(
    config: Path, arguments: list[str], address: PanelAddress | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[PanelAddress | None] = []

    def run(path: Path, *, once: bool, table: bool, drain_s: float, panel: PanelAddress | None) -> int:
        asked.append(panel)
        return 0

    monkeypatch.setattr("ocm_cti.commands.serve.run", run)
    assert CliRunner().invoke(main, ["serve", "-c", str(config), *arguments]).exit_code == 0
    assert asked == [address]


@pytest.mark.parametrize("wrong", ["host", "1:2:x", "127.0.0.1:99999", ""])
def test_an_address_that_is_none_is_told(config: Path, wrong: str) -> None:
    done = CliRunner().invoke(main, ["serve", "-c", str(config), "--panel", wrong])
    assert done.exit_code == 2 and "is no address" in done.output


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.sockets
def test_a_named_port_that_is_taken_is_one_line_and_2(config: Path, taken: int) -> None:
    arguments = ["serve", "-c", str(config), "--no-table", "--panel", f"127.0.0.1:{taken}"]
    done = subprocess.run(
        [sys.executable, "-m", "ocm_cti.cli", *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2
    told = [line for line in done.stdout.splitlines() if line.startswith("ocm:")]
    assert told == [f"ocm: 127.0.0.1:{taken}: the panel can't have this address: Address already in use"]


@pytest.mark.sockets
def test_calls_matter_more_than_a_panel_that_nobody_asked_for(config: Path, taken: int) -> None:
    from twisted.internet import reactor

    service = Service(configuration.load(config), reactor, panel=PanelAddress("127.0.0.1", taken, must=False))
    assert service.panel is None and f"127.0.0.1:{taken}" in service.panel_off_why
    assert "\n" not in service.panel_off_why
    threads = service.store._threads
    service.store.close()
    for thread in threads:
        thread.join(30)
