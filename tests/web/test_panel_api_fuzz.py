"""The API against its own description: whatever is sent, the answer is one that it names, and never 500."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from panel_office import Desk
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, unsupported_method

from ocm_cti.domain.access import Caller, Scope
from web.app import create_app

OPERATIONS = (
    "add_stop_entries",
    "bring_message",
    "campaign",
    "campaign_people",
    "campaigns",
    "delete_message",
    "health",
    "import",
    "import_people",
    "lists",
    "make_token",
    "make_webhook",
    "message",
    "message_sound",
    "messages",
    "pause_campaign",
    "people",
    "put_people",
    "refused_rows",
    "remove_person",
    "remove_stop_entries",
    "remove_webhook",
    "reply",
    "report",
    "resume_campaign",
    "revoke_token",
    "start_campaign",
    "stop_campaign",
    "stop_entries",
    "stop_lists",
    "test_webhook",
    "tokens",
    "webhook",
    "webhook_messages",
    "webhooks",
)


#: They take nothing that could be wrong.
NOTHING_TO_BREAK = ("health", "lists", "stop_lists", "tokens", "webhooks")
#: What Werkzeug answers to a method that a path has not is no operation of ours; who may come in is tried elsewhere.
NOT_OURS = [unsupported_method, ignored_auth]


@dataclass
class Api:
    schema: Any
    headers: dict[str, str]

    @property
    def operations(self) -> dict[str, Any]:
        found = [result.ok() for result in self.schema.get_all_operations()]
        return {operation.definition.raw["operationId"]: operation for operation in found}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    desk = Desk.open(tmp_path)
    desk.people("debtors", 3)
    admin = Caller("account:1", "anna", Scope.ADMIN)
    secret, _ = desk.office.accounts.make_token(admin, "fuzz", Scope.ADMIN)
    for name in ("crm", "billing"):
        desk.office.accounts.make_token(admin, name, Scope.READ)
    for place in range(3):
        desk.office.webhooks.add(admin, f"https://crm.example/{place}")
    headers = {"Authorization": f"Bearer {secret}"}
    loaded = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", create_app(desk.office), headers=headers)
    yield Api(loaded, headers)
    desk.close()


def test_all_operations_are_tried(api: Api) -> None:
    assert tuple(sorted(api.operations)) == OPERATIONS


@pytest.mark.parametrize("mode", GenerationMode, ids=[mode.value for mode in GenerationMode])
@pytest.mark.parametrize("name", OPERATIONS)
def test_the_api_keeps_to_its_description(api: Api, name: str, mode: GenerationMode) -> None:
    """``negative``: with requests that are not as described."""
    operation = api.operations[name]
    if mode is GenerationMode.NEGATIVE and name in NOTHING_TO_BREAK:
        return
    statuses: Counter[int] = Counter()

    @settings(max_examples=30, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        if name == "revoke_token" and case.path_parameters["token_id"] == 1:
            return  # it is the one that the test itself uses
        response = case.call(headers=api.headers)
        statuses[response.status_code] += 1
        case.validate_response(response, excluded_checks=NOT_OURS)

    send()
    assert set(statuses) - {401}, "nothing behind the door was tried"
