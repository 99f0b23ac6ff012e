"""The last resort: when it sounds, who is told, and what ends it."""

import pytest

from gateway.bridge.bridge import heeded_number
from gateway.bridge.last_resort import AGAIN_MS, TELL_AGAIN_MS, LastResort, ToDo
from gateway.domain.instants import MINUTE_MS
from tests.support.bridge_parts import frame


def summary(todo: ToDo) -> tuple[list[int], list[str], bool, bool]:
    """(frames sent again, devices told of, light, sound)."""
    return [one.seq for one in todo.again], todo.tell, todo.light, todo.sound


@pytest.mark.parametrize(
    "rubbish",
    [
        b"",
        b"[]",
        b"null",
        b'{"boot": "b", "seq": null}',
        b'{"boot": "b", "seq": "7"}',
        b'{"boot": "b", "seq": 7.0}',
        b'{"boot": "b", "seq": 1e400}',
        b'{"boot": "b", "seq": true}',
        b'{"boot": null, "seq": 7}',
        b'{"seq": 7}',
        b"\xff",
        b"[" * 9_999,
    ],
)
def test_rubbish_is_no_answer(rubbish: bytes):
    """Anybody may have written it; only a whole number is a number."""
    assert heeded_number(rubbish) is None
    assert heeded_number(b'{"boot": "b", "seq": 7}') == ("b", 7)


def test_an_alarm_that_is_heeded_is_quiet():
    """Nothing happens beyond sending."""
    resort = LastResort(MINUTE_MS)
    resort.began(frame(7), 0)
    assert summary(resort.look(1_000)) == ([], [], False, False)
    resort.heeded("pump-02", "b1", 9)
    resort.heeded("pump-01", "b1", 6)
    resort.heeded("pump-01", "b1", 7)
    assert summary(resort.look(10 * MINUTE_MS)) == ([], [], False, False)


@pytest.mark.hazard("H-36")
def test_an_alarm_that_nobody_heeds_sounds_and_tells():
    """Sent again each 20 s; light, sound and the second path after a minute; the second path again only while it fails."""
    resort = LastResort(MINUTE_MS)
    resort.began(frame(7), 0)
    assert summary(resort.look(AGAIN_MS)) == ([7], [], False, False)
    assert summary(resort.look(AGAIN_MS + 1)) == ([], [], False, False)
    assert summary(resort.look(MINUTE_MS)) == ([7], ["pump-01"], True, True)
    assert summary(resort.look(MINUTE_MS + 1)) == ([], [], True, True)
    assert resort.look(MINUTE_MS + TELL_AGAIN_MS).tell == ["pump-01"]
    resort.was_told("pump-01")
    assert resort.look(MINUTE_MS + 3 * TELL_AGAIN_MS).tell == []
    resort.heeded("pump-01", "b1", 8)  # a later frame will do: what came before it, it has
    assert summary(resort.look(30 * MINUTE_MS)) == ([], [], False, False)


def test_the_button_ends_the_sound_alone_and_a_new_alarm_sounds_again():
    """A press before anything sounds does nothing."""
    resort = LastResort(MINUTE_MS)
    resort.began(frame(7), 0)
    resort.button(1)
    assert resort.look(MINUTE_MS).sound
    resort.button(MINUTE_MS)
    now = resort.look(MINUTE_MS + 1)
    assert (now.light, now.sound) == (True, False)
    resort.began(frame(8), MINUTE_MS + 2)
    assert resort.look(MINUTE_MS + 3).sound


def test_a_word_about_the_first_alarm_gives_the_second_its_own_minute():
    """The gateway is there again; the newer alarm is on its way."""
    resort = LastResort(MINUTE_MS)
    resort.began(frame(7), 0)
    resort.began(frame(9), 50_000)
    resort.heeded("pump-01", "b1", 7)
    assert not resort.look(70_000).light
    assert resort.look(50_000 + MINUTE_MS).light
    resort.was_told("pump-99")


@pytest.mark.hazard("H-36")
def test_a_word_about_another_numbering_heeds_nothing():
    """A pump that also publishes by itself, or the card before this one, has numbers of its own, and larger ones."""
    resort = LastResort(MINUTE_MS)
    resort.began(frame(7), 0)
    resort.heeded("pump-01", "b0", 5_000)
    assert resort.look(MINUTE_MS).sound
