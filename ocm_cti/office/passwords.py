"""Passwords: how they are hashed and made. Argon2id with 19 MiB, 2 passes: 34 ms, and 8 logins at once take 150 MiB."""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
#: Nobody's: an unknown name must take as long as a wrong password.
_NOBODYS = _HASHER.hash(secrets.token_urlsafe(24))
#: No letters that look like another one.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def hashed(password: str) -> str:
    return _HASHER.hash(password)


def fits(password: str, password_hash: str | None) -> bool:
    """False for None (nobody's) after the same time."""
    try:
        return _HASHER.verify(password_hash or _NOBODYS, password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def random_password() -> str:
    """Four groups of four letters, 79 bits: to be typed once from a terminal."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))
