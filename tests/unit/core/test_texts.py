"""What a page says: it fits into one text message, whatever happened, and never says what it must not."""

import re
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import pytest

from gateway.core.board import incident_line
from gateway.core.context import Context
from gateway.core.incident_state import Happening, Incident, Note, Told
from gateway.core.state import Bag, Course, Delivery, Desk, Interruption, Site
from gateway.core.store import State
from gateway.core.texts import clock_time, compose
from gateway.domain.instants import DAY_MS
from gateway.domain.locale import TRANSLATED, Locale
from gateway.domain.ward import Ward
from gateway.domain.words import Condition, DeliveryState, Priority, WhyPaged
from rules.loader import load_protocol, shipped_text
from tests.unit.core.world import minutes
from tests.unit.rules.gsm7 import septets

PROTOCOL = load_protocol(shipped_text("blinatumomab_home"), "x")
RULES = {rule.name: rule for rule in PROTOCOL.rules}
CAUSES = [*Condition, "user", "clinician", "alarm", "kvo", "powered-off", "between-doses", "unspecified", "stopped"]
IDS = ["P-017", "P-2026-000017-LONG-PSEUDONYM-OK"]
LONGEST = "P" * 32


def note(rule: str, *, kind: str = "", detail: str = "", since: float = 0, priority: Priority = Priority.HIGH) -> Note:
    """An alert as its incident carries it."""
    ours, names = RULES[rule], (kind, detail)
    note = Note(rule, kind, kind or rule, priority, minutes(since), detail, ours.say, ours.first_for(*names))
    note.translated = {locale: Told(*words) for locale in TRANSLATED if (words := ours.translated(locale, *names)) is not None}
    return note


def course(name: str, state: DeliveryState, since: float = 0, *, estimated: bool = False) -> Course:
    """A course in this state since so many minutes."""
    delivery = Delivery(state=state, since=minutes(since), evidence_at=minutes(since), estimated=estimated)
    bag = Bag("7-day", minutes(0), 0.6, 110, 0, minutes(10_000))
    return Course(name, protocol=PROTOCOL.name, pump="p1", bag=bag, delivery=delivery)


def said_in(
    subject, notes: list[Note], why: WhyPaged, at: float, code: str = "471147", locale: Locale = Locale.EN, protocol=PROTOCOL
) -> str:
    """The whole text of a page."""
    incident = Incident("k@1", subject.id, "", minutes(0), Priority.HIGH, {}, round=2)
    if why is WhyPaged.RESOLVED:
        incident.last_alerts = notes
    else:
        incident.alerts = {f"{n.rule}:{n.kind}": n for n in notes}
    incident.history.append(Happening(minutes(at), "resolved"))
    ward = Ward("haem-ward", "Asia/Hong_Kong")
    return compose(subject, incident, why, code, Context(ward, {PROTOCOL.name: protocol}, {}, Desk(), minutes(at), 1), locale)


def essential(text: str) -> str:
    """What must arrive with the first message."""
    return text.split("\n", maxsplit=1)[0]


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


def test_a_limit_that_is_not_translated_makes_the_page_english():
    """Its words may be due any minute."""
    bare = replace(PROTOCOL, limit_words={})
    stopped, notes = course("P-017", DeliveryState.INTERRUPTED), [note("delivery-interrupted", detail="user")]
    text = said_in(stopped, notes, WhyPaged.OPENED, 20, locale=Locale.ZH_HANT, protocol=bare)
    assert text.startswith("P-017 HIGH: delivery stopped")


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


def test_past_the_limit_the_board_says_the_same():
    """Whoever looks before calling the home reads what the page says."""
    state = State(protocols={PROTOCOL.name: PROTOCOL})
    stopped = state.courses["P-017"] = course("P-017", DeliveryState.INTERRUPTED)
    stopped.open[""] = incident = Incident("P-017@1", "P-017", "", minutes(0), Priority.HIGH, {})
    incident.alerts = {"x": note("delivery-interrupted", detail="user")}
    for minute, first in ((239, RULES["delivery-interrupted"].first), (240, PROTOCOL.past_limit_first)):
        state.desk.now_at = minutes(minute)
        assert incident_line(incident, state).alerts[0].first == first


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


def test_a_short_of_four_hours_resolution_says_what_it_was_and_a_longer_one_what_it_means():
    """After the limit the restart is supervised, also when it is over."""
    over = course("P-017", DeliveryState.DELIVERING, 200)
    over.delivery.interruptions = [Interruption(minutes(0), minutes(200), "user", estimated=False)]
    short = said_in(over, [note("delivery-interrupted", detail="user")], WhyPaged.RESOLVED, 202)
    assert short == "P-017 RESOLVED after 3 h 22 min: was delivery stopped (stopped by hand) since 08:00."
    over.delivery.interruptions[0] = replace(over.delivery.interruptions[0], until=minutes(260))
    long = said_in(over, [note("delivery-interrupted", detail="user")], WhyPaged.RESOLVED, 262)
    assert long.endswith("Stopped for 4 h 20 min, OVER 4 h: premedication and supervised restart per protocol.")


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
