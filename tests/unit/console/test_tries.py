from hypothesis import given
from hypothesis import strategies as some

from gateway.console.signing_in import place_of
from gateway.console.tries import KEYS_MAX, LOCK_MS, WITHIN_MS, Tries
from gateway.domain.instants import MINUTE_MS


def test_the_fifth_try_locks_for_a_quarter_of_an_hour():
    """And then the name is open again, with five new tries."""
    tries = Tries(5)
    assert [tries.count("a", at) for at in range(5)] == [False, False, False, False, True]
    assert tries.locked_until("a", 5) == 4 + LOCK_MS
    assert tries.locked_until("a", 4 + LOCK_MS) is None
    assert not tries.count("a", 4 + LOCK_MS)


def test_tries_that_are_long_ago_do_not_count():
    """Four slips in the morning and one in the evening lock nobody out."""
    tries = Tries(5)
    for at in range(4):
        tries.count("a", at)
    assert not tries.count("a", WITHIN_MS)


def test_one_locked_name_locks_no_other():
    """Each for itself, and a right password forgets the wrong ones."""
    tries = Tries(2)
    tries.count("a", 0)
    tries.count("a", 0)
    assert (tries.locked_until("a", 1), tries.locked_until("b", 1)) == (LOCK_MS, None)
    assert tries.forget("a")
    assert tries.locked_until("a", 1) is None
    assert not tries.forget("nobody")


def test_a_bounded_number_of_names_is_remembered():
    """Whoever invents names fills no memory."""
    tries = Tries(5)
    for n in range(KEYS_MAX + 50):
        tries.count(str(n), n)
    assert len(tries) == KEYS_MAX


@given(some.lists(some.integers(0, 40 * MINUTE_MS), min_size=1, max_size=60))
def test_never_more_than_five_tries_in_any_quarter_of_an_hour(instants):
    """Whatever the rhythm of the guesses."""
    tries, tried = Tries(5), []
    for at in sorted(instants):
        if tries.locked_until("a", at) is None:
            tries.count("a", at)
            tried.append(at)
    windows = [sum(1 for other in tried if at <= other < at + WITHIN_MS) for at in tried]
    assert max(windows) <= 9  # four just before the count begins anew, five after; then it is locked


def test_one_machine_is_one_address_however_many_it_has():
    """Of IPv6 the network counts."""
    assert place_of("2001:db8::1") == place_of("2001:db8::ffff:2") == "2001:db8::/64"
    assert place_of("192.0.2.7") == "192.0.2.7"
    assert place_of("nonsense") == place_of("") == "an unknown address"


def test_a_try_that_nobody_looked_at_is_none():
    """It locks nothing; those that were looked at still count."""
    tries = Tries(2)
    tries.take_back("a")
    for at in range(9):
        tries.count("a", at)
        tries.take_back("a")
    assert tries.locked_until("a", 9) is None
    assert [tries.count("a", 10), tries.count("a", 11)] == [False, True]
    tries.count("b", 12)
    tries.count("b", 12)
    tries.take_back("b")
    assert tries.locked_until("b", 13) is None
