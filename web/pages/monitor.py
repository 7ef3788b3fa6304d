"""The monitor: what goes on at this moment, and the buttons for it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request
from flask_babel import gettext, lazy_gettext

from ocm_cti.domain.access import Scope
from ocm_cti.office.alarms import CAMPAIGN_PAUSED, DISK_FULL, LINES_OUT, LINK_DOWN, NO_ANSWER
from ocm_cti.office.campaigns import Campaign, Start
from ocm_cti.office.errors import OfficeError
from web import live, security
from web.errors import status_of

pages = Blueprint("monitor", __name__)

#: code of an alarm -> what has happened
ALARMS = {
    LINK_DOWN: lazy_gettext("No link to the switch"),
    LINES_OUT: lazy_gettext("Lines are out of service"),
    CAMPAIGN_PAUSED: lazy_gettext("A campaign has paused by itself"),
    DISK_FULL: lazy_gettext("The disk is nearly full"),
    NO_ANSWER: lazy_gettext("The dialer does not answer"),
}


@pages.get("/")
def now() -> Any:
    """The whole page, or with ``HX-Request`` only what is inside of it."""
    office, caller = security.office(), security.caller()
    picture = office.monitor(caller)
    may_operate = caller.may(Scope.OPERATE)
    return render_template(
        "monitor/_inside.html" if request.headers.get("HX-Request") else "monitor/monitor.html",
        picture=picture,
        parts=live.parts(picture, may_operate),
        shape=live.shape(picture),
        may_operate=may_operate,
        idle_lists=office.lists.startable(caller),
    )


@pages.get("/alarms")
def alarms() -> Any:
    """What every page shows above all else, asked for by itself every few seconds."""
    return render_template("part_alarms.html", alarms=security.office().alarms(security.caller()), ALARMS=ALARMS)


@pages.post("/campaigns/start")
def start() -> Any:
    how = Start(request.form.get("list", ""), test="test" in request.form)
    return _done(
        lambda: security.office().campaigns.start(security.caller(), how), gettext("The campaign has been started.")
    )


@pages.post("/campaigns/<int:campaign_id>/pause")
def pause(campaign_id: int) -> Any:
    return _done(
        lambda: security.office().campaigns.pause(security.caller(), campaign_id),
        gettext("Paused: calls that are up go on to their end, nobody else is called."),
    )


@pages.post("/campaigns/<int:campaign_id>/resume")
def resume(campaign_id: int) -> Any:
    return _done(
        lambda: security.office().campaigns.resume(security.caller(), campaign_id), gettext("The campaign goes on.")
    )


@pages.post("/campaigns/<int:campaign_id>/stop")
def stop(campaign_id: int) -> Any:
    hang_up = "hang_up" in request.form
    return _done(
        lambda: security.office().campaigns.stop(security.caller(), campaign_id, hang_up=hang_up),
        gettext("Stopped: those who were still waiting are not called."),
    )


def _done(deed: Any, words: str) -> Any:
    """Back to where he came from with what came of it; for htmx only a line that says so."""
    try:
        changed: Campaign = deed()
        text, kind, status = f"{changed.row.list_name}: {words}", "success", 200
    except OfficeError as error:
        text, kind, status = str(error), "danger", status_of(error)
    if request.headers.get("HX-Request"):
        return Response(render_template("part_notice.html", text=text, kind=kind), status=status)
    flash(text, kind)
    return redirect(security.local_path(request.form.get("back")))
