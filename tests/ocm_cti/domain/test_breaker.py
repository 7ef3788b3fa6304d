"""When a campaign pauses itself."""

from __future__ import annotations

import pytest

from ocm_cti.domain.breaker import tripped
from ocm_cti.domain.outcomes import Outcome


@pytest.mark.parametrize(
    ("faults", "others", "trips"),
    [(10, 10, False), (11, 9, True), (10, 9, False), (19, 0, False), (20, 0, True), (0, 50, False)],
)
def test_more_than_half_of_enough_calls(faults: int, others: int, trips: bool) -> None:
    ended = {Outcome.LINE_FAULT: faults, Outcome.BUSY: others // 2, Outcome.CONFIRMED: others - others // 2}
    assert tripped(ended, 20) == (
        f"{faults} of the last {faults + others} calls broke by a fault of the line" if trips else ""
    )


def test_it_can_be_switched_off() -> None:
    assert tripped({Outcome.LINE_FAULT: 1000}, 0) == ""
