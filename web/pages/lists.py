"""The lists and the people on them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request

from web import security

pages = Blueprint("lists", __name__)

PAGE = 50


@pages.get("/lists")
def overview() -> Any:
    return render_template("lists/lists.html", entries=security.office().lists.overview(security.caller()))


@pages.get("/lists/<path:name>")
def people(name: str) -> Any:
    """One page of its people; with ``HX-Request`` only the table."""
    office, caller = security.office(), security.caller()
    search = request.args.get("search", "").strip()
    after = request.args.get("after", 0, type=int)
    page = office.lists.people(caller, name, search, max(0, after), PAGE)
    return render_template(
        "lists/_people.html" if request.headers.get("HX-Request") else "lists/people.html",
        entry=office.lists.entry(caller, name),
        page=page,
        search=search,
        first=after == 0,
    )
