"""Settings of a list: ``[lists.NAME]`` of the configuration as a form has it, made, changed and taken away."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ocm_cti.config import Config
from ocm_cti.domain.access import Caller, Scope
from ocm_cti.office.config_file import ConfigEditor, Place
from ocm_cti.office.errors import NotThere, Refused
from ocm_cti.office.ledger import Ledger, must
from ocm_cti.office.list_forms import WrongSetting, table_of, values_of
from ocm_cti.office.lists import ListDesk
from ocm_cti.office.scenarios import ScenarioDesk
from ocm_cti.office.settings import ConfigFile
from ocm_cti.store import kept_lists, lists
from ocm_cti.store.transactions import Connection

_NAME = re.compile(r"[^\W_][\w .()№-]{0,79}\Z")


@dataclass(frozen=True)
class SettingsForm:
    """``values``: a text for each field of the form ("": as usual). ``stamp``: what a change is asked with.

    ``scenarios``: name -> the path that the configuration would have. ``own``: the list's further scenarios.
    ``by_database``: its people come from a database of the customer's, whose table is changed by hand.
    """

    name: str
    values: Mapping[str, str]
    stamp: str
    scenarios: Mapping[str, str]
    gateways: Sequence[str]
    own: Sequence[str]
    by_database: bool


class ListSettingsDesk:
    def __init__(
        self,
        ledger: Ledger,
        settings: ConfigFile,
        config_file: ConfigEditor,
        lists_: ListDesk,
        scenarios: ScenarioDesk,
    ) -> None:
        self._ledger = ledger
        self._settings = settings
        self._file = config_file
        self._lists = lists_
        self._scenarios = scenarios

    def form(self, caller: Caller, name: str) -> SettingsForm:
        """Raises NotThere, NotAllowed, and Refused while the file has a mistake."""
        must(caller, Scope.ADMIN)
        table = self._file.table("lists", name)
        if not table:
            raise NotThere(f"the configuration has no list {name}")
        config = self._settings.load()
        paths = self._paths(config)
        own = table.get("scenarios", {})
        return SettingsForm(
            name=name,
            values=values_of(table),
            stamp=self._file.stamp(),
            scenarios={**paths, **{str(table.get("scenario", "")): str(table.get("scenario", ""))}},
            gateways=list(config.gateways),
            own=list(own) if isinstance(own, Mapping) else [],
            by_database="source" in table,
        )

    def scenarios(self, caller: Caller) -> Mapping[str, str]:
        """Those that a new list can have: path -> name."""
        must(caller, Scope.ADMIN)
        return self._paths(self._settings.load())

    def add(self, caller: Caller, name: str, values: Mapping[str, str]) -> None:
        """Raises NotAllowed, WrongSetting, Refused."""
        must(caller, Scope.ADMIN)
        name = name.strip()
        if not _NAME.match(name):
            raise WrongSetting("name", "a list's name has 1 to 80 letters, digits, spaces or -_.()№, a letter first")
        if name in self._settings.load().lists:
            raise WrongSetting("name", f"there is a list {name} already")
        wanted = {key: value for key, value in table_of(values, {}).items() if value is not None}
        self._change(caller, "list.add", name, {("lists", name): wanted}, None)
        self._ledger.write(lambda conn: lists.find_or_create(conn, name, self._ledger.now()))

    def change(self, caller: Caller, name: str, values: Mapping[str, str], stamp: str) -> None:
        """What applies from the next start on. Raises NotThere, NotAllowed, ChangedMeanwhile, WrongSetting, Refused."""
        must(caller, Scope.ADMIN)
        table = self._file.table("lists", name)
        if not table:
            raise NotThere(f"the configuration has no list {name}")
        changes: dict[Place, object] = {}
        for key, value in table_of(values, table).items():
            changes |= _changes(("lists", name, key), table.get(key), value)
        if changes:
            self._change(caller, "list.change", name, changes, stamp)

    def remove(self, caller: Caller, name: str) -> None:
        """Its settings, and whoever is on it; reports of its campaigns stay. Raises NotThere, NotAllowed, Refused."""
        must(caller, Scope.ADMIN)
        self._lists.entry(caller, name)

        def write(conn: Connection) -> None:
            if lists.find(conn, name) is None:
                return
            try:
                kept_lists.remove(conn, name)
            except kept_lists.ListInUse:
                raise Refused(
                    f"a campaign of {name} is going on; wait for its end, or stop it. Nothing was removed"
                ) from None
            self._ledger.note(conn, caller, kept_lists.REMOVED, name, {})

        self._ledger.write(write)
        if self._file.table("lists", name):
            self._change(caller, "list.remove", name, {("lists", name): None}, None)

    # --- inside ---

    def _paths(self, config: Config) -> dict[str, str]:
        base = config.path.parent
        found = {}
        for scenario, path in self._scenarios.paths().items():
            found[str(path.relative_to(base)) if path.is_relative_to(base) else str(path)] = scenario
        return found

    def _change(self, caller: Caller, deed: str, name: str, changes: Mapping[Place, object], stamp: str | None) -> None:
        try:
            self._file.change(caller, deed, name, changes, stamp=stamp)
        except Refused as error:
            found = re.search(rf"lists\.{re.escape(name)}(?:\.|: )([a-z_]+)", str(error))
            if type(error) is Refused and found is not None:
                raise WrongSetting(found[1], str(error)) from None
            raise


def _changes(place: Place, before: object, after: object) -> dict[Place, object]:
    """As few as do it: inside of a table, those of its keys that are others than before."""
    if before == after:
        return {}
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        return {place: after}
    found: dict[Place, object] = {}
    for key in [*before, *(key for key in after if key not in before)]:
        if before.get(key) != after.get(key):
            found[(*place, key)] = after.get(key)
    return found
