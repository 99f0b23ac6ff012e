"""What the audit remembers stays within its limits, and what is forgotten is still told by what records say."""

import pytest

from gateway.core.events import Sent
from gateway.domain.effects import Page
from gateway.domain.words import Outcome, Priority, WhyPaged
from gateway.runtime import audit_incidents, audit_pages
from gateway.runtime.audit_pages import WHY, Pages, from_key, outcome_words, page_words
from tests.support.audited import lived, told


def page(number: int, why: WhyPaged = WhyPaged.OPENED) -> Page:
    """A page about incident number `number`."""
    return Page(
        key=f"P-017@{number}/r1/nurse-a/0",
        incident=f"P-017@{number}",
        course="P-017",
        person="nurse-a",
        transport="sms",
        address="8521",
        priority=Priority.HIGH,
        why=why,
        about=("fever",),
        text="",
        code="4711",
        decided_at=1_000,
    )


def test_pages_beyond_the_limit_are_known_by_their_keys(monkeypatch):
    """The oldest is forgotten first; its outcome is told by its key, once."""
    monkeypatch.setattr(audit_pages, "PAGES_MAX", 2)
    pages = Pages()
    for number in (1, 2, 3):
        pages.decided(page(number), told=True)
    known, before = pages.sent(page(1).key)
    assert (known.transport, before) == ("contact 1", False)
    assert pages.sent(page(1).key)[1]
    assert pages.sent(page(3).key) == (pages.decided(page(3), told=True), True)
    assert len(pages._known) == 2


def test_incidents_beyond_the_limit_are_told_no_further(tmp_path, monkeypatch):
    """The one that opened first gives way, and nothing is told twice."""
    steps = """
at: 0m, enrol: {course: P-017, pump: p1}
at: 0m, enrol: {course: P-018, pump: p2}
at: 10m, pump: p1, stop: user
at: 11m, pump: p2, stop: user
at: 40m, pump: p1, run: true
at: 41m, pump: p2, run: true
at: 60m, expect: {delivery: P-017, is: delivering, within: 0s}
"""
    records = lived(tmp_path, steps).journal
    monkeypatch.setattr(audit_incidents, "FOLLOWED_MAX", 1)
    over = [line.incident for line in told(records) if line.why == "quiet"]
    opened = [line.incident for line in told(records) if "opened" in line.text and line.what == "incident"]
    assert len(opened) == 2
    assert over == opened[1:]


def test_a_key_of_another_shape_is_told_as_it_is():
    """An outcome of a page by a future version is not lost."""
    known = from_key("strange")
    assert (known.incident, known.person) == ("strange", "somebody")


@pytest.mark.parametrize("why", WhyPaged)
def test_every_reason_for_a_page_has_words(why):
    """Nobody reads a name of ours where a sentence should stand."""
    assert why.value in WHY
    said = page_words(Pages().decided(page(1, why), told=True), 1_000)
    assert said.startswith("nurse-a was ")
    assert (WHY[why.value] in said) is (why is not WhyPaged.RESOLVED)


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_words(outcome):
    """With the attempt where it was not the first, and the transport's own reason."""
    said = outcome_words(from_key("P-017@5/r1/nurse-a/0"), Sent(9, "", outcome, "no such\nnumber"), 3)
    assert "nurse-a about P-017@5" in said
    assert said.endswith(" (attempt 3): no such number")
