"""The rooms of the menu that are not furnished yet: each says which command does its job meanwhile."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from flask_babel import lazy_gettext

pages = Blueprint("rooms", __name__)

#: name -> (title, icon, the commands)
ROOMS = {
    "scenarios": (lazy_gettext("Scenarios"), "route-square-2", ("ocm scenario check FILE", "ocm scenario try FILE")),
}


@pages.get("/<any('scenarios'):room>")
def room(room: str) -> Any:
    title, drawing, commands = ROOMS[room]
    return render_template("room.html", room=room, title=title, drawing=drawing, commands=commands)
