"""Who may do what: the roles of people at the panel, the scopes of other systems at the API."""

from __future__ import annotations

import enum
from collections.abc import Collection
from dataclasses import dataclass


class Role(enum.Enum):
    """Of a person. Names are what the panel and ``ocm user`` show."""

    ADMIN = "admin"  # everything
    OPERATOR = "operator"  # lists, messages, campaigns; not the set-up, not the users
    AUDITOR = "auditor"  # sees everything, changes nothing


class Scope(enum.Enum):
    """Of an API token; each contains those before it."""

    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"


_OF_ROLE = {Role.AUDITOR: Scope.READ, Role.OPERATOR: Scope.OPERATE, Role.ADMIN: Scope.ADMIN}
_RANK = {scope: rank for rank, scope in enumerate(Scope)}

#: Fewer letters can be guessed.
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200


@dataclass(frozen=True)
class Caller:
    """Whoever asks for something: a person at the panel or another system. ``name`` is what the audit gets.

    ``key`` tells callers apart: ``account:3``, ``token:7``. ``lists`` names the lists he may see; empty: all.
    """

    key: str
    name: str
    scope: Scope
    lists: frozenset[str] = frozenset()

    def may(self, needed: Scope) -> bool:
        return _RANK[self.scope] >= _RANK[needed]

    def sees(self, list_name: str) -> bool:
        return not self.lists or list_name in self.lists


def scope_of(role: Role) -> Scope:
    """What a person of this role may do."""
    return _OF_ROLE[role]


def why_no_password(password: str, name: str, worse: Collection[str] = ()) -> str:
    """Why ``password`` can't be that of ``name``; "" when it can. ``worse``: what it may not be either."""
    if len(password) < SHORTEST_PASSWORD:
        return f"a password has at least {SHORTEST_PASSWORD} characters"
    if len(password) > LONGEST_PASSWORD:
        return f"a password has at most {LONGEST_PASSWORD} characters"
    if len(set(password)) < 4:
        return "a password has at least 4 different characters"
    if name.casefold() in password.casefold() and len(password) < len(name) + SHORTEST_PASSWORD:
        return "a password may not be made of the user's name"
    if password in worse:
        return "it must be another one than before"
    return ""


#: Wrong passwords in a row that cost nothing; after that each doubles the wait.
FREE_FAILURES = 5
LONGEST_WAIT_S = 900


def wait_s(failures: int) -> int:
    """How long an account is closed after so many wrong passwords in a row: 0, …, 0, 5, 10, 20, … 900."""
    beyond = failures - FREE_FAILURES
    return 0 if beyond < 0 else int(min(LONGEST_WAIT_S, 5 * 2 ** min(beyond, 20)))
