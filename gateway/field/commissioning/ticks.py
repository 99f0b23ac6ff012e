"""The alarms of a commissioning: each expected condition is provoked, seen on the line, seen by the gateway, and cleared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.domain.instants import Instant
from gateway.domain.words import Condition
from gateway.field.commissioning.evidence import GatewayWord, Line
from gateway.field.commissioning.judging import Judged
from gateway.field.commissioning.steps import Act


@dataclass(slots=True)
class Tick:
    """One condition. `gateway_ms`: how long after the line the gateway had it; `excused`: why it cannot be provoked.

    `would_page`: whom the gateway would page for it, in words.
    """

    condition: Condition
    expected: bool = True
    seen_at: Instant | None = None
    gateway_ms: int | None = None
    over: bool = False
    excused: str = ""
    would_page: str = ""

    def is_done(self, *, asks_gateway: bool) -> bool:
        """Whether all has been seen of it that can be seen."""
        return self.seen_at is not None and self.over and (self.gateway_ms is not None or not asks_gateway)

    def mark(self, *, asks_gateway: bool) -> str:
        """`ok`, `excused`, how far it is, or `-`."""
        if self.is_done(asks_gateway=asks_gateway):
            return "ok"
        if self.seen_at is not None:
            return "clear it" if self.gateway_ms is not None or not asks_gateway else "seen, not yet at the gateway"
        return "excused" if self.excused else "-"


class Ticks:
    """The list. Conditions that nobody expected are added when they come: at most as many as there are conditions."""

    def __init__(self, expected: Iterable[Condition]) -> None:
        self.by_condition = {condition: Tick(condition) for condition in sorted(expected)}

    def begin(self) -> None:
        """Nothing has been seen yet; what was excused stays so, what nobody expected is forgotten."""
        self.by_condition = {name: tick for name, tick in self.by_condition.items() if tick.expected}
        for tick in self.by_condition.values():
            tick.seen_at, tick.gateway_ms, tick.over = None, None, False

    def note_line(self, line: Line, at: Instant) -> None:
        """A message came."""
        for condition in line.active:
            tick = self.by_condition.setdefault(condition, Tick(condition, expected=False))
            if tick.seen_at is None:
                tick.seen_at, tick.excused = at, ""
        for condition, tick in self.by_condition.items():
            tick.over |= tick.seen_at is not None and condition not in line.active

    def note_gateway(self, word: GatewayWord) -> None:
        """The gateway was asked."""
        for condition in word.conditions:
            tick = self.by_condition.get(condition)
            if tick is not None and tick.seen_at is not None and tick.gateway_ms is None:
                tick.gateway_ms = max(0, word.at - tick.seen_at)

    def judged(self, *, asks_gateway: bool, final: bool) -> Judged | None:
        """All done or excused, and something done: passed."""
        ticks = self.by_condition.values()
        done = [tick for tick in ticks if tick.is_done(asks_gateway=asks_gateway)]
        missing = [tick for tick in ticks if tick not in done and not tick.excused]
        excused = [tick for tick in ticks if tick.excused]
        facts = {"seen": len(done), "excused": len(excused), "missing": len(missing)}
        if done and not missing:
            return Judged(Act.PASS, f"{len(done)} seen and cleared, {len(excused)} excused", facts)
        if not final:
            return None
        if not ticks:
            return Judged(Act.LEAVE, "nobody knows which conditions a pump of this family has; none came")
        words = ", ".join(tick.condition.replace("-", " ") for tick in missing) or "none was provoked"
        return Judged(Act.FAIL, f"not seen and cleared: {words}", facts)

    def facts(self, tick: Tick) -> Mapping[str, float | int | str | bool]:
        """One condition for the record."""
        told: dict[str, float | int | str | bool] = {
            "condition": tick.condition.value,
            "expected": tick.expected,
            "seen": tick.seen_at is not None,
            "cleared": tick.over,
            "would_page": tick.would_page,
            "excused": tick.excused,
        }
        return told if tick.gateway_ms is None else told | {"gateway_after_s": round(tick.gateway_ms / 1000, 1)}
