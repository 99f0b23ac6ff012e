"""JSON explained: a span for each key with its value, and one for what stands between. Helper of adapters that read JSON.

Only keys that are known show their values, and only values that look like a number or a word of ours: a name could stand in any
other. Nothing raises; what is no JSON is hidden.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from device_adapters.span import Span

# At any depth: objects within arrays and objects are explained by their keys.
_PAIR: Final = re.compile(
    rb'"((?:[^"\\]|\\.)*+)"\s*+:\s*+("(?:[^"\\]|\\.)*+"|\[[^\[\]{}:]*+\]|[^\s,{}\[\]":]++|(?=[\[{]))', re.DOTALL
)
_STRUCTURE: Final = re.compile(rb"[\s{}\[\],]++")
_WORD: Final = re.compile(r'"?[A-Za-z0-9_.:+/-]{1,64}"?')
_WORDS: Final = re.compile(r'\[\s*(?:"[a-z-]{1,32}"(?:\s*,\s*)?)*\]')
_UNITS: Final = {
    "_ml_h": "mL/h",
    "_ml": "mL",
    "_percent": "%",
    "_mmhg": "mmHg",
    "_mib": "MiB",
    "_g": "g",
    "_c": "°C",
    "_s": "s",
}


def json_spans(data: bytes, known: Mapping[str, str]) -> Iterator[Span]:
    """Adjacent spans of all of `data`. `known`: what each key means; the others' values are hidden."""
    at = 0
    for pair in _PAIR.finditer(data):
        yield from _between(data, at, pair.start())
        key, value = (part.decode("utf-8", "replace") for part in pair.groups())
        yield _pair(pair.start(), pair.end(), key, value, known)
        at = pair.end()
    yield from _between(data, at, len(data))


def _pair(start: int, end: int, key: str, value: str, known: Mapping[str, str]) -> Span:
    if key not in known:
        return Span(start, end, "other key", "not read", hidden=True)
    if not value:
        return Span(start, end, key, known[key])
    if _WORD.fullmatch(value) is None and _WORDS.fullmatch(value) is None:
        return Span(start, end, key, f"{known[key]}; not shown", hidden=True)
    is_number = value[0].isdigit() or value[0] == "-"
    unit = next((unit for ending, unit in _UNITS.items() if is_number and key.endswith(ending)), "")
    return Span(start, end, key, f"{known[key]}: {value}", unit)


def _between(data: bytes, start: int, end: int) -> Iterator[Span]:
    if start < end and _STRUCTURE.fullmatch(data, start, end):
        yield Span(start, end, "JSON", "brackets, commas, spaces")
    elif start < end:
        yield Span(start, end, "other", "no key with a value", hidden=True)
