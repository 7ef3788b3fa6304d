"""Which language a page is in, and in which time zone its times are."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask, g, has_request_context, request
from flask_babel import Babel, get_locale, gettext

LANGUAGES = {"ru": "Русский", "uk": "Українська", "en": "English"}
COOKIE = "ocm_language"


def install(app: Flask) -> None:
    app.config["BABEL_DEFAULT_LOCALE"] = "en"
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    Babel(app, locale_selector=chosen)
    app.jinja_env.filters.update(moment=moment, iso=iso, span=span, in_zone=in_zone)
    app.jinja_env.globals.update(LANGUAGES=LANGUAGES, language=language)


def chosen() -> str:
    """The cookie's, else the user's own, else what the browser asks for."""
    if not has_request_context():
        return "en"
    cookie = request.cookies.get(COOKIE, "")
    if cookie in LANGUAGES:
        return cookie
    visitor = g.get("visitor")
    if visitor is not None and visitor.account.language in LANGUAGES:
        return str(visitor.account.language)
    return request.accept_languages.best_match(list(LANGUAGES), "en") or "en"


def language() -> str:
    """The code of the language in which this is rendered."""
    return str(get_locale() or "en").split("_")[0]


def in_zone(at: datetime, zone: str = "") -> datetime:
    """On the clock of ``zone``; "" or an unknown one: the server's."""
    try:
        return at.astimezone(ZoneInfo(zone) if zone else None)
    except (ZoneInfoNotFoundError, ValueError):
        return at.astimezone()


def moment(at: datetime | None, zone: str = "", seconds: bool = False) -> str:
    """``16:01`` today, ``22.11.2026 16:01`` on another day; "" for None."""
    if at is None:
        return ""
    local = in_zone(at, zone)
    clock = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
    today = in_zone(datetime.now().astimezone(), zone).date()
    return clock if local.date() == today else f"{local:%d.%m.%Y} {clock}"


def iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def span(duration: timedelta) -> str:
    """How long, in one or two units: ``12 s``, ``3 min``, ``2 h 5 min``."""
    seconds = max(0, int(duration.total_seconds()))
    if seconds < 60:
        return str(gettext("%(count)s s", count=seconds))
    minutes = seconds // 60
    if minutes < 60:
        return str(gettext("%(count)s min", count=minutes))
    return str(gettext("%(hours)s h %(minutes)s min", hours=minutes // 60, minutes=minutes % 60))
