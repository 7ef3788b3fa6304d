"""Messages are prepared before they are needed, each campaign once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import InlineStore, InstantPrompts, WallClock
from sqlalchemy import select

from ocm_cti.domain.fragments import SpeechDown, Spoken
from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings
from ocm_cti.lookahead import READY_AFTER_S, REMEMBERED_S, LookAhead
from ocm_cti.speech.cache import IN_USE_S
from ocm_cti.store import campaign_start, lists, upserts
from ocm_cti.store.schema import task

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
        self.more = 0
        self.ahead = LookAhead(self.store, self.prompts, self.clock, self.clock.utc, self._more)  # type: ignore[arg-type]

    def _more(self) -> None:
        self.more += 1

    def tasks(self) -> list[tuple[str, str]]:
        """(state, why) of everybody."""
        query = select(task.c.state, task.c.why).order_by(task.c.id)
        return [tuple(row) for row in self.store.now(lambda conn: conn.execute(query).all())]

    def start(self, name: str, debts: list[str], priority: int = 5) -> None:
        people = [
            Person(f"+1212555{place:04}", "", ((f"+1212555{place:04}", ""),), {"debt": debt} if debt else {})
            for place, debt in enumerate(debts)
        ]

        def fill(conn: object) -> None:
            list_id = lists.find_or_create(conn, name, self.clock.utc())  # type: ignore[arg-type]
            upserts.upsert(conn, list_id, people)  # type: ignore[arg-type]
            policy = ListSettings(language="en", priority=priority)
            campaign_start.start(conn, list_id, self.clock.utc(), SCENARIO, policy, prepare=True)  # type: ignore[arg-type]

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


def test_everybody_is_prepared_once_and_may_then_be_called(house: House) -> None:
    house.start("one", [str(amount) for amount in range(120)])
    assert set(house.tasks()) == {("preparing", "speech")}
    house.ahead.start()
    house.clock.pump([1] * 3)
    assert sorted(house.values(), key=int) == [str(amount) for amount in range(120)]
    assert set(house.tasks()) == {("waiting", "due")}
    assert house.more == 3, "8, 100 and 12 people"


def test_what_is_the_same_for_all_is_asked_for_once(house: House) -> None:
    house.start("one", ["7"] * 50)
    house.ahead.start()
    assert house.values() == ["7"]
    assert set(house.tasks()) == {("waiting", "due")}


def test_nobody_may_be_called_while_his_message_is_being_made(house: House) -> None:
    house.prompts.waits = True
    house.start("one", ["1", "2"])
    house.ahead.start()
    assert set(house.tasks()) == {("preparing", "speech")}
    house.prompts.ready()
    assert set(house.tasks()) == {("waiting", "due")}


def test_a_later_campaign_is_seen(house: House) -> None:
    house.ahead.start()
    house.start("two", ["5"])
    assert house.values() == []
    house.clock.advance(1)
    assert house.values() == ["5"]


def test_whose_message_can_not_be_made_does_not_stop_the_others(house: House) -> None:
    """He is tried again, and in the end let through: his attempt says what is wrong."""
    house.start("three", ["1", "", "3"])
    house.ahead.start()
    assert house.tasks() == [("waiting", "due"), ("preparing", "speech_failed"), ("waiting", "due")]
    house.clock.pump([1] * 59)
    assert house.tasks()[1] == ("preparing", "speech_failed")
    house.clock.pump([1] * 5)
    assert house.tasks()[1] == ("waiting", "due")


def test_when_speech_is_down_nobody_pays_for_it(house: House) -> None:
    house.start("three", ["1", "2", "3"])
    house.prompts.missing = SpeechDown("no voice")
    house.ahead.start()
    house.clock.pump([1] * 600)
    assert set(house.tasks()) == {("preparing", "speech_failed")}
    house.prompts.missing = None
    house.clock.pump([1] * 31)
    assert set(house.tasks()) == {("waiting", "due")}


def test_when_all_are_wrong_the_campaign_still_comes_to_its_end(house: House) -> None:
    house.start("one", ["1", "", "3", ""])
    house.start("two", ["", ""])
    house.ahead.start()
    house.clock.pump([1] * 100)
    assert set(house.tasks()) == {("waiting", "due")}


def test_an_urgent_campaign_does_not_wait_for_a_long_one(house: House) -> None:
    house.start("long", [str(amount) for amount in range(300)])
    house.prompts.waits = True
    house.ahead.start()
    house.start("urgent", ["9000"], priority=0)
    house.prompts.ready()
    assert house.values().index("9000") < 10, "after the first eight of the other"
    assert set(house.tasks()) == {("waiting", "due")}


def test_a_person_alone_is_let_through_too(house: House) -> None:
    house.start("one", [""])
    house.ahead.start()
    house.clock.pump([1] * 70)
    assert house.tasks() == [("waiting", "due")]


def test_while_the_ledger_is_broken_nothing_is_lost(house: House) -> None:
    house.start("one", ["1"])
    house.store.broken = OSError("disk full")
    house.ahead.start()
    house.clock.pump([1] * 3)
    assert house.tasks() == [("preparing", "speech")]
    house.store.broken = None
    house.clock.advance(1)
    assert house.tasks() == [("waiting", "due")]


def test_who_is_ready_does_not_wait_for_the_slowest_of_his_turn(house: House) -> None:
    house.start("one", ["1", "2", "3"])
    house.prompts.waits = True
    house.ahead.start()
    made, wanted = house.prompts.waiting.pop(1)
    made.callback(dict.fromkeys(wanted, house.prompts.path))
    house.clock.advance(READY_AFTER_S)
    assert [state for state, _ in house.tasks()] == ["preparing", "waiting", "preparing"]
    assert house.more == 1
    house.prompts.ready()
    assert set(house.tasks()) == {("waiting", "due")}


def test_who_could_not_be_written_early_is_written_in_the_end(house: House) -> None:
    house.start("one", ["1", "2"])
    house.prompts.waits = True
    house.ahead.start()
    made, wanted = house.prompts.waiting.pop(0)
    made.callback(dict.fromkeys(wanted, house.prompts.path))
    house.store.broken = OSError("disk full")
    house.clock.advance(READY_AFTER_S)
    house.store.broken = None
    assert set(house.tasks()) == {("preparing", "speech")}
    house.prompts.ready()
    assert set(house.tasks()) == {("waiting", "due")}


def test_what_the_folder_may_have_let_go_of_is_asked_for_again(house: House) -> None:
    house.start("morning", ["7"])
    house.ahead.start()
    house.start("noon", ["7"])
    house.clock.advance(1)
    assert house.values() == ["7"], "remembered"
    house.clock.pump([10] * int(IN_USE_S / 10))
    house.start("evening", ["7"])
    house.clock.advance(1)
    assert house.values() == ["7", "7"]
    assert REMEMBERED_S < IN_USE_S, "nothing is remembered that can be gone"
