"""Users, tokens and sessions in an SQLite file of their own, `access.db` beside the journal.

The journal never forgets; a password's hash and a session must be forgotten. Each call is one transaction, fsynced before it
returns. Rows that cannot be understood are left out and told: a damaged row opens nothing.
"""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from gateway.outside.sqlite_schema import BUSY_MS, in_words
from gateway.runtime.access import AccessStoreFailed, ApiToken, Kept, Role, Session, User

ACCESS_FILE = "access.db"
APPLICATION_ID = 0x44524143  # "DRAC"
SCHEMA_VERSION = 1

_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE users (
    name TEXT PRIMARY KEY COLLATE NOCASE,
    role TEXT NOT NULL,
    password TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    disabled INTEGER NOT NULL
);
CREATE TABLE tokens (
    name TEXT PRIMARY KEY COLLATE NOCASE,
    role TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    until_at INTEGER
);
CREATE TABLE sessions (
    digest TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    began_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    browser TEXT NOT NULL,
    address TEXT NOT NULL
);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""

T = TypeVar("T")

log = logging.getLogger(__name__)


def access_file(journal: Path) -> Path:
    """Where the users of the gateway with this journal are."""
    return journal.with_name(ACCESS_FILE)


class SqliteAccessStore:
    """Implements `gateway.runtime.access.AccessStore`. Open it with `open`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection, self._path = connection, path

    @classmethod
    def open(cls, path: Path) -> "SqliteAccessStore":
        """The store in this file, made (for its owner only) where there is none. Raises `AccessStoreFailed`."""
        with _in_words(path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            connection = sqlite3.connect(path, timeout=BUSY_MS / 1_000, isolation_level=None, check_same_thread=False)
        try:
            with _in_words(path):
                _create_or_check(connection, path)
        except AccessStoreFailed:
            connection.close()
            raise
        return cls(connection, path)

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    def load(self) -> Kept:
        """Everything that was put and not dropped."""
        return Kept(
            users=self._all("SELECT name, role, password, created_at, disabled FROM users", _user),
            tokens=self._all("SELECT name, role, digest, created_at, created_by, until_at FROM tokens", _token),
            sessions=self._all("SELECT digest, user, began_at, seen_at, browser, address FROM sessions", _session),
        )

    def put_user(self, user: User) -> None:
        """Add it, or put it in the place of the one with its name."""
        row = (user.name, user.role.value, user.password, user.created_at, user.disabled)
        self._write("INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?, ?)", row)

    def put_token(self, token: ApiToken) -> None:
        """Add it."""
        row = (token.name, token.role.value, token.digest, token.created_at, token.created_by, token.until_at)
        self._write("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?)", row)

    def drop_token(self, name: str) -> None:
        """Forget it, if it is there."""
        self._write("DELETE FROM tokens WHERE name = ?", (name,))

    def put_session(self, session: Session) -> None:
        """Add it, or put it in the place of the one with its digest."""
        row = (session.digest, session.user, session.began_at, session.seen_at, session.browser, session.address)
        self._write("INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?)", row)

    def drop_sessions(self, digests: tuple[str, ...]) -> None:
        """Forget those that are there."""
        self._write("DELETE FROM sessions WHERE digest = ?", *((digest,) for digest in digests))

    def _write(self, statement: str, *rows: Sequence[object]) -> None:
        with _in_words(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(statement, rows)
                self._connection.execute("COMMIT")
            except sqlite3.Error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _all(self, query: str, made: Callable[[Sequence[object]], T]) -> tuple[T, ...]:
        with _in_words(self._path):
            return tuple(_readable(self._connection.execute(query).fetchall(), made, self._path))


def _readable(rows: Sequence[Sequence[object]], made: Callable[[Sequence[object]], T], path: Path) -> Iterator[T]:
    for row in rows:
        try:
            yield made(row)
        except (ValueError, TypeError) as error:  # without the row: it holds hashes
            log.error("%s: a row cannot be understood and opens nothing (%s)", path, type(error).__name__)  # noqa: TRY400 - a traceback would show it


def _user(row: Sequence[object]) -> User:
    name, role, password, created_at, disabled = row
    return User(
        name=str(name), role=Role(str(role)), password=str(password), created_at=_whole(created_at), disabled=bool(disabled)
    )


def _token(row: Sequence[object]) -> ApiToken:
    name, role, digest, created_at, created_by, until_at = row
    return ApiToken(
        name=str(name),
        role=Role(str(role)),
        digest=str(digest),
        created_at=_whole(created_at),
        created_by=str(created_by),
        until_at=None if until_at is None else _whole(until_at),
    )


def _session(row: Sequence[object]) -> Session:
    digest, user, began_at, seen_at, browser, address = row
    return Session(
        digest=str(digest),
        user=str(user),
        began_at=_whole(began_at),
        seen_at=_whole(seen_at),
        browser=str(browser),
        address=str(address),
    )


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError("not a whole number")
    return value


def _create_or_check(connection: sqlite3.Connection, path: Path) -> None:
    """Lay out an empty file, or make sure that a full one is ours. Raises `AccessStoreFailed`."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == version == tables == 0:
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(_SCHEMA)
    elif application != APPLICATION_ID:
        raise AccessStoreFailed(f"{path}: this file is not Dripwatch's list of users; move it away and start the gateway again")
    elif version > SCHEMA_VERSION:
        raise AccessStoreFailed(f"{path}: written by a newer Dripwatch (schema {version}); update this installation")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """The library's errors as ours, with the mend where there is one."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        words = in_words(error).replace("the journal", "the list of users")
        raise AccessStoreFailed(f"{path}: {words}") from None
    except OSError as error:
        raise AccessStoreFailed(f"{path}: {(error.strerror or str(error)).lower()}") from None
