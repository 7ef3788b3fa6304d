"""Scenario files for ``ocm scenario``, and the people they are tried on."""

from __future__ import annotations

from pathlib import Path

from ocm_cti.commands.errors import CommandError
from ocm_cti.config import Config
from ocm_cti.domain.people import Person
from ocm_cti.domain.scenarios import Scenario, read
from ocm_cti.scenario_checks import Subscribed
from ocm_cti.store import lists, subscribers
from ocm_cti.store.transactions import Connection, Store


def text_of(path: Path) -> str:
    """Raises CommandError."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CommandError(f"{path}: no such file") from None
    except OSError as error:
        raise CommandError(f"{path}: can't be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise CommandError(f"{path}: is no text in UTF-8") from None


def scenario_of(path: Path) -> Scenario:
    """A scenario without faults, else CommandError with the first of them."""
    reading = read(text_of(path))
    if reading.scenario is None:
        more = f" (and {len(reading.wrong) - 1} more: ocm scenario check {path})" if len(reading.wrong) > 1 else ""
        raise CommandError(f"{path}: {reading.wrong[0]}{more}")
    return reading.scenario


def subscribed(config: Config, list_name: str) -> Subscribed:
    """Raises CommandError for a list that is not there."""
    store = Store.open(config.database)

    def job(conn: Connection) -> list[Person] | None:
        list_id = lists.find(conn, list_name)
        return None if list_id is None else subscribers.people(conn, list_id)

    people = store.read_now(job)
    if people is None:
        raise CommandError(f"there is no list {list_name}; import one: ocm import --list {list_name} FILE")
    entry = config.lists.get(list_name)
    return Subscribed(list_name, people, entry.settings.language if entry else None)
