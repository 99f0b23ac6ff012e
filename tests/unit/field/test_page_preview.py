"""`dripwatch page preview`: all texts with their lengths, for whoever signs them."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WARD = (ROOT / "tests" / "ward.example.yaml").read_text()


def ward_file(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    """The example ward with some places written differently."""
    text = WARD
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    path = tmp_path / "ward.yaml"
    path.write_text(text)
    return path


def test_every_text_of_one_rule_in_both_languages(run):
    """With its alphabet, its length and its parts; exit 0 because everything fits."""
    result = run("page", "preview", "--rule", "rate-mismatch")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[:4] == [
        "blinatumomab_home in en",
        "  rate-mismatch, opened (0.606 instead of 0.6 mL/h): GSM-7, 87 characters, 187 with what to do first, 2 parts",
        "    P-017 HIGH: pump rate 0.606 instead of 0.6 mL/h since Tue 23:59. Reply 4711 to take it.",
        "    Call the home: have the rate on the display read out. Only the supplier or the hospital changes it.",
    ]
    assert "blinatumomab_home in zh-Hant" in lines
    assert re.search(r"rate-mismatch, opened \(.*\): UCS-2, 44 characters, \d+ with what to do first, 2 parts", result.stdout)
    assert lines[-1] == "everything essential fits into one message"


def test_one_language_only(run):
    """And one that there is not is refused."""
    chinese = run("page", "preview", "--rule", "fever", "--locale", "zh-Hant").stdout
    assert " in zh-Hant" in chinese
    assert " in en" not in chinese
    assert run("page", "preview", "--locale", "fr").exit_code == 2


def test_all_texts_of_a_protocol_and_the_answers(run):
    """Each rule, and what is said back to people."""
    result = run("page", "preview", "synthetic_pump", "--locale", "en")
    assert "  synthetic-alarm, opened" in result.stdout
    assert "  answer, taken: GSM-7" in result.stdout
    assert "  reminder, diary: GSM-7" in result.stdout
    assert result.exit_code == 0


def test_a_ward_is_shown_its_own_words_in_its_own_languages(run, tmp_path):
    """What it did not translate is named, and shown in English."""
    own = ("rules:      ", 'rules:\n  fever: {say: "hot since {since}"}\n#')
    english = run("page", "preview", "--ward", ward_file(tmp_path, own), "--rule", "fever")
    assert "hot since Tue 23:59" in english.stdout
    assert "zh-Hant" not in english.stdout
    mixed = ward_file(tmp_path, own, ("nurse-b:      {", "nurse-b:      {locale: zh-Hant, "))
    both = run("page", "preview", "--ward", mixed, "--rule", "fever")
    assert "not in zh-Hant, so pages with it are in English: fever: say" in both.stdout
    assert both.exit_code == 0
    checked = run("check-config", mixed)
    assert (
        "protocols.blinatumomab_home: not in zh-Hant, so pages with it are in English: fever: say (not-translated)"
        in checked.stdout
    )
    assert run("check-config", ward_file(tmp_path, own)).stdout.count("not-translated") == 0


def test_words_that_have_no_room_are_named(run, tmp_path):
    """Exit 1: the essential of this page would be cut."""
    own = ("rules:      ", f'rules:\n  fever: {{say: "{"hot " * 50}"}}\n#')
    result = run("page", "preview", "--ward", ward_file(tmp_path, own), "--rule", "fever")
    assert result.exit_code == 1
    assert "NO ROOM: its words are cut" in result.stdout
    assert "texts have no room for the essential" in result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing_home"], "no protocol 'nothing_home' is shipped; known: blinatumomab_home"),
        (["--rule", "fevr"], "no rule 'fevr'; rules: delivery-interrupted"),
        (["blinatumomab_home", "--ward", "ward.yaml"], "give a protocol or --ward, not both"),
        (["--ward", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_a_wrong_call_is_refused_in_words(run, words, said):
    """Exit 2, one line."""
    result = run("page", "preview", *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_rules_test_says_what_is_not_translated(run, tmp_path):
    """Beside the examples; it fails nothing, because English is understood."""
    own = tmp_path / "own.yaml"
    own.write_text('extends: blinatumomab_home\nprotocol: own_home\nrules:\n  - {rule: fever, say: "hot since {since}"}\n')
    result = run("rules", "test", own)
    assert result.exit_code == 0
    assert "not in zh-Hant, so pages with it are in English: fever: say" in " ".join(result.stdout.split())
    assert "not in" not in run("rules", "test", "blinatumomab_home").stdout
