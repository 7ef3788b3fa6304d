"""Webhooks: other systems that are told of events by themselves."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import AwareDateTime, Boolean, Integer, List, Nested, String
from apiflask.validators import Length, OneOf

from ocm_cti.domain.access import Scope
from ocm_cti.domain.webhooks import EVENTS, LONGEST_URL
from ocm_cti.office.webhooks import Hook
from ocm_cti.store.webhooks import Message
from web import security
from web.api.common import Page, must
from web.api.description import blueprint

api = blueprint("webhooks")


class WantedHook(Schema):
    class Meta:
        unknown = "raise"

    url = String(
        required=True,
        validate=Length(min=1, max=LONGEST_URL),
        metadata={"description": "Where to POST; an address inside only when ocm.toml allows it"},
    )
    events = List(
        String(validate=OneOf(EVENTS)), load_default=list, metadata={"description": "Left out or empty: all of them"}
    )
    lists = List(
        String(validate=Length(min=1, max=200)),
        load_default=list,
        metadata={"description": "Of these lists only; left out or empty: of all"},
    )


class ApiHook(Schema):
    id = Integer(required=True)
    url = String(required=True)
    events = List(String(), required=True)
    lists = List(String(), required=True)
    enabled = Boolean(required=True)
    made_by = String(required=True)
    created_at = AwareDateTime(required=True)
    waiting = Integer(required=True)
    delivered = Integer(required=True)
    given_up = Integer(required=True)
    last_at = AwareDateTime(required=True, allow_none=True)
    last_error = String(required=True)


class NewHook(ApiHook):
    secret = String(
        required=True,
        metadata={"description": "What messages are signed with (Standard Webhooks); it is not told again"},
    )


class Hooks(Schema):
    items = List(Nested(ApiHook), required=True)


class ApiMessage(Schema):
    id = String(required=True, metadata={"description": "webhook-id"})
    event = String(required=True)
    state = String(required=True, validate=OneOf(["waiting", "delivered", "given_up"]))
    tries = Integer(required=True)
    made_at = AwareDateTime(required=True)
    due_at = AwareDateTime(required=True)
    status = Integer(required=True, allow_none=True)
    error = String(required=True)


class Messages(Schema):
    items = List(Nested(ApiMessage), required=True)
    after = Integer(required=True, allow_none=True)


def plain(hook: Hook) -> dict[str, Any]:
    one, standing = hook.webhook, hook.standing
    return {
        "id": one.webhook_id,
        "url": one.url,
        "events": list(one.events),
        "lists": list(one.lists),
        "enabled": not one.disabled,
        "made_by": one.made_by,
        "created_at": one.created_at,
        "waiting": standing.waiting,
        "delivered": standing.delivered,
        "given_up": standing.given_up,
        "last_at": standing.last_at,
        "last_error": standing.last_error,
    }


def _message(message: Message) -> dict[str, Any]:
    return {
        "id": message.message_id,
        "event": message.event,
        "state": message.state,
        "tries": message.tries,
        "made_at": message.made_at,
        "due_at": message.due_at,
        "status": message.status,
        "error": message.error,
    }


@api.get("/webhooks")
@api.output(Hooks)
@api.doc(summary="All webhooks", operation_id="webhooks")
def overview() -> Any:
    must(Scope.ADMIN)
    return {"items": [plain(one) for one in security.office().webhooks.everyone(security.caller())]}


@api.post("/webhooks")
@api.input(WantedHook)
@api.output(NewHook, status_code=201)
@api.doc(summary="Make a webhook", operation_id="make_webhook")
def make(json_data: dict[str, Any]) -> Any:
    must(Scope.ADMIN)
    desk = security.office().webhooks
    made = desk.add(security.caller(), json_data["url"], json_data["events"], json_data["lists"])
    return (
        plain(made) | {"secret": made.webhook.secret},
        201,
        {"Location": f"/api/v1/webhooks/{made.webhook.webhook_id}"},
    )


@api.get("/webhooks/<int:webhook_id>")
@api.output(ApiHook)
@api.doc(summary="One webhook, and how it does", operation_id="webhook")
def one(webhook_id: int) -> Any:
    must(Scope.ADMIN)
    return plain(security.office().webhooks.one(security.caller(), webhook_id))


@api.delete("/webhooks/<int:webhook_id>")
@api.output({}, status_code=204)
@api.doc(summary="Remove a webhook with its messages", operation_id="remove_webhook")
def remove(webhook_id: int) -> Any:
    must(Scope.ADMIN)
    security.office().webhooks.remove(security.caller(), webhook_id)
    return ""


@api.post("/webhooks/<int:webhook_id>/test")
@api.output(ApiHook)
@api.doc(summary="Send it a message that says nothing", operation_id="test_webhook")
def test(webhook_id: int) -> Any:
    must(Scope.ADMIN)
    return plain(security.office().webhooks.test(security.caller(), webhook_id))


@api.get("/webhooks/<int:webhook_id>/messages")
@api.input(Page, location="query")
@api.output(Messages)
@api.doc(summary="Its messages, the newest first", operation_id="webhook_messages")
def messages(webhook_id: int, query_data: dict[str, Any]) -> Any:
    must(Scope.ADMIN)
    limit = query_data["limit"]
    found = security.office().webhooks.messages(security.caller(), webhook_id, query_data["after"], limit + 1)
    more = found[limit - 1].message_row if len(found) > limit else None
    return {"items": [_message(message) for message in found[:limit]], "after": more}
