"""Recorded messages that scenarios play: which there are, bring one, hear one, delete one."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from apiflask import Schema
from apiflask.fields import AwareDateTime, File, Integer, List, Nested, String
from apiflask.validators import Length
from flask import request, url_for

from ocm_cti.domain.access import Scope
from ocm_cti.office.studio import LARGEST, RecordedMessage
from web import security
from web.api.common import must, once
from web.api.description import SOUND, blueprint
from web.pages.studio import played

api = blueprint("messages")

#: What belongs to a form beside the file.
_FORM = 64 * 1024
_CHUNK = 1 << 16


class Message(Schema):
    id = String(required=True, metadata={"description": "Stands for the name in addresses; another name, another id"})
    name = String(required=True, metadata={"description": 'What scenarios play: `{ recording = "…" }`'})
    octets = Integer(required=True)
    changed_at = AwareDateTime(required=True)
    used_by = List(String(), required=True, metadata={"description": "Scenarios that play it"})
    campaigns = List(String(), required=True, metadata={"description": "Lists whose open campaigns still may play it"})


class Messages(Schema):
    items = List(Nested(Message), required=True)


class Brought(Schema):
    file = File(  # type: ignore[no-untyped-call]
        required=True, metadata={"description": "WAV, MP3, OGG or FLAC of at most 20 MB and 10 minutes"}
    )
    name = String(load_default="", validate=Length(max=200), metadata={"description": "Else as the file is called"})


class Which(Schema):
    class Meta:
        unknown = "raise"

    search = String(load_default="", validate=Length(max=200), metadata={"description": "A part of the name"})


def plain(message: RecordedMessage) -> dict[str, Any]:
    return {
        "id": message.message_id,
        "name": message.name,
        "octets": message.octets,
        "changed_at": message.changed_at.isoformat(),
        "used_by": list(message.used_by),
        "campaigns": list(message.campaigns),
    }


def _sent(message: Any) -> dict[str, Any]:
    return {**message, "changed_at": datetime.fromisoformat(message["changed_at"])}


@api.get("/messages")
@api.input(Which, location="query", unknown=None)
@api.output(Messages)
@api.doc(summary="All messages, by name", operation_id="messages")
def overview(query_data: dict[str, Any]) -> Any:
    found = security.office().studio.messages(security.caller(), query_data["search"])
    return {"items": [_sent(plain(one)) for one in found]}


@api.post("/messages")
@api.input(Brought, location="form_and_files")
@api.output(Message, status_code=201)
@api.doc(summary="Bring a recording; it becomes a WAV of 8 kHz", operation_id="bring_message")
def bring(form_and_files_data: dict[str, Any]) -> Any:
    must(Scope.OPERATE)
    brought = form_and_files_data["file"]
    name = form_and_files_data["name"] or brought.filename or ""
    stream, digest = brought.stream, hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    stream.seek(0)
    office, caller = security.office(), security.caller()
    made = once([name, digest.hexdigest()], lambda: plain(office.studio.upload(caller, name, stream)))
    return _sent(made), 201, {"Location": url_for("api_messages.one", message_id=made["id"])}


@api.get("/messages/<string:message_id>")
@api.output(Message)
@api.doc(summary="One message", operation_id="message")
def one(message_id: str) -> Any:
    return _sent(plain(security.office().studio.message(security.caller(), message_id)))


@api.get("/messages/<string:message_id>/sound")
@api.doc(
    summary="As it comes out of a telephone",
    operation_id="message_sound",
    responses=SOUND,
)
def sound(message_id: str) -> Any:
    return played(security.office().studio.sound(security.caller(), message_id))


@api.delete("/messages/<string:message_id>")
@api.output({}, status_code=204)
@api.doc(summary="Delete a message that no scenario plays", operation_id="delete_message")
def delete(message_id: str) -> Any:
    must(Scope.OPERATE)
    security.office().studio.delete(security.caller(), message_id)
    return ""


@api.before_request
def _bounded() -> None:
    request.max_content_length = LARGEST + _FORM
