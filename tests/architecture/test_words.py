"""One word, one meaning: words of our vocabulary's last column are no names of ours."""

import ast
import re
from collections.abc import Iterator

from tests.support.source_tree import PACKAGES, Source, sources

# never: say instead
FORBIDDEN = {
    "case": "course",
    "confirm": "ack",
    "debounce": "hold",
    "device_state": "twin",
    "flow_state": "delivery",
    "level": "priority",
    "metric": "observation",
    "mode": "delivery status",
    "notification": "page",
    "offline": "silent",
    "pause": "interruption",
    "sample": "observation",
    "severity": "priority",
    "suppress": "silence",
    "ticket": "incident",
    "tier": "step",
}
ENDINGS = ("", "s", "d", "ed", "ing")

# (file or folder, name): why it may be called so. An entry that nothing needs any more fails.
ALLOWED = {
    (
        "gateway/core/",
        "confirmed_by_volume_at",
    ): "the design's own phrase for a silence explained by volume; nobody acks anything",
    ("gateway/outside/mllp_source.py", "verify_mode"): "Python's name for whether the other side must show a certificate",
    ("gateway/outside/device_bundle.py", "mode"): "tarfile's name for permission bits",
    ("gateway/outside/mqtt_link.py", "_paused"): "asyncio's word for a connection that is not being read",
    ("gateway/outside/mqtt_link.py", "ticket"): "as in gateway/runtime/ports.py",
    ("gateway/outside/mqtt_link.py", "tickets"): "as in gateway/runtime/ports.py",
    ("gateway/outside/sqlite_schema.py", "journal_mode"): "SQLite's name for it",
    (
        "gateway/runtime/ports.py",
        "ticket",
    ): "what a source hands out with a message and gets back, as in a cloakroom; not an incident",
}


def names(source: Source) -> Iterator[tuple[int, str]]:
    """(line, name) of all that a file names itself: functions, classes, arguments, variables, attributes that it sets."""
    for node in ast.walk(source.tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name


def forbidden_in(name: str) -> str:
    """The forbidden word in a name, or nothing."""
    parts = [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]
    spelt = f"_{'_'.join(parts)}_"
    return next((word for word in FORBIDDEN if any(f"_{word}{ending}_" in spelt for ending in ENDINGS)), "")


def findings() -> list[tuple[str, int, str, str]]:
    """(path, line, name, word) of every name with a forbidden word; line 0 is the file's own name."""
    found = []
    for source in sources(*PACKAGES):
        stem = source.path.rpartition("/")[2].removesuffix(".py")
        found += [(source.path, line, name, word) for line, name in [(0, stem), *names(source)] if (word := forbidden_in(name))]
    return found


def test_the_words_are_ours() -> None:
    """No function, class, argument, variable, attribute or file is named with a word that means something else here."""
    wrong = [
        f"{path}:{line} {name}: {word} → {FORBIDDEN[word]}"
        for path, line, name, word in findings()
        if not any(path.startswith(place) and name == allowed for place, allowed in ALLOWED)
    ]
    assert not wrong, "".join(f"\n  {item}" for item in wrong)


def test_no_exception_outlives_its_reason() -> None:
    """Each entry of the list of exceptions is still needed."""
    used = {
        (place, allowed)
        for path, _, name, _ in findings()
        for place, allowed in ALLOWED
        if path.startswith(place) and name == allowed
    }
    assert set(ALLOWED) == used


def test_the_law_finds_what_it_should() -> None:
    """The splitting of names into words, on names as people write them."""
    assert [
        forbidden_in(name) for name in ("sample", "raw_samples", "AlertLevel", "paused_at", "device_state_at", "HTTPMode")
    ] == [
        "sample",
        "sample",
        "level",
        "pause",
        "device_state",
        "mode",
    ]
    assert [forbidden_in(name) for name in ("resample", "casefold", "module", "model", "device", "state", "frontier")] == [""] * 7
