"""Webhooks and their outbox: what is to be told is written with what it tells of, in one transaction.

So nothing is told that did not happen, and nothing that happened is forgotten; a message may come twice (after a crash
between the answer and its record), and has an id by which the receiver knows it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from ocm_cti.domain import webhooks as rules
from ocm_cti.store.errors import StoreError
from ocm_cti.store.schema import LARGEST_ID, webhook, webhook_message

WAITING = "waiting"
DELIVERED = "delivered"
GIVEN_UP = "given_up"

#: Delivered messages are kept for a look so long, those given up longer: they can be sent once more.
KEPT = timedelta(days=3)
GIVEN_UP_KEPT = timedelta(days=30)
LONGEST_ERROR = 300

_ENABLED = select(webhook).where(~webhook.c.disabled)


class WebhookRefused(StoreError):
    """It can't be made or changed; the text says why."""


@dataclass(frozen=True)
class Webhook:
    """``events`` (): all of them; ``lists`` (): of all lists."""

    webhook_id: int
    url: str
    secret: str
    events: tuple[str, ...]
    lists: tuple[str, ...]
    disabled: bool
    made_by: str
    created_at: datetime

    def wants(self, event: str, list_name: str) -> bool:
        return (not self.events or event in self.events) and (not self.lists or list_name in self.lists)


@dataclass(frozen=True)
class Message:
    """One event for one webhook. ``status``: of HTTP, None without an answer; ``due_at``: of a waiting one."""

    message_row: int
    webhook_id: int
    message_id: str
    event: str
    body: str
    state: str
    tries: int
    due_at: datetime
    made_at: datetime
    status: int | None
    error: str


@dataclass(frozen=True)
class Standing:
    """How a webhook does: messages by state, and what came of the last try."""

    waiting: int
    delivered: int
    given_up: int
    last_at: datetime | None
    last_error: str


def add(
    conn: Connection, url: str, events: Sequence[str], lists: Sequence[str], made_by: str, now: datetime
) -> Webhook:
    """Raises WebhookRefused."""
    try:
        rules.target(url)
    except rules.UnusableUrl as error:
        raise WebhookRefused(str(error)) from None
    unknown = sorted({*events} - {*rules.EVENTS})
    if unknown:
        raise WebhookRefused(f"there is no event {', '.join(unknown)}; there are {', '.join(rules.EVENTS)}")
    values = {
        "url": url,
        "secret": rules.new_secret(),
        "events": list(dict.fromkeys(events)),
        "lists": list(dict.fromkeys(lists)),
        "made_by": made_by,
        "created_at": now,
    }
    return _webhook(conn.execute(insert(webhook).values(values).returning(webhook)).one())


def everyone(conn: Connection) -> list[Webhook]:
    return [_webhook(row) for row in conn.execute(select(webhook).order_by(webhook.c.id))]


def find(conn: Connection, webhook_id: int) -> Webhook | None:
    if webhook_id > LARGEST_ID:
        return None
    row = conn.execute(select(webhook).where(webhook.c.id == webhook_id)).first()
    return None if row is None else _webhook(row)


def switch(conn: Connection, webhook_id: int, *, off: bool) -> None:
    """Off, it gets no new messages and those that wait stay; on again, these go out."""
    conn.execute(update(webhook).where(webhook.c.id == webhook_id).values(disabled=off))


def remove(conn: Connection, webhook_id: int) -> None:
    """With all its messages."""
    conn.execute(delete(webhook_message).where(webhook_message.c.webhook_id == webhook_id))
    conn.execute(delete(webhook).where(webhook.c.id == webhook_id))


def emit(
    conn: Connection, event: str, list_name: Callable[[], str], details: Callable[[], Mapping[str, Any]], now: datetime
) -> None:
    """Put the event into the outbox of everybody who wants it; what it says is only made when there is somebody."""
    wanting = [one for row in conn.execute(_ENABLED) if not (one := _webhook(row)).events or event in one.events]
    if not wanting:
        return
    of_list = list_name()
    wanting = [one for one in wanting if one.wants(event, of_list)]
    if wanting:
        body = {"type": event, "timestamp": _iso(now), "data": {"list": of_list, **details()}}
        _put(conn, wanting, event, body, now)


def test(conn: Connection, one: Webhook, now: datetime) -> None:
    """A message that says nothing, now."""
    _put(
        conn, [one], rules.TEST, {"type": rules.TEST, "timestamp": _iso(now), "data": {"webhook": one.webhook_id}}, now
    )


def _put(conn: Connection, to: Collection[Webhook], event: str, body: Mapping[str, Any], now: datetime) -> None:
    text = json.dumps(body, ensure_ascii=False)
    rows = [
        {
            "webhook_id": one.webhook_id,
            "message_id": f"msg_{uuid.uuid4().hex}",
            "event": event,
            "body": text,
            "state": WAITING,
            "due_at": now,
            "made_at": now,
        }
        for one in to
    ]
    conn.execute(insert(webhook_message), rows)


def due(conn: Connection, now: datetime, limit: int) -> list[tuple[Webhook, Message]]:
    """Those whose time has come, the oldest first, a few of each webhook: one that is slow must not stop the others."""
    found: list[tuple[Webhook, Message]] = []
    for row in conn.execute(_ENABLED.order_by(webhook.c.id)).all():
        one = _webhook(row)
        query = select(webhook_message).where(
            webhook_message.c.webhook_id == one.webhook_id,
            webhook_message.c.state == WAITING,
            webhook_message.c.due_at <= now,
        )
        ordered = query.order_by(webhook_message.c.due_at, webhook_message.c.id).limit(limit)
        found += [(one, _message(message)) for message in conn.execute(ordered)]
    return found


def next_due_at(conn: Connection) -> datetime | None:
    """When the next try of any is; None: nothing waits."""
    query = (
        select(func.min(webhook_message.c.due_at))
        .join(webhook)
        .where(webhook_message.c.state == WAITING, ~webhook.c.disabled)
    )
    return conn.execute(query).scalar()


def tried(conn: Connection, message_row: int, now: datetime, status: int | None, error: str) -> str:
    """What came of a try; ``error`` "": it was taken. Gives the state that the message is in now."""
    row = conn.execute(select(webhook_message).where(webhook_message.c.id == message_row)).first()
    if row is None or row.state != WAITING:
        return DELIVERED if row is None else str(row.state)
    tries = row.tries + 1
    values: dict[str, object] = {"tries": tries, "status": status, "error": error[:LONGEST_ERROR], "tried_at": now}
    wait_s = rules.retry_s(tries)
    if not error:
        values["state"] = DELIVERED
    elif wait_s is None:
        values["state"] = GIVEN_UP
    else:
        values["due_at"] = now + timedelta(seconds=wait_s)
    conn.execute(update(webhook_message).where(webhook_message.c.id == message_row).values(values))
    return str(values.get("state", WAITING))


def again(conn: Connection, webhook_id: int, now: datetime, message_row: int | None = None) -> int:
    """Send once more what was given up, and now what waits for its next try; gives how many. None: all of them."""
    query = update(webhook_message).where(
        webhook_message.c.webhook_id == webhook_id, webhook_message.c.state.in_([WAITING, GIVEN_UP])
    )
    if message_row is not None:
        query = query.where(webhook_message.c.id == message_row)
    return int(conn.execute(query.values(state=WAITING, tries=0, due_at=now)).rowcount)


def messages(conn: Connection, webhook_id: int, before: int | None = None, limit: int = 50) -> list[Message]:
    """The newest first; ``before``: those that were made before that one."""
    query = select(webhook_message).where(webhook_message.c.webhook_id == webhook_id)
    if before is not None:
        query = query.where(webhook_message.c.id < min(before, LARGEST_ID))
    return [_message(row) for row in conn.execute(query.order_by(webhook_message.c.id.desc()).limit(limit))]


def standing(conn: Connection, webhook_id: int) -> Standing:
    of_it = webhook_message.c.webhook_id == webhook_id
    by_state = select(webhook_message.c.state, func.count()).where(of_it).group_by(webhook_message.c.state)
    states: dict[str, int] = {state: count for state, count in conn.execute(by_state)}
    last = conn.execute(
        select(webhook_message.c.tried_at, webhook_message.c.error)
        .where(of_it, webhook_message.c.tried_at.is_not(None))
        .order_by(webhook_message.c.tried_at.desc())
        .limit(1)
    ).first()
    return Standing(
        states.get(WAITING, 0),
        states.get(DELIVERED, 0),
        states.get(GIVEN_UP, 0),
        None if last is None else last.tried_at,
        "" if last is None else last.error,
    )


def forget_old(conn: Connection, now: datetime) -> int:
    """Gives how many messages are gone."""
    gone = 0
    for state, kept in ((DELIVERED, KEPT), (GIVEN_UP, GIVEN_UP_KEPT)):
        old = (webhook_message.c.state == state) & (webhook_message.c.made_at < now - kept)
        gone += conn.execute(delete(webhook_message).where(old)).rowcount
    return gone


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _webhook(row: Row[Any]) -> Webhook:
    return Webhook(
        row.id, row.url, row.secret, tuple(row.events), tuple(row.lists), row.disabled, row.made_by, row.created_at
    )


def _message(row: Row[Any]) -> Message:
    return Message(
        row.id,
        row.webhook_id,
        row.message_id,
        row.event,
        row.body,
        row.state,
        row.tries,
        row.due_at,
        row.made_at,
        row.status,
        row.error,
    )
