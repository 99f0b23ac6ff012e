"""What is added to a page when it is handed over: a link, or the keys of a call."""
# ruff: noqa: RUF001, S314  Chinese has its own commas; the XML is our own

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from gateway.domain.effects import Answer
from gateway.domain.words import WhyPaged
from gateway.runtime.links import Links
from gateway.runtime.twiml import ask, nothing, say
from gateway.runtime.wording import Wording, spoken
from tests.support.fake_service import page as paged

LINKS = Links("a secret beside the journal")
WORDING = Wording(links=LINKS, base_url="https://ward.example/dw", linked={"sms", "email"}, calls={"voice"})
PAGE = replace(paged().page, text=f"{paged().page.text}\nCall the home: what does the pump show?")


def test_the_link_stands_on_a_line_of_its_own_behind_everything_else():
    """The essential stays what a telephone shows first, in its 160 characters."""
    essential, first, link = WORDING.text(PAGE).split("\n")
    assert f"{essential}\n{first}" == PAGE.text
    assert link == f"https://ward.example/dw/a/{LINKS.token(PAGE.key)}"


def test_a_page_that_is_sent_again_has_the_same_text():
    """A resend keeps its link."""
    assert WORDING.text(PAGE) == WORDING.text(PAGE)


@pytest.mark.parametrize(
    ("wording", "item"),
    [
        (WORDING, replace(PAGE, transport="pager")),
        (WORDING, replace(PAGE, why=WhyPaged.RESOLVED)),
        (WORDING, replace(PAGE, why=WhyPaged.UNREACHABLE)),
        (WORDING, replace(PAGE, why=WhyPaged.TEST)),
        (WORDING, replace(PAGE, why=WhyPaged.RESOLVED, transport="voice")),
        (replace(WORDING, base_url=""), PAGE),
        (replace(WORDING, base_url=""), replace(PAGE, transport="voice")),
        (WORDING, Answer(key="answer@9", person="nurse-a", transport="sms", address="1", text="P-017: yours", decided_at=0)),
        (WORDING, Answer(key="answer@9", person="nurse-a", transport="voice", address="1", text="P-017: yours", decided_at=0)),
    ],
)
def test_what_gets_no_link(wording, item):
    """Pagers, ends of incidents, answers, and everything while the ward file gives no address."""
    assert wording.text(item) == item.text


def test_a_call_reads_the_essential_twice_and_waits_for_a_key():
    """The key goes to the address of this page and no other."""
    call = ET.fromstring(WORDING.text(replace(PAGE, transport="voice")))
    gathers = call.findall("Gather")
    assert [gather.get("action") for gather in gathers] == [
        f"https://ward.example/dw/inbound/twilio?page={LINKS.token(PAGE.key)}"
    ] * 2
    assert {(gather.get("input"), gather.get("numDigits"), gather.get("method")) for gather in gathers} == {("dtmf", "1", "POST")}
    assert [said.text for said in gathers[0]] == [
        "P-017 HIGH: delivery stopped (occlusion downstream) since about 12:51. 4 h limit at 16:51.",
        "Press 4 to take it, 6 to pass it on.",
    ]
    assert [part.tag for part in call] == ["Gather", "Gather", "Say", "Hangup"]
    assert call.find("Say").text == "No key was pressed. Nothing was changed."


def test_a_call_in_chinese_is_spoken_in_chinese():
    """Whoever is paged in Chinese is asked in Chinese."""
    text = "高 P-017：輸注停止，自12:51。回覆4711接手"
    call = ET.fromstring(WORDING.text(replace(PAGE, transport="voice", text=text)))
    assert {said.get("language") for said in call.iter("Say")} == {"zh-HK"}
    assert next(call.iter("Say")).text == "高 P-017：輸注停止，自12:51。"


@pytest.mark.parametrize("text", ["<Hangup/>", "a & b \"c\" 'd'", "]]>", "<Response>"])
def test_no_text_can_break_the_call(text):
    """What pumps and people wrote is read out, never obeyed."""
    for made in (ask(text, "https://ward.example/?a=1&b=2"), say(text)):
        assert next(ET.fromstring(made).iter("Say")).text == text


def test_a_page_without_a_code_is_read_as_it_is():
    """Nothing is cut where there is nothing to cut."""
    assert spoken(replace(PAGE, code="", text="haem-ward: nurse-a can no longer be paged.")) == (
        "haem-ward: nurse-a can no longer be paged."
    )
    assert spoken(replace(PAGE, text="Reply 4711 to take it.")) == "Reply 4711 to take it."


def test_the_empty_answer_is_a_document():
    """Twilio wants one, also where there is nothing to say."""
    assert list(ET.fromstring(nothing())) == []
