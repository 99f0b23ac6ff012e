"""Who is paged in which language, and what older journals hold of it."""

import re

import pytest

from gateway.config.load import load_ward_mapping
from gateway.config.merge import merge_patch
from gateway.config.problems import ConfigError
from gateway.core.context import Context
from gateway.core.desk import Desk
from gateway.core.languages import locale_of
from gateway.core.reply_words import Take, read
from gateway.domain.effects import Page
from gateway.domain.locale import Locale
from gateway.domain.ward import Contact, Ward
from gateway.runtime.snapshots import dump, restore
from rules.loader import load_protocol, shipped_text
from rules.translations import untranslated
from tests.unit.core.world import example_ward, in_trouble, lives, minutes, pages

CHINESE, ENGLISH = Locale.ZH_HANT, Locale.EN


def ward_with(**patch) -> Ward:
    """The example ward, patched."""
    return load_ward_mapping(merge_patch(example_ward(), patch), "ward").ward


def test_a_ward_that_names_no_language_speaks_english():
    """Ward files and journals of before go on as they were."""
    ward = ward_with()
    assert {person.locale for person in ward.people.values()} == {ENGLISH}
    assert ward.home_locale is ENGLISH


def test_a_person_s_own_language_goes_before_the_ward_s():
    """The homes have the ward's unless the file says otherwise."""
    ward = ward_with(locale="zh-Hant", people={"nurse-b": {"locale": "en"}})
    assert (ward.people["nurse-a"].locale, ward.people["nurse-b"].locale, ward.home_locale) == (CHINESE, ENGLISH, CHINESE)
    assert ward_with(locale="zh-Hant", home_locale="en").home_locale is ENGLISH


@pytest.mark.parametrize("patch", [{"locale": "zh"}, {"home_locale": "fr"}, {"people": {"nurse-a": {"locale": True}}}])
def test_a_language_that_nobody_wrote_is_refused_with_those_there_are(patch):
    """Rather than answered in English for years."""
    with pytest.raises(ConfigError, match="is no language of ours; write one of en, zh-Hant"):
        ward_with(**patch)


def test_a_pager_that_shows_ascii_only_is_sent_english():
    """Question marks would tell a nurse nothing."""
    ward = ward_with(locale="zh-Hant")
    context = Context(ward, {}, {}, Desk(), minutes(0), 1)
    person = ward.people["charge-nurse"]
    assert {contact.transport: locale_of(person, contact, context) for contact in person.contacts} == {
        "pager": ENGLISH,
        "sms": CHINESE,
    }
    assert locale_of(person, Contact("gone", "1"), context) is CHINESE


@pytest.mark.parametrize(
    ("written", "code"),
    [("接手", ""), ("收到", ""), ("4711接手", "4711"), ("接手 4711", "4711"), ("收到４７１１。", "4711"), ("4711 收到", "4711")],
)
def test_a_page_is_taken_with_the_word_that_it_uses(written, code):
    """Alone or beside the code, in wide digits too."""
    assert read(written) == Take(code)


@pytest.mark.parametrize("written", ["未收到", "接手不了", "收到 47", "自動回覆 收到你的訊息"])
def test_other_words_take_nothing(written):
    """Neither the opposite nor an automatic answer."""
    assert read(written) is None


def test_a_snapshot_brings_the_languages_back():
    """Word for word."""
    world = in_trouble({"locale": "zh-Hant"})
    (page,) = (effect for effect in lives(world, 2) if isinstance(effect, Page))
    assert page.text.startswith("緊急 P-017")
    before = world.monitor.state.courses["P-017"]
    after = restore({"course:P-017": dump(world.monitor.state, "course:P-017") or b""}).courses["P-017"]
    assert after == before


def in_english_only() -> str:
    """The shipped protocol with each text as one string."""
    text = shipped_text("blinatumomab_home") or ""
    text = re.sub(r"\n +zh-Hant: .*", "", text)
    text = re.sub(r":( +#.*)?\n +en: (.*)", r": \2", text)
    assert "zh-Hant:" not in text
    assert not re.search(r"^ +en:", text, re.MULTILINE)
    return text


def test_a_protocol_of_before_the_languages_loads_and_pages_in_english():
    """As it stands in an old journal: each text is one string."""
    shipped = load_protocol(shipped_text("blinatumomab_home") or "", "x")
    old = load_protocol(in_english_only(), "journal", find=lambda _name: None)
    assert [(rule.say, rule.first, rule.firsts) for rule in old.rules] == [
        (rule.say, rule.first, rule.firsts) for rule in shipped.rules
    ]
    missing = untranslated(old, CHINESE)
    assert "fever: say" in missing
    assert "alarm-persistent: first for air-in-line" in missing
    assert "past_limit" in missing
    assert untranslated(shipped, CHINESE) == untranslated(old, ENGLISH) == []


def test_a_rule_that_a_ward_words_anew_has_no_translation_until_the_ward_gives_one():
    """The old Chinese would say what the ward no longer means."""
    text = shipped_text("blinatumomab_home") or ""
    own = load_protocol(text, "x", {"fever": {"say": "hot since {since}"}})
    assert untranslated(own, CHINESE) == ["fever: say"]
    both = load_protocol(text, "x", {"fever": {"say": {"en": "hot since {since}", "zh-Hant": "{since}起發熱"}}})
    assert untranslated(both, CHINESE) == []


def test_a_page_to_a_chinese_nurse_in_the_monitor():
    """From the alarm to the page, by the ward file alone."""
    world = in_trouble({"people": {"nurse-a": {"locale": "zh-Hant"}}})
    (page,) = pages(lives(world, 2))
    assert page.text.splitlines()[0].endswith(f"回覆{page.code}接手")
