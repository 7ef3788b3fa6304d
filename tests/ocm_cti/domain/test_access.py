"""Roles, scopes, passwords."""

from __future__ import annotations

import pytest

from ocm_cti.domain.access import Caller, Role, Scope, scope_of, wait_s, why_no_password


def test_each_role_may_what_the_ones_below_may() -> None:
    may = {role: [scope for scope in Scope if Caller("", "", scope_of(role)).may(scope)] for role in Role}
    assert may == {
        Role.AUDITOR: [Scope.READ],
        Role.OPERATOR: [Scope.READ, Scope.OPERATE],
        Role.ADMIN: [Scope.READ, Scope.OPERATE, Scope.ADMIN],
    }


def test_a_list_bound_caller_sees_his_lists_only() -> None:
    assert Caller("", "", Scope.READ).sees("staff")
    bound = Caller("", "", Scope.READ, frozenset({"debtors"}))
    assert bound.sees("debtors") and not bound.sees("staff")


@pytest.mark.parametrize(
    ("password", "wrong"),
    [
        ("short", True),
        ("aaaaaaaaaaaa", True),
        ("anna2026anna", True),
        ("x" * 199 + "yzw", True),
        ("was it before", True),
        ("correct horse", False),
    ],
    ids=["short", "one-letter", "name", "long", "before", "good"],
)
def test_bad_passwords_are_refused_with_a_reason(password: str, wrong: bool) -> None:
    assert bool(why_no_password(password, "anna", ["was it before"])) is wrong


def test_the_wait_doubles_up_to_a_quarter_of_an_hour() -> None:
    assert [wait_s(failures) for failures in (0, 4, 5, 6, 12, 13, 10_000)] == [0, 0, 5, 10, 640, 900, 900]
