"""What a story does to its pumps."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from device_adapters.simulated_parts import Outgoing
from device_adapters.simulated_pump import SimulatedPump
from gateway.domain.instants import Instant
from gateway.domain.words import Condition, Priority
from gateway.scenario.grammar import Scenario
from gateway.scenario.house import House

Act = Callable[[SimulatedPump, Mapping[str, Any], Instant], list[Outgoing]]


def act(
    house: House, scenario: Scenario, pumps: Mapping[str, SimulatedPump], verb: str, keys: Mapping[str, Any], at: Instant
) -> None:
    """Carry out one pump step, and publish what comes of it."""
    device, site = str(keys["pump"]), scenario.ward.ward.site
    if verb == "publish":
        payload = keys["publish"]
        house.hear(at, f"dw/v1/{site}/{device}/{payload.get('channel', 'telemetry')}", payload_of(payload, at))
        return
    pump = pumps[device]
    if verb == "silent":
        pump.disconnect(at)
        house.hear(at, f"dw/v1/{site}/{device}/status", b'{"online": false}')
    elif verb == "dead":
        house.hear(at, f"dw/v1/{site}/{device}/status", b'{"online": false}')
        pump.disconnect(at, keeps=False)
        pump.die(at)
    elif verb == "back":
        house.hear(at, f"dw/v1/{site}/{device}/status", b'{"online": true}')
        publish_now(house, site, pump, pump.reconnect(at), at)
    else:
        publish_now(house, site, pump, _ACTS[verb](pump, keys, at), at)


def publish_now(house: House, site: str, pump: SimulatedPump, messages: Iterable[Outgoing], at: Instant) -> None:
    """Put what a pump publishes on the broker."""
    for message in messages:
        house.hear(at, f"dw/v1/{site}/{pump.device}/{message.channel}", message.payload())


def payload_of(keys: Mapping[str, Any], at: Instant) -> bytes:
    """The bytes of a `publish` step: `json` (with `observed_at` filled in), `text` or `hex`."""
    if "hex" in keys:
        return bytes.fromhex(str(keys["hex"]))
    if "text" in keys:
        return str(keys["text"]).encode()
    body = keys.get("json")
    if isinstance(body, dict):
        body = {"observed_at": at, **body}
    elif isinstance(body, list):
        body = [{"observed_at": at, **item} if isinstance(item, dict) else item for item in body]
    return json.dumps(body).encode()


def _alarm(pump: SimulatedPump, keys: Mapping[str, Any], at: Instant) -> list[Outgoing]:
    return pump.alarm(at, Condition(keys["alarm"]), _priority(keys), stops=keys.get("stops"))


def _priority(keys: Mapping[str, Any]) -> Priority | None:
    return Priority(keys["priority"]) if "priority" in keys else None


def _bag(pump: SimulatedPump, keys: Mapping[str, Any], at: Instant) -> list[Outgoing]:
    return pump.hang_bag(at, pump.works.bag.volume_ml, primed_ml=float(keys.get("primed_ml", 0)))


_ACTS: Mapping[str, Act] = {
    "alarm": _alarm,
    "bag": _bag,
    "clear": lambda pump, keys, at: pump.clear(at, Condition(keys["clear"])),
    "stop": lambda pump, keys, at: pump.stop(at, str(keys["stop"])),
    "run": lambda pump, _keys, at: pump.run(at),
    "rate": lambda pump, keys, at: pump.set_rate(at, float(keys["rate"])),
    "battery": lambda pump, keys, at: pump.set_battery(at, float(keys["battery"])),
    "unplug": lambda pump, keys, at: pump.unplug(at, float(keys.get("drain_percent_h", 5))),
    "plug": lambda pump, _keys, at: pump.plug(at),
    "prime": lambda pump, keys, at: pump.prime(at, float(keys["prime"])),
    "mute": lambda pump, _keys, at: pump.disconnect(at),
}


def link_all(house: House, site: str, pumps: Mapping[str, SimulatedPump], lost: set[str], at: Instant, *, up: bool) -> None:
    """The broker goes away or comes back: whoever lost the link by it (`lost`) has it again then, and says so."""
    for pump in pumps.values():
        if up and pump.device in lost:
            publish_now(house, site, pump, pump.reconnect(at), at)
        elif not up and pump.link_up:
            pump.disconnect(at)
            lost.add(pump.device)
    if up:
        lost.clear()
