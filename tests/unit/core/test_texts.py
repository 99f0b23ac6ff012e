"""What a page says: it fits into one text message, whatever happened, and never says what it must not."""

import re
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import pytest

from gateway.core.context import Context
from gateway.core.desk import Desk
from gateway.core.state import Interruption, Site
from gateway.core.texts import _Writer, clock_time
from gateway.domain.instants import DAY_MS
from gateway.domain.locale import Locale
from gateway.domain.ward import Ward
from gateway.domain.words import Condition, DeliveryState, Priority, WhyPaged
from tests.unit.core.page_texts import CAUSES, IDS, LONGEST, RULES, course, essential, note, said_in
from tests.unit.core.world import minutes
from tests.unit.rules.gsm7 import septets


def everything(locale: Locale) -> list[tuple[str, str]]:
    """(what it is, text) of every kind of page about every kind of trouble, today and on another day."""
    found = []
    text_of = partial(said_in, locale=locale)
    for why, name, at in product(WhyPaged, [*IDS, LONGEST], [5, 130, 241, 5_000]):
        for cause, estimated in product(CAUSES, [False, True]):
            stopped = course(name, DeliveryState.INTERRUPTED, estimated=estimated)
            stopped.delivery.interruptions = [Interruption(minutes(0), minutes(at), str(cause), estimated)]
            notes = [note("delivery-interrupted", detail=str(cause))]
            if cause in list(Condition):
                notes.append(note("alarm-persistent", kind=str(cause)))
            found.append((f"{why} {cause} {at}", text_of(stopped, notes, why, at)))
        silent = course(name, DeliveryState.UNKNOWN)
        found += [
            (f"{why} {cause}", text_of(silent, [note("delivery-unknown", detail=cause)], why, at))
            for cause in ("silence", "unsaid")
        ]
        running = course(name, DeliveryState.DELIVERING)
        found += [(f"{why} {kind}", text_of(running, [note("alarm-persistent", kind=kind)], why, at)) for kind in Condition]
        found += [
            (f"{why} never", text_of(course(name, DeliveryState.UNKNOWN), [note("pump-never-heard")], why, at)),
            (f"{why} data", text_of(running, [note("undecodable-data", detail="123 of 456 messages")], why, at)),
            (
                f"{why} stranger",
                text_of(Site("haem-ward"), [note("undecodable-data", kind="p1", detail="3 of 3 messages of p1")], why, at),
            ),
            (f"{why} deaf", text_of(Site("haem-ward"), [note("gateway-deaf")], why, at)),
        ]
    return found


EVERYTHING = everything(Locale.EN)
CHINESE = everything(Locale.ZH_HANT)


def test_the_essential_part_of_every_page_fits_into_one_message():
    """160 septets of the GSM alphabet, for the longest pseudonym, the longest cause and the longest code."""
    too_long = [(what, septets(essential(text)), text) for what, text in EVERYTHING if (septets(essential(text)) or 999) > 160]
    assert not too_long, too_long[:3]


def test_in_chinese_it_fits_into_seventy_characters():
    """As many as one message holds in that script, with the limit and the code in every one that can be taken."""
    assert not [text for _, text in CHINESE if len(essential(text)) > 70]
    for what, text in CHINESE:
        if not what.startswith("resolved"):
            assert "回覆471147接手" in essential(text), text
    assert {text[0] for what, text in CHINESE if what.startswith("opened")} == {"緊"}


def test_a_long_pseudonym_is_shortened_only_where_nothing_else_makes_room_and_follows_whole():
    """Who answers must know whom the page is about."""
    shortened = [text for _, text in CHINESE if LONGEST not in essential(text) and ".." in essential(text)]
    assert shortened
    assert all(LONGEST in text.split("\n")[1] or IDS[1] in text.split("\n")[1] for text in shortened if "\n" in text)
    assert not [text for _, text in EVERYTHING if ".." in essential(text)]


@pytest.mark.parametrize(
    "gap",
    [{"say": "sounds odd", "translated": {}}, {"detail": "in words that nobody translated"}],
    ids=["the rule", "what it found"],
)
def test_what_is_not_translated_makes_the_whole_page_english(gap):
    """Half and half would be read by nobody, and would not fit."""
    whole, odd = note("delivery-interrupted", detail="user"), replace(note("alarm-recurrent", kind="door-open"), **gap)
    odd = replace(odd, kind="") if "detail" in gap else odd
    text = said_in(course("P-017", DeliveryState.INTERRUPTED), [whole, odd], WhyPaged.OPENED, 20, locale=Locale.ZH_HANT)
    assert text.startswith("P-017 HIGH: delivery stopped (stopped by hand) since 08:00")


def test_an_alarm_with_words_of_its_own_in_english_only_does_not_get_the_general_ones():
    """They would tell a nurse to do something else."""
    ours = RULES["alarm-persistent"]
    chinese = ours.translations[Locale.ZH_HANT]
    bare = replace(ours, translations={Locale.ZH_HANT: replace(chinese, firsts={})})
    assert bare.translated(Locale.ZH_HANT, "free-flow") is None
    assert bare.translated(Locale.ZH_HANT, "temperature") == (chinese.say, chinese.first)


@pytest.mark.parametrize("locale", Locale)
def test_what_a_device_says_of_its_own_stays_in_the_house(locale):
    """A pump's own words and names of settings may hold anything."""
    secret = "Mrs Example, bed 7"
    alarm = replace(note("alarm-persistent", kind="other", detail=secret), say="{kind} {detail}", translated={})
    changed = note("settings-changed", kind="settings", detail=f"settings changed ({secret})")
    text = said_in(course("P-017", DeliveryState.DELIVERING), [alarm, changed], WhyPaged.OPENED, 5, locale=locale)
    assert "Example" not in text
    assert "settings changed" in text


@pytest.mark.parametrize("locale", Locale)
def test_the_page_that_the_documentation_shows_is_a_real_one(locale):
    """Both lines of it, as they stand in docs/texts.md."""
    shown = re.findall(r"```\n(.*?)```", (Path(__file__).parents[3] / "docs" / "texts.md").read_text(), re.DOTALL)
    stopped = course("P-017", DeliveryState.INTERRUPTED, estimated=True)
    occluded = note("delivery-interrupted", detail="occlusion-downstream")
    assert f"{said_in(stopped, [occluded], WhyPaged.OPENED, 62, '4711', locale)}\n" in shown


def test_a_device_keeps_its_name():
    """Whoever looks for it looks for this name."""
    strange = note("pump-unassigned", kind="pump-17", detail="delivers")
    assert "pump-17 serves no course: delivers" in said_in(Site("haem-ward"), [strange], WhyPaged.OPENED, 5)


def test_no_page_needs_an_alphabet_that_halves_the_room():
    """The advice behind the essential part, too."""
    assert not [text for _, text in EVERYTHING if septets(text) is None]


@pytest.mark.hazard("H-17")
def test_no_page_names_a_drug_or_says_flush():
    """Neither does any give an order to a pump."""
    assert not [
        text
        for _, text in EVERYTHING + CHINESE
        if re.search("flush|blin|onco|leuk|mcg|沖|癌|血病|淋巴|腫瘤|化療", text, re.IGNORECASE)
    ]


def test_every_page_that_can_be_taken_says_how_and_who_and_how_urgent():
    """The code at the end of the essential part, the course at its head."""
    for what, text in EVERYTHING:
        if not what.startswith("resolved"):
            assert re.match(r"(P-|PPPP|haem-ward)\S* HIGH[:,]", text), text
            assert essential(text).endswith("Reply 471147 to take it."), text


def test_the_first_thing_to_do_follows_on_a_line_of_its_own():
    """The advice of the most urgent alert."""
    low = note("alarm-persistent", kind="battery-low", priority=Priority.LOW)
    text = said_in(
        course("P-017", DeliveryState.INTERRUPTED), [low, note("delivery-interrupted", detail="user")], WhyPaged.OPENED, 20
    )
    assert text.split("\n")[1] == RULES["delivery-interrupted"].first
    assert "delivery stopped (stopped by hand) since 08:00; pump alarm battery low since 08:00." in text


def test_an_estimated_onset_is_called_about():
    """While it lasts, and when it is over."""
    stopped = course("P-017", DeliveryState.INTERRUPTED, estimated=True)
    assert "since about 08:00" in said_in(stopped, [note("delivery-interrupted", detail="occlusion")], WhyPaged.OPENED, 62)
    over = course("P-017", DeliveryState.DELIVERING, 70)
    over.delivery.interruptions = [Interruption(minutes(0), minutes(70), "occlusion", estimated=True)]
    assert "since about 08:00" in said_in(over, [note("delivery-interrupted", detail="occlusion")], WhyPaged.RESOLVED, 72)


def test_more_alerts_than_fit_are_counted():
    """The most urgent first."""
    notes = [note("alarm-persistent", kind=kind) for kind in list(Condition)[:7]]
    text = essential(said_in(course("P-017", DeliveryState.DELIVERING), notes, WhyPaged.OPENED, 5))
    assert re.search(r"; pump alarm [a-z ]+ since 08:00 \+\d more\.", text)


@pytest.mark.hazard("H-61")
def test_a_ward_s_own_endless_words_are_cut_but_the_code_stays():
    """A rule may say what it likes; the reply still reaches us."""
    long = replace(note("gateway-deaf"), say="x" * 500, first="")
    text = said_in(course("P-017", DeliveryState.DELIVERING), [long], WhyPaged.OPENED, 5)
    assert len(text) == 160
    assert text.endswith("xx Reply 471147 to take it.")


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0, "08:00"),
        (1, "Tue 08:00"),
        (-1, "Sun 08:00"),
        (5.9, "Sun 05:36"),
        (6, "Sun 8 Mar 08:00"),
        (7, "Mon 9 Mar 08:00"),
        (-7, "Mon 23 Feb 08:00"),
        (365, "Tue 2 Mar 2027 08:00"),
    ],
)
def test_a_time_that_is_a_week_away_is_not_told_by_its_weekday_alone(days, words):
    """A bag that is changed next Monday would else be changed today."""
    at = minutes(0)  # Monday, 08:00
    context = Context(Ward("haem-ward", "Asia/Hong_Kong"), {}, {}, Desk(), at, 1)
    assert clock_time(at + round(days * DAY_MS), context) == words


def test_a_page_about_thousands_of_alerts_says_the_first_ones_only(monkeypatch: pytest.MonkeyPatch):
    """What one message cannot hold is counted, not written: the time it takes grows no faster than the alerts."""
    said, say = [], _Writer._say
    monkeypatch.setattr(_Writer, "_say", lambda writer, note: said.append(note) or say(writer, note))
    notes = [note("pump-never-heard", kind=f"p{n}", since=1) for n in range(3_000)]
    text = essential(said_in(course("P-017", DeliveryState.UNKNOWN), notes, WhyPaged.OPENED, 5))
    assert re.search(r" \+299\d more\. ", text), text
    assert len(said) < 20
