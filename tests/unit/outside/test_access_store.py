"""Users, tokens and sessions on the disk: durable, for their owner only, and refused in words where the file is not ours."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.outside.access_store import SqliteAccessStore, access_file
from gateway.runtime.access import AccessStoreFailed, ApiToken, Kept, Role, Session, User

USER = User(name="nurse-a", role=Role.TRIAGE, password="$argon2id$x", created_at=1)
API_TOKEN = ApiToken(name="monitor", role=Role.READ, digest="d1", created_at=2, created_by="boss", until_at=9)
SESSION = Session(digest="s1", user="nurse-a", began_at=3, seen_at=4, browser="Test/1.0 中文", address="192.0.2.7")


@pytest.fixture
def path(tmp_path) -> Path:
    """Where the store will be."""
    return access_file(tmp_path / "data" / "dripwatch.db")


def opened(path: Path) -> SqliteAccessStore:
    """The store in this file."""
    return SqliteAccessStore.open(path)


def test_what_was_put_is_there_after_a_new_start_and_what_was_dropped_is_not(path):
    """Users by name whatever their letters' case, tokens, sessions."""
    store = opened(path)
    store.put_user(USER)
    store.put_user(User(name="NURSE-A", role=Role.ADMIN, password="$argon2id$y", created_at=5, disabled=True))
    store.put_token(API_TOKEN)
    store.put_session(SESSION)
    store.put_session(Session(digest="s2", user="nurse-a", began_at=3, seen_at=3))
    store.drop_sessions(("s2", "never-was"))
    store.close()
    again = opened(path)
    assert again.load() == Kept(
        users=(User(name="NURSE-A", role=Role.ADMIN, password="$argon2id$y", created_at=5, disabled=True),),
        tokens=(API_TOKEN,),
        sessions=(SESSION,),
    )
    again.drop_token("MONITOR")
    assert again.load().tokens == ()
    again.close()


def test_the_file_is_for_its_owner_only_and_forgets_for_good(path):
    """Permissions 0600; what was dropped is overwritten."""
    store = opened(path)
    store.put_token(ApiToken(name="t", role=Role.READ, digest="digest-to-be-forgotten", created_at=2, created_by="b"))
    assert b"digest-to-be-forgotten" in path.read_bytes()
    store.drop_token("t")
    store.close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"digest-to-be-forgotten" not in path.read_bytes()


def test_two_tokens_of_one_name_are_refused(path):
    """The second would hide the first."""
    store = opened(path)
    store.put_token(API_TOKEN)
    with pytest.raises(AccessStoreFailed):
        store.put_token(ApiToken(name="Monitor", role=Role.ADMIN, digest="d2", created_at=2, created_by="b"))
    assert store.load().tokens == (API_TOKEN,)
    store.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: path.write_bytes(b"this is no database at all" * 100), "damaged"),
        (lambda path: sqlite3.connect(path).executescript("CREATE TABLE x (y)"), "not Dripwatch's list of users"),
        (lambda path: path.mkdir(), "cannot be opened"),
    ],
)
def test_a_file_that_is_not_ours_is_refused_in_words(path, change, words):
    """With its path, and it is left as it is."""
    path.parent.mkdir(parents=True)
    change(path)
    with pytest.raises(AccessStoreFailed, match=words) as refused:
        opened(path)
    assert str(path) in str(refused.value)


def test_a_newer_file_is_refused(path):
    """Going back a version must not lose what the newer one knew."""
    opened(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(AccessStoreFailed, match="newer Dripwatch"):
        opened(path)


def test_a_row_that_cannot_be_understood_opens_nothing_and_hides_no_other(path, caplog):
    """It is told without what it holds."""
    store = opened(path)
    store.put_user(USER)
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO users VALUES ('evil', 'emperor', 'secret-hash', 'yesterday', 0)")
    connection.commit()
    connection.close()
    store = opened(path)
    assert store.load().users == (USER,)
    assert "a row cannot be understood" in caplog.text
    assert "secret-hash" not in caplog.text
    store.close()


def test_a_locked_file_is_a_failure_in_words_and_nothing_is_half_written(path, monkeypatch):
    """Another program has it open for writing."""
    monkeypatch.setattr("gateway.outside.access_store.BUSY_MS", 20)
    store = opened(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(AccessStoreFailed, match="another program holds"):
        store.put_user(USER)
    other.execute("ROLLBACK")
    other.close()
    store.put_user(USER)
    assert store.load().users == (USER,)
    store.close()


KILLED = """
import os, sys
from pathlib import Path
from gateway.outside.access_store import SqliteAccessStore
from gateway.runtime.access import Role, User
store = SqliteAccessStore.open(Path(sys.argv[1]))
for n in range(10_000):
    store.put_user(User(name=f"u{n}", role=Role.READ, password="x", created_at=n))
    os.write(1, b"%d\\n" % n)
"""


def test_what_was_answered_survives_kill_9(path):
    """Each call is durable when it returns."""
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3])
    for _ in range(20):
        process.stdout.readline()
    process.kill()
    answered = 20 + process.stdout.read().count(b"\n")
    process.wait()
    process.stdout.close()
    store = opened(path)
    assert len(store.load().users) in (answered, answered + 1)
    store.close()


def test_a_folder_that_cannot_be_written_is_told(path):
    """A disk that is read-only, as the operating system says it."""
    path.parent.mkdir(parents=True)
    path.symlink_to("/proc/nonexistent/access.db")
    with pytest.raises(AccessStoreFailed, match=r"access\.db"):
        opened(path)
