"""Messages to other systems: out of the ledger, once, again when they are not taken, and over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from dialer_house import House
from twisted.internet.defer import Deferred, fail, succeed

from ocm_cti.domain import webhooks as rules
from ocm_cti.domain.causes import Cause
from ocm_cti.gateways.interface import EndedBy
from ocm_cti.store import attempts, campaigns, lists, webhooks
from ocm_cti.store.webhooks import Message, Webhook, WebhookRefused
from ocm_cti.webhooks import Deliverer, NotSent

URL = "https://crm.example/hook"


class Receiver:
    """Another system; ``answers`` are what it says to the next messages, 204 when there are none left."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Mapping[str, str], Any]] = []
        self.answers: list[int | Exception] = []
        self.waiting: list[Deferred[int]] = []
        self.slow = False

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes, /) -> Deferred[int]:
        self.got.append((url, headers, json.loads(body)))
        if self.slow:
            self.waiting.append(Deferred())
            return self.waiting[-1]
        answer = self.answers.pop(0) if self.answers else 204
        return fail(answer) if isinstance(answer, Exception) else succeed(answer)

    @property
    def events(self) -> list[str]:
        return [body["type"] for _, _, body in self.got]


class Hooked(House):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder, [["+74951234501"], ["+74951234502"]])
        self.receiver = Receiver()
        self.deliverer = Deliverer(self.store, self.receiver, self.clock, self.clock.utc)  # type: ignore[arg-type]

    def hook(self, *events: str, of: tuple[str, ...] = (), url: str = URL) -> Webhook:
        made: Webhook = self.store.now(lambda conn: webhooks.add(conn, url, events, of, "anna", self.clock.utc()))
        return made

    def outbox(self, one: Webhook) -> list[Message]:
        found: list[Message] = self.store.now(lambda conn: webhooks.messages(conn, one.webhook_id))
        return found[::-1]

    def of_list(self, change: Any) -> Any:
        return self.store.now(lambda conn: change(conn, lists.find(conn, "water")))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Hooked]:
    house = Hooked(tmp_path)
    yield house
    house.deliverer.stop()
    house.close()


def test_what_came_of_a_call_is_told_with_its_outcome(house: Hooked) -> None:
    one = house.hook()
    house.deliverer.start()
    house.dialer.start()
    call = house.gateway.placed[0]
    call.answer()
    call.heard()
    call.observer.digit("1")
    house.clock.advance(1)
    (url, headers, body) = house.receiver.got[0]
    assert (url, body["type"]) == (URL, "attempt.finished")
    assert body["timestamp"] == "2026-11-22T03:00:01.000Z"
    told = body["data"]
    assert told == {
        **{"list": "water", "campaign": house.campaign, "test": False, "person": "+74951234501", "name": "P0"},
        **{"attempt": call.attempt_id, "try": 1, "number": "+74951234501", "outcome": "confirmed", "cause": "normal"},
        **{"heard_ms": told["heard_ms"], "of_ms": told["of_ms"], "keys": "1"},
        **{"answers": [], "recordings": [], "final": "confirmed"},
        "ended_at": "2026-11-22T03:00:01.000Z",
    }
    (message, *_) = house.outbox(one)
    assert headers["webhook-id"] == message.message_id
    signed = rules.signature(one.secret, message.message_id, int(headers["webhook-timestamp"]), message.body.encode())
    assert headers["webhook-signature"] == signed
    assert (message.state, message.status, message.tries) == ("delivered", 204, 1)


def test_a_campaign_is_told_from_its_start_to_its_end(house: Hooked) -> None:
    house.of_list(lambda conn, list_id: campaigns.stop(conn, list_id, house.clock.utc()))
    one = house.hook(*(event for event in rules.EVENTS if event.startswith("campaign.")))
    from dialer_house import POLICY, SCENARIO

    from ocm_cti.store import campaign_start

    def again(conn: Any, list_id: int) -> int:
        return campaign_start.start(conn, list_id, house.clock.utc(), SCENARIO, POLICY)

    second = house.of_list(again)
    house.of_list(lambda conn, list_id: campaigns.pause(conn, list_id, house.clock.utc(), "lunch"))
    house.of_list(lambda conn, list_id: campaigns.resume(conn, list_id, house.clock.utc()))
    house.of_list(lambda conn, list_id: campaigns.stop(conn, list_id, house.clock.utc()))
    told = [(message.event, json.loads(message.body)["data"]) for message in house.outbox(one)]
    common = {"list": "water", "campaign": second, "test": False}
    assert told == [
        ("campaign.started", {**common, "people": 2}),
        ("campaign.paused", {**common, "why": "lunch"}),
        ("campaign.resumed", common),
        ("campaign.stopped", common),
        ("campaign.finished", {**common, "outcomes": {"stopped": 2}}),
    ]


def test_only_what_was_asked_for_is_told(house: Hooked) -> None:
    others = house.hook(of=("gas",))
    starts = house.hook("campaign.started")
    ends = house.hook("attempt.finished", of=("water", "gas"))
    off = house.hook()
    house.store.now(lambda conn: webhooks.switch(conn, off.webhook_id, off=True))
    house.dialer.start()
    house.gateway.placed[0].fail(Cause.REJECTED)
    assert [len(house.outbox(one)) for one in (others, starts, ends, off)] == [0, 0, 1, 0]
    (message,) = house.outbox(ends)
    assert json.loads(message.body)["data"]["final"] == "rejected"
    house.gateway.placed[1].fail(Cause.BUSY)
    assert json.loads(house.outbox(ends)[1].body)["data"]["final"] is None, "he is called again"


def test_what_did_not_happen_is_not_told(house: Hooked) -> None:
    one = house.hook()
    house.dialer.start()

    def undone(conn: Any) -> None:
        end = attempts.Finish(attempts.Outcome.BUSY, Cause.BUSY, house.clock.utc())
        attempts.finish(conn, house.gateway.placed[0].attempt_id, end, house.clock.utc())
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        house.store.now(undone)
    assert house.outbox(one) == []


def test_what_is_not_taken_is_tried_again_and_given_up_in_the_end(house: Hooked) -> None:
    one = house.hook()
    house.receiver.answers = [500, NotSent("no connection"), 301, *[503] * 20]
    house.store.now(lambda conn: webhooks.test(conn, one, house.clock.utc()))
    house.deliverer.start()
    errors = []
    for wait_s in rules.RETRY_S:
        (message,) = house.outbox(one)
        errors.append(message.error)
        assert message.state == "waiting" and message.due_at - house.clock.utc() == timedelta(seconds=wait_s)
        house.clock.pump([1.0] * 2 + [wait_s - 2])
    (message,) = house.outbox(one)
    assert errors[:3] == ["it answered 500", "no connection", "it answered 301"]
    assert (message.state, message.status, message.tries) == ("given_up", 503, 9)
    assert len({headers["webhook-id"] for _, headers, _ in house.receiver.got}) == 1
    house.receiver.answers = []
    house.store.now(lambda conn: webhooks.again(conn, one.webhook_id, house.clock.utc()))
    house.clock.advance(1)
    assert house.outbox(one)[0].state == "delivered"


def test_one_that_is_slow_stops_neither_itself_nor_the_dialer(house: Hooked) -> None:
    one = house.hook()
    house.receiver.slow = True
    house.store.now(lambda conn: webhooks.test(conn, one, house.clock.utc()))
    house.deliverer.start()
    house.clock.advance(1)
    assert len(house.receiver.got) == 1, "not a second time while the first is under way"
    house.dialer.start()
    assert len(house.gateway.placed) == 2
    house.gateway.placed[0].answer()
    house.gateway.placed[0].end(EndedBy.THEM)
    house.receiver.slow = False
    house.receiver.waiting[0].callback(200)
    house.clock.advance(2)
    assert house.receiver.events == ["webhook.test", "attempt.finished"]


def test_a_ledger_that_fails_in_the_middle_tells_it_once_more(house: Hooked) -> None:
    one = house.hook()
    house.store.now(lambda conn: webhooks.test(conn, one, house.clock.utc()))
    house.store.broken = OSError("disk full")
    house.deliverer.start()
    house.store.broken = None
    house.clock.advance(2)
    first, *more = [headers["webhook-id"] for _, headers, _ in house.receiver.got]
    assert set(more) <= {first}
    assert house.outbox(one)[0].state == "delivered"


def test_old_messages_are_forgotten(house: Hooked) -> None:
    one = house.hook()
    for _ in range(3):
        house.store.now(lambda conn: webhooks.test(conn, one, house.clock.utc()))
    rows = [message.message_row for message in house.outbox(one)]
    house.store.now(lambda conn: webhooks.tried(conn, rows[0], house.clock.utc(), 200, ""))
    for _ in range(9):
        house.store.now(lambda conn: webhooks.tried(conn, rows[1], house.clock.utc(), 500, "it answered 500"))
    house.clock.advance((webhooks.KEPT + timedelta(seconds=1)).total_seconds())
    house.store.now(lambda conn: webhooks.forget_old(conn, house.clock.utc()))
    assert [message.message_row for message in house.outbox(one)] == rows[1:]
    house.clock.advance(webhooks.GIVEN_UP_KEPT.total_seconds())
    house.store.now(lambda conn: webhooks.forget_old(conn, house.clock.utc()))
    assert [message.message_row for message in house.outbox(one)] == rows[2:], "what waits is never forgotten"
    standing = house.store.now(lambda conn: webhooks.standing(conn, one.webhook_id))
    assert (standing.waiting, standing.delivered, standing.given_up) == (1, 0, 0)


def test_what_can_not_be_one_is_refused(house: Hooked) -> None:
    with pytest.raises(WebhookRefused, match="begins with https"):
        house.hook(url="ftp://crm.example/")
    with pytest.raises(WebhookRefused, match=r"no event call\.ended; there are attempt\.finished"):
        house.hook("call.ended")
    one = house.hook()
    house.store.now(lambda conn: webhooks.test(conn, one, house.clock.utc()))
    house.store.now(lambda conn: webhooks.remove(conn, one.webhook_id))
    assert house.store.now(webhooks.everyone) == []
    assert house.store.now(webhooks.next_due_at) is None
