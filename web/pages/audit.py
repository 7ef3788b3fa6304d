"""The audit: who did what, and when."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, render_template, request

from web import security
from web.pages.set_up import may_enter

pages = Blueprint("audit", __name__, url_prefix="/set-up/audit")

PAGE = 100


@pages.get("")
def overview() -> Any:
    caller = security.caller()
    if not may_enter(caller, "audit.overview"):
        abort(403)
    search = request.args.get("search", "").strip()[:200]
    found = security.office().audit(caller, PAGE + 1, request.args.get("after", type=int), search)
    after = found[PAGE - 1].entry_id if len(found) > PAGE else None
    return render_template("set_up/audit.html", entries=found[:PAGE], after=after, search=search)
