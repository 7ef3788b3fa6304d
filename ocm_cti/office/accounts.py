"""Who comes in: users with passwords, their sessions, the tokens of other systems."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ocm_cti.domain.access import Caller, Role, Scope, scope_of, why_no_password
from ocm_cti.office import passwords
from ocm_cti.office.errors import OfficeError, Refused
from ocm_cti.office.ledger import Ledger, must
from ocm_cti.store import accounts, sessions, tokens
from ocm_cti.store.accounts import Account
from ocm_cti.store.sessions import Session
from ocm_cti.store.tokens import Token
from ocm_cti.store.transactions import Connection

FIRST_USER = "admin"
FIRST_PASSWORD_FILE = "first-password.txt"


class WrongPassword(OfficeError):
    """The name or the password is wrong; which of both is not said."""


class ClosedFor(OfficeError):
    """Too many wrong passwords: not before ``until_at``, whatever the password."""

    def __init__(self, until_at: datetime) -> None:
        super().__init__("too many wrong passwords; the account is closed for a while")
        self.until_at = until_at


@dataclass(frozen=True)
class Visitor:
    """Somebody who is logged in at the panel."""

    session: Session
    account: Account

    @property
    def caller(self) -> Caller:
        account = self.account
        return Caller(f"account:{account.account_id}", account.name, scope_of(account.role), account.lists)


class AccountDesk:
    """``data`` is the folder where the first password is left."""

    def __init__(self, ledger: Ledger, data: Path) -> None:
        self._ledger = ledger
        self._first = data / FIRST_PASSWORD_FILE

    def first_password(self) -> str | None:
        """Makes ``admin`` where there is no user yet and gives his password; it is also left in a file only we can
        read. None: there are users."""

        def write(conn: Connection) -> str | None:
            if accounts.are_any(conn):
                return None
            password = passwords.random_password()
            now = self._ledger.now()
            accounts.add(conn, FIRST_USER, Role.ADMIN, passwords.hashed(password), now, must_change=True)
            return password

        made = self._ledger.write(write)
        if made is not None:
            self._first.unlink(missing_ok=True)
            file = os.open(self._first, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(file, "w", encoding="utf-8") as out:
                out.write(f"{FIRST_USER}\n{made}\n")
        return made

    # --- sessions ---

    def log_in(self, name: str, password: str, address: str, agent: str) -> str:
        """The token of a new session. Raises WrongPassword or ClosedFor."""
        now = self._ledger.now()
        account = self._ledger.read(lambda conn: accounts.find(conn, name))
        if account is not None and account.closed_until is not None and account.closed_until > now:
            raise ClosedFor(account.closed_until)
        right = passwords.fits(password, account.password_hash if account is not None else None)
        if account is None or account.disabled:
            raise WrongPassword("wrong name or password")
        found = account
        if not right:
            closed_until = self._ledger.write(lambda conn: accounts.failed(conn, found.account_id, now))
            if closed_until is not None:
                raise ClosedFor(closed_until)
            raise WrongPassword("wrong name or password")

        def begin(conn: Connection) -> str:
            accounts.succeeded(conn, found.account_id)
            self._ledger.note(conn, _of(found), "login", found.name, {"address": address})
            return sessions.begin(conn, found.account_id, now, address, agent)

        return self._ledger.write(begin)

    def visitor(self, token: str) -> Visitor | None:
        """Whose session it is; None: nobody's."""
        now = self._ledger.now()
        found = self._ledger.read(lambda conn: sessions.find(conn, token, now))
        if found is None:
            return None
        session, account = found
        if now - session.seen_at > sessions.SEEN_EVERY:
            self._ledger.write(lambda conn: sessions.seen(conn, session.session_id, now))
        return Visitor(session, account)

    def log_out(self, token: str) -> None:
        self._ledger.write(lambda conn: sessions.end(conn, token))

    def log_out_elsewhere(self, visitor: Visitor) -> int:
        """Ends all his other sessions; gives how many there were."""

        def end(conn: Connection) -> int:
            ended = sessions.end_all(conn, visitor.account.account_id, but=visitor.session.session_id)
            self._ledger.note(conn, visitor.caller, "logout.elsewhere", visitor.account.name, {"sessions": ended})
            return ended

        return self._ledger.write(end)

    def sessions_of(self, visitor: Visitor) -> list[Session]:
        return self._ledger.read(lambda conn: sessions.of_account(conn, visitor.account.account_id))

    def change_password(self, visitor: Visitor, old: str, new: str) -> None:
        """His own; his other sessions end. Raises WrongPassword or Refused."""
        account = visitor.account
        if not passwords.fits(old, account.password_hash):
            raise WrongPassword("the present password is wrong")
        if why := why_no_password(new, account.name, [old]):
            raise Refused(why)
        new_hash = passwords.hashed(new)

        def write(conn: Connection) -> None:
            accounts.set_password(conn, account.account_id, new_hash, must_change=False)
            sessions.end_all(conn, account.account_id, but=visitor.session.session_id)
            self._ledger.note(conn, visitor.caller, "password.change", account.name, {})

        self._ledger.write(write)
        if account.name == FIRST_USER:
            self._first.unlink(missing_ok=True)

    def set_language(self, visitor: Visitor, language: str) -> None:
        self._ledger.write(lambda conn: accounts.set_language(conn, visitor.account.account_id, language))

    # --- users ---

    def everybody(self, caller: Caller) -> list[Account]:
        must(caller, Scope.ADMIN)
        return self._ledger.read(accounts.everybody)

    def add(self, caller: Caller, name: str, role: Role, password: str, lists: Collection[str] = ()) -> Account:
        """He has to change the password when he first logs in. Raises Refused."""
        must(caller, Scope.ADMIN)
        if why := why_no_password(password, name):
            raise Refused(why)
        password_hash = passwords.hashed(password)

        def write(conn: Connection) -> Account:
            made = accounts.add(conn, name, role, password_hash, self._ledger.now(), lists=lists)
            self._ledger.note(conn, caller, "user.add", made.name, {"role": role.value, "lists": sorted(lists)})
            return made

        return self._ledger.write(write)

    def give_password(self, caller: Caller, name: str, password: str) -> None:
        """A new one for somebody, who is logged out everywhere and has to change it. Raises Refused."""
        must(caller, Scope.ADMIN)
        if why := why_no_password(password, name):
            raise Refused(why)
        password_hash = passwords.hashed(password)

        def write(conn: Connection) -> None:
            account = accounts.find(conn, name)
            if account is None:
                raise Refused(f"there is no user {name}")
            accounts.set_password(conn, account.account_id, password_hash, must_change=True)
            sessions.end_all(conn, account.account_id)
            self._ledger.note(conn, caller, "user.password", account.name, {})

        self._ledger.write(write)

    def change_access(
        self, caller: Caller, name: str, role: Role, lists: Collection[str] = (), *, disabled: bool = False
    ) -> None:
        """What somebody may from now on; he is logged out everywhere when it is less. Raises Refused."""
        must(caller, Scope.ADMIN)

        def write(conn: Connection) -> None:
            account = accounts.find(conn, name)
            if account is None:
                raise Refused(f"there is no user {name}")
            if caller.key == f"account:{account.account_id}":
                raise Refused("nobody changes his own rights: ask another administrator")
            accounts.set_access(
                conn, account.account_id, role=role, lists=lists, disabled=disabled, now=self._ledger.now()
            )
            sessions.end_all(conn, account.account_id)
            details = {"role": role.value, "lists": sorted(lists), "disabled": disabled}
            self._ledger.note(conn, caller, "user.access", account.name, details)

        self._ledger.write(write)

    # --- tokens ---

    def token_caller(self, secret: str) -> Caller | None:
        """Whose token it is; None: none that works."""
        now = self._ledger.now()
        token = self._ledger.read(lambda conn: tokens.find(conn, secret))
        if token is None:
            return None
        if token.used_at is None or now - token.used_at > tokens.USED_EVERY:
            self._ledger.write(lambda conn: tokens.used(conn, token.token_id, now))
        return Caller(f"token:{token.token_id}", f"token {token.name}", token.scope)

    def make_token(self, caller: Caller, name: str, scope: Scope) -> tuple[str, Token]:
        """The token itself, shown this once, and what is kept of it."""
        must(caller, Scope.ADMIN)

        def write(conn: Connection) -> tuple[str, Token]:
            secret, token = tokens.make(conn, name, scope, caller.name, self._ledger.now())
            self._ledger.note(conn, caller, "token.make", token.name, {"scope": scope.value, "prefix": token.prefix})
            return secret, token

        return self._ledger.write(write)

    def revoke_token(self, caller: Caller, token_id: int) -> Token:
        must(caller, Scope.ADMIN)

        def write(conn: Connection) -> Token:
            token = tokens.revoke(conn, token_id, self._ledger.now())
            self._ledger.note(conn, caller, "token.revoke", token.name, {"prefix": token.prefix})
            return token

        return self._ledger.write(write)

    def tokens(self, caller: Caller) -> list[Token]:
        must(caller, Scope.ADMIN)
        return self._ledger.read(tokens.everyone)


def _of(account: Account) -> Caller:
    return Caller(f"account:{account.account_id}", account.name, scope_of(account.role), account.lists)
