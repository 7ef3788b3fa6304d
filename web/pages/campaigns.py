"""All campaigns that there were, the newest first."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request

from web import security

pages = Blueprint("campaigns", __name__)

PAGE = 25


@pages.get("/campaigns")
def overview() -> Any:
    office, caller = security.office(), security.caller()
    page = office.campaigns.page(caller, after=request.args.get("after", type=int), limit=PAGE)
    zones = {entry.name: entry.zone for entry in office.lists.overview(caller)}
    return render_template("campaigns/campaigns.html", page=page, zones=zones)
