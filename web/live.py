"""The parts of the monitor that change by themselves, by the id of their place in the page.

The page is made of them when it is loaded, and the live stream sends those that have changed: so both look the same.
"""

from __future__ import annotations

from flask import render_template

from ocm_cti.domain.access import Caller
from ocm_cti.office.monitor import Picture

#: Not a part: which campaigns there are. When it changes, the page asks for the table anew.
SHAPE = "shape"


def shape(picture: Picture) -> str:
    """The same as long as the page has a place for every part."""
    return " ".join(str(row.progress.campaign_id) for row in picture.rows)


def parts(picture: Picture, may_operate: bool) -> dict[str, str]:
    """HTML by the id of the element that it is the inside of. Needs an application context and a language."""
    made = {
        "live-summary": render_template("monitor/_summary.html", picture=picture),
        "live-lines": render_template("monitor/_lines.html", picture=picture),
    }
    for row in picture.rows:
        place = f"live-campaign-{row.progress.campaign_id}"
        made[f"{place}-head"] = render_template("monitor/_head.html", row=row, may_operate=may_operate)
        made[f"{place}-progress"] = render_template("monitor/_progress.html", row=row)
    return made


def group_of(caller: Caller, may_operate: bool, language: str) -> tuple[str, bool, frozenset[str]]:
    """Watchers of one group see the same, so it is rendered once for all of them."""
    return language, may_operate, caller.lists
