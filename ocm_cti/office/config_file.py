"""Changes of ``ocm.toml`` by the panel: a person's own file, so his comments, his order and his other keys stay.

A change is a few keys with their new values. It is written only when the file, read again as a server would read it,
is right, and says what it said before but for these keys: whatever a library makes of somebody's unusual TOML, nothing
else is changed by it. What the file was before is kept in the data folder.
"""

from __future__ import annotations

import copy
import hashlib
import os
import threading
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable

from ocm_cti import config as configuration
from ocm_cti.config import Config, ConfigError
from ocm_cti.domain.access import Caller, Scope
from ocm_cti.office.errors import ChangedMeanwhile, Refused
from ocm_cti.office.ledger import Ledger, must
from ocm_cti.office.settings import ConfigFile
from ocm_cti.office.whole_files import part_beside, write_part
from ocm_cti.store.transactions import Connection

#: In the data folder: what the file was before it was changed; for its owner only, as there are passwords in it.
KEPT = "config-kept"
MOST_KEPT = 100
#: Tables down to ``[lists.debtors]`` stand under a header of their own, what is inside of them in one line.
HEADERS = 2
_MARK = b"\xef\xbb\xbf"

#: The place of a key, as ``("lists", "debtors", "ring_timeout_s")``.
Place = tuple[str, ...]


class ConfigEditor:
    """For any thread: one change at a time."""

    def __init__(self, ledger: Ledger, settings: ConfigFile) -> None:
        self._ledger = ledger
        self._settings = settings
        self._lock = threading.Lock()

    @property
    def path(self) -> Path:
        """The file itself, where the name is a link to it."""
        return self._settings.first.path.resolve()

    def stamp(self) -> str:
        """Of the file as it stands: what a form is made with, and what the change that comes of it names."""
        return _stamp(self._octets())

    def table(self, *place: str) -> Mapping[str, Any]:
        """What the file itself says there, without any default; {} when it says nothing. Raises Refused when it can't
        be read."""
        found: Any = _plain(self.path, self._octets())
        for name in place:
            found = found.get(name, {}) if isinstance(found, dict) else {}
        return found if isinstance(found, dict) else {}

    def change(
        self,
        caller: Caller,
        deed: str,
        subject: str,
        changes: Mapping[Place, object],
        *,
        stamp: str | None = None,
        needed: Scope = Scope.ADMIN,
    ) -> Config:
        """Set each key to its value: texts, numbers, booleans, dates, lists and tables of such; None takes the key
        away, or the whole table. The audit gets ``deed`` with the names of the keys; their values may be passwords.

        ``stamp`` None: whatever others have changed meanwhile. Raises NotAllowed, ChangedMeanwhile, and Refused with
        the line for what could not be used: then nothing was changed.
        """
        must(caller, needed)
        with self._lock:
            before = self._octets()
            if stamp is not None and stamp != _stamp(before):
                raise ChangedMeanwhile(
                    "somebody has changed the configuration meanwhile: look at it again, then make your change"
                )
            after = _changed(self.path, before, changes)
            if after == before:
                return self._settings.load()
            part = part_beside(self.path)
            try:
                write_part(part, after, self.path)
                self._must_be_right(part)

                def note(conn: Connection) -> None:
                    keys = [".".join(place) for place in changes]
                    self._ledger.note(conn, caller, deed, subject, {"keys": keys})

                self._ledger.write(note)
                self._keep(before, self._ledger.now())
                part.replace(self.path)
            except OSError as error:
                raise Refused(f"{self.path} can't be written: {error.strerror or error}") from None
            finally:
                part.unlink(missing_ok=True)
        return self._settings.load()

    # --- inside ---

    def _octets(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise Refused(f"{self.path} can't be read: {error.strerror or error}") from None

    def _must_be_right(self, part: Path) -> None:
        """Read where it will stand: the paths in it begin there."""
        try:
            configuration.load(part)
        except ConfigError as error:
            words = str(error).replace(str(part), self.path.name)
            raise Refused(f"it was not saved, for it could not be used: {words}") from None

    def _keep(self, octets: bytes, at: datetime) -> None:
        folder = self._settings.first.data / KEPT
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = folder / f"{self.path.stem}-{at:%Y%m%d-%H%M%S-%f}{self.path.suffix}"
        with os.fdopen(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(octets)
        for old in sorted(folder.iterdir())[:-MOST_KEPT]:
            old.unlink(missing_ok=True)


def _stamp(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()


def _plain(path: Path, octets: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(octets.removeprefix(_MARK).decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Refused(f"{path.name} can't be changed here while it has a mistake: {error}; mend it by hand") from None


def _changed(path: Path, octets: bytes, changes: Mapping[Place, object]) -> bytes:
    """The text with the changes. Raises Refused where it would say anything else than what is asked."""
    wanted = copy.deepcopy(_plain(path, octets))
    mark = _MARK if octets.startswith(_MARK) else b""
    try:
        document = tomlkit.parse(octets.removeprefix(_MARK).decode())
        for place, value in changes.items():
            _put(wanted, place, value)
            _put_kept(document, place, value)
        after = tomlkit.dumps(document).encode()
        right = _plain(path, after) == wanted
    except (TOMLKitError, TypeError, ValueError, AttributeError, KeyError, Refused):
        right = False
    if not right:
        keys = ", ".join(".".join(place) for place in changes)
        raise Refused(f"{path.name} is written in a way that can't be changed here; set {keys} by hand")
    return mark + after


def _put(table: dict[str, Any], place: Place, value: object) -> None:
    for name in place[:-1]:
        if name not in table and value is None:
            return
        table = table.setdefault(name, {})
    if value is None:
        table.pop(place[-1], None)
    else:
        table[place[-1]] = copy.deepcopy(value)


def _put_kept(table: Any, place: Place, value: object) -> None:
    """The same in a document of tomlkit."""
    for depth, name in enumerate(place[:-1]):
        if name not in table:
            if value is None:
                return
            if isinstance(table, InlineTable) or depth >= HEADERS:
                table[name] = tomlkit.inline_table()
            else:
                table[name] = tomlkit.table(is_super_table=depth == 0)
        table = table[name]
    last = place[-1]
    if value is None:
        if last in table:
            del table[last]
    elif isinstance(value, Mapping):
        inside = tomlkit.inline_table() if len(place) > HEADERS or isinstance(table, InlineTable) else tomlkit.table()
        for key, one in value.items():
            inside[key] = _inline(one)
        table[last] = inside
    else:
        table[last] = value


def _inline(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    inside = tomlkit.inline_table()
    inside.update({key: _inline(one) for key, one in value.items()})
    return inside
