"""The ledger from the panel's threads: short transactions of its own, errors in the office's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from ocm_cti.domain.access import Caller, Scope
from ocm_cti.office.errors import NotAllowed, NotNow, Refused
from ocm_cti.store import audit
from ocm_cti.store.accounts import AccountRefused
from ocm_cti.store.campaigns import CampaignRefused
from ocm_cti.store.errors import StoreError
from ocm_cti.store.tokens import TokenRefused
from ocm_cti.store.transactions import Connection, Store
from ocm_cti.store.webhooks import WebhookRefused

T = TypeVar("T")

REFUSALS = (AccountRefused, CampaignRefused, TokenRefused, WebhookRefused)


class Ledger:
    """Never for the reactor: it blocks."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self.now = now

    def read(self, job: Callable[[Connection], T]) -> T:
        """Raises NotNow when the database does not answer."""
        try:
            return self._store.read_now(job)
        except StoreError as error:
            raise NotNow(str(error)) from error

    def write(self, job: Callable[[Connection], T]) -> T:
        """Raises Refused for what the ledger's own rules are against, NotNow when it can't be written."""
        try:
            return self._store.run_now(job)
        except REFUSALS as error:
            raise Refused(str(error)) from error
        except StoreError as error:
            raise NotNow(str(error)) from error

    def note(self, conn: Connection, caller: Caller, deed: str, subject: str, details: Mapping[str, object]) -> None:
        """One row of the audit, in the transaction of the deed."""
        audit.write(conn, audit.Entry(self.now(), caller.name, deed, subject, details))


def must(caller: Caller, needed: Scope) -> None:
    """Raises NotAllowed when ``caller`` may not so much."""
    if not caller.may(needed):
        raise NotAllowed(f"this takes the right to {needed.value}; you have {caller.scope.value}")
