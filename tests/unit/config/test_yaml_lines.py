"""YAML as people write it: values, lines, and refusals in plain words."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.journal_text import render
from rules.yaml_lines import DEPTH_MAX, TEXT_MAX_BYTES, Problem, YamlProblem, load, load_all, show_path

EXAMPLE = """\
# a comment
people:
  nurse-a:
    contacts:
      - {sms: "1"}
      - sms: "2"
        after: 2m
teams: {}
"""


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("7001", 7001),
        ("-3", -3),
        ("0", 0),
        ("085", "085"),
        ("+85290000001", "+85290000001"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("12e5", "12e5"),
        ("1.5", 1.5),
        ("-.5e+1", -5.0),
        ("01.5", "01.5"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1.0e999", "1.0e999"),
        ("9" * 5000, "9" * 5000),
        ("2026-03-02", "2026-03-02"),
        ("2026-03-02T08:00:00Z", "2026-03-02T08:00:00Z"),
        ("20:30", "20:30"),
        ('"7001"', "7001"),
        ("'true'", "true"),
        ("=", "="),
    ],
)
def test_an_unquoted_word_means_what_it_looks_like(written, means):
    """Only true, false, null and plain numbers are anything but text."""
    value = load(f"key: {written}\n", "w.yaml").value["key"]
    assert value == means
    assert type(value) is type(means)


def test_keys_are_always_text():
    """A pager's number, a yes or a date as a key stays what was written."""
    assert load("{7001: a, no: b, true: c, 2026-03-02: d, '': e}", "w.yaml").value == {
        "7001": "a",
        "no": "b",
        "true": "c",
        "2026-03-02": "d",
        "": "e",
    }


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 2),
        (("people",), 2),
        (("people", "nurse-a"), 3),
        (("people", "nurse-a", "contacts"), 4),
        (("people", "nurse-a", "contacts", 0, "sms"), 5),
        (("people", "nurse-a", "contacts", 1), 6),
        (("people", "nurse-a", "contacts", 1, "after"), 7),
        (("people", "nurse-a", "contacts", 9, "after"), 4),
        (("people", "nobody", "contacts"), 2),
        (("teams", 0), 8),
        (("elsewhere",), 2),
    ],
)
def test_the_line_of_the_deepest_known_part(path, line):
    """A path that leads nowhere gives the line of the part that exists."""
    assert load(EXAMPLE, "w.yaml").line(path) == line


def test_an_alias_stands_for_its_anchor():
    """Anchors work; a value reached through an alias has the alias's line, its inside the anchor's."""
    found = load("a: &x\n  k: 1\nb: *x\n", "w.yaml")
    assert found.value == {"a": {"k": 1}, "b": {"k": 1}}
    assert found.line(("b",)) == 3
    assert found.line(("b", "k")) == 2


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12))


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3", 3, "key 'a' is given twice (first on line 1)"),
        ("a:\n  - x: 1\n    x: 2", 3, "key 'x' is given twice (first on line 2)"),
        ("a:\n\tb: 1", 2, "a tab as indentation; use spaces"),
        ("\ta: 1", 1, "a tab as indentation; use spaces"),
        ("a: b: c", 1, "a ':' where none can stand"),
        ("a: 1\n b: 2", 2, "mend the indentation"),
        ("a:\n  - 1\n b: 2", 3, "the indentation does not fit"),
        ("x: 0\na: [1, 2\nb: 3", 2, "a bracket that is never closed"),
        ("a: 'x", 1, "a quotation mark that is never closed"),
        ("a: @x", 1, "a special character; put it in quotes"),
        ('a: "\\q"', 1, "use single quotes"),
        ("%FOO\na: 1", 1, "not YAML: "),
        ("- 1", 1, "must be a mapping"),
        ("\n\nword", 3, "must be a mapping"),
        ("", 1, "the file is empty"),
        ("# nothing\n", 1, "the file is empty"),
        ("a: 1\n---\nb: 1", 3, "a second document begins here"),
        ("a: !!python/object:os.system x", 1, "tags ('!…') are not used here"),
        ("a: !!str 1", 1, "tags ('!…') are not used here"),
        ("a: &x {k: 1}\nb:\n  <<: *x", 3, "merge keys ('<<') are not used here"),
        ("a: *x", 1, "'*x' has no finished '&x' before it"),
        ("a: &x [*x]", 1, "'*x' has no finished '&x' before it"),
        ("a: {{x}}: 1", 1, "a key must be plain text"),
        ("a: 1\nb: \x00", 2, "a character that is not text (U+0000)"),
        ("a: \ud800", 1, "a character that is not text (U+D800)"),
        (BOMB, 5, "more than 100,000 values, aliases unfolded"),
        ("a: " + "[" * 60, 1, "nested deeper than 50 levels"),
        ("a: " + "[" * 100_000, 1, "nested deeper than 50 levels"),
        ("a: 1\n" * 300_000, 1, "larger than 1 MiB"),
        ("ä" * (TEXT_MAX_BYTES // 2 + 1), 1, "larger than 1 MiB"),
    ],
)
def test_what_cannot_be_read_is_refused_in_plain_words(text, line, words):
    """Each refusal names the line and the mend."""
    with pytest.raises(YamlProblem) as refused:
        load(text, "w.yaml")
    assert refused.value.line == line
    assert words in refused.value.message
    assert str(refused.value) == f"w.yaml:{line}: {refused.value.message}"


def test_the_deepest_allowed_nesting_loads():
    """Fifty levels are fine: the root's and forty-nine below."""
    depth = DEPTH_MAX - 1
    assert load("a: " + "[" * depth + "]" * depth, "w.yaml").line(("a", 0, 0)) == 1


def test_several_documents_are_read_where_they_are_wanted():
    """Rule and scenario files may hold many; empty ones are skipped; lines count through the file."""
    first, second = load_all("---\na: 1\n---\n---\n\nb:\n  - c\n---\n", "rules.yaml")
    assert (first.value, second.value) == ({"a": 1}, {"b": ["c"]})
    assert second.line(("b", 0)) == 7


def test_a_byte_order_mark_is_no_problem():
    """Some editors put one at the start."""
    assert load("\ufeffa: 1", "w.yaml").value == {"a": 1}


def test_a_problem_reads_like_a_compiler_s():
    """File, line, path and the mend; an unknown line is left out."""
    path = ("people", "nurse-a", "contacts", 0)
    assert str(Problem("ward.yaml", 12, path, "wrong")) == "ward.yaml:12: people.nurse-a.contacts[0]: wrong"
    assert str(Problem("ward.yaml", 0, (), "wrong")) == "ward.yaml: wrong"
    assert show_path((0, "a")) == "[0].a"


@given(st.text(alphabet="ab:-[]{}#&*!|>'\"%@` \n\t?,~<1.\\", max_size=60))
def test_no_text_makes_the_reader_stumble(text):
    """Whatever the keys of the keyboard give, it is a document or a YamlProblem with a line of the file."""
    problem = None
    try:
        load(text, "w.yaml")
    except YamlProblem as refused:
        problem = refused
    assert problem is None or (problem.message and 1 <= problem.line <= text.count("\n") + 1)


printable = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), max_size=12)
words = st.one_of(
    printable, st.from_regex(r"[-+]?[0-9._]*([eE][-+]?[0-9]*)?", fullmatch=True), st.sampled_from(["no", "null", "~", "<<", "="])
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**17), 10**17), st.floats(allow_nan=False, allow_infinity=False), words
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4), max_leaves=12
)


@given(st.dictionaries(words, values, min_size=1, max_size=4))
def test_what_is_written_for_the_journal_reads_back_the_same(content):
    """Writing and reading are inverse, for every kind of value and every odd word."""
    assert load(render(content), "journal").value == content


def test_the_plain_parser_agrees_with_the_fast_one(monkeypatch):
    """Where libyaml is missing, Python's own parser gives the same values and lines."""
    fast = load(EXAMPLE, "w.yaml")
    monkeypatch.setattr("rules.yaml_lines._PARSER", yaml.SafeLoader)
    plain = load(EXAMPLE, "w.yaml")
    path = ("people", "nurse-a", "contacts", 1, "after")
    assert (plain.value, plain.line(path)) == (fast.value, fast.line(path))
