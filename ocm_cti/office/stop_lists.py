"""Stop lists: who is never to be called, whatever list he stands on. They are not of one list: who is bound to lists
has no business with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ocm_cti.domain.access import Caller, Scope
from ocm_cti.domain.numbers import mask
from ocm_cti.domain.stop_lists import is_pattern
from ocm_cti.imports.stop_files import Entries, too_wide, typed_entries
from ocm_cti.office.errors import NotAllowed, Refused
from ocm_cti.office.ledger import Ledger, must
from ocm_cti.office.settings import ConfigFile
from ocm_cti.store import stop_lists
from ocm_cti.store.stop_lists import Entry
from ocm_cti.store.transactions import Connection

LONGEST_NAME = 100
LONGEST_REASON = 300
#: Entries of one request; files of more are for ``ocm stop-list add``.
MOST_ENTRIES = 10_000
#: So many entries of one deed stand in the audit, numbers masked.
ENTRIES_IN_AUDIT = 20
LONGEST_PAGE = 500
T = TypeVar("T")


@dataclass(frozen=True)
class Page:
    """``after`` is what the next page is asked with; "": this is the last."""

    entries: Sequence[Entry]
    after: str


@dataclass(frozen=True)
class Added:
    """``new`` of ``given`` did not stand on the list before."""

    new: int
    given: int


class StopListDesk:
    def __init__(self, ledger: Ledger, settings: ConfigFile) -> None:
        self._ledger = ledger
        self._settings = settings

    def names(self, caller: Caller) -> dict[str, int]:
        """How many entries each has. Raises NotAllowed, NotNow."""
        _not_bound(caller)
        return self._ledger.read(stop_lists.names)

    def page(
        self, caller: Caller, list_name: str | None = None, search: str = "", after: str = "", limit: int = 50
    ) -> Page:
        """By entry; a list that is not there is empty. Raises NotAllowed, NotNow."""
        _not_bound(caller)
        size = max(1, min(limit, LONGEST_PAGE))
        found, more = self._ledger.read(lambda conn: stop_lists.page(conn, list_name, search[:100], after[:100], size))
        return Page(found, found[-1].entry if more else "")

    def add(self, caller: Caller, list_name: str, text: str, reason: str = "", *, sure: bool = False) -> Added:
        """``text``: numbers and patterns as typed, each in a line. The list is made with its first.

        Raises Refused for what is neither, and unless ``sure`` for a pattern of most of a country; then nothing is
        changed.
        """
        name = _named(list_name)
        entries = self._read(text)
        wide = too_wide(entries)
        if wide and not sure:
            raise Refused(f"{', '.join(wide)}: nobody in the whole country, or in most of it, would be called any more")
        if len(reason) > LONGEST_REASON:
            raise Refused(f"a reason has at most {LONGEST_REASON} letters")

        why = reason.replace("\0", "").strip()

        def write(conn: Connection) -> Added:
            new = stop_lists.add(conn, name, entries, why, self._ledger.now())
            self._ledger.note(conn, caller, "stop_list.add", name, {"new": new, "reason": why, **_noted(entries)})
            return Added(new, len(entries))

        return self._change(caller, write)

    def remove(self, caller: Caller, list_name: str, entries: Sequence[str]) -> int:
        """Gives how many of them stood on it, as they are written there; a list without entries is gone."""

        def write(conn: Connection) -> int:
            gone = stop_lists.remove(conn, list_name, entries)
            if gone:
                noted = {"removed": gone, **_noted(entries)}
                self._ledger.note(conn, caller, "stop_list.remove", list_name, noted)
            return gone

        return self._change(caller, write)

    # --- inside ---

    def _change(self, caller: Caller, write: Callable[[Connection], T]) -> T:
        must(caller, Scope.OPERATE)
        _not_bound(caller)
        return self._ledger.write(write)

    def _read(self, text: str) -> Sequence[str]:
        found: Entries = typed_entries(text, self._region())
        if found.wrong:
            more = f"; and {len(found.wrong) - 3} more" if len(found.wrong) > 3 else ""
            raise Refused(f"{'; '.join(found.wrong[:3])}{more}. Nothing was changed")
        if not found.kept:
            raise Refused("no number was given")
        if len(found.kept) > MOST_ENTRIES:
            raise Refused(f"at most {MOST_ENTRIES} at a time; 'ocm stop-list add' takes files of any length")
        return found.kept

    def _region(self) -> str | None:
        """The country of numbers without one, where all lists agree on it."""
        try:
            lists = self._settings.load().lists
        except Refused:
            lists = self._settings.first.lists
        regions = {entry.settings.region for entry in lists.values()}
        return regions.pop() if len(regions) == 1 else None


def _named(name: str) -> str:
    if not 0 < len(name.strip()) <= LONGEST_NAME:
        raise Refused(f"a stop list's name has 1 to {LONGEST_NAME} letters")
    return name.strip()


def _noted(entries: Sequence[str]) -> dict[str, object]:
    shown = [one if is_pattern(one) else mask(one) for one in entries[:ENTRIES_IN_AUDIT]]
    return {"given": len(entries), "entries": " ".join(shown)}


def _not_bound(caller: Caller) -> None:
    if caller.lists:
        raise NotAllowed("stop lists are of the whole office; you may see only some of its lists")
