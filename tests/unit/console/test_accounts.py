import asyncio

import pytest
from argon2 import PasswordHasher

from gateway.console import passwords
from gateway.console.accounts import TOKEN_BEGINS, AccessRefused
from gateway.console.passwords import WAITING_MAX, Passwords, PasswordsBusy
from gateway.console.sessions import OF_ONE_USER_MAX, SEEN_EVERY_MS, Lengths
from gateway.domain.commands import AccessChanged
from gateway.domain.instants import DAY_MS, HOUR_MS
from gateway.runtime.access import AccessStoreFailed, KeepsNothing, Role
from gateway.runtime.ports import JournalFull
from tests.support.fake_service import FakeService, board
from tests.support.people import PASSWORD, QUICK, accounts_of


@pytest.fixture
def service() -> FakeService:
    """A gateway that notes what it is told."""
    return FakeService()


@pytest.fixture
def accounts(service):
    """Nobody yet."""
    return accounts_of(service)


def at(service: FakeService, later_ms: int) -> None:
    """Time passes."""
    service.show(board(at=service.now() + later_ms))


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short", "12 to 128 characters"),
        ("x" * 129, "12 to 128 characters"),
        ("two\nlines of words", "12 to 128 characters"),
        ("aaaaaaaaaaaaaaa", "too simple"),
        ("nurse-a12345", "little more than the name"),
    ],
)
async def test_a_weak_password_is_refused_in_words_and_nothing_is_journalled(accounts, service, password, words):
    """Before anything happens."""
    with pytest.raises(AccessRefused, match=words):
        await accounts.add_user("tester", "nurse-a", Role.TRIAGE, password)
    assert (accounts.users(), service.told) == ([], [])


@pytest.mark.parametrize("name", ["", "a b", "-a", "é", "a/b", "a" * 64, "api", "here", "Visitor", "sign-in"])
async def test_a_name_that_means_something_else_is_refused(accounts, name):
    """Names stand in addresses and in the record."""
    with pytest.raises(AccessRefused, match="a name has 1 to 63"):
        await accounts.add_user("tester", name, Role.READ, PASSWORD)


async def test_a_name_belongs_to_one_user_or_token(accounts):
    """However its letters are cased: the record says who did it by name alone."""
    await accounts.add_user("tester", "Nurse-A", Role.TRIAGE, PASSWORD)
    await accounts.make_token("tester", "monitor", Role.READ)
    for name, words in (("nurse-a", "there is a user"), ("MONITOR", "there is a token")):
        with pytest.raises(AccessRefused, match=words):
            await accounts.add_user("tester", name, Role.READ, PASSWORD)
        with pytest.raises(AccessRefused, match=words):
            await accounts.make_token("tester", name, Role.READ)
    assert accounts.user("NURSE-a").name == "Nurse-A"


async def test_every_change_is_journalled_first_and_never_with_a_secret(accounts, service):
    """What was done, to whom, by whom."""
    await accounts.add_user("admin", "nurse-a", Role.READ, PASSWORD)
    await accounts.change_role("admin", "nurse-a", Role.TRIAGE)
    await accounts.set_password("admin", "nurse-a", "another few words")
    await accounts.disable("admin", "nurse-a")
    await accounts.enable("admin", "nurse-a")
    _, text = await accounts.make_token("admin", "monitor", Role.READ, for_ms=DAY_MS)
    await accounts.revoke_token("admin", "Monitor")
    assert service.told == [
        ("admin", AccessChanged(what="add-user", about="nurse-a", detail="read")),
        ("admin", AccessChanged(what="change-role", about="nurse-a", detail="read, now triage")),
        ("admin", AccessChanged(what="set-password", about="nurse-a")),
        ("admin", AccessChanged(what="disable-user", about="nurse-a")),
        ("admin", AccessChanged(what="enable-user", about="nurse-a")),
        ("admin", AccessChanged(what="make-token", about="monitor", detail="read")),
        ("admin", AccessChanged(what="revoke-token", about="monitor")),
    ]
    assert text not in repr(service.told)
    assert PASSWORD not in repr((service.told, accounts.users()))


async def test_a_full_journal_changes_nothing(accounts, service):
    """A change without a line in the record is none."""
    await accounts.add_user("admin", "nurse-a", Role.READ, PASSWORD)
    service.broken = JournalFull("the disk is full")
    with pytest.raises(JournalFull):
        await accounts.change_role("admin", "nurse-a", Role.ADMIN)
    with pytest.raises(JournalFull):
        await accounts.make_token("admin", "monitor", Role.ADMIN)
    service.broken = None
    assert (accounts.user("nurse-a").role, accounts.tokens()) == (Role.READ, [])


async def test_a_store_that_fails_changes_nothing_either(service):
    """The record has a line too many then, never one too few."""

    class Broken(KeepsNothing):
        def put_user(self, user):
            raise AccessStoreFailed("the disk is full")

    accounts = accounts_of(service, Broken())
    with pytest.raises(AccessStoreFailed):
        await accounts.add_user("admin", "nurse-a", Role.READ, PASSWORD)
    assert (accounts.users(), len(service.told)) == ([], 1)


async def test_a_token_opens_until_its_end_or_its_revocation(accounts, service):
    """And nothing else opens: not its name, not half of it, not what is kept of it."""
    token, text = await accounts.make_token("admin", "monitor", Role.READ, for_ms=HOUR_MS)
    assert text.startswith(TOKEN_BEGINS)
    assert accounts.token(text) == token
    assert [accounts.token(other) for other in ("", "monitor", text[:-1], text + "x", token.digest)] == [None] * 5
    at(service, HOUR_MS)
    assert accounts.token(text) is None
    _, other = await accounts.make_token("admin", "other", Role.READ)
    await accounts.revoke_token("admin", "other")
    assert accounts.token(other) is None


async def begin(accounts, name: str, role: Role) -> str:
    """A session's cookie."""
    cookie, _ = await accounts.sessions.begin(name, role, accounts.now(), browser="Test/1.0 \x1b[31m", address="192.0.2.7")
    return cookie


@pytest.mark.hazard("H-69")
@pytest.mark.parametrize(
    ("role", "every_ms", "times", "lasts"),
    [
        (Role.READ, 12 * HOUR_MS, 1, False),
        (Role.READ, 11 * HOUR_MS, 15, True),
        (Role.READ, 11 * HOUR_MS, 16, False),
        (Role.KIOSK, 30 * DAY_MS, 12, True),
        (Role.KIOSK, 365 * DAY_MS, 1, False),
    ],
)
async def test_a_session_ends_when_it_is_not_used_and_after_its_longest(accounts, service, role, every_ms, times, lasts):
    """12 h unused, 7 days at the most; a screen on a wall for a year."""
    await accounts.add_user("admin", "somebody", role, PASSWORD)
    cookie = await begin(accounts, "somebody", role)
    for _ in range(times):
        found = accounts.session(cookie)
        assert found is not None
        accounts.sessions.seen(found[0], accounts.now())
        at(service, every_ms)
    assert (accounts.session(cookie) is not None) is lasts
    await accounts.sweep()
    assert len(accounts.sessions.all()) == lasts


async def test_a_changed_role_a_disabled_user_and_a_new_password_reach_open_sessions(accounts):
    """At once: a session has no memory of its own."""
    await accounts.add_user("admin", "nurse-a", Role.READ, PASSWORD)
    here, there = [await begin(accounts, "nurse-a", Role.READ) for _ in range(2)]
    await accounts.change_role("admin", "nurse-a", Role.TRIAGE)
    assert accounts.session(here)[1].role is Role.TRIAGE
    await accounts.set_password("nurse-a", "nurse-a", "another few words", keep=accounts.session(here)[0].digest)
    assert (accounts.session(here) is None, accounts.session(there) is None) == (False, True)
    await accounts.disable("admin", "nurse-a")
    await accounts.enable("admin", "nurse-a")
    assert accounts.session(here) is None


async def test_one_user_has_twenty_sessions_at_the_most(accounts, service):
    """The one that was not used for longest makes room."""
    await accounts.add_user("admin", "nurse-a", Role.READ, PASSWORD)
    cookies = []
    for _ in range(OF_ONE_USER_MAX + 3):
        cookies.append(await begin(accounts, "nurse-a", Role.READ))
        at(service, 1)
    assert [accounts.session(cookie) is not None for cookie in cookies] == [False] * 3 + [True] * OF_ONE_USER_MAX


async def test_when_a_session_was_seen_is_kept_about_once_a_minute(service):
    """A page that asks every second costs no disk."""

    class Counting(KeepsNothing):
        puts = 0

        def put_session(self, session):
            self.puts += 1

    store = Counting()
    accounts = accounts_of(service, store, lengths=Lengths())
    await accounts.add_user("admin", "nurse-a", Role.READ, PASSWORD)
    cookie = await begin(accounts, "nurse-a", Role.READ)
    for _ in range(180):
        accounts.sessions.seen(accounts.session(cookie)[0], accounts.now())
        at(service, 1_000)
    await asyncio.gather(*accounts.sessions._noting)
    assert store.puts == 1 + 180_000 // SEEN_EVERY_MS - 1
    assert "\x1b" not in accounts.sessions.all()[0].browser


async def test_a_session_that_ends_while_its_sight_is_noted_does_not_come_back(service):
    """The two reach the store in either order."""

    class Slow(KeepsNothing):
        def __init__(self):
            self.kept = set()

        def put_session(self, session):
            self.kept.add(session.digest)

        def drop_sessions(self, digests):
            self.kept -= set(digests)

    store = Slow()
    accounts = accounts_of(service, store)
    await accounts.add_user("admin", "nurse-a", Role.READ, PASSWORD)
    cookie = await begin(accounts, "nurse-a", Role.READ)
    at(service, SEEN_EVERY_MS)
    session = accounts.session(cookie)[0]
    accounts.sessions.seen(session, accounts.now())
    await asyncio.gather(accounts.sessions.end([session]), *accounts.sessions._noting)
    assert store.kept == set()


async def test_a_hash_by_older_parameters_is_renewed_and_a_damaged_one_opens_nothing():
    """At the sign-in, where the password is at hand."""
    old, today = Passwords(QUICK), Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    kept = await old.hashed(PASSWORD)
    fit = await today.fit(kept, PASSWORD)
    assert fit.fits
    assert "m=16,t=2" in fit.renewed
    assert (await today.fit(fit.renewed, PASSWORD)).renewed == ""
    assert not (await today.fit("$argon2id$damaged", PASSWORD)).fits
    assert not (await today.fit(kept, PASSWORD + "x")).fits


async def test_nobody_has_a_hash_of_the_same_work_and_it_never_fits():
    """Not even by the words that it was made of."""
    hashing = Passwords(QUICK)
    assert not (await hashing.fit(None, "nobody has this one")).fits
    assert "m=8,t=1" in hashing._nobodys


@pytest.mark.hazard("H-69")
async def test_the_shipped_parameters_are_those_of_rfc_9106():
    """64 MiB, three passes, four lanes."""
    assert "$argon2id$v=19$m=65536,t=3,p=4$" in await Passwords().hashed(PASSWORD)


async def test_widely_typed_letters_are_the_same_password():
    """A Chinese keyboard writes wide digits, and forms lose the spaces around."""
    hashing = Passwords(QUICK)
    kept = await hashing.hashed("three words \uff11\uff12\uff13 ")
    assert (await hashing.fit(kept, "three words 123")).fits


async def test_a_storm_of_sign_ins_is_told_to_come_again(monkeypatch):
    """Two are worked on, 32 wait at the most."""
    monkeypatch.setattr(passwords, "WAITING_MAX", WAITING_MAX)
    hashing = Passwords(QUICK)
    came = await asyncio.gather(*(hashing.fit(None, PASSWORD) for _ in range(WAITING_MAX + 5)), return_exceptions=True)
    assert sum(isinstance(one, PasswordsBusy) for one in came) == 5
    assert not (await hashing.fit(None, PASSWORD)).fits
