"""Who asks, what he may, and what a browser is told of it: sessions, tokens, CSRF, headers, limits."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, redirect, request, url_for
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect

from ocm_cti.domain.access import Caller, Scope
from ocm_cti.office import Office, imports
from ocm_cti.office.accounts import Visitor

COOKIE = "ocm_session"
API_PREFIX = "/api/"
#: What a stranger may see.
OPEN = frozenset({"login.form", "login.enter", "static", "account.choose_language", "account.choose_theme"})
#: What somebody may do who has to change his password first.
BEFORE_PASSWORD = OPEN | {"account.password", "account.change_password", "login.leave"}

#: What takes a body larger than others do, and how large.
UPLOADS = {"list_imports.bring": imports.LARGEST + 65_536, "api_imports.bring": imports.LARGEST + 65_536}

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
}

csrf = CSRFProtect()
F = TypeVar("F", bound=Callable[..., Any])


def office() -> Office:
    """That of the application at work."""
    return cast(Office, current_app.extensions["office"])


def caller() -> Caller:
    """Whoever asks; there is one wherever a page or an operation runs that is not open to strangers."""
    return cast(Caller, g.caller)


def visitor() -> Visitor:
    """The user at the panel; 403 for another system, which has none."""
    if g.visitor is None:
        abort(403, "this is for users, not for tokens")
    return cast(Visitor, g.visitor)


def needs(scope: Scope) -> Callable[[F], F]:
    """A page for those only who may so much; 403 for others."""

    def decorated(view: F) -> F:
        @wraps(view)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if not caller().may(scope):
                abort(403)
            return view(*args, **kwargs)

        return cast(F, wrapped)

    return decorated


def install(app: Flask, login_limit: str) -> None:
    csrf.init_app(app)
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://")
    app.extensions["login_limit"] = limiter.shared_limit(
        login_limit, scope="login", methods=["POST"], error_message="too many attempts to log in; wait a minute"
    )
    app.before_request(_identify)
    app.after_request(_headers)


def in_api() -> bool:
    return request.path.startswith(API_PREFIX)


def _identify() -> Any:
    """Finds out who asks before anything else runs; strangers get no further."""
    g.visitor = g.caller = None
    if request.endpoint in UPLOADS:
        request.max_content_length = UPLOADS[request.endpoint]
    if request.endpoint == "static":
        return None
    secret = _bearer()
    if secret is not None and in_api():
        g.caller = office().accounts.token_caller(secret)
    elif token := request.cookies.get(COOKIE):
        g.visitor = office().accounts.visitor(token)
        g.caller = g.visitor.caller if g.visitor is not None else None
    if request.method not in ("GET", "HEAD", "OPTIONS", "TRACE") and not (secret is not None and in_api()):
        if g.caller is None and in_api():
            abort(401)
        csrf.protect()  # a cookie, or nothing, vouches for the caller: another site may have sent it
    if g.caller is None:
        if in_api():
            abort(401)
        if request.endpoint not in OPEN:
            return _to_login()
    elif g.visitor is not None and g.visitor.account.must_change and request.endpoint not in BEFORE_PASSWORD:
        if in_api():
            abort(403, "change your password first")
        return redirect(url_for("account.password"))
    return None


def _to_login() -> Any:
    if request.headers.get("HX-Request"):  # a part of a page must not become the login page
        return Response(status=401, headers={"HX-Refresh": "true"})
    wanted = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return redirect(url_for("login.form", next=None if wanted == "/" else wanted))


def _bearer() -> str | None:
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else None


def _headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def local_path(wanted: str | None) -> str:
    """Where to go after the login: a path of ours, else the first page. Never another site."""
    if not wanted or not wanted.startswith("/") or wanted.startswith(("//", "/\\")):
        return "/"
    parts = urlsplit(wanted)
    return "/" if parts.scheme or parts.netloc or "\\" in wanted else wanted
