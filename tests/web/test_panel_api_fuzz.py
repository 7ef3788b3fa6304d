"""The API against its own description: whatever is sent, the answer is one that it names, and never 500."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from panel_office import Desk
from schemathesis.specs.openapi.checks import unsupported_method

from ocm_cti.domain.access import Caller, Scope
from web.app import create_app

OPERATIONS = (
    "campaign",
    "campaigns",
    "health",
    "lists",
    "make_token",
    "pause_campaign",
    "people",
    "resume_campaign",
    "revoke_token",
    "start_campaign",
    "stop_campaign",
    "tokens",
)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Any]:
    desk = Desk.open(tmp_path)
    desk.people("debtors", 3)
    admin = Caller("account:1", "anna", Scope.ADMIN)
    secret, _ = desk.office.accounts.make_token(admin, "fuzz", Scope.ADMIN)
    for name in ("crm", "billing"):
        desk.office.accounts.make_token(admin, name, Scope.READ)
    yield schemathesis.openapi.from_wsgi(
        "/api/v1/openapi.json", create_app(desk.office), headers={"Authorization": f"Bearer {secret}"}
    )
    desk.close()


def operations(api: Any) -> dict[str, Any]:
    found = [result.ok() for result in api.get_all_operations()]
    return {operation.definition.raw["operationId"]: operation for operation in found}


def test_all_operations_are_tried(api: Any) -> None:
    assert tuple(sorted(operations(api))) == OPERATIONS


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_api_keeps_to_its_description(api: Any, name: str) -> None:
    @settings(max_examples=30, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operations(api)[name].as_strategy())
    def send(case: Any) -> None:
        if name == "revoke_token" and case.path_parameters["token_id"] == 1:
            return  # it is the one that the test itself uses
        # What Werkzeug answers to a method that a path has not is no operation of ours.
        case.call_and_validate(excluded_checks=[unsupported_method])

    send()
