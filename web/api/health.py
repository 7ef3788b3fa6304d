"""Whether the server is well: the ledger, the links, the lines."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import AwareDateTime, Boolean, Dict, Integer, List, Nested, String

from web import security
from web.api.description import blueprint

api = blueprint("health")


class Link(Schema):
    state = String(required=True, metadata={"description": "up, connecting, down or refused"})
    since_at = AwareDateTime(required=True)
    reason = String(required=True)


class Alarm(Schema):
    code = String(
        required=True, metadata={"description": "link_down, lines_out, campaign_paused, disk_full, no_answer"}
    )
    subject = String(required=True, metadata={"description": "The gateway or the list"})
    reason = String(required=True)
    since_at = AwareDateTime(required=True, allow_none=True)


class Health(Schema):
    ok = Boolean(required=True, metadata={"description": "The ledger answers and every link is up"})
    version = String(required=True)
    node = String(required=True)
    links = Dict(String(), Nested(Link), required=True)
    lines_idle = Integer(required=True)
    lines_busy = Integer(required=True)
    alarms = List(Nested(Alarm), required=True, metadata={"description": "What somebody must look at"})


@api.get("/health")
@api.output(Health)
@api.doc(summary="Is the server well?", operation_id="health")
def health() -> Any:
    found = security.office().health(security.caller())
    return {
        "ok": found.ok,
        "version": found.version,
        "node": found.node,
        "links": {
            name: {"state": link.state.value, "since_at": link.since_at, "reason": link.reason}
            for name, link in found.picture.links.items()
        },
        "lines_idle": found.picture.idle,
        "lines_busy": found.picture.busy,
        "alarms": security.office().alarms(security.caller()),
    }
