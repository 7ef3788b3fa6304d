"""Scenarios: the files that say what is said and asked; read, checked and written as a person edits them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ocm_cti.config import Config
from ocm_cti.domain.access import Caller, Scope
from ocm_cti.domain.scenario_faults import ScenarioError
from ocm_cti.domain.scenarios import Scenario, read
from ocm_cti.office.errors import ChangedMeanwhile, NotAllowed, NotThere, Refused
from ocm_cti.office.ledger import Ledger, must
from ocm_cti.office.settings import ConfigFile
from ocm_cti.office.whole_files import write_whole
from ocm_cti.scenario_checks import all_faults
from ocm_cti.store.transactions import Connection

SUFFIX = ".toml"
#: Octets of a scenario; the longest that we know of has four thousand.
LARGEST = 200_000
#: In the data folder: what a scenario was before it was changed.
KEPT = "scenarios-kept"
_NAME = re.compile(r"[\w][\w.-]{0,79}\Z")
_STEP = re.compile(r"^\s*\[\[\s*step\s*\]\]", re.MULTILINE)


@dataclass(frozen=True)
class Fault:
    """``line`` counts from 1; None: it can't be told. ``forbids`` False: it is only remarked."""

    place: str
    what: str
    line: int | None
    forbids: bool


@dataclass(frozen=True)
class Checked:
    """What the checker says of a text. ``scenario`` None: it can't be drawn or used."""

    scenario: Scenario | None
    faults: tuple[Fault, ...]

    @property
    def is_right(self) -> bool:
        return not any(fault.forbids for fault in self.faults)


@dataclass(frozen=True)
class ScenarioEntry:
    """A file as it stands. ``name`` is the file's without its suffix; ``lists`` those that use it, also as somebody's
    own; ``stamp`` is what a change of it is asked with."""

    name: str
    text: str
    stamp: str
    checked: Checked
    lists: tuple[str, ...]


class ScenarioDesk:
    """All ``.toml`` files with steps in the folder of the configuration, and those elsewhere that lists use."""

    def __init__(self, ledger: Ledger, settings: ConfigFile) -> None:
        self._ledger = ledger
        self._settings = settings

    def overview(self, caller: Caller) -> list[ScenarioEntry]:
        """By name; who is bound to lists sees theirs and those that no list uses."""
        return sorted(self._entries(caller), key=lambda entry: entry.name.casefold())

    def entry(self, caller: Caller, name: str) -> ScenarioEntry:
        """Raises NotThere."""
        found = next((entry for entry in self._entries(caller) if entry.name == name), None)
        if found is None:
            raise NotThere(f"there is no scenario {name}")
        return found

    def check(self, text: str) -> Checked:
        """All that is wrong with it, by line; recordings are looked for too."""
        config = self._config()
        reading = read(text)
        faults = all_faults(text, config.audio if config.audio.is_dir() else None, None)
        found = [_fault(error, forbids=True) for error in faults.wrong]
        found += [_fault(error, forbids=False) for error in faults.remarks]
        return Checked(reading.scenario or reading.draft, tuple(sorted(found, key=lambda one: one.line or 0)))

    def save(self, caller: Caller, name: str, text: str, stamp: str) -> ScenarioEntry:
        """Write the file, whole or not at all, and keep what it was. ``stamp``: of the text that was changed.

        Campaigns that go on have their own copy. Raises NotThere, NotAllowed, ChangedMeanwhile, and Refused for what
        could not be used.
        """
        must(caller, Scope.OPERATE)
        before = self.entry(caller, name)
        path = self.paths()[name]
        if any(not caller.sees(one) for one in self._users(path)):
            raise NotAllowed(f"{name} is also used by lists that you may not see")
        text = _unified(text)
        self._must_be_right(text)
        if before.stamp != stamp:
            raise ChangedMeanwhile(
                "somebody else has changed this scenario meanwhile: look at it in another window, then save yours again"
            )
        self._note(caller, "scenario.change", name, {"lists": list(before.lists)})
        kept = self._settings.first.data / KEPT
        kept.mkdir(parents=True, exist_ok=True)
        moment = f"{self._ledger.now():%Y%m%d-%H%M%S}"
        (kept / f"{name}-{moment}{SUFFIX}").write_text(before.text, encoding="utf-8")
        write_whole(path, text)
        return self.entry(caller, name)

    def add(self, caller: Caller, name: str, text: str) -> ScenarioEntry:
        """A new file beside the configuration. Raises NotAllowed, Refused."""
        must(caller, Scope.OPERATE)
        name = name.strip().removesuffix(SUFFIX)
        if not _NAME.match(name) or name == self._settings.first.path.stem:
            raise Refused("a scenario's name has 1 to 80 letters, digits or -_.")
        path = self._settings.first.path.parent / f"{name}{SUFFIX}"
        if name in self.paths() or path.exists():
            raise Refused(f"there is a {name}{SUFFIX} already")
        text = _unified(text)
        self._must_be_right(text)
        self._note(caller, "scenario.add", name, {})
        write_whole(path, text)
        return self.entry(caller, name)

    def paths(self) -> dict[str, Path]:
        """The files of all scenarios by their names, whoever may see them."""
        config = self._config()
        used = {file.path for entry in config.lists.values() for file in entry.files}
        beside = {path for path in config.path.parent.glob(f"*{SUFFIX}") if path != config.path}
        # What a list uses goes before a file of the same name elsewhere.
        return {path.stem: path for path in [*sorted(beside), *sorted(used)]}

    # --- inside ---

    def _must_be_right(self, text: str) -> None:
        for fault in self.check(text).faults:
            if fault.forbids:
                line = "" if fault.line is None else f"line {fault.line}: "
                raise Refused(f"it was not saved, for it could not be used: {line}{fault.place}: {fault.what}")

    def _note(self, caller: Caller, deed: str, name: str, details: dict[str, object]) -> None:
        def write(conn: Connection) -> None:
            self._ledger.note(conn, caller, deed, name, details)

        self._ledger.write(write)

    def _config(self) -> Config:
        try:
            return self._settings.load()
        except Refused:  # a mistake elsewhere in the file must not keep anybody from mending a scenario
            return self._settings.first

    def _users(self, path: Path) -> list[str]:
        lists = self._config().lists
        return sorted(name for name, entry in lists.items() if any(file.path == path for file in entry.files))

    def _entries(self, caller: Caller) -> Iterator[ScenarioEntry]:
        for name, path in self.paths().items():
            users = self._users(path)
            if users and not any(caller.sees(one) for one in users):
                continue
            try:
                octets = path.read_bytes()
                text = octets.decode("utf-8")
            except (OSError, UnicodeDecodeError):
                continue
            if len(octets) <= LARGEST and (users or _STEP.search(text)):
                seen = tuple(one for one in users if caller.sees(one))
                yield ScenarioEntry(name, text, hashlib.sha256(octets).hexdigest(), self.check(text), seen)


def _fault(error: ScenarioError, *, forbids: bool) -> Fault:
    return Fault(error.place, error.what, error.line, forbids)


def _unified(text: str) -> str:
    """As a browser sends it, with the ends of lines of files."""
    if len(text.encode("utf-8", "replace")) > LARGEST:
        raise Refused(f"a scenario has at most {LARGEST} octets")
    return text.replace("\r\n", "\n").rstrip("\n") + "\n"
