"""Requests with an ``Idempotency-Key``: sent twice, done once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from ocm_cti.domain.access import Caller
from ocm_cti.office.errors import Refused
from ocm_cti.office.ledger import Ledger
from ocm_cti.store import idempotency

LONGEST_KEY = 100


class Once:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def do(
        self, caller: Caller, key: str, request: object, work: Callable[[], Mapping[str, Any]]
    ) -> tuple[Mapping[str, Any], bool]:
        """What ``work`` gives, and whether it was done by an earlier request of the same key.

        ``request`` (what JSON takes) must be the same as then. What fails is not remembered. Raises Refused for
        another request under the same key, and while the first is still being done.
        """
        if not key:
            return work(), False
        if len(key) > LONGEST_KEY or not key.isprintable():
            raise Refused(f"Idempotency-Key has at most {LONGEST_KEY} printable characters")
        digest = hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).hexdigest()
        now = self._ledger.now()
        earlier = self._ledger.write(lambda conn: idempotency.take(conn, caller.key, key, digest, now))
        if earlier is not None:
            if earlier.request != digest:
                raise Refused("this Idempotency-Key was used for another request; take a new one")
            if earlier.answer is None:
                raise Refused("the first request with this Idempotency-Key is still being done; ask again later")
            return earlier.answer, True
        try:
            answer = work()
        except BaseException:
            self._ledger.write(lambda conn: idempotency.forget(conn, caller.key, key))
            raise
        self._ledger.write(lambda conn: idempotency.answered(conn, caller.key, key, answer))
        return answer, False
