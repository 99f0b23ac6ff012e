"""What changed between two configurations, for people: which key, what it was, what it is. Secrets and whole addresses never."""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.config.secrets import without_secrets
from rules.yaml_lines import Path, YamlProblem, load, show_path

CHANGES_MAX = 40  # of one configuration; more: the rest is counted
SHOWN_MAX = 90  # characters of one value

Change = tuple[Path, str]
_NAMES = ("rule", "name")  # what an item of a list is known by
_GONE: Any = object()


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """The changes from one set of texts to another, one line each, at most `CHANGES_MAX` and a count of the rest.

    Both map a name (`ward file`, or `protocol` with the protocol's) to YAML text. A text that cannot be read counts as empty.
    """
    said: list[str] = []
    for name in dict.fromkeys((*before, *after)):
        if name not in after:
            said.append(f"{name} is gone")
        elif name not in before:
            said.append(f"{name} is new")
        elif before[name] != after[name]:
            found = _differences(_read(before[name]), _read(after[name]), ())
            differences = [f"{name}: {show_path(path)}{words}" for path, words in found]
            said += differences or [f"{name}: written otherwise, with the same meaning"]
    if len(said) > CHANGES_MAX:
        said[CHANGES_MAX:] = [f"and {len(said) - CHANGES_MAX} changes more"]
    return tuple(said)


def contents(ward: str) -> str:
    """What a ward file holds: `6 people, 1 schedule, 4 policies`."""
    raw = _read(ward)
    words = {"people": "person", "schedules": "schedule", "policies": "policy", "transports": "transport"}
    counts = [(len(part), many, one) for many, one in words.items() if isinstance(part := raw.get(many), Mapping)]
    return ", ".join(f"{count} {one if count == 1 else many}" for count, many, one in counts)


def _read(text: str) -> dict[str, Any]:
    """The mapping that stands there. The journal's texts hold no secrets; should an old one do, it is blanked here."""
    try:
        return without_secrets(load(text, "journal").value)
    except YamlProblem:
        return {}


def _differences(before: Any, after: Any, path: Path) -> Iterator[Change]:
    if before == after or (path and path[-1] == "examples"):
        return  # a rule's examples decide nothing
    if after is _GONE:
        yield path, f" is gone; it was {_shown(before, path)}"
    elif before is _GONE:
        yield path, f" is new: {_shown(after, path)}"
    elif (was := _by_name(before)) is not None and (now := _by_name(after)) is not None:
        for key in dict.fromkeys((*was, *now)):
            yield from _differences(was.get(key, _GONE), now.get(key, _GONE), (*path, key))
    else:
        old, new = _shown(before, path), _shown(after, path)
        yield path, f": {old}, now {new}" if old != new else f": {new}, changed in what is not shown"


def _by_name(value: Any) -> Mapping[Any, Any] | None:
    """A mapping as it is; a list of named things by their names, of equal length else by position; None for plain values."""
    if isinstance(value, Mapping):
        return value
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        return None
    key = next((key for key in _NAMES if value and all(key in item for item in value)), None)
    names = [str(item[key]) for item in value] if key else []
    return dict(zip(names, value, strict=True)) if key and len(set(names)) == len(names) else dict(enumerate(value))


def _shown(value: Any, path: Path) -> str:
    """A value in one line, cut to `SHOWN_MAX`; addresses by their last four characters."""
    words = _words(value, path)
    return words if len(words) <= SHOWN_MAX else f"{words[: SHOWN_MAX - 1]}…"


def _words(value: Any, path: Path) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_words(inner, (*path, key))}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_words(inner, path) for inner in value) + "]"
    text = "nothing" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    if "\n" in text:
        return f"a text of {len(text.splitlines())} lines"
    return _masked(text) if _is_address(path) else text


def _is_address(path: Path) -> bool:
    return len(path) > 2 and path[0] == "people" and path[2] == "contacts" and path[-1] not in ("after", "contacts")


def _masked(address: str) -> str:
    """Enough to tell two numbers apart, too little to call one."""
    name, at, place = address.partition("@")
    return f"…@{place}" if at else f"…{name[-4:]}"
