"""The steps of a commissioning and their life, as a table. What decides about a step stands in `judging` and `ticks`."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Step(StrEnum):
    """What is done, in this order; a technician may take them in another."""

    POWER = "power"
    PAIRING = "pairing"
    RATE = "rate"
    VOLUME = "volume"
    ALARMS = "alarms"
    BATTERY = "battery"
    NETWORK = "network"


class Standing(StrEnum):
    """How a step stands."""

    NOT_DONE = "not done"
    UNDER_WAY = "under way"
    PASSED = "passed"
    FAILED = "failed"


class Act(StrEnum):
    """What happens to a step. `leave`: somebody says why it is not done."""

    BEGIN = "begin"
    PASS = "pass"  # noqa: S105 - a verb
    FAIL = "fail"
    LEAVE = "leave"


TRANSITIONS: Final[Mapping[tuple[Standing, Act], Standing]] = MappingProxyType(
    {
        (Standing.NOT_DONE, Act.BEGIN): Standing.UNDER_WAY,
        (Standing.UNDER_WAY, Act.BEGIN): Standing.UNDER_WAY,
        (Standing.PASSED, Act.BEGIN): Standing.UNDER_WAY,
        (Standing.FAILED, Act.BEGIN): Standing.UNDER_WAY,
        (Standing.UNDER_WAY, Act.PASS): Standing.PASSED,
        (Standing.UNDER_WAY, Act.FAIL): Standing.FAILED,
        (Standing.UNDER_WAY, Act.LEAVE): Standing.NOT_DONE,
        (Standing.NOT_DONE, Act.LEAVE): Standing.NOT_DONE,
    }
)

TITLES: Final[Mapping[Step, str]] = MappingProxyType(
    {
        Step.POWER: "Power",
        Step.PAIRING: "Pairing",
        Step.RATE: "Rate",
        Step.VOLUME: "Volume",
        Step.ALARMS: "Alarms",
        Step.BATTERY: "Battery pull",
        Step.NETWORK: "Network pull",
    }
)

WHAT_TO_DO: Final[Mapping[Step, str]] = MappingProxyType(
    {
        Step.POWER: "Plug the pump in and switch it on. It passes when the pump itself says that it runs on mains.",
        Step.PAIRING: "It passes when the gateway hears this device under its name, serving nobody but the planned course, "
        "with a clock that can be believed.",
        Step.RATE: "Set the prescribed rate at the pump, with water, never on a patient. It passes within 1 %.",
        Step.VOLUME: "Let it deliver into a measuring cylinder. Judged when enough has flowed; then stop it: m enters the mL.",
        Step.ALARMS: "Provoke each condition at the pump and clear it there. e: it cannot be provoked.",
        Step.BATTERY: "While it delivers, pull the mains plug for half a minute, then put it back.",
        Step.NETWORK: "Pull the bridge's network cable, wait until this screen says so, put it back. Its spool must catch up.",
    }
)
