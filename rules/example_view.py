"""A course as a rule's example tells it, at one instant.

A series reads `VALUE*COUNT VALUE*COUNT …`, one value a tick of `every`; the last value stays.

    delivery     a delivery state                       conditions  pump conditions joined by `+`, or `-`
    heard        yes/no                                 refused     refused/all messages of the last five minutes
    session      up/lost, the gateway's own             inhibited   what holds rules back, or `-`
    rate         mL/h while it delivers, or `-`         set_rate    the same as set; `prescribed` (default 0.6) as ordered
    battery      percent left on battery, `-` on mains  volume      percent delivered of prescribed over 2 h, or `-`
    bag_empty    forecast end, from the start on        bag_spread  by how much that may be early or late
    planned_change, expires   from the start on         next_bag    needed/ordered/none, at the planned change
    found        length of a stop found at that tick    settings    what was done at that tick: `unlocked`, `time-changed/150s`
    silent       silent/all pumps of the site           flows       yes/no: a pump without a course delivers
    temperature  entered in the diary at that tick, or `-`   handwriting  the same: `same`, `changed`, or `-`
    taken        yes where somebody takes the incident  watchdog    beat, or `-`; missing after 5 min without one
    dropped      messages that the broker dropped in all, as it counts them
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.domain.diary import DiaryLine
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from gateway.domain.outlook import BagOutlook, BatteryOutlook, BrokerDrops, FoundInterruption, Rates, SettingChange, SilentPumps
from gateway.domain.view import ActiveCondition, Judgement
from gateway.domain.words import Condition, DeliveryState, DiaryKind
from rules.durations import parse_ms
from rules.model import Protocol

NONE = "-"
WATCHDOG_SILENT_MS = 5 * MINUTE_MS


@dataclass(slots=True)
class ExampleView:
    """What the example's rule sees (`gateway.domain.view.CourseView`)."""

    protocol: Protocol
    at: Instant = 0
    judgement: Judgement = field(default_factory=lambda: Judgement(DeliveryState.DELIVERING, 0, 0))
    conditions: list[ActiveCondition] = field(default_factory=list)
    enrolled_at: Instant = 0
    heard: bool = True
    messages: tuple[int, int] = (0, 0)
    unassigned: str = ""
    deaf_since: Instant | None = None
    inhibitions: frozenset[str] = frozenset()
    starts: dict[Condition, list[Instant]] = field(default_factory=dict)
    found: list[FoundInterruption] = field(default_factory=list)
    bag: BagOutlook | None = None
    battery: BatteryOutlook | None = None
    rates: Rates | None = None
    delivered_percent: int | None = None
    settings: list[SettingChange] = field(default_factory=list)
    flows_unassigned_since: Instant | None = None
    silent_pumps: SilentPumps = field(default_factory=SilentPumps)
    diary: list[DiaryLine] = field(default_factory=list)
    watchdog_due_at: Instant | None = None
    broker_drops: BrokerDrops | None = None

    def wall(self, days: int, minute_of_day: int) -> Instant:
        """The example begins at midnight, where the clocks stay as they are."""
        return (self.at // DAY_MS + days) * DAY_MS + minute_of_day * MINUTE_MS

    def tell(self, told: Mapping[str, str], back_dated_ms: int) -> None:
        """Take in what a tick says; what it does not speak of is as it was."""
        _tell_delivery(self, told, back_dated_ms)
        _tell_conditions(self, told.get("conditions"))
        self._tell_messages(told)
        self._tell_rates(told)
        self._tell_supplies(told)
        self._tell_acts(told)
        self._tell_diary(told)
        self._tell_site(told)

    def _tell_messages(self, told: Mapping[str, str]) -> None:
        self.heard = told.get("heard", "yes") == "yes"
        refused, _, total = told.get("refused", "0/0").partition("/")
        self.messages = (int(refused), int(total))
        inhibited = told.get("inhibited", NONE)
        self.inhibitions = frozenset() if inhibited == NONE else frozenset({inhibited})

    def _tell_rates(self, told: Mapping[str, str]) -> None:
        current, wanted = _number(told.get("rate")), _number(told.get("set_rate"))
        if "rate" in told or "set_rate" in told:
            self.rates = Rates(float(told.get("prescribed", "0.6")), wanted, current)
        percent = _number(told.get("volume"))
        self.delivered_percent = None if percent is None else int(percent)

    def _tell_supplies(self, told: Mapping[str, str]) -> None:
        percent = _number(told.get("battery"))
        left_ms = 0 if percent is None else round(percent / self.protocol.battery_percent_h * HOUR_MS)
        self.battery = None if percent is None else BatteryOutlook(percent, self.at + left_ms, learnt=False)
        if "planned_change" in told:
            self.bag = _bag_of(told)

    def _tell_acts(self, told: Mapping[str, str]) -> None:
        length = told.get("found", NONE)
        if length != NONE:
            self.found.append(FoundInterruption(self.at - parse_ms(length), self.at, self.at))
            self.found.sort(key=lambda one: one.since - one.until)
        kind, _, shift = told.get("settings", NONE).partition("/")
        if kind != NONE:
            moved_s = parse_ms(shift) / SECOND_MS if shift else None
            self.settings = [change for change in self.settings if change.kind != kind]
            self.settings.append(SettingChange(kind, self.at, self.at, shift_s=moved_s))

    def _tell_diary(self, told: Mapping[str, str]) -> None:
        celsius, handwriting = _number(told.get("temperature")), told.get("handwriting", NONE)
        if celsius is not None:
            self.diary.append(DiaryLine(self.at, self.at, DiaryKind.TEMPERATURE, temperature_c=celsius))
        if handwriting != NONE:
            changed = handwriting == "changed"
            self.diary.append(DiaryLine(self.at, self.at, DiaryKind.HANDWRITING, changed=changed))

    def _tell_site(self, told: Mapping[str, str]) -> None:
        lost = told.get("session", "up") == "lost"
        self.deaf_since = (self.at if self.deaf_since is None else self.deaf_since) if lost else None
        flows = told.get("flows", "no") == "yes"
        self.flows_unassigned_since = (self.flows_unassigned_since or self.at) if flows else None
        count, _, watched = told.get("silent", "0/0").partition("/")
        before = self.silent_pumps.since[: int(count)]
        since = (*before, *[self.at] * (int(count) - len(before)))
        self.silent_pumps = SilentPumps(since, int(watched))
        if told.get("watchdog", NONE) != NONE:
            self.watchdog_due_at = self.at + WATCHDOG_SILENT_MS
        dropped, last = int(told.get("dropped", "0")), self.broker_drops
        if dropped > (last.count if last is not None else 0):
            self.broker_drops = BrokerDrops(last.since if last is not None else self.at, self.at, dropped)


def _tell_delivery(view: ExampleView, told: Mapping[str, str], back_dated_ms: int) -> None:
    if "delivery" not in told:
        return
    state = DeliveryState(told["delivery"])
    if state is not view.judgement.state or view.at == 0:
        since = view.at - (back_dated_ms if state is DeliveryState.INTERRUPTED else 0)
        view.judgement = Judgement(state, since, view.at)


def _tell_conditions(view: ExampleView, told: str | None) -> None:
    if told is None:
        return
    before = {active.condition: active for active in view.conditions}
    names = [] if told == NONE else [Condition(name) for name in told.split("+")]
    for name in names:
        if name not in before:
            view.starts.setdefault(name, []).append(view.at)
    view.conditions = [
        before.get(name) or ActiveCondition(name, view.at, None, view.protocol.conditions[name], None, "") for name in names
    ]


def _bag_of(told: Mapping[str, str]) -> BagOutlook:
    change_at = parse_ms(told["planned_change"])
    empty, spread_ms = told.get("bag_empty", NONE), parse_ms(told.get("bag_spread", "0s"))
    expires, following = told.get("expires", NONE), told.get("next_bag", "none")
    ends: dict[str, Any] = {}
    if empty != NONE:
        central_at = parse_ms(empty)
        ends = {"early_at": central_at - spread_ms, "central_at": central_at, "late_at": central_at + spread_ms}
    return BagOutlook(
        planned_change_at=change_at,
        expires_at=None if expires == NONE else parse_ms(expires),
        needed_at=None if following == "none" else change_at,
        ordered=following == "ordered",
        **ends,
    )


def _number(text: str | None) -> float | None:
    return None if text is None or text == NONE else float(text)
