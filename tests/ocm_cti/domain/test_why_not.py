"""Why not now: the first reason that holds, and when it changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ocm_cti.domain.outcomes import Outcome
from ocm_cti.domain.why_not import Case, GatewayNow, WhyNot, World, why_not

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DUE = Case(7, False, None, NOW - HOUR, "due", 5)
IDLE = World(True, {"office": GatewayNow(True, idle=2)}, {7: 3})
BUSY = replace(IDLE, gateways={"office": GatewayNow(True)})


@pytest.mark.parametrize(
    ("case", "world", "reason"),
    [
        pytest.param(DUE, IDLE, WhyNot("due"), id="about to be called"),
        pytest.param(replace(DUE, paused="by hand"), World(), WhyNot("paused", detail="by hand"), id="paused"),
        pytest.param(DUE, World(), WhyNot("not_serving"), id="no server"),
        pytest.param(replace(DUE, preparing=True, why="speech"), IDLE, WhyNot("speech"), id="speech"),
        pytest.param(
            replace(DUE, preparing=True, why="speech", due_at=NOW + HOUR),
            IDLE,
            WhyNot("start", NOW + HOUR),
            id="there is time enough for speech",
        ),
        pytest.param(replace(DUE, stopped=True, opens_at=NOW + HOUR), IDLE, WhyNot("stop_list"), id="stop list"),
        pytest.param(replace(DUE, opens_at=NOW + HOUR), IDLE, WhyNot("window", NOW + HOUR), id="window"),
        pytest.param(
            replace(DUE, due_at=NOW + HOUR, why="retry_busy", opens_at=NOW + 9 * HOUR),
            IDLE,
            WhyNot("window", NOW + 9 * HOUR),
            id="a retry that falls out of the hours waits for them",
        ),
        pytest.param(replace(DUE, free_at=NOW + 2 * HOUR), IDLE, WhyNot("cap", NOW + 2 * HOUR), id="cap"),
        pytest.param(
            replace(DUE, free_at=NOW + 2 * HOUR, opens_at=NOW + 8 * HOUR),
            IDLE,
            WhyNot("window", NOW + 8 * HOUR),
            id="a cap that ends at night",
        ),
        pytest.param(
            replace(DUE, due_at=NOW + HOUR, why="retry_busy"), IDLE, WhyNot("retry_busy", NOW + HOUR), id="retry"
        ),
        pytest.param(
            DUE,
            World(True, {"office": GatewayNow(False, "refused")}),
            WhyNot("gateway_down", detail="office: refused"),
            id="gateway down",
        ),
        pytest.param(
            replace(DUE, gateways=("branch",)),
            replace(IDLE, gateways={**IDLE.gateways, "branch": GatewayNow(False, "no answer")}),
            WhyNot("gateway_down", detail="branch: no answer"),
            id="its own gateway down",
        ),
        pytest.param(replace(DUE, ports=3), IDLE, WhyNot("list_limit"), id="limit of the list"),
        pytest.param(replace(DUE, ports=4), IDLE, WhyNot("due"), id="below the limit of the list"),
        pytest.param(DUE, BUSY, WhyNot("no_port"), id="all lines busy"),
        pytest.param(DUE, replace(BUSY, urgent=5), WhyNot("no_port"), id="all lines busy with equals"),
        pytest.param(DUE, replace(BUSY, urgent=0), WhyNot("higher_priority"), id="others are more urgent"),
    ],
)
def test_the_first_that_holds(case: Case, world: World, reason: WhyNot) -> None:
    assert why_not(case, world, NOW) == reason
    assert reason.words and reason.words != reason.code


@pytest.mark.parametrize("outcome", list(Outcome), ids=lambda outcome: outcome.value)
def test_every_retry_has_words(outcome: Outcome) -> None:
    assert outcome.value.replace("_", " ") in WhyNot(f"retry_{outcome.value}").words
