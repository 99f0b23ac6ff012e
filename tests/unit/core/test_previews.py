"""Every rule, every language, every extreme: what a page says fits, is translated, and names nobody."""

import re
from dataclasses import replace

import pytest

from gateway.core.languages import WORDINGS
from gateway.core.previews import STORIES, Previewer, Story
from gateway.domain.locale import Locale
from gateway.domain.ward import Ward
from gateway.domain.words import OF_NO_INCIDENT, Condition, WhyPaged
from gateway.field.rulebook import shipped_names
from gateway.outside.sms_text import coded
from rules.engine import judge
from rules.examples import run_example
from rules.loader import load_protocol, shipped_text
from rules.predicates import PREDICATES
from tests.unit.rules.gsm7 import septets

PROTOCOLS = {name: load_protocol(shipped_text(name), name) for name in shipped_names()}
WARD = Ward(site="haem-ward", timezone="Asia/Hong_Kong")
NAMES = ["P-1", "P-2026-000017-LONG-PSEUDONYM-OK", "P" * 32]
# What may stand in Latin letters in a Chinese page: pseudonym and ward, units, names of our own.
LATIN = re.compile(
    "|".join([*(re.escape(short) for n in NAMES for short in (n, f"{n[:7]}..{n[-7:]}")), "haem-ward", "pump-17", "mL/h"])
)
OURS = re.compile("KVO|Dripwatch|dripwatch doctor")
MUST_NOT = re.compile("Example|flush|blin|onco|leuk|mcg|852|沖|癌|血病|淋巴|腫瘤|化療", re.IGNORECASE)


def all_pages(locale: Locale):
    """(rule, preview) of every protocol's own texts, for each pseudonym, with the longest code."""
    for name in NAMES:
        for protocol in (PROTOCOLS["blinatumomab_home"], PROTOCOLS["continuous_infusion"], PROTOCOLS["synthetic_pump"]):
            previewer = Previewer(protocol, WARD, locale, course=name, code="471147")
            for rule in protocol.rules:
                yield from ((rule, text) for text in previewer.of(rule))


PAGES = {locale: list(all_pages(locale)) for locale in Locale}


def test_every_question_that_rules_may_ask_has_its_story():
    """A new predicate brings the longest that it can find."""
    assert set(STORIES) == set(PREDICATES)


def test_every_rule_has_every_kind_of_page():
    """Opened, raised, milestone, lease ended, silence ended, nobody on call, passed on, resolved."""
    whys = {why.value for why in WhyPaged if why not in OF_NO_INCIDENT}
    for rule in PROTOCOLS["blinatumomab_home"].rules:
        shown = {text.what.split(" ")[0] for one, text in PAGES[Locale.EN] if one is rule}
        assert shown == whys, rule.name


@pytest.mark.hazard("H-61")
def test_the_essential_of_every_english_page_fits_into_160_septets():
    """Counted by the tests' own table, not by what is tested; and nothing is cut to make it so."""
    too_long = [text for _, text in PAGES[Locale.EN] if (septets(text.essential) or 999) > 160 or text.cut]
    assert not too_long, too_long[:3]


@pytest.mark.hazard("H-61")
def test_the_essential_of_every_chinese_page_fits_into_70_characters():
    """All of these lie in the basic plane, so that a character is one unit."""
    too_long = [text for _, text in PAGES[Locale.ZH_HANT] if len(text.essential) > 70 or text.cut]
    assert not too_long, too_long[:3]
    assert all(max(text.text) <= "\uffff" for _, text in PAGES[Locale.ZH_HANT])


def test_a_page_takes_two_messages_at_the_most():
    """Three for the longest English advice: what to do first is for somebody who reads it at once."""
    assert max(len(coded(text.text).parts) for locale in Locale for _, text in PAGES[locale]) <= 3


def test_no_english_word_is_left_in_a_chinese_page():
    """Neither a cause nor a figure goes out half translated."""
    for _, text in PAGES[Locale.ZH_HANT]:
        left = re.findall(r"[A-Za-z]{2,}", OURS.sub("", LATIN.sub("", text.text)))
        assert not left, text


@pytest.mark.hazard("H-17", "H-71")
@pytest.mark.parametrize("locale", Locale)
def test_no_page_names_a_person_a_drug_an_illness_or_an_address(locale):
    """Nor tells anybody to push fluid through a line; a device's own words (`Mrs Example`) do not get through."""
    assert not [text for _, text in PAGES[locale] if MUST_NOT.search(text.text)]


@pytest.mark.hazard("H-61")
@pytest.mark.parametrize("locale", Locale)
def test_every_page_says_who_since_when_and_how_to_take_it(locale):
    """The reply code and a clock time; but a share of volume, a forecast and a test have no beginning."""
    timeless = {"under-delivery", "battery-running-out", "synthetic-alarm"}
    for rule, text in PAGES[locale]:
        if text.what.startswith("resolved"):
            continue
        assert "471147" in text.essential, text
        assert rule.name in timeless or re.search(r"\d\d:\d\d", text.essential), text


@pytest.mark.parametrize("locale", Locale)
def test_no_answer_is_longer_than_one_message(locale):
    """And each has a text."""
    answers = list(Previewer(PROTOCOLS["blinatumomab_home"], WARD, locale).answers())
    assert len(answers) == len(WORDINGS[locale].answers) + 3
    assert all(text.text and len(coded(text.text).parts) == 1 for text in answers)


def test_both_languages_have_the_same_answers_with_the_same_blanks():
    """None is forgotten in one of them."""
    english, chinese = WORDINGS[Locale.EN].answers, WORDINGS[Locale.ZH_HANT].answers
    assert english.keys() == chinese.keys()
    for name, text in english.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", chinese[name])), name


def test_both_languages_have_words_for_the_same_things():
    """Urgency, reasons for paging again, causes and conditions."""
    english, chinese = WORDINGS[Locale.EN], WORDINGS[Locale.ZH_HANT]
    for name in ("priorities", "leads", "causes", "kinds"):
        assert getattr(english, name).keys() == getattr(chinese, name).keys(), name
    assert set(english.kinds) == set(Condition)
    plain = {WhyPaged.OPENED, WhyPaged.UNACKNOWLEDGED, WhyPaged.RESOLVED}
    assert set(english.leads) == set(WhyPaged) - plain - OF_NO_INCIDENT


def test_what_rules_find_in_their_examples_can_be_said_in_chinese(monkeypatch):
    """The figures of every finding of every example of the catalogue, as the predicates word them."""
    chinese, told, protocol = WORDINGS[Locale.ZH_HANT], set(), PROTOCOLS["blinatumomab_home"]

    def judged(rules, alerts, view, **keys):
        changes = judge(rules, alerts, view, **keys)
        told.update((rule.name, alert.detail) for rule in rules for alert in alerts.values() if not alert.idle)
        return changes

    monkeypatch.setattr("rules.examples.judge", judged)
    assert [run_example(rule, example, protocol) for rule in protocol.rules for example in rule.examples].count(None) > 50
    says = {rule.name: rule.translations[Locale.ZH_HANT].say for rule in protocol.rules}
    assert not [(name, said) for name, said in told if "{detail}" in says[name] and chinese.detail(said) is None]
    assert not [(name, said) for name, said in told if "{cause}" in says[name] and chinese.cause(said) is None]
    assert len({said for name, said in told if "{detail}" in says[name]}) > 20


def test_endless_words_of_a_ward_are_found():
    """What is cut is said to be cut."""
    protocol = PROTOCOLS["blinatumomab_home"]
    endless = replace(protocol.rules[0], say="{since} " + "x" * 160)
    text = Previewer(protocol, WARD, Locale.EN).page(endless, Story(detail="user"), WhyPaged.OPENED)
    assert text.cut
    assert septets(text.essential) <= 160
    assert text.essential.endswith("xx Reply 4711 to take it.")
