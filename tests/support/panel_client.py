"""A browser without a screen: Flask's test client that is logged in to a desk's panel."""

from __future__ import annotations

import re
from typing import Any

from flask.testing import FlaskClient
from panel_office import PASSWORD, Desk

from web.app import create_app


def logged_in(desk: Desk, name: str = "anna", password: str = PASSWORD) -> FlaskClient:
    made = create_app(desk.office).test_client()
    made.post("/login", data={"name": name, "password": password, "csrf_token": token(made, "/login")})
    return made


def token(client: FlaskClient, path: str = "/account") -> str:
    """What a form must carry; of the page at ``path``."""
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def post(client: FlaskClient, path: str, **fields: Any) -> str:
    """The page that comes of it."""
    return client.post(path, data={"csrf_token": token(client), **fields}, follow_redirects=True).text
