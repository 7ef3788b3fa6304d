"""What the nouns of the API share: pages, scopes, requests that are done once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from apiflask import Schema
from apiflask.fields import Integer
from apiflask.validators import Range
from flask import abort, request

from ocm_cti.domain.access import Scope
from ocm_cti.store.schema import LARGEST_ID
from web import security

_WHOLE = re.compile(r"-?[0-9]{1,20}\.0+\Z")
_KEY = re.compile(r"[A-Za-z0-9_.:-]{1,100}\Z")


class Whole(Integer):
    """An integer as a description has it: there ``20.0`` is the same number as ``20``, in an address too."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> int:
        if isinstance(value, str) and _WHOLE.match(value):
            value = value.partition(".")[0]
        elif isinstance(value, float) and value.is_integer():
            value = int(value)
        return super()._deserialize(value, attr, data, **more)


class Page(Schema):
    """What a page of anything is asked with."""

    class Meta:
        unknown = "raise"  # a misspelt one would give another page than was meant

    after = Whole(load_default=None, validate=Range(0, LARGEST_ID), metadata={"description": "The last page's `after`"})
    limit = Whole(load_default=50, validate=Range(1, 500))


def must(scope: Scope) -> None:
    """403 for a caller whose scope does not reach so far."""
    if not security.caller().may(scope):
        abort(403, f"this takes the scope {scope.value}; the token has {security.caller().scope.value}")


def once(body: object, work: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """``work``'s answer; with an Idempotency-Key it is done once, and later requests get the answer of the first."""
    key = request.headers.get("Idempotency-Key", "")
    if "Idempotency-Key" in request.headers and not _KEY.match(key):
        abort(400, "Idempotency-Key has 1 to 100 letters, digits or -_.:")
    whole = [request.method, request.path, body]
    answer, _ = security.office().once.do(security.caller(), key, whole, work)
    return answer
