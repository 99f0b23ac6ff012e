"""What a pump of each family can tell when all of it works: what a technician looks for before trusting a new one.

A test holds the table against the captures: what stands here is told by some capture, and nothing else is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from device_adapters.bcc_measures import CONDITIONS as BCC_CONDITIONS
from gateway.domain.words import Condition


@dataclass(frozen=True, slots=True)
class Tells:
    """`measures` are fields of `Observation`; `conditions` those that can be provoked at the pump."""

    measures: frozenset[str]
    conditions: frozenset[Condition] = frozenset()


# A pump that we know nothing about must at least say whether it delivers, and how much it has delivered.
AT_LEAST: Final = Tells(frozenset({"delivery_status", "infused_ml"}))

TELLS: Final[Mapping[str, Tells]] = MappingProxyType(
    {
        "bbraun-bcc": Tells(
            frozenset({"delivery_status", "rate_ml_h", "set_rate_ml_h", "infused_ml", "remaining_ml", "power", "locked"}),
            frozenset(alarm.condition for alarm in BCC_CONDITIONS.values()),
        ),
        "relay-and-scale": Tells(frozenset({"delivery_status", "power", "bag_weight_g"}), frozenset({Condition.OTHER})),
    }
)


def tells(adapter: str) -> Tells:
    """What to look for; of families that are many pumps in one, the least that is needed."""
    return TELLS.get(adapter, AT_LEAST)
