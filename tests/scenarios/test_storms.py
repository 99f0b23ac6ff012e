"""Three hundred homes in trouble at once, as stories too long to be written down: how many pages leave, and in which order."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from gateway.core.escalation import GRACE_MS, QUIET_MS
from gateway.domain.effects import Page
from gateway.domain.instants import MINUTE_MS
from gateway.domain.words import Priority, WhyPaged
from gateway.scenario.grammar import read_scenario
from gateway.scenario.story import Story

HOMES = 300
HERE = Path(__file__).parent


def pages_of(folder: Path, *steps: str) -> list[tuple[int, Page]]:
    """(ms since the start, page) of all pages of a story with that many enrolled homes, in the order in which they left."""
    enrolled = [f"{{at: 0m, enrol: {{course: P-{n}, pump: p{n}}}}}" for n in range(HOMES)]
    lines = [
        f"title: a storm\nward: {HERE.parent / 'ward.example.yaml'}\nsteps:",
        *(f"  - {step}" for step in [*enrolled, *steps]),
    ]
    file = folder / "storm.yaml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    story = Story(read_scenario(file))
    story.run()  # its failures are the pages themselves: none is named
    return [(seen.at - story.scenario.start_at, seen.page) for seen in story.checks.pages]


def everywhere(at: str, what: str, homes: Iterable[int] = range(HOMES)) -> list[str]:
    """The same thing happens at every home."""
    return [f"{{at: {at}, pump: p{n}, {what}}}" for n in homes]


def told(pages: Iterable[tuple[int, Page]]) -> list[tuple[float, str, str]]:
    """(minute, person, transport) of pages."""
    return [(at / MINUTE_MS, page.person, page.transport) for at, page in pages]


@pytest.mark.hazard("H-48")
def test_all_homes_silent_at_once_are_one_page(tmp_path: Path):
    """The site's incident climbs; no home pages for itself, also when each one's silence has become urgent."""
    pages = pages_of(tmp_path, *everywhere("60m", "silent: true"), "{at: 121m, expect: {incident: P-0, is: none}}")
    assert {page.course for _, page in pages} == {""}
    assert told(pages)[:4] == [
        (65, "nurse-a", "sms"),
        (67, "nurse-a", "voice"),
        (70, "nurse-a", "sms"),
        (70, "charge-nurse", "pager"),
    ]
    assert "300 of 300 pumps silent" in pages[0][1].text
    assert Counter(page.person for _, page in pages)["nurse-a"] == 10, "steps 1 and 2, then every 15 min, by two contacts each"


def test_all_homes_back_at_once_are_one_word_to_each_who_was_paged(tmp_path: Path):
    """What ends together is told together: no home has a word of its own to say."""
    back = everywhere("80m", "back: true")
    pages = pages_of(tmp_path, *everywhere("60m", "silent: true"), *back, "{at: 120m, expect: {incident: P-0, is: none}}")
    over = [(at, page) for at, page in pages if page.why is WhyPaged.RESOLVED]
    assert sorted(person for _, person, _ in told(over)) == ["charge-nurse", "haematologist", "nurse-a"]
    assert {at for at, _ in over} == {80 * MINUTE_MS + QUIET_MS}
    assert max(at for at, _ in pages) == over[0][0]


def test_as_many_alarms_at_once_page_every_home_once_before_any_twice(tmp_path: Path):
    """Each patient is an incident of her own; the round of first pages is complete before a second one leaves."""
    alarms = everywhere("60m", "alarm: system-fault, stops: false")
    pages = pages_of(tmp_path, *alarms, "{at: 68m, expect: {incident: P-0, is: triggered}}")
    first = pages[:HOMES]
    assert sorted(page.course for _, page in first) == sorted(f"P-{n}" for n in range(HOMES))
    assert set(told(first)) == {(62, "nurse-a", "sms")}
    assert Counter(told(pages)) == {
        (62, "nurse-a", "sms"): HOMES,
        (64, "nurse-a", "voice"): HOMES,
        (67, "nurse-a", "sms"): HOMES,
        (67, "charge-nurse", "pager"): HOMES,
        (68, "charge-nurse", "sms"): HOMES,
    }


@pytest.mark.hazard("H-48")
@pytest.mark.parametrize("urgent", [0, HOMES // 2, HOMES - 1])
def test_the_one_urgent_home_among_many_is_paged_first(tmp_path: Path, urgent: int):
    """All become due in the same second: two hundred and ninety-nine stops of ten minutes, and one alarm of high priority."""
    others = [n for n in range(HOMES) if n != urgent]
    stops, alarm = everywhere("60m", "stop: user", others), everywhere("68m", "alarm: system-fault, stops: false", [urgent])
    pages = pages_of(tmp_path, *stops, *alarm, "{at: 70m, expect: {incident: P-0, is: triggered}}")
    assert (pages[0][1].course, pages[0][1].priority) == (f"P-{urgent}", Priority.HIGH)
    assert Counter((at, page.priority) for at, page in pages) == {
        (70 * MINUTE_MS, Priority.HIGH): 1,
        (70 * MINUTE_MS, Priority.MEDIUM): HOMES - 1,
    }


def test_a_hand_over_in_a_storm_waits_for_nobody(tmp_path: Path):
    """Hundreds of open incidents, and the colleague is paged in the second in which hers is handed over."""
    hand_over = "{at: 75m, by: nurse-a, record: {command: hand-over, incident: P-7, to: nurse-b}}"
    acks = [f"{{at: 63m, person: nurse-a, ack: P-{n}}}" for n in range(HOMES)]
    alarms = everywhere("60m", "alarm: system-fault, stops: false")
    pages = pages_of(tmp_path, *alarms, *acks, hand_over, "{at: 80m, expect: {incident: P-7, is: triggered}}")
    after = [(at, page) for at, page in pages if at >= 75 * MINUTE_MS]
    assert told(after)[:2] == [(75, "nurse-b", "sms"), (77, "nurse-b", "voice")]
    assert after[2][0] == 75 * MINUTE_MS + GRACE_MS
    assert {page.course for _, page in after} == {"P-7"}
