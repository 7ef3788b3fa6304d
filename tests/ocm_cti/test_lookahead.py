"""Messages are prepared before they are needed, each campaign once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import InlineStore, InstantPrompts, WallClock

from ocm_cti.domain.fragments import Spoken
from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings
from ocm_cti.lookahead import LookAhead
from ocm_cti.store import campaigns, lists, subscribers

SCENARIO = """
name = "debt"
language = "en"

[variables]
debt = { kind = "money", currency = "USD" }

[[step]]
name = "message"
type = "say"
message = "You owe {debt}."
"""


class House:
    def __init__(self, folder: Path) -> None:
        self.clock = WallClock()
        self.store = InlineStore(folder / "ocm.db")
        self.prompts = InstantPrompts(folder)
        self.ahead = LookAhead(self.store, self.prompts, self.clock)  # type: ignore[arg-type]

    def start(self, name: str, debts: list[str]) -> None:
        people = [
            Person(f"+1212555{place:04}", "", ((f"+1212555{place:04}", ""),), {"debt": debt} if debt else {})
            for place, debt in enumerate(debts)
        ]

        def fill(conn: object) -> None:
            list_id = lists.find_or_create(conn, name, self.clock.utc())  # type: ignore[arg-type]
            subscribers.upsert(conn, list_id, people)  # type: ignore[arg-type]
            campaigns.start(conn, list_id, self.clock.utc(), SCENARIO, ListSettings(language="en"))  # type: ignore[arg-type]

        self.store.now(fill)

    def values(self) -> list[str]:
        return [
            part.value
            for fragment in self.prompts.asked
            if isinstance(fragment, Spoken)
            for part in fragment.parts
            if part.variable
        ]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.ahead.stop()
    house.store.close()
    assert house.clock.getDelayedCalls() == []


def test_everybody_is_prepared_once(house: House) -> None:
    house.start("one", [str(amount) for amount in range(120)])
    house.ahead.start()
    house.clock.pump([1] * 3)
    assert house.values() == [str(amount) for amount in range(120)]


def test_a_later_campaign_is_seen(house: House) -> None:
    house.ahead.start()
    house.start("two", ["5"])
    assert house.values() == []
    house.clock.advance(1)
    assert house.values() == ["5"]


def test_one_that_can_not_be_prepared_does_not_stop_the_others(house: House) -> None:
    """A missing value, and a synthesizer that fails for a while."""
    house.start("three", ["1", "", "3"])
    house.prompts.missing = RuntimeError("no voice")
    house.ahead.start()
    assert house.values() == []
    house.prompts.missing = None
    house.start("four", ["7"])
    house.clock.advance(1)
    assert house.values() == ["7"]
