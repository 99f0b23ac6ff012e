"""The limit without delivery: when it comes, what it means, and what nobody is told to do any more."""

from dataclasses import replace

import pytest

from gateway.core.board import incident_line
from gateway.core.incident_state import Incident
from gateway.core.state import Interruption
from gateway.core.store import State
from gateway.domain.locale import Locale
from gateway.domain.ward import Policy, Step
from gateway.domain.words import DeliveryState, Priority, WhyPaged
from tests.unit.core.page_texts import PROTOCOL, RULES, course, note, said_in
from tests.unit.core.world import minutes


@pytest.mark.hazard("H-04")
@pytest.mark.parametrize(
    ("minute", "first"), [(239, "Call the home: what does the pump show?"), (240, "Nobody starts the pump again")]
)
def test_past_the_limit_nobody_is_told_to_start_again_at_home(minute, first):
    """The page would contradict itself."""
    stopped = course("P-017", DeliveryState.INTERRUPTED)
    assert (
        said_in(stopped, [note("delivery-interrupted", detail="user")], WhyPaged.MILESTONE, minute)
        .split("\n")[1]
        .startswith(first)
    )


@pytest.mark.parametrize(
    ("kind", "first"), [("free-flow", "Close the clamp nearest"), ("door-open", "Nobody starts the pump again")]
)
def test_past_the_limit_the_advice_to_close_the_clamp_stays(kind, first):
    """It starts nothing, and does not wait."""
    stopped = course("P-017", DeliveryState.INTERRUPTED)
    assert said_in(stopped, [note("alarm-persistent", kind=kind)], WhyPaged.MILESTONE, 241).split("\n")[1].startswith(first)


@pytest.mark.hazard("H-04")
def test_past_the_limit_the_board_says_the_same():
    """Whoever looks before calling the home reads what the page says."""
    state = State(protocols={PROTOCOL.name: PROTOCOL})
    stopped = state.courses["P-017"] = course("P-017", DeliveryState.INTERRUPTED)
    policy = Policy("high", (Step(("person:nurse-a",), minutes(2)),))
    stopped.open[""] = incident = Incident("P-017@1", "P-017", "", minutes(0), Priority.HIGH, {"high": policy})
    incident.alerts = {"x": note("delivery-interrupted", detail="user")}
    for minute, first in ((239, RULES["delivery-interrupted"].first), (240, PROTOCOL.past_limit_first)):
        state.desk.now_at = minutes(minute)
        assert incident_line(incident, state).alerts[0].first == first
    assert incident_line(incident, state).alerts[0].translated == {"zh-Hant": PROTOCOL.limit_words[Locale.ZH_HANT].first}


@pytest.mark.parametrize(
    ("minute", "words"),
    [
        (239, "4 h limit at 12:00."),
        (240, "OVER 4 h: premedication and supervised restart per protocol."),
        (600, "OVER 4 h: premedication"),
    ],
)
def test_the_limit_is_a_clock_time_until_it_is_passed(minute, words):
    """From four hours on the text says what that means."""
    stopped = course("P-017", DeliveryState.INTERRUPTED)
    assert words in said_in(stopped, [note("delivery-interrupted", detail="user")], WhyPaged.MILESTONE, minute)


def test_silence_past_the_limit_says_that_it_may_be_passed():
    """Nobody knows."""
    silent = course("P-017", DeliveryState.UNKNOWN)
    text = said_in(silent, [note("delivery-unknown", detail="silence")], WhyPaged.RAISED, 250)
    assert "pump not heard since 08:00; delivery unknown. 4 h limit may be passed." in text


def test_a_short_of_four_hours_resolution_says_what_it_was_and_a_longer_one_what_it_means():
    """After the limit the restart is supervised, also when it is over."""
    over = course("P-017", DeliveryState.DELIVERING, 200)
    over.delivery.interruptions = [Interruption(minutes(0), minutes(200), "user", estimated=False)]
    short = said_in(over, [note("delivery-interrupted", detail="user")], WhyPaged.RESOLVED, 202)
    assert short == "P-017 RESOLVED after 3 h 22 min: was delivery stopped (stopped by hand) since 08:00."
    over.delivery.interruptions[0] = replace(over.delivery.interruptions[0], until=minutes(260))
    long = said_in(over, [note("delivery-interrupted", detail="user")], WhyPaged.RESOLVED, 262)
    assert long.endswith("Stopped for 4 h 20 min, OVER 4 h: premedication and supervised restart per protocol.")


def test_a_limit_that_is_not_translated_makes_the_page_english():
    """Its words may be due any minute."""
    bare = replace(PROTOCOL, limit_words={})
    stopped, notes = course("P-017", DeliveryState.INTERRUPTED), [note("delivery-interrupted", detail="user")]
    text = said_in(stopped, notes, WhyPaged.OPENED, 20, locale=Locale.ZH_HANT, protocol=bare)
    assert text.startswith("P-017 HIGH: delivery stopped")
