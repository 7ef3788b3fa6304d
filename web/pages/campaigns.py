"""All campaigns that there were, the newest first; and one of them with its people."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext

from ocm_cti.domain.access import Scope
from ocm_cti.office.errors import OfficeError
from ocm_cti.office.tasks import DEEDS, Deed, Wanted
from web import security

pages = Blueprint("campaigns", __name__)

PAGE = 25
PEOPLE = 50
#: deed -> (what is done, icon)
DEED_WORDS = {
    "call_first": (lazy_gettext("Call first"), "sort-ascending"),
    "skip": (lazy_gettext("Don't call"), "ban"),
    "again": (lazy_gettext("Call again"), "refresh"),
    "scenario": (lazy_gettext("Change the scenario"), "git-branch"),
    "stop_list": (lazy_gettext("Put on a stop list"), "phone-off"),
}
#: state of a person in a campaign -> (word, Tabler colour, icon)
TASKS = {
    "waiting": (lazy_gettext("waiting"), "secondary", "clock"),
    "calling": (lazy_gettext("being called"), "blue", "phone-calling"),
    "done": (lazy_gettext("done"), "green", "check"),
}


@pages.get("/campaigns")
def overview() -> Any:
    office, caller = security.office(), security.caller()
    page = office.campaigns.page(caller, after=request.args.get("after", type=int), limit=PAGE)
    zones = {entry.name: entry.zone for entry in office.lists.overview(caller)}
    return render_template("campaigns/campaigns.html", page=page, zones=zones)


@pages.get("/campaigns/<int:campaign_id>")
def one(campaign_id: int) -> Any:
    """The campaign and a page of its people; with ``HX-Request`` only what changes."""
    office, caller = security.office(), security.caller()
    order, backwards = request.args.get("order", "id"), request.args.get("backwards") == "1"
    wanted, after = _wanted(request.args), request.args.get("after", "")
    page = office.tasks.page(caller, campaign_id, wanted, order=order, backwards=backwards, after=after, limit=PEOPLE)
    chosen = {"state": wanted.state, "outcome": wanted.outcome, "search": wanted.search, "group": wanted.group}
    chosen = {key: value for key, value in chosen.items() if value}
    ordered = {"order": order, "backwards": "1"} if backwards else {"order": order} if order != "id" else {}
    return render_template(
        "campaigns/_campaign.html" if request.headers.get("HX-Request") else "campaigns/campaign.html",
        head=office.tasks.head(caller, campaign_id),
        page=page,
        wanted=wanted,
        chosen=chosen,
        kept={**chosen, **ordered},
        order=order,
        backwards=backwards,
        after=after,
        may_operate=caller.may(Scope.OPERATE),
        DEEDS=DEED_WORDS,
        TASKS=TASKS,
    )


@pages.post("/campaigns/<int:campaign_id>/people")
@security.needs(Scope.OPERATE)
def deed(campaign_id: int) -> Any:
    """With those who are ticked, or after a question with all whom the filter finds."""
    office, caller, form = security.office(), security.caller(), request.form
    wanted, what = _wanted(form), form.get("deed", "")
    kept: dict[str, Any] = {key: form[key] for key in _KEPT if form.get(key)}
    back = url_for("campaigns.one", campaign_id=campaign_id, **kept)
    everybody = "all" in form
    ticked = [int(one) for one in form.getlist("task") if one.isdecimal() and len(one) < 19]
    if not everybody and not ticked:
        flash(gettext("Tick somebody first."), "danger")
        return redirect(back, 303)
    name = form.get("stop_list" if what == "stop_list" else "scenario", "")
    if everybody and "sure" not in form:
        count = office.tasks.count(caller, campaign_id, wanted)
        head = office.tasks.head(caller, campaign_id)
        fields = {**kept, **{key: form.get(key, "") for key in ("stop_list", "scenario")}, "deed": what}
        return render_template(
            "campaigns/sure.html",
            head=head,
            count=count,
            fields=fields,
            what=what,
            name=name,
            back=back,
            DEEDS=DEED_WORDS,
        )
    try:
        changed = office.tasks.do(caller, campaign_id, Deed(what, None if everybody else ticked, wanted, name))
    except OfficeError as error:
        flash(str(error), "danger")
    else:
        title = DEED_WORDS[what][0] if what in DEEDS else what
        flash(gettext("%(deed)s: done with %(count)s.", deed=title, count=changed), "success")
    return redirect(back, 303)


_KEPT = ("state", "outcome", "search", "group", "order", "backwards", "after")


def _wanted(given: Any) -> Wanted:
    return Wanted(
        state=given.get("state", ""),
        outcome=given.get("outcome", "")[:20],
        search=given.get("search", "").strip()[:200],
        group=given.get("group", "").strip()[:100],
    )
