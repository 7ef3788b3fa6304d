"""The office: everything that the panel and the API may do, as one object of desks. It is all that ``web`` is handed.

Its methods block for milliseconds and are for the panel's threads; only ``floor.refresh`` is for the reactor.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ocm_cti._version import __version__
from ocm_cti.config import Config
from ocm_cti.control import Snapshot
from ocm_cti.domain.access import Caller, Scope
from ocm_cti.office.accounts import AccountDesk
from ocm_cti.office.alarms import NO_ANSWER, Alarm, alarms
from ocm_cti.office.campaigns import CampaignDesk
from ocm_cti.office.config_file import ConfigEditor
from ocm_cti.office.errors import NotAllowed, NotNow
from ocm_cti.office.floor import Floor
from ocm_cti.office.hearing import HearingDesk
from ocm_cti.office.imports import ImportDesk
from ocm_cti.office.ledger import Ledger
from ocm_cti.office.list_settings import ListSettingsDesk
from ocm_cti.office.lists import ListDesk
from ocm_cti.office.monitor import Picture, picture
from ocm_cti.office.once import Once
from ocm_cti.office.people import PeopleDesk
from ocm_cti.office.reports import ReportDesk
from ocm_cti.office.scenarios import ScenarioDesk
from ocm_cti.office.settings import ConfigFile
from ocm_cti.office.sound_room import SoundRoom
from ocm_cti.office.stop_lists import StopListDesk
from ocm_cti.office.studio import StudioDesk
from ocm_cti.office.tasks import TaskDesk
from ocm_cti.office.webhooks import WebhookDesk
from ocm_cti.store import audit
from ocm_cti.store.transactions import Store

KEY_FILE = "panel.key"
KEY_OCTETS = 32


@dataclass(frozen=True)
class HealthReport:
    """``ok``: the ledger answers and every link is up."""

    ok: bool
    version: str
    node: str
    picture: Picture


class Office:
    """Over the store and the floor of one server."""

    def __init__(self, config: Config, store: Store, floor: Floor, now: Callable[[], datetime]) -> None:
        self.now = now
        self.floor = floor
        self.node = config.node
        self.data: Path = config.data
        self.ledger = Ledger(store, now)
        self.settings = ConfigFile(config)
        self.config_file = ConfigEditor(self.ledger, self.settings)
        self.accounts = AccountDesk(self.ledger, config.data)
        self.lists = ListDesk(self.ledger, self.settings)
        self.imports = ImportDesk(self.lists, self.settings, config.data / "imports", now)
        self.campaigns = CampaignDesk(self.ledger, self.settings, floor)
        self.tasks = TaskDesk(self.ledger, floor)
        self.once = Once(self.ledger)
        self.reports = ReportDesk(self.ledger, config)
        self.sounds = SoundRoom(config)
        self.studio = StudioDesk(self.ledger, self.settings, self.sounds)
        self.hearing = HearingDesk(self.ledger, self.settings, self.sounds)
        self.scenarios = ScenarioDesk(self.ledger, self.settings)
        self.list_settings = ListSettingsDesk(self.ledger, self.settings, self.config_file, self.lists, self.scenarios)
        self.people = PeopleDesk(self.ledger, store, self.settings, self.lists)
        self.stop_lists = StopListDesk(self.ledger, self.settings)
        self.webhooks = WebhookDesk(self.ledger)

    def monitor(self, caller: Caller) -> Picture:
        """What goes on, at most a second old. Raises NotNow."""
        return picture(self.floor.snapshot(), caller)

    def health(self, caller: Caller) -> HealthReport:
        """Raises NotNow."""
        shown = self.monitor(caller)
        return HealthReport(shown.all_up, __version__, self.node, shown)

    def alarms(self, caller: Caller) -> list[Alarm]:
        """What he must be told of at once; that the dialer does not answer is one of them."""
        try:
            snapshot = self.floor.snapshot()
        except NotNow as error:
            return [Alarm(NO_ANSWER, self.node, str(error), None)]
        return alarms(snapshot, caller, shutil.disk_usage(self.data).free)

    def close(self) -> None:
        """Ends what is being made for the panel in processes of their own."""
        self.reports.close()
        self.imports.close()
        self.sounds.close()

    def panel_key(self) -> bytes:
        """What forms are signed with; kept in the data folder: a page stays good when the server is restarted."""
        path = self.data / KEY_FILE
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            key = b""
        if len(key) < KEY_OCTETS:
            key = secrets.token_bytes(KEY_OCTETS)
            path.unlink(missing_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(key)
        return key

    def audit(self, caller: Caller, limit: int = 200, before: int | None = None, search: str = "") -> list[audit.Entry]:
        """The newest first. Auditors read it too: it is what they are for; who is bound to lists does not."""
        if caller.lists or not (caller.may(Scope.ADMIN) or caller.scope is Scope.READ):
            raise NotAllowed("the audit is for administrators and auditors")
        return self.ledger.read(lambda conn: audit.entries(conn, limit, before, search))


__all__ = ["HealthReport", "Office", "Snapshot"]
