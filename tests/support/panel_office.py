"""An office of the panel over a real ledger, with a floor that the test lays out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, succeed

from ocm_cti import config as configuration
from ocm_cti.attempt import LineState
from ocm_cti.control import Snapshot, progress_of
from ocm_cti.dialer import Line
from ocm_cti.domain.access import Role
from ocm_cti.domain.people import Person
from ocm_cti.gateways.interface import Health, LinkState
from ocm_cti.office import Office, passwords
from ocm_cti.store import accounts, campaigns, lists, upserts
from ocm_cti.store.transactions import Store

PASSWORD = "correct horse 1"
CONFIG = """\
[gateways.office]
kind = "panasonic"
link = "tcp:127.0.0.1:33333"
sip_host = "127.0.0.1"
extensions = "301-303"
password_pattern = "pw{extension}"
%s
"""
LIST = """
[lists.%s]
scenario = "scenario.toml"
language = "ru"
region = "RU"
zone = "Europe/Moscow"
"""
SCENARIO = """\
name = "hello"
language = "ru"

[[step]]
name = "hello"
type = "say"
message = ["Здравствуйте."]
"""
T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_HASH = passwords.hashed(PASSWORD)


@dataclass
class FakeFloor:
    """Reads the ledger as the real one does; lines and links are the test's. ``woken`` counts."""

    store: Store
    now: Any
    lines: list[Line] = field(default_factory=list)
    links: Mapping[str, Health] = field(default_factory=dict)
    woken: int = 0

    def snapshot(self) -> Snapshot:
        return self.store.read_now(self._read)

    def refresh(self) -> Deferred[Snapshot]:
        return succeed(self.snapshot())

    def wake(self) -> None:
        self.woken += 1

    def _read(self, conn: Any) -> Snapshot:
        running = set(campaigns.running(conn))
        now = self.now()
        return Snapshot(
            now,
            list(self.lines),
            [progress_of(conn, one, one in running, now) for one in campaigns.latest(conn)],
            dict(self.links),
        )


@dataclass
class Desk:
    """An office with its clock; ``at`` is what it says."""

    office: Office
    store: Store
    floor: FakeFloor
    at: datetime = T0

    @classmethod
    def open(cls, folder: Path, lists_: tuple[str, ...] = ("debtors", "staff")) -> Desk:
        (folder / "scenario.toml").write_text(SCENARIO, encoding="utf-8")
        path = folder / "ocm.toml"
        path.write_text(CONFIG % "".join(LIST % name for name in lists_), encoding="utf-8")
        config = configuration.load(path)
        config.data.mkdir(exist_ok=True)
        store = Store.open(config.database)
        held: list[Desk] = []

        def now() -> datetime:
            return held[0].at if held else T0

        up = Health(LinkState.UP, T0)
        floor = FakeFloor(store, now, links={"office": up})
        floor.lines = [
            Line("office", port, LineState.IDLE, "", "", T0 - timedelta(minutes=1)) for port in ("301", "302", "303")
        ]
        held.append(cls(Office(config, store, floor, now), store, floor))
        return held[0]

    def close(self) -> None:
        self.store.close()

    def user(self, name: str = "anna", role: Role = Role.ADMIN, lists_: tuple[str, ...] = ()) -> None:
        """Somebody with PASSWORD, who need not change it."""

        def write(conn: Any) -> None:
            accounts.add(conn, name, role, _HASH, self.at, lists=lists_, must_change=False)

        self.store.run_now(write)

    def people(self, list_name: str, count: int) -> None:
        """``count`` people with numbers +74951230000, …"""

        def write(conn: Any) -> None:
            list_id = lists.find_or_create(conn, list_name, self.at)
            upserts.upsert(conn, list_id, [somebody(place) for place in range(count)])

        self.store.run_now(write)

    def busy(self, port: int, state: LineState, number: str, name: str, campaign_id: int) -> None:
        line = self.floor.lines[port]
        since_at = self.at - timedelta(seconds=7)
        self.floor.lines[port] = replace(
            line, state=state, number=number, name=name, campaign_id=campaign_id, since_at=since_at
        )


def somebody(place: int) -> Person:
    name = ("Іван", "ОЛЬГА", "Анна", "Boris")[place % 4] + f" {place}"
    return Person(f"id-{place}", name, ((f"+7495123{place:04d}", ""),), {"name": name, "debt": f"{place},00"})
