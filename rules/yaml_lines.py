"""YAML as people write it, with the line of every value, and nobody's pager number turned into something else.

A small, safe dialect. Mappings, lists, text, whole and decimal numbers, `true`, `false` and `null`; nothing else:

    no, on, yes, off      text, so that a person or a pager may be called so
    2026-03-02            text; whoever needs a date reads it as one
    0852, +85290000001    text; a number with a leading zero or plus is a name, not a quantity
    12e5, 0x1F, .inf      text; only digits, or digits with a decimal point, are numbers
    keys                  always text

Refused, each with its line: duplicate keys, tags, merge keys, tabs as indentation, more than 1 MiB, more than 50 levels, aliases
that unfold to more than 100,000 values. Nothing here raises anything but `YamlProblem`.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import yaml
from yaml import events

TEXT_MAX_BYTES = 1 << 20
DEPTH_MAX = 50
VALUES_MAX = 100_000  # counted with aliases unfolded, so that a few anchors cannot become gigabytes

Path = tuple[str | int, ...]
Value = dict[str, "Value"] | list["Value"] | str | int | float | bool | None

_PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)?\.[0-9]+(?:[eE][-+]?[0-9]+)?")
_CONSTANTS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PLAIN_WORDS = (
    (
        "mapping values are not allowed",
        "a ':' where none can stand; put text that contains ': ' in quotes, or mend the indentation",
    ),
    ("could not find expected ':'", "a key without its ':'; write `key: value`"),
    ("did not find expected ',' or", "a bracket that is never closed, or a missing comma"),
    ("did not find expected key", "the indentation does not fit the lines above, or text follows a closing quote"),
    ("did not find expected '-' indicator", "the indentation of this list does not fit; start each item with '- ' in one column"),
    ("found unexpected end of stream", "a quotation mark that is never closed"),
    ("cannot start any token", "text that starts with a special character; put it in quotes"),
    ("block sequence entries are not allowed", "a '- ' where no list can start; begin the list on its own line"),
    ("did not find expected node content", "a value is missing here"),
    ("unknown escape character", "a backslash in double quotes; use single quotes"),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file: where (line 0: unknown), at which value, and the mend in plain words."""

    source: str
    line: int
    path: Path
    message: str

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}" if self.line else self.source
        return ": ".join(part for part in (place, show_path(self.path), self.message) if part)


class YamlProblem(Exception):
    """The text is not a document that can be read. `line` is 1-based."""

    def __init__(self, source: str, line: int, message: str) -> None:
        super().__init__(source, line, message)
        self.source = source
        self.line = line
        self.message = message

    @property
    def problem(self) -> Problem:
        """The same as a `Problem` without a path."""
        return Problem(self.source, self.line, (), self.message)

    def __str__(self) -> str:
        return str(self.problem)


@dataclass(slots=True)
class _Node:
    """A value under construction: where its parts stand, and how many values it holds with aliases unfolded."""

    value: Value
    parts: dict[str | int, tuple[int, "_Node"]] = field(default_factory=dict)
    size: int = 1


@dataclass(frozen=True, slots=True)
class Located:
    """A document's value, and the line on which each part of it stands."""

    value: dict[str, Value]
    _root: _Node = field(repr=False, compare=False)
    _first_line: int = field(repr=False, compare=False)

    def line(self, path: Path) -> int:
        """1-based line of the deepest part of `path` that the document has."""
        line, node = self._first_line, self._root
        for step in path:
            if step not in node.parts:
                break
            line, node = node.parts[step]
        return line


def show_path(path: Path) -> str:
    """A path as people write it: `people.nurse-a.contacts[0]`."""
    shown = ""
    for step in path:
        shown += f"[{step}]" if isinstance(step, int) else f".{step}" if shown else step
    return shown


def read_scalar(text: str) -> Value:
    """What an unquoted word means in this dialect."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def load(text: str, source: str) -> Located:
    """Read one document whose root is a mapping. `source` names the file in errors. Raises `YamlProblem`."""
    documents = load_all(text, source)
    if len(documents) > 1:
        line = documents[1].line(())
        raise YamlProblem(source, line, "a second document begins here; only one is read, remove the '---' line")
    return documents[0]


def load_all(text: str, source: str) -> list[Located]:
    """Read all documents of a text (separated by `---`), each a mapping; empty ones are skipped. Raises `YamlProblem`."""
    _refuse_unreadable(text, source)
    try:
        documents = list(_documents(text, source))
    except yaml.YAMLError as error:
        raise _in_plain_words(error, text, source) from None
    if not documents:
        raise YamlProblem(source, 1, "the file is empty")
    return documents


def _refuse_unreadable(text: str, source: str) -> None:
    if len(text) > TEXT_MAX_BYTES or len(text.encode(errors="replace")) > TEXT_MAX_BYTES:
        raise YamlProblem(source, 1, "larger than 1 MiB; split it, or check that this is the right file")
    found = _UNPRINTABLE.search(text, 1 if text.startswith("\ufeff") else 0)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        raise YamlProblem(source, line, f"a character that is not text (U+{ord(found[0]):04X}); remove it")


def _in_plain_words(error: yaml.YAMLError, text: str, source: str) -> YamlProblem:
    """Say what the parser found in words that need no YAML lesson."""
    context, found = (str(getattr(error, name, None) or "") for name in ("context", "problem"))
    in_brackets = "flow" in context  # then the bracket's own line helps more than the end of the file
    mark = getattr(error, "context_mark" if in_brackets else "problem_mark", None)
    lines = text.rstrip().split("\n")
    line = min(mark.line + 1, len(lines)) if mark else 1
    here = lines[line - 1]
    if "\t" in here[: len(here) - len(here.lstrip())]:
        return YamlProblem(source, line, "a tab as indentation; use spaces")
    for sign, words in _PLAIN_WORDS:
        if sign in found:
            return YamlProblem(source, line, words)
    return YamlProblem(source, line, f"not YAML: {found}")


def _documents(text: str, source: str) -> Iterator[Located]:
    stream = yaml.parse(text, Loader=_PARSER)
    for event in stream:
        if isinstance(event, events.DocumentStartEvent):
            builder = _Builder(source)
            first_line = builder.build(stream)
            root = builder.root
            if root.value is None:
                continue
            if not isinstance(root.value, dict):
                raise YamlProblem(source, first_line, "must be a mapping (`key: value` lines) at the top")
            yield Located(root.value, root, first_line)


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is being filled. `key` waits for its value (mappings only)."""

    node: _Node
    filling: dict[str, Value] | list[Value]
    anchor: str | None
    line: int
    key: str | None = None
    key_line: int = 0


class _Builder:
    """Builds one document from parser events, without recursion, so that depth is ours to limit."""

    def __init__(self, source: str) -> None:
        self.root = _Node(None)
        self._source = source
        self._open: list[_Frame] = []
        self._anchors: dict[str, _Node] = {}

    def build(self, stream: Iterator[events.Event]) -> int:
        """Consume events up to the document's end; return the line of its first value."""
        first_line = 0
        for event in stream:
            line = event.start_mark.line + 1 if event.start_mark else 1
            first_line = first_line or line
            if isinstance(event, events.DocumentEndEvent):
                break
            if isinstance(event, events.CollectionEndEvent):
                self._close()
            elif isinstance(event, events.NodeEvent):
                self._take(event, line)
        return first_line

    def _take(self, event: events.NodeEvent, line: int) -> None:
        frame = self._open[-1] if self._open else None
        if frame and isinstance(frame.filling, dict) and frame.key is None:
            self._take_key(frame, frame.filling, event, line)
        elif isinstance(event, events.AliasEvent):
            self._place(self._aliased(str(event.anchor), line), line)
        elif getattr(event, "tag", None) is not None:
            raise YamlProblem(self._source, line, "tags ('!…') are not used here; put text in quotes")
        elif isinstance(event, events.ScalarEvent):
            self._place(self._remembered(_Node(_read(event)), event.anchor), line)
        else:
            self._begin({} if isinstance(event, events.MappingStartEvent) else [], event.anchor, line)

    def _take_key(self, frame: _Frame, filled: dict[str, Value], event: events.NodeEvent, line: int) -> None:
        if not isinstance(event, events.ScalarEvent) or event.tag is not None:
            raise YamlProblem(self._source, line, "a key must be plain text; a value that starts with '{' belongs in quotes")
        key = str(event.value)
        if key == "<<" and event.implicit[0]:
            raise YamlProblem(self._source, line, "merge keys ('<<') are not used here; write the values out")
        if key in filled:
            first_line = frame.node.parts[key][0]
            raise YamlProblem(self._source, line, f"key '{key}' is given twice (first on line {first_line})")
        frame.key, frame.key_line = key, line

    def _begin(self, filling: dict[str, Value] | list[Value], anchor: str | None, line: int) -> None:
        if len(self._open) >= DEPTH_MAX:
            raise YamlProblem(self._source, line, f"nested deeper than {DEPTH_MAX} levels")
        self._open.append(_Frame(_Node(filling), filling, anchor, line))

    def _close(self) -> None:
        frame = self._open.pop()
        self._place(self._remembered(frame.node, frame.anchor), frame.line)

    def _remembered(self, node: _Node, anchor: str | None) -> _Node:
        """Only finished values can be referred to, so nothing can hold itself."""
        if anchor:
            self._anchors[anchor] = node
        return node

    def _aliased(self, anchor: str, line: int) -> _Node:
        if anchor not in self._anchors:
            raise YamlProblem(self._source, line, f"'*{anchor}' has no finished '&{anchor}' before it")
        return self._anchors[anchor]

    def _place(self, node: _Node, line: int) -> None:
        """Put a finished value where it belongs: at the top, at the end of its list, or under its key."""
        if not self._open:
            self.root = node
            return
        frame = self._open[-1]
        frame.node.size += node.size
        if frame.node.size > VALUES_MAX:
            raise YamlProblem(self._source, line, f"more than {VALUES_MAX:,} values, aliases unfolded; write less")
        if isinstance(frame.filling, list):
            frame.node.parts[len(frame.filling)] = (line, node)
            frame.filling.append(node.value)
        elif frame.key is not None:
            frame.node.parts[frame.key] = (frame.key_line, node)
            frame.filling[frame.key] = node.value
            frame.key = None


def _read(event: events.ScalarEvent) -> Value:
    """Quoted scalars are text; plain ones mean what the dialect says."""
    return read_scalar(event.value) if event.implicit[0] else str(event.value)
