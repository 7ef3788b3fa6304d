"""Stop lists: who is never called."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from ocm_cti.domain.access import Scope
from ocm_cti.office.errors import OfficeError
from web import security

pages = Blueprint("stop_lists", __name__, url_prefix="/set-up/stop-lists")

PAGE = 50


@pages.get("")
def overview() -> Any:
    """``list``: one of them; ``search``: a part of a number or reason."""
    return _page()


@pages.post("")
@security.needs(Scope.OPERATE)
def add() -> Any:
    office, caller, form = security.office(), security.caller(), request.form
    name, text = form.get("name", ""), form.get("entries", "")
    try:
        added = office.stop_lists.add(caller, name, text, form.get("reason", ""), sure="sure" in form)
    except OfficeError as error:
        flash(str(error), "danger")
        return _page(typed=form), 422
    words = gettext("%(name)s: %(new)s added, %(known)s stood on it already.", name=name.strip(), new=added.new,
                    known=added.given - added.new)  # fmt: skip
    flash(words, "success")
    return redirect(url_for("stop_lists.overview", list=name.strip()), 303)


@pages.post("/remove")
@security.needs(Scope.OPERATE)
def remove() -> Any:
    """Each ``entry`` is the number, a space, and the name of the list."""
    office, caller = security.office(), security.caller()
    chosen: dict[str, list[str]] = {}
    for one in request.form.getlist("entry"):
        entry, _, name = one.partition(" ")
        chosen.setdefault(name, []).append(entry)
    if not chosen:
        flash(gettext("Tick somebody first."), "danger")
    else:
        gone = sum(office.stop_lists.remove(caller, name, entries) for name, entries in chosen.items())
        flash(gettext("Taken off: %(count)s. They may be called again.", count=gone), "success")
    kept: dict[str, Any] = {key: request.form[key] for key in ("list", "search") if request.form.get(key)}
    return redirect(url_for("stop_lists.overview", **kept), 303)


def _page(typed: Any = None) -> str:
    desk, caller, asked = security.office().stop_lists, security.caller(), request.args
    name, search = asked.get("list", ""), asked.get("search", "").strip()
    return render_template(
        "set_up/stop_lists.html",
        names=desk.names(caller),
        page=desk.page(caller, name or None, search, asked.get("after", ""), PAGE),
        name=name,
        search=search,
        after=asked.get("after", ""),
        typed=typed or {},
        may_operate=caller.may(Scope.OPERATE),
    )
