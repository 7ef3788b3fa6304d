"""The set-up: the way to its rooms, and what they have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from ocm_cti.domain.access import Caller, Scope
from ocm_cti.office.errors import OfficeError
from web import security

pages = Blueprint("set_up", __name__)

#: endpoint -> (title, what is done there, icon)
ROOMS = {
    "users.overview": (lazy_gettext("Users"), lazy_gettext("Who may log in, and what each may do"), "users"),
    "stop_lists.overview": (lazy_gettext("Stop lists"), lazy_gettext("Who is never called"), "phone-off"),
    "tokens.overview": (lazy_gettext("API tokens"), lazy_gettext("Other systems that use OCM"), "key"),
    "webhooks.overview": (lazy_gettext("Webhooks"), lazy_gettext("Other systems that OCM tells of events"), "webhook"),
    "audit.overview": (lazy_gettext("Audit"), lazy_gettext("Who did what, and when"), "history"),
}


def may_enter(caller: Caller, endpoint: str) -> bool:
    """Everything is the administrator's; an auditor reads the audit; stop lists are of all who are bound to no list."""
    if endpoint == "stop_lists.overview":
        return not caller.lists
    if endpoint == "audit.overview":
        return not caller.lists and caller.scope in (Scope.ADMIN, Scope.READ)
    return caller.may(Scope.ADMIN)


def administrators_only() -> None:
    """403 for everybody else."""
    if not security.caller().may(Scope.ADMIN):
        abort(403)


def done(deed: Callable[[], object], words: str, endpoint: str, **values: Any) -> Response:
    """Back to the page with what came of it."""
    try:
        deed()
    except OfficeError as error:
        flash(str(error), "danger")
    else:
        flash(words, "success")
    return redirect(url_for(endpoint, **values))


@pages.get("/set-up")
def overview() -> Any:
    caller = security.caller()
    rooms = {endpoint: room for endpoint, room in ROOMS.items() if may_enter(caller, endpoint)}
    return render_template("set_up/set_up.html", rooms=rooms)


@pages.app_context_processor
def _rooms() -> dict[str, Any]:
    return {"SET_UP": ROOMS, "may_enter": may_enter}
