"""A simulated pump and the short form of what it says, for tests."""

from device_adapters.simulated_parts import Outgoing
from device_adapters.simulated_pump import SimulatedPump

START = 1_772_409_600_000


def pump(**settings_: object) -> SimulatedPump:
    """A pump with a seven-day bag, powered up at START, its first messages gone."""
    made = SimulatedPump("p1", **{"rate_ml_h": 0.6, "bag_ml": 110.0, "started_at": START, **settings_})
    made.power_up(START)
    return made


def said(messages: list[Outgoing]) -> list[tuple[object, ...]]:
    """What was published, in short: channel, and what tells one message from another."""
    keys = {"telemetry": ("delivery_status",), "alarm": ("alarm", "phase"), "event": ("event",)}
    return [(message.channel, *(message.body[key] for key in keys[message.channel])) for message in messages]


RUNS = ("telemetry", "delivering")
STOPS = ("telemetry", "not-delivering")
