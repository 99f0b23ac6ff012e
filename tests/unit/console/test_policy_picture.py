"""A policy drawn from itself, and the words beside it."""

from xml.etree import ElementTree as ET

import pytest

from gateway.console.policy_picture import LINE_CELLS, picture
from gateway.console.roster_words import masked, sentence
from gateway.console.words import words_in
from gateway.domain.instants import MINUTE_MS
from gateway.domain.locale import Locale
from gateway.domain.ward import Policy, Step

STEPS = (Step(("schedule:ward-nurse",), 5 * MINUTE_MS), Step(("person:charge-nurse", "caregiver"), 10 * MINUTE_MS))
ENGLISH = words_in(Locale.EN)


def drawn(policy: Policy, locale: Locale = Locale.EN, fallback: tuple[str, ...] = ("person:ward-manager",)) -> ET.Element:
    """The picture, read as XML: our own, written a moment ago."""
    return ET.fromstring(str(picture(policy, fallback, words_in(locale))))  # noqa: S314  our own text


def texts(root: ET.Element) -> list[str]:
    """All lines of text, from top to bottom."""
    found = [(float(text.get("y", "0")), text.text or "") for text in root.iter("text")]
    return [line for _, line in sorted(found, key=lambda pair: pair[0])]


def test_steps_waits_and_the_way_back():
    """In the order in which they happen; the line back ends at the step at which the policy starts again."""
    policy = Policy("high", STEPS, repeat_from=1, repeat_every_ms=10 * MINUTE_MS, ack_lease_ms=30 * MINUTE_MS)
    root = drawn(policy)
    assert texts(root) == [
        "Step 1",
        "whoever is on call in",
        "ward-nurse",
        "5 min without an answer",
        "Step 2",
        "charge-nurse, the caregiver",
        "at home",
        "10 min without an answer",
        "again, at most once in 10 min",
        "a step that finds nobody:",
        "ward-manager",
    ]
    boxes = [(float(box.get("y", "0")), float(box.get("height", "0"))) for box in root.iter("rect")]
    assert len(boxes) == 3
    back = [path.get("d", "") for path in root.iter("path") if "H" in path.get("d", "")]
    top, height = boxes[1]
    assert len(back) == 1
    assert f"V{round(top + height / 2)} " in back[0]


def test_a_policy_that_ends_has_no_way_back():
    """A low one may end, and says so."""
    root = drawn(Policy("pharmacy", STEPS[:1]), fallback=())
    assert "then nobody else" in texts(root)
    assert not [path for path in root.iter("path") if "H" in path.get("d", "")]


def test_a_policy_without_steps_pages_nobody():
    """It is drawn all the same."""
    assert texts(drawn(Policy("low"))) == ["on the board only"]
    assert sentence(Policy("low"), ENGLISH) == "Nobody is paged: it stands on the board only."


@pytest.mark.parametrize("locale", Locale)
@pytest.mark.parametrize("name", ["a" * 90, "a-b " * 30, "<&>\"'", "護士" * 20])
def test_no_name_breaks_out_of_its_box(name: str, locale: Locale):
    """However long, in whatever script, and with every sign that means something to a browser."""
    root = drawn(Policy(name, (Step((f"person:{name}",), MINUTE_MS),)), locale, (f"person:{name}",))
    for line in texts(root):
        assert sum(1 if char.isascii() else 2 for char in line) <= LINE_CELLS + 2, line
    assert root.get("aria-label")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("85290000001", "…001"),
        ("+852 9000 0001", "…001"),
        ("7001", "…01"),
        ("71", "…"),
        ("", "…"),
        ("pharmacy@ward.example", "…acy@…"),
        ("ab@ward.example", "…@…"),
        ("@", "…@…"),
    ],
)
def test_an_address_is_masked(address: str, shown: str):
    """Enough to know one's own; never the whole, however short."""
    assert masked(address) == shown
