"""The words of a scenario file: its verbs, what may stand beside each, what can be expected."""

from collections.abc import Mapping

# verb → keys that may stand beside it in the step (besides `at`)
VERBS: Mapping[str, frozenset[str]] = {
    "enrol": frozenset(),
    "pump": frozenset(),
    "person": frozenset(),
    "transport": frozenset({"fail", "for", "heal", "receipt"}),
    "gateway": frozenset({"at_point", "restart_after", "ward_patch"}),
    "broker": frozenset({"messages"}),
    "influx": frozenset(),
    "diary": frozenset(),
    "window": frozenset({"by", "refused"}),
    "silence": frozenset({"by", "refused"}),
    "record": frozenset({"by", "refused", "pump_on"}),
    "expect": frozenset(),
    "allow": frozenset(),
}
PUMP_VERBS: Mapping[str, frozenset[str]] = {
    "alarm": frozenset({"priority", "stops"}),
    "clear": frozenset(),
    "stop": frozenset(),
    "run": frozenset(),
    "rate": frozenset(),
    "battery": frozenset(),
    "unplug": frozenset({"drain_percent_h"}),
    "plug": frozenset(),
    "bag": frozenset({"primed_ml"}),
    "prime": frozenset(),
    "silent": frozenset(),
    "mute": frozenset(),
    "back": frozenset(),
    "dead": frozenset(),
    "publish": frozenset(),
}
PERSON_VERBS: Mapping[str, frozenset[str]] = {
    "ack": frozenset(),
    "reply": frozenset(),
    "link": frozenset({"of", "sent", "refused"}),
    "escalate": frozenset(),
    "close": frozenset({"reason"}),
}
ENROL_KEYS = frozenset({"course", "pump", "protocol", "bag", "primed_ml", "planned_change", "cycle", "checklist", "pump_on"})
# verb → the keys that it needs, and those that it may have besides (None: the command itself knows)
COMMAND_KEYS: Mapping[str, tuple[frozenset[str], frozenset[str] | None]] = {
    "window": (frozenset({"course", "for"}), frozenset({"kind"})),
    "silence": (frozenset({"course", "for"}), frozenset({"rules", "reason"})),
    "diary": (frozenset({"course"}), frozenset({"temperature_c", "handwriting_changed", "symptom", "note"})),
    "record": (frozenset({"command"}), None),
}
EXPECT_KEYS: Mapping[str, frozenset[str]] = {
    "page": frozenset({"by", "about", "course", "priority", "says", "times", "within"}),
    "incident": frozenset({"is", "priority", "within"}),
    "delivery": frozenset({"is", "since", "within"}),
    "alert": frozenset({"course", "is", "within"}),
    "answer": frozenset({"says", "is", "within"}),
    "nothing_else": frozenset(),
}
STATES: Mapping[str, frozenset[str]] = {
    "incident": frozenset({"triggered", "acknowledged", "resolved", "none"}),
    "delivery": frozenset({"delivering", "interrupted", "unknown", "not-expected"}),
    "alert": frozenset({"pending", "firing", "none"}),
    "answer": frozenset({"none"}),
}
