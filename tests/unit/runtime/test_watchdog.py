"""What the watchdog says, and when: two views of the gateway, in virtual time."""

from dataclasses import replace

import pytest

from gateway.domain.instants import MINUTE_MS, SECOND_MS, Instant
from gateway.runtime.watchdog import FRESH_MS, RETRY_MS, STEADY_MS, Answer, Sight, Trouble, Watch, trouble_of

AT: Instant = 10_000_000
WELL = Sight(linked_at=AT - MINUTE_MS * 9, beat_at=AT, well=True, answer=Answer.READY)
DOWN = replace(WELL, beat_at=None, answer=Answer.NONE)
CUT_OFF = replace(DOWN, linked_at=None)
AFTER_MS = 3 * MINUTE_MS


class Tower:
    """A watch whose every minute is looked at, second by second."""

    def __init__(self, repeat_ms: int | None = None) -> None:
        self.at = AT
        self.watch = Watch("haem-ward", after_ms=AFTER_MS, repeat_ms=repeat_ms, at=AT)
        self.said: list[tuple[int, str]] = []
        self.deaf_ears = False

    def see(self, sight: Sight, for_ms: int) -> None:
        """The same sight for so long; heartbeats go on coming where they came."""
        end = self.at + for_ms
        while self.at < end:
            self.at += SECOND_MS
            beat_at = self.at if sight.beat_at is not None else None
            text = self.watch.look(replace(sight, beat_at=beat_at), self.at)
            if text is not None:
                self.watch.said(self.at, told=not self.deaf_ears)
                self.said.append(((self.at - AT) // SECOND_MS, text))

    def seconds(self) -> list[int]:
        """When something was said."""
        return [second for second, _ in self.said]


@pytest.mark.parametrize(
    ("sight", "trouble"),
    [
        (WELL, None),
        (DOWN, Trouble.GATEWAY_DOWN),
        (CUT_OFF, Trouble.CUT_OFF),
        (replace(WELL, linked_at=None), Trouble.BROKER_DOWN),
        (replace(WELL, linked_at=None, answer=Answer.NOT_READY), Trouble.BROKER_DOWN),
        (replace(WELL, beat_at=AT - FRESH_MS), Trouble.NO_HEARTBEAT),
        (replace(WELL, answer=Answer.NONE), Trouble.NO_ANSWER),
        (replace(WELL, answer=Answer.NOT_READY), Trouble.NOT_READY),
        (replace(WELL, well=False), Trouble.NOT_READY),
        (replace(WELL, beat_at=None, answer=Answer.NOT_READY), Trouble.NOT_READY),
    ],
)
def test_the_two_views_together_say_what_is_wrong(sight: Sight, trouble: Trouble | None):
    """Reaching neither broker nor gateway is never called a gateway that is down."""
    assert trouble_of(sight, AT) is trouble


def test_a_dead_gateway_is_told_once_after_its_time_and_so_is_the_end():
    """Three minutes, one page; a minute of health, and it is over."""
    tower = Tower()
    tower.see(DOWN, 30 * MINUTE_MS)
    assert tower.seconds() == [180]
    assert "GATEWAY IS DOWN" in tower.said[0][1]
    tower.see(WELL, 10 * MINUTE_MS)
    assert tower.seconds() == [180, 30 * 60 + 1 + STEADY_MS // SECOND_MS]
    assert "it is over" in tower.said[1][1]


def test_a_short_trouble_is_nobodys_business():
    """Less than the time: nothing, and the next trouble has its whole time again."""
    tower = Tower()
    for _ in range(5):
        tower.see(DOWN, AFTER_MS - SECOND_MS)
        tower.see(WELL, SECOND_MS)
    assert tower.said == []


def test_it_is_repeated_as_configured():
    """Every ten minutes while it lasts."""
    tower = Tower(repeat_ms=10 * MINUTE_MS)
    tower.see(DOWN, 24 * MINUTE_MS)
    assert tower.seconds() == [180, 780, 1380]


def test_what_nobody_took_is_said_again_soon():
    """The watchdog's own network may be what failed."""
    tower = Tower()
    tower.deaf_ears = True
    tower.see(CUT_OFF, AFTER_MS + RETRY_MS)
    tower.deaf_ears = False
    tower.see(CUT_OFF, 10 * MINUTE_MS)
    assert tower.seconds() == [180, 210, 240]


def test_another_trouble_is_told_too():
    """Cut off first, then the broker is back and the gateway is still missing: both are said, in their own words."""
    tower = Tower()
    tower.see(CUT_OFF, 5 * MINUTE_MS)
    tower.see(DOWN, 5 * MINUTE_MS)
    assert len(tower.said) == 2
    assert "NEITHER" in tower.said[0][1]
    assert "GATEWAY IS DOWN" in tower.said[1][1]


def test_troubles_that_alternate_do_not_page_each_time():
    """A trouble that changes every few seconds is one trouble."""
    tower = Tower()
    for _ in range(60):
        tower.see(CUT_OFF, 10 * SECOND_MS)
        tower.see(DOWN, 10 * SECOND_MS)
    assert len(tower.said) == 1


def test_a_session_that_has_only_begun_is_given_time_for_a_heartbeat():
    """After a reconnect nothing is concluded before a heartbeat could have come."""
    young = replace(DOWN, linked_at=AT, answer=Answer.READY)
    watch = Watch("haem-ward", after_ms=SECOND_MS, repeat_ms=None, at=AT)
    assert watch.look(young, AT + FRESH_MS - 1) is None
    assert "heartbeat does not come" in str(watch.look(young, AT + FRESH_MS))


@pytest.mark.parametrize("answer", [Answer.NONE, Answer.READY])
def test_a_broker_session_that_comes_and_goes_is_no_health(answer: Answer):
    """It is told although no session ever lives long enough for a heartbeat."""
    tower = Tower()
    for _ in range(30):
        tower.see(replace(CUT_OFF, answer=answer), 10 * SECOND_MS)
        tower.see(replace(DOWN, linked_at=tower.at, answer=answer), 10 * SECOND_MS)
    assert len(tower.said) == 1
