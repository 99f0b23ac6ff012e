"""An escalation policy as a picture, drawn from the policy itself: its steps, how long each waits, where it starts again.

Scalable vector graphics with presentation attributes only (the content policy of our pages allows no style in a page), in the
reader's own text colour, so that it is readable by day, by night and on paper.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from gateway.console.roster_words import step_words, target_words
from gateway.console.times import length
from gateway.console.words import Words
from gateway.domain.ward import Policy

WIDTH, EDGE, RIGHT = 340, 8, 56  # user units; RIGHT is kept free for the way back
LINE, PAD, GAP = 20, 10, 34
LINE_CELLS = 30  # of text in a box, in the width of a Latin letter

_INK = 'stroke="currentColor" stroke-width="2" fill="none"'
_TEXT = 'fill="currentColor" font-size="15"'


@dataclass(frozen=True, slots=True)
class _Box:
    """A box from `top`, with its lines of text."""

    top: int
    lines: tuple[str, ...]

    @property
    def height(self) -> int:
        """In user units."""
        return 2 * PAD + LINE * len(self.lines)

    @property
    def bottom(self) -> int:
        """Where it ends."""
        return self.top + self.height

    @property
    def middle(self) -> int:
        """Half its height."""
        return self.top + self.height // 2


def picture(policy: Policy, fallback: Sequence[str], say: Words) -> Markup:
    """The policy as SVG. `fallback`: who is paged where a step finds nobody."""
    texts = [
        [say("Step {number}", number=number), *_wrapped(step_words(step, say))] for number, step in enumerate(policy.steps, 1)
    ]
    boxes: list[_Box] = []
    for lines in texts or [_wrapped(say("on the board only"))]:
        top = boxes[-1].bottom + GAP if boxes else EDGE
        boxes.append(_Box(top, tuple(lines)))
    parts = [part for number, box in enumerate(boxes) for part in _box(box, first_bold=bool(policy.steps), number=number)]
    parts += _waits(boxes, policy, say)
    bottom = boxes[-1].bottom + EDGE
    if policy.steps:
        end = _end(boxes[-1], policy, fallback, say)
        parts += end.parts
        bottom = end.bottom
        parts += _way_back(boxes, policy, end.top)
    label = say("The policy {name} as a picture; the same stands in the list beside it", name=policy.name)
    return Markup(  # noqa: S704  every text in it was escaped one by one
        f'<svg class="policy" role="img" aria-label="{escape(label)}" viewBox="0 0 {WIDTH} {bottom}" '
        f'width="{WIDTH}" height="{bottom}">{"".join(parts)}</svg>'
    )


@dataclass(frozen=True, slots=True)
class _End:
    parts: tuple[str, ...]
    top: int
    bottom: int


def _end(last: _Box, policy: Policy, fallback: Sequence[str], say: Words) -> _End:
    """What stands below the last step: that it starts again, and who stands behind them all."""
    repeats = policy.repeat_from is not None
    every = length(policy.repeat_every_ms, say.locale)
    said = say("again, at most once in {every}", every=every) if repeats else say("then nobody else")
    top = last.bottom + GAP
    again = _Box(top, tuple(_wrapped(said)))
    parts = [*_box(again, first_bold=False, number=-1)]
    bottom = again.bottom
    if fallback:
        who = say(", ").join(target_words(target, say) for target in fallback)
        behind = _Box(bottom + PAD, tuple(_wrapped(say("a step that finds nobody: {who}", who=who))))
        parts += _box(behind, first_bold=False, number=-2)
        bottom = behind.bottom
    return _End(tuple(parts), again.middle, bottom + EDGE)


def _box(box: _Box, *, first_bold: bool, number: int) -> Iterator[str]:
    """A box with its text: steps have a full edge, what follows them none, who stands behind them a dashed one."""
    width = WIDTH - EDGE - RIGHT
    if number != -1:
        dashes = ' stroke-dasharray="5 4"' if number < 0 else ""
        yield f'<rect x="{EDGE}" y="{box.top}" width="{width}" height="{box.height}" rx="6" {_INK}{dashes}/>'
    for row, line in enumerate(box.lines):
        weight = ' font-weight="700"' if first_bold and row == 0 else ""
        y = box.top + PAD + LINE * row + 15
        yield f'<text x="{EDGE + PAD}" y="{y}" {_TEXT}{weight}>{escape(line)}</text>'


def _waits(boxes: Sequence[_Box], policy: Policy, say: Words) -> Iterator[str]:
    """An arrow below each step, with how long it waits."""
    for box, step in zip(boxes, policy.steps, strict=False):
        x, top, bottom = EDGE + 30, box.bottom, box.bottom + GAP
        yield f'<path d="M{x} {top} V{bottom - 2} m-6 -8 l6 8 l6 -8" {_INK}/>'
        said = say("{length} without an answer", length=length(step.wait_ms, say.locale))
        yield f'<text x="{x + 16}" y="{top + GAP // 2 + 5}" {_TEXT}>{escape(said)}</text>'


def _way_back(boxes: Sequence[_Box], policy: Policy, from_y: int) -> Iterator[str]:
    """The line on the right, from the end back to the step at which the policy starts again."""
    if policy.repeat_from is None:
        return
    to, right, turn = boxes[policy.repeat_from], WIDTH - RIGHT, WIDTH - RIGHT + 30
    yield f'<path d="M{right} {from_y} H{turn} V{to.middle} H{right + 3} m8 -6 l-8 6 l8 6" {_INK}/>'


def _wrapped(text: str) -> list[str]:
    """The text in lines that fit into a box; a Chinese character is as wide as two Latin ones."""
    lines, cells = [""], 0
    for piece in _pieces(text):
        wide = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in piece)
        if cells + wide > LINE_CELLS and lines[-1]:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
            cells = 0
        lines[-1] += piece
        cells += wide
    return [line for line in lines if line.strip()] or [""]


def _pieces(text: str) -> Iterator[str]:
    """Where a line may be broken: behind spaces and commas, beside each wide character, and in a name that is too long."""
    piece = ""
    for char in text:
        wide = unicodedata.east_asian_width(char) in "WF"
        if piece and (wide or len(piece) >= LINE_CELLS):
            yield piece
            piece = ""
        piece += char
        if wide or char == " ":
            yield piece
            piece = ""
    if piece:
        yield piece
