"""Attempt states: the table itself."""

from __future__ import annotations

import pytest

from ocm_cti.domain.attempts import TRANSITIONS, AttemptState, before

ORDER = list(AttemptState)


def test_the_table_is_whole() -> None:
    assert set(TRANSITIONS) == set(AttemptState)


@pytest.mark.parametrize("state", AttemptState)
def test_only_forwards(state: AttemptState) -> None:
    """No state comes back, so every attempt ends."""
    assert all(ORDER.index(following) > ORDER.index(state) for following in TRANSITIONS[state])


@pytest.mark.parametrize("state", [state for state in AttemptState if state is not AttemptState.FINISHED])
def test_anything_can_finish(state: AttemptState) -> None:
    assert AttemptState.FINISHED in TRANSITIONS[state]


def test_nothing_is_sent_without_placing() -> None:
    """After a crash ``claimed`` means that the switch never heard of it: there is no way around placing."""
    assert before(AttemptState.PLACING) == {AttemptState.CLAIMED}
    assert TRANSITIONS[AttemptState.CLAIMED] == {AttemptState.PLACING, AttemptState.FINISHED}


@pytest.mark.parametrize("state", AttemptState)
def test_before_is_the_table_read_backwards(state: AttemptState) -> None:
    assert before(state) == {earlier for earlier in AttemptState if state in TRANSITIONS[earlier]}
