"""The console in English and in Traditional Chinese."""

import re
from string import Formatter

import pytest
import yaml
from markupsafe import Markup

from gateway.console import terms
from gateway.console.words import Words, locale_of, words_in
from gateway.domain.care import WindowKind
from gateway.domain.locale import Locale
from gateway.domain.words import Condition, DeliveryState, NotDeliveringReason, Outcome, Priority
from tests.support.messages import bare_words, catalogue_files, constants, messages, templates, unwritten_sentences
from tests.support.source_tree import ROOT

CHINESE = words_in(Locale.ZH_HANT)


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_every_text_of_the_console_is_translated() -> None:
    """Whatever a template or a view says stands in the catalogue, so that no page is half in English."""
    missing = [f"{where} {text!r}" for where, text in messages() if text and text not in CHINESE.catalogue]
    assert not missing, "".join(f"\n  {line}" for line in sorted(set(missing)))


def test_every_sentence_stands_where_it_is_said() -> None:
    """What the gateway says to a command is found by the test above only where its text is written out."""
    assert list(unwritten_sentences()) == []


@pytest.mark.parametrize("name", templates())
def test_no_template_has_words_outside_the_catalogue(name: str) -> None:
    """Texts between tags, and those that a screen reader speaks, all go through the catalogue."""
    assert list(bare_words(templates()[name])) == []


def test_every_translation_is_said_somewhere() -> None:
    """A text that nobody says any more leaves the catalogue."""
    said = {text for _, text in messages()} | set(_domain_words()) | constants()
    stale = [f"{path.name} {text!r}" for path in catalogue_files() for text in _read(path) if text not in said]
    assert not stale, "".join(f"\n  {line}" for line in stale)


def test_no_text_has_two_translations() -> None:
    """One English text is one Chinese text: where the meanings differ, the English says so too."""
    said: dict[str, dict[str, str]] = {}
    for path in catalogue_files():
        for text, words in _read(path).items():
            said.setdefault(text, {})[words] = path.name
    assert {text: words for text, words in said.items() if len(words) > 1} == {}


def test_translations_fill_in_the_same() -> None:
    """A name in braces that one language lacks would be lost, or fail in front of a nurse."""
    wrong = [
        text for path in catalogue_files() for text, said in _read(path).items() if not said or _fields(text) != _fields(said)
    ]
    assert wrong == []


def test_the_domain_s_own_words_are_translated() -> None:
    """Rules, conditions, kinds of windows: all that ships."""
    assert [word for word in _domain_words() if word not in CHINESE.catalogue] == []


def _read(path) -> dict[str, str]:
    return yaml.safe_load(path.read_text("utf-8")) or {}


def _domain_words() -> list[str]:
    """What a name of the domain becomes before it is translated."""
    rules = {name for text in SHIPPED_TEXTS for name in re.findall(r"^\s*-? ?rule: ([a-z-]+)$", text, re.MULTILINE)}
    kinds = {word.value.replace("-", " ") for word in (*Condition, *WindowKind, *NotDeliveringReason)}
    return sorted({rule.replace("-", " ").capitalize() for rule in rules} | kinds)


SHIPPED_TEXTS = [path.read_text("utf-8") for path in (ROOT / "rules" / "catalog").glob("*.yaml")]


@pytest.mark.parametrize(
    ("header", "chosen", "locale"),
    [
        ("", "", Locale.EN),
        ("zh-HK,zh;q=0.9,en;q=0.8", "", Locale.ZH_HANT),
        ("en-GB,zh;q=0.9", "", Locale.EN),
        ("yue", "", Locale.ZH_HANT),
        ("fr;q=0.9,zh-CN;q=0.3", "", Locale.ZH_HANT),
        ("zh-HK", "en", Locale.EN),
        ("en", "zh-Hant", Locale.ZH_HANT),
        ("zh-HK", "klingon", Locale.ZH_HANT),
        (";;;q=,,\x00é" * 200, "", Locale.EN),
    ],
)
def test_the_reader_s_choice_wins_over_the_browser_s(header: str, chosen: str, locale: Locale) -> None:
    """The cookie, else Accept-Language, else English; rubbish is no language."""
    assert locale_of(header, chosen) is locale


def test_what_is_filled_in_is_escaped_once() -> None:
    """A name is text and a mark is markup, in every language; braces in a name are nothing special."""
    say = Words(Locale.EN, {})
    assert say("{who} has it", who="<b>{who}") == "<b>{who} has it"  # text: the template escapes it
    told = say("{who} has it until {at}", who="<b>", at=Markup("<time>9:00</time>"))
    assert told == Markup("&lt;b&gt; has it until <time>9:00</time>")
    assert isinstance(told, Markup)


def test_each_language_has_each_word_of_the_closed_vocabularies() -> None:
    """States, priorities and outcomes are never shown by their names on the wire."""
    for state in DeliveryState:
        assert terms.state_words(state, CHINESE) != terms.state_words(state, words_in(Locale.EN))
    for priority in Priority:
        assert terms.priority_words(priority, CHINESE) != terms.priority_words(priority, words_in(Locale.EN))
    for outcome in (None, *Outcome):
        assert terms.outcome_words(outcome, CHINESE) != terms.outcome_words(outcome, words_in(Locale.EN))
