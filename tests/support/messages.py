"""Every English text that the console says: in templates by `_("…")`, in Python by `say("…")`, `message("…")`, `sentence("…")`.

Sentences come from the whole gateway: whatever it says to somebody's command may stand on a page.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import jinja2
from jinja2 import nodes

from tests.support.source_tree import ROOT, sources

CONSOLE = ROOT / "gateway" / "console"
TEMPLATES = CONSOLE / "templates"
CATALOGUES = CONSOLE / "locale" / "zh-Hant"

# These have their words, or no translation, for reasons of their own.
OWN_WORDS = {
    "answer.html": "answer_words.py has both languages",
    "diary.html": "diary_words.py has both languages",
    "docs.html": "for programmers, like the API that it describes",
}
SAYERS = {"_", "say", "message", "sentence"}
ELSEWHERE = ("gateway/console/twilio_inbound.py",)  # its `say` speaks over the telephone, in English
SHOWN_ATTRIBUTES = ("alt", "aria-label", "placeholder", "title", "data-label")

_JINJA = re.compile(r"\{% block body_class %\}.*?\{% endblock %\}|\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_ENTITY = re.compile(r"&\w+;")
_TAG = re.compile(r"<[^<>]*>|<!--.*?-->", re.DOTALL)
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_SHOWN = re.compile(rf"\s(?:{'|'.join(SHOWN_ATTRIBUTES)})=(?:\"([^\"]*)\"|'([^']*)')")
_UNITS = re.compile(r"\b(?:mL|mL/h|mcg|Dripwatch|English|SMS|UTC|GET|POST|ms|kg|mmHg|hex|CRC|API|MQTT|JSON|HL7)\b|[一-鿿]+")


@cache
def templates() -> dict[str, str]:
    """The text of each template that is translated, by name."""
    return {path.name: path.read_text("utf-8") for path in sorted(TEMPLATES.glob("*.html")) if path.name not in OWN_WORDS}


def messages() -> Iterator[tuple[str, str]]:
    """(where, text) of everything that is said."""
    environment = jinja2.Environment(autoescape=True)
    for name, text in templates().items():
        for call in environment.parse(text).find_all(nodes.Call):
            named = isinstance(call.node, nodes.Name) and call.node.name in SAYERS
            if named and call.args and isinstance(call.args[0], nodes.Const):
                yield f"{name}:{call.lineno}", str(call.args[0].value)
    for source in sources("gateway"):
        if source.path in ELSEWHERE:
            continue
        sayers = SAYERS if source.path.startswith("gateway/console/") else {"sentence"}
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and _name(node.func) in sayers and node.args and _is_text(node.args[0]):
                yield f"{source.path}:{node.lineno}", str(node.args[0].value)


def unwritten_sentences() -> Iterator[str]:
    """Where a sentence is made of a text that does not stand there: nobody could tell whether it is translated."""
    for source in sources("gateway"):
        for node in ast.walk(source.tree):
            made = isinstance(node, ast.Call) and _name(node.func) in {"sentence", "Sentence"}
            if made and source.path != "gateway/domain/sentences.py" and not (node.args and _is_text(node.args[0])):
                yield f"{source.path}:{node.lineno}"


def bare_words(text: str) -> Iterator[str]:
    """What a template would show that is not in `_("…")`: texts between tags, and attributes that people see or hear."""
    html = _JINJA.sub("", text)
    shown = [match[1] or match[2] or "" for tag in _TAG.findall(html) if "<meta" not in tag for match in _SHOWN.finditer(tag)]
    for piece in (*_TAG.sub("\0", html).split("\0"), *shown):
        if _LETTERS.search(_UNITS.sub("", _ENTITY.sub("", piece))):
            yield piece.strip()


def constants() -> set[str]:
    """Every text in the gateway's own Python: what is said by a name that is looked up."""
    found = (node for source in sources("gateway") for node in ast.walk(source.tree) if isinstance(node, ast.Constant))
    return {node.value for node in found if isinstance(node.value, str)}


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def catalogue_files() -> list[Path]:
    """The parts of the Chinese catalogue."""
    return sorted(CATALOGUES.glob("*.yaml"))
