"""Webhooks: who is told of what, and what became of the messages. All of it is the administrator's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ocm_cti.domain.access import Caller, Scope
from ocm_cti.office.errors import NotThere
from ocm_cti.office.ledger import Ledger, must
from ocm_cti.store import webhooks
from ocm_cti.store.transactions import Connection
from ocm_cti.store.webhooks import Message, Standing, Webhook


@dataclass(frozen=True)
class Hook:
    """A webhook and how it does."""

    webhook: Webhook
    standing: Standing


class WebhookDesk:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def everyone(self, caller: Caller) -> list[Hook]:
        must(caller, Scope.ADMIN)

        def read(conn: Connection) -> list[Hook]:
            return [Hook(one, webhooks.standing(conn, one.webhook_id)) for one in webhooks.everyone(conn)]

        return self._ledger.read(read)

    def one(self, caller: Caller, webhook_id: int) -> Hook:
        """Raises NotThere."""
        must(caller, Scope.ADMIN)
        return self._ledger.read(lambda conn: self._hook(conn, webhook_id))

    def add(self, caller: Caller, url: str, events: Sequence[str] = (), lists: Sequence[str] = ()) -> Hook:
        """``events`` and ``lists`` (): all. Raises Refused."""
        must(caller, Scope.ADMIN)

        def write(conn: Connection) -> Hook:
            made = webhooks.add(conn, url.strip(), events, lists, caller.name, self._ledger.now())
            details = {"webhook": made.webhook_id, "events": list(made.events), "lists": list(made.lists)}
            self._ledger.note(conn, caller, "webhook.add", made.url[:200], details)
            return self._hook(conn, made.webhook_id)

        return self._ledger.write(write)

    def switch(self, caller: Caller, webhook_id: int, *, off: bool) -> Hook:
        """Off it gets no new messages; what waits stays. Raises NotThere."""
        deed = "webhook.off" if off else "webhook.on"
        return self._change(caller, webhook_id, deed, lambda conn, one: webhooks.switch(conn, one.webhook_id, off=off))

    def test(self, caller: Caller, webhook_id: int) -> Hook:
        """A message that says nothing, within a second. Raises NotThere."""
        now = self._ledger.now()
        return self._change(caller, webhook_id, "webhook.test", lambda conn, one: webhooks.test(conn, one, now))

    def again(self, caller: Caller, webhook_id: int) -> Hook:
        """What was given up or waits for its next try goes out now. Raises NotThere."""
        now = self._ledger.now()

        def send(conn: Connection, one: Webhook) -> None:
            webhooks.again(conn, one.webhook_id, now)

        return self._change(caller, webhook_id, "webhook.again", send)

    def remove(self, caller: Caller, webhook_id: int) -> None:
        """With its messages. Raises NotThere."""
        must(caller, Scope.ADMIN)

        def write(conn: Connection) -> None:
            one = self._hook(conn, webhook_id).webhook
            webhooks.remove(conn, webhook_id)
            self._ledger.note(conn, caller, "webhook.remove", one.url[:200], {"webhook": webhook_id})

        self._ledger.write(write)

    def messages(self, caller: Caller, webhook_id: int, before: int | None = None, limit: int = 50) -> list[Message]:
        """The newest first. Raises NotThere."""
        must(caller, Scope.ADMIN)

        def read(conn: Connection) -> list[Message]:
            self._hook(conn, webhook_id)
            return webhooks.messages(conn, webhook_id, before, limit)

        return self._ledger.read(read)

    def _change(
        self, caller: Caller, webhook_id: int, deed: str, change: Callable[[Connection, Webhook], object]
    ) -> Hook:
        must(caller, Scope.ADMIN)

        def write(conn: Connection) -> Hook:
            one = self._hook(conn, webhook_id).webhook
            change(conn, one)
            self._ledger.note(conn, caller, deed, one.url[:200], {"webhook": webhook_id})
            return self._hook(conn, webhook_id)

        return self._ledger.write(write)

    @staticmethod
    def _hook(conn: Connection, webhook_id: int) -> Hook:
        one = webhooks.find(conn, webhook_id)
        if one is None:
            raise NotThere(f"there is no webhook {webhook_id}")
        return Hook(one, webhooks.standing(conn, webhook_id))
