"""The Flask application: pages and API over one office."""

from __future__ import annotations

from typing import Any

from apiflask import APIFlask

from ocm_cti._version import __version__
from ocm_cti.office import Office
from web import errors, language, security, static_files, words
from web.api import campaigns as api_campaigns
from web.api import description
from web.api import health as api_health
from web.api import imports as api_imports
from web.api import lists as api_lists
from web.api import messages as api_messages
from web.api import reports as api_reports
from web.api import stop_lists as api_stop_lists
from web.api import texts as api_texts
from web.api import tokens as api_tokens
from web.api import webhooks as api_webhooks
from web.pages import (
    account,
    audit,
    campaigns,
    imports,
    list_settings,
    lists,
    login,
    monitor,
    people,
    reports,
    scenarios,
    set_up,
    stop_lists,
    studio,
    tokens,
    users,
)
from web.pages import webhooks as webhook_pages

#: A body beyond this is refused; an import and a message are read by pages that say so.
LONGEST_BODY = 64 * 1024 * 1024

PAGES = (
    account.pages,
    audit.pages,
    campaigns.pages,
    imports.pages,
    list_settings.pages,
    lists.pages,
    login.pages,
    monitor.pages,
    people.pages,
    reports.pages,
    scenarios.pages,
    set_up.pages,
    stop_lists.pages,
    studio.pages,
    tokens.pages,
    users.pages,
    webhook_pages.pages,
)
API = (
    api_campaigns.api,
    api_health.api,
    api_imports.api,
    api_lists.api,
    api_messages.api,
    api_reports.api,
    api_stop_lists.api,
    api_tokens.api,
    api_webhooks.api,
)


def create_app(office: Office, *, secure_cookies: bool = False, login_limit: str = "20 per minute") -> APIFlask:
    """``secure_cookies``: the panel is reached by HTTPS only. ``login_limit`` holds for each address."""
    app = APIFlask(
        __name__, title="OCM", version=__version__, spec_path=description.PATH, docs_path=None, json_errors=False
    )
    settings: dict[str, Any] = {
        "SECRET_KEY": office.panel_key(),
        "MAX_CONTENT_LENGTH": LONGEST_BODY,
        "SESSION_COOKIE_NAME": "ocm_form",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": secure_cookies,
        "WTF_CSRF_TIME_LIMIT": None,  # a page may lie open for days
        "WTF_CSRF_CHECK_DEFAULT": False,  # ``security`` asks for it where a cookie vouches for the caller
        "WTF_CSRF_SSL_STRICT": False,
        "RATELIMIT_HEADERS_ENABLED": True,
    }
    app.config.update(settings)
    app.extensions["office"] = office
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    static_files.install(app)
    language.install(app)
    words.install(app)
    errors.install(app)
    security.install(app, login_limit)
    description.install(app)
    api_texts.install(app)
    for blueprint in (*PAGES, *API):
        app.register_blueprint(blueprint)
    return app
