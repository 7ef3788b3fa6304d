"""Several servers on one PostgreSQL: what one has in hand the others pass over, and none waits for ever."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from ocm_cti.domain.caps import Caps
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.people import Person
from ocm_cti.domain.settings import ListSettings, RetryRule
from ocm_cti.store import attempts, campaign_start, campaigns, lists, stop_lists, tasks, upserts
from ocm_cti.store.attempts import Finish
from ocm_cti.store.campaigns import CampaignRefused
from ocm_cti.store.errors import StoreError
from ocm_cti.store.schema import attempt, campaign, task
from ocm_cti.store.transactions import Store

T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PATIENCE_S = 60.0
POLICY = ListSettings(rules={Outcome.BUSY: RetryRule(2, 0)})

#: One server of the four: claims until nobody is left for a while; ``calls`` says whom it had, and from when to when.
SERVER = """
import json, sys, time
from datetime import UTC, datetime
from sqlalchemy import Select, select
from ocm_cti.domain.causes import Cause
from ocm_cti.domain.outcomes import Outcome
from ocm_cti.store import attempts, campaigns, locks, tasks
from ocm_cti.store.transactions import Store

url, node, mode = sys.argv[1:]
if mode == "without locks":  # the control
    Select.with_for_update = lambda self, **more: self
    locks.person = lambda conn, numbers: True
    tasks._is_being_called = lambda conn, numbers, settings: False
store = Store.open(url)
now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
calls, errors, empty = [], 0, 0
print("ready", flush=True)
sys.stdin.readline()
while empty < 20:
    try:
        got = store.run_now(lambda conn: [
            claim for which in campaigns.running(conn)
            if (claim := tasks.claim(conn, which, "g", node, node, now)) is not None
        ])
    except Exception as error:
        errors += 1
        empty += 1
        print(error, file=sys.stderr)
        continue
    if not got:
        empty += 1
        time.sleep(0.01)
    for claim in got:
        begun = time.monotonic()
        calls.append([claim.task_id, claim.number, claim.name, begun, None])
    for claim, call in zip(got, calls[-len(got):]):
        call[-1] = time.monotonic()
        store.run_now(lambda conn: attempts.finish(
            conn, claim.attempt_id, attempts.Finish(Outcome.CONFIRMED, Cause.NORMAL, now), now))
store.close()
print(json.dumps({"calls": calls, "errors": errors}), flush=True)
"""


def fill(store: Store, name: str, people: Sequence[Sequence[str]], policy: ListSettings = POLICY) -> int:
    def job(conn: Connection) -> int:
        list_id = lists.find_or_create(conn, name, T0)
        persons = [
            Person(f"{place}", f"{numbers[0]}", tuple((number, "") for number in numbers))
            for place, numbers in enumerate(people)
        ]
        upserts.upsert(conn, list_id, persons)
        return campaign_start.start(conn, list_id, T0, "scenario", policy)

    return store.run_now(job)


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    store = Store.open(postgres_url)
    yield store
    store.close()


def four_servers(url: str, mode: str) -> list[dict[str, Any]]:
    servers = [
        subprocess.Popen(
            [sys.executable, "-c", SERVER, url, f"node{number}", mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    try:
        for server in servers:
            assert server.stdout is not None and server.stdout.readline() == "ready\n"
        for server in servers:
            assert server.stdin is not None
            server.stdin.write("go\n")
            server.stdin.flush()
        told = [server.communicate(timeout=PATIENCE_S) for server in servers]
    finally:
        for server in servers:
            if server.poll() is None:
                server.kill()
                server.communicate()
    return [json.loads(out) for out, _ in told]


def in_two_calls(calls: Sequence[Any]) -> int:
    """How many calls of a person began before an earlier one of his had ended."""
    found = 0
    for number in {call[1] for call in calls}:
        his = sorted((begun, ended) for _, called, _, begun, ended in calls if called == number)
        found += sum(later[0] < earlier[1] for earlier, later in itertools.pairwise(his))
    return found


def test_four_servers_claim_at_once(store: Store, postgres_url: str) -> None:
    """Three lists of the same people: nobody is claimed twice in one, and nobody is in two calls."""
    people = [[f"+7495{number:07}"] for number in range(60)]
    for name in "abc":
        fill(store, name, people)
    told = four_servers(postgres_url, "")
    calls = [call for each in told for call in each["calls"]]
    assert [each["errors"] for each in told] == [0] * 4
    claimed = Counter(call[0] for call in calls)
    assert max(claimed.values()) == 1
    assert in_two_calls(calls) == 0
    # Who was in a call elsewhere is looked at again later: not within this test, whose clock stands.
    waiting = store.read_now(lambda conn: conn.execute(select(task.c.id).where(task.c.state == "waiting")).all())
    assert len(claimed) + len(waiting) == 180
    assert sum(bool(each["calls"]) for each in told) >= 2, "they did not work at the same time"


def test_without_the_locks_it_would_be_seen(store: Store, postgres_url: str) -> None:
    """The control: the check above finds what it is there to find."""
    people = [[f"+7495{number:07}"] for number in range(60)]
    for name in "abc":
        fill(store, name, people)
    store.run_now(lambda conn: conn.execute(text("ALTER TABLE calling DROP CONSTRAINT pk_calling")))
    store.run_now(lambda conn: conn.execute(text("ALTER TABLE attempt DROP CONSTRAINT uq_attempt_task_id_attempt_no")))
    told = four_servers(postgres_url, "without locks")
    calls = [call for each in told for call in each["calls"]]
    claimed = Counter(call[0] for call in calls)
    assert max(claimed.values()) > 1 or in_two_calls(calls) > 0 or any(each["errors"] for each in told)


# --- two transactions at a time, step by step ---


class Two:
    """Two nodes in one thread: ``a`` and ``b`` are open transactions. What would wait fails at once instead."""

    def __init__(self, url: str) -> None:
        self.stores = [Store.open(url), Store.open(url)]
        self.a, self.b = (store._writer.connect() for store in self.stores)
        for conn in (self.a, self.b):
            conn.execute(text("SET lock_timeout = '100ms'"))
            conn.commit()

    def close(self) -> None:
        for conn, store in zip((self.a, self.b), self.stores, strict=True):
            conn.close()
            store.close()


@pytest.fixture
def two(postgres_url: str) -> Iterator[Two]:
    two = Two(postgres_url)
    yield two
    two.close()


def claim(conn: Connection, campaign_id: int) -> tasks.Claim | None:
    return tasks.claim(conn, campaign_id, "g", "1", "n", T0)


def test_a_claim_does_not_wait_for_another(store: Store, two: Two) -> None:
    campaign_id = fill(store, "a", [["+71"], ["+72"]])
    first, second = claim(two.a, campaign_id), claim(two.b, campaign_id)
    assert first is not None and second is not None and first.number != second.number
    assert claim(two.a, campaign_id) is None


def test_a_person_being_claimed_elsewhere_is_passed_over(store: Store, two: Two) -> None:
    """He stands on two lists with different numbers first; one of them is the same."""
    one, other = fill(store, "a", [["+71", "+72"]]), fill(store, "b", [["+72", "+73"], ["+74"]])
    assert claim(two.a, one) is not None
    found = claim(two.b, other)
    assert found is not None and found.number == "+74"


def test_a_cap_is_kept_over_numbers_that_two_nodes_have_in_hand(store: Store, two: Two) -> None:
    """Two lists know one number of his each, a third one that they are one person's."""
    capped = ListSettings(zone="UTC", caps=Caps(day=1))
    one, other = fill(store, "a", [["+71"]], capped), fill(store, "b", [["+72"]], capped)
    fill(store, "c", [["+71", "+72"]], capped)
    assert claim(two.a, one) is not None
    assert claim(two.b, other) is None
    two.a.commit()
    two.b.rollback()
    assert claim(two.b, other) is None, "his other number is being called: that is a call"


def last_two(store: Store) -> tuple[int, list[int]]:
    campaign_id = fill(store, "a", [["+71"], ["+72"]])
    claims = [store.run_now(lambda conn: claim(conn, campaign_id)) for _ in range(2)]
    return campaign_id, [each.attempt_id for each in claims if each is not None]


def finish(conn: Connection, attempt_id: int, outcome: Outcome = Outcome.CONFIRMED) -> None:
    attempts.finish(conn, attempt_id, Finish(outcome, Cause.NORMAL, T0), T0)


def side_by_side(
    first: Connection, then: Connection, mine: Callable[[Connection], Any], his: Callable[[Connection], Any]
) -> None:
    """``mine`` is done and not committed when ``his`` begins."""
    then.execute(text("SET lock_timeout = '20s'"))
    then.commit()
    mine(first)
    thread = threading.Thread(target=lambda: (his(then), then.commit()))
    thread.start()
    thread.join(0.3)  # it waits, or is through
    first.commit()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def state_of(store: Store, campaign_id: int) -> str:
    query = select(campaign.c.state).where(campaign.c.id == campaign_id)
    return str(store.read_now(lambda conn: conn.execute(query).scalar_one()))


def test_the_last_two_end_together_and_so_does_the_campaign(store: Store, two: Two) -> None:
    campaign_id, (one, other) = last_two(store)
    side_by_side(two.a, two.b, lambda conn: finish(conn, one), lambda conn: finish(conn, other))
    assert state_of(store, campaign_id) == "done"


@pytest.mark.parametrize("stop_first", [True, False])
def test_an_attempt_that_ends_while_its_campaign_is_stopped_leaves_nobody_waiting(
    store: Store, two: Two, stop_first: bool
) -> None:
    campaign_id, (one, other) = last_two(store)
    list_id = store.read_now(lambda conn: lists.find(conn, "a"))
    assert list_id is not None

    def stop(conn: Connection) -> None:
        campaigns.stop(conn, list_id, T0)

    def busy(conn: Connection) -> None:
        finish(conn, one, Outcome.BUSY)

    side_by_side(two.a, two.b, *((stop, busy) if stop_first else (busy, stop)))
    store.run_now(lambda conn: finish(conn, other))
    assert state_of(store, campaign_id) == "done"


def test_a_list_is_started_once(store: Store, two: Two) -> None:
    def start(conn: Connection) -> None:
        campaign_start.start(conn, list_id, T0, "scenario", POLICY)

    def refused(conn: Connection) -> None:
        with pytest.raises(CampaignRefused):
            start(conn)
        told.append(True)

    list_id = store.run_now(lambda conn: lists.find_or_create(conn, "a", T0))
    store.run_now(lambda conn: upserts.upsert(conn, list_id, [Person("1", "A", (("+71", ""),))]))
    told: list[bool] = []
    side_by_side(two.a, two.b, start, refused)
    assert told == [True]


def test_two_imports_of_the_same_people_make_them_once(store: Store, two: Two) -> None:
    made: list[Any] = []

    def upload(conn: Connection) -> None:
        list_id = lists.find_or_create(conn, "a", T0)
        made.append(upserts.upsert(conn, list_id, [Person("1", "A", (("+71", ""),))]).created)

    side_by_side(two.a, two.b, upload, upload)
    assert made == [1, 0]


def test_two_put_the_same_number_on_a_stop_list(store: Store, two: Two) -> None:
    made: list[int] = []

    def add(conn: Connection) -> None:
        made.append(stop_lists.add(conn, "asked", ["+71"], "", T0))

    side_by_side(two.a, two.b, add, add)
    assert made == [1, 0]


def test_what_was_in_the_way_is_run_again(store: Store, postgres_url: str) -> None:
    """Two lock two rows in opposite order: the server breaks one of them, and both are done in the end."""
    store.run_now(lambda conn: conn.execute(text("CREATE TABLE pad AS SELECT n, 0 AS v FROM generate_series(1, 2) n")))
    met = threading.Barrier(2)
    runs: list[int] = []

    def work(door: Store, order: tuple[int, int]) -> None:
        def job(conn: Connection) -> None:
            runs.append(1)
            for place, number in enumerate(order):
                conn.execute(text("UPDATE pad SET v = v + 1 WHERE n = :n"), {"n": number})
                if place == 0 and len(runs) <= 2:
                    met.wait(PATIENCE_S)

        door.run_now(job)

    other = Store.open(postgres_url)
    threads = [threading.Thread(target=work, args=pair) for pair in ((store, (1, 2)), (other, (2, 1)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    other.close()
    assert len(runs) >= 3, "two that are run again may get in each other's way again"
    assert store.read_now(lambda conn: conn.execute(text("SELECT v FROM pad ORDER BY n")).scalars().all()) == [2, 2]


def test_one_node_has_one_server(store: Store, postgres_url: str) -> None:
    store.be_node("office")
    other = Store.open(postgres_url)
    with pytest.raises(StoreError, match="another server named 'office'"):
        other.be_node("office")
    other.close()
    third = Store.open(postgres_url)
    third.be_node("warehouse")
    third.close()
    fourth = Store.open(postgres_url)
    fourth.be_node("warehouse")
    fourth.close()


def test_texts_of_switches_may_have_nul_in_them(store: Store) -> None:
    campaign_id = fill(store, "a", [["+71"]])
    got = store.run_now(lambda conn: claim(conn, campaign_id))
    assert got is not None
    end = Finish(Outcome.BUSY, Cause.BUSY, T0, native_text="17\0x")
    store.run_now(lambda conn: attempts.finish(conn, got.attempt_id, end, T0))
    cause = store.read_now(lambda conn: conn.execute(select(attempt.c.native_cause)).scalar_one())
    assert cause == "17\N{REPLACEMENT CHARACTER}x"
