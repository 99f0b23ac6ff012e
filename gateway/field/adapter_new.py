"""`adapter new`: an adapter of one's own, begun in a checkout from the template.

It reads the template's invented pump until it is changed, so that every step from there is one from green to green.
"""

import re
from collections.abc import Mapping
from keyword import iskeyword
from pathlib import Path
from typing import Final

from device_adapters.quality import read_quality, supported_pumps
from gateway.field.speaking import Wrong

NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
NAME_CHARS_MAX: Final = 40

_TEMPLATE = Path("device_adapters/template.py")
_REGISTRY = Path("device_adapters/registry.py")
_TELLING = Path("device_adapters/telling.py")
_QUALITY = Path("device_adapters/quality.toml")
_CAPTURES = Path("tests/captures")
_PAGE = Path("docs/supported-pumps.md")
_IMPORTS_END = "from device_adapters.relay_and_scale import RelayAndScale\n"
_ADAPTERS_END = "            RelayAndScale(),\n"
_TELLS_BEGIN = '        "bbraun-bcc": Tells(\n'
_WHOLE_DOCSTRING = re.compile(r'\A""".*?"""\n', re.DOTALL)

_DOCSTRING = '''"""{title}: frames of 14 bytes, big-endian, one a message, on `raw/{dashed}`.

It still reads the invented pump of `template.py`. Change the drawing in `decode` first, then the code below it, then the
captures. docs/adapters.md tells how.
"""
'''
_ENTRY = """
[adapters.{dashed}]
pumps = "{title}: which models, which firmware"
needs = "what the bridge must have"
seen = "frames of the template. Not yet a pump on our own bench"
fuzzed = "not yet"
captures = "done"
fuzz = "done"
resync = "done"
chunking = "done"
bounds = "done"
units = "done"
mdc-mapping = {{ todo = "it raises no conditions yet" }}
privacy = {{ todo = "say whether its frames can hold a name; if they can, plant one in a test" }}
latching = {{ todo = "say whether an alarm that came and went between two frames is told" }}
read-only = "done"
"""
_TELLS = '        "{dashed}": Tells(frozenset({{"delivery_status", "rate_ml_h", "infused_ml"}})),\n'
_TEST = '''"""What the adapter of {title} must do beside the laws that all adapters are under (test_adapter_laws)."""

import pytest

from device_adapters.{module} import {cls}
from device_adapters.registry import ADAPTERS
from device_adapters.spans import explained
from gateway.domain.readings import Observation, Refusal
from tests.support.adapter_frames import captures


def test_it_is_registered():
    """Its name stands in the topic: raw/{dashed}."""
    assert isinstance(ADAPTERS["{dashed}"], {cls})


def test_the_good_frame_is_read_and_explained():
    """One observation, with its units in the names; and every byte has a meaning."""
    frame = captures("{dashed}")["delivering"]
    (reading,) = {cls}().decode(frame).readings
    assert isinstance(reading, Observation)
    assert (reading.rate_ml_h, reading.infused_ml) == (0.6, 12.4)
    assert [span.unit for span in explained({cls}(), frame) if span.unit] == ["s", "mL/h", "mL"]


@pytest.mark.parametrize("length", [0, 1, 13, 15, 4_096])
def test_no_other_length_is_a_frame(length: int):
    """Refused before anything is parsed."""
    found = {cls}().decode(bytes(length))
    assert (found.readings, [item.reason for item in found.refused]) == ((), [Refusal.LENGTH])
'''


def begun(module: str, root: Path) -> list[str]:
    """Make everything in the checkout at `root`; returns what was made, a line each. Raises `Wrong` before it writes anything."""
    _refuse(module, root)
    dashed, cls = module.replace("_", "-"), "".join(part.capitalize() for part in module.split("_"))
    title = " ".join(part.capitalize() for part in module.split("_"))
    words = {"module": module, "dashed": dashed, "cls": cls, "title": title}
    registry, telling = _read(root / _REGISTRY), _read(root / _TELLING)
    for path, text, mark in (
        (_REGISTRY, registry, _IMPORTS_END),
        (_REGISTRY, registry, _ADAPTERS_END),
        (_TELLING, telling, _TELLS_BEGIN),
    ):
        if text.count(mark) != 1:
            raise Wrong(f"{root / path}: there is no line {mark.strip()!r}, beside which the new one would stand")
    registry = registry.replace(_IMPORTS_END, f"from device_adapters.{module} import {cls}\n{_IMPORTS_END}")
    registry = _sorted_imports(registry.replace(_ADAPTERS_END, f"{_ADAPTERS_END}            {cls}(),\n"))
    quality = _read(root / _QUALITY).rstrip("\n") + "\n" + _ENTRY.format(**words)
    test = f"tests/unit/device_adapters/test_{module}.py"
    written = {
        Path(f"device_adapters/{module}.py"): _adapter(_read(root / _TEMPLATE), words),
        _REGISTRY: registry,
        _TELLING: telling.replace(_TELLS_BEGIN, _TELLS.format(**words) + _TELLS_BEGIN),
        _QUALITY: quality,
        _PAGE: supported_pumps(*read_quality(quality)),
        Path(test): _TEST.format(**words),
    }
    for path, text in written.items():
        (root / path).write_text(text, encoding="utf-8")
    count = _copy_captures(root, module, title)
    return [
        *(f"wrote {path}" for path in written),
        f"wrote {_CAPTURES / module} ({count} captures of the template)",
        "now: docs/adapters.md, section 3; and at each step",
        f'.venv/bin/python -m pytest tests/unit/device_adapters -k "{module.partition("_")[0]} or page_says"',
    ]


def _refuse(module: str, root: Path) -> None:
    if NAME.fullmatch(module) is None or len(module) > NAME_CHARS_MAX or iskeyword(module):
        raise Wrong(
            f"{module!r}: write maker_model in small letters and digits, like acme_infuso2, at most {NAME_CHARS_MAX} characters"
        )
    for needed in (_TEMPLATE, _REGISTRY, _TELLING, _QUALITY, _CAPTURES / "template"):
        if not (root / needed).exists():
            raise Wrong(f"{root}: not a checkout of Dripwatch, {needed} is missing; go there, or name it with --into")
    for path in (Path(f"device_adapters/{module}.py"), _CAPTURES / module, Path(f"tests/unit/device_adapters/test_{module}.py")):
        if (root / path).exists():
            raise Wrong(f"{root / path}: is there already; nothing was changed")


def _adapter(template: str, words: Mapping[str, str]) -> str:
    """The template's text under the new names."""
    text = _WHOLE_DOCSTRING.sub(lambda _: _DOCSTRING.format(**words), template, count=1)
    text = text.replace("class Template:", f"class {words['cls']}:").replace('name = "template"', f'name = "{words["dashed"]}"')
    text = text.replace("Invented ambulatory pump, wire format 1.", f"{words['title']}, wire format 1 (still the template's).")
    return text.replace("tests/captures/template/", f"tests/captures/{words['module']}/")


def _sorted_imports(text: str) -> str:
    """The block of `from device_adapters.…` lines in the order that the linter wants."""
    lines = text.splitlines(keepends=True)
    at = [number for number, line in enumerate(lines) if line.startswith("from device_adapters.")]
    lines[at[0] : at[-1] + 1] = sorted(lines[at[0] : at[-1] + 1], key=lambda line: line.split()[1])
    return "".join(lines)


def _copy_captures(root: Path, module: str, title: str) -> int:
    source, target = root / _CAPTURES / "template", root / _CAPTURES / module
    count = 0
    for path in sorted(source.rglob("*")):
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
            count += path.name.startswith("frame.")
    words = f"{title}: say here which pump, firmware and cable these frames came from. So far they are the template's.\n"
    (target / "README.md").write_text(words, encoding="utf-8")
    return count


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
