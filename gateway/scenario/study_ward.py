"""The ward of a study that brings none of its own: two nurses in turn, a charge nurse, text messages and then a voice call."""

from collections.abc import Mapping
from typing import Any

from gateway.config.load import load_ward_mapping
from gateway.config.protocols import read_protocols
from gateway.config.settings import LoadedWard
from gateway.scenario.assumptions import Assumptions
from gateway.scenario.study import Plan
from rules.loader import load_protocol

WARD: Mapping[str, Any] = {
    "site": "study-ward",
    "timezone": "Asia/Hong_Kong",
    "transports": {
        "sms": {"kind": "apprise", "url": "json://127.0.0.1/{address}"},
        "voice": {"kind": "apprise", "url": "json://127.0.0.1/{address}"},
    },
    "people": {
        "nurse-a": {"contacts": [{"sms": "85290000001"}, {"voice": "85290000001", "after": "2m"}]},
        "nurse-b": {"contacts": [{"sms": "85290000002"}, {"voice": "85290000002", "after": "2m"}]},
        "charge-nurse": {"contacts": [{"sms": "85290000003"}, {"voice": "85290000003", "after": "1m"}]},
    },
    "schedules": {
        "ward-nurse": {
            "rotation": {"every": "1w", "handover": "mon 08:00", "people": ["nurse-a", "nurse-b"], "starts": "2026-01-05"}
        }
    },
    "policies": {
        "high": {
            "steps": [
                {"page": ["schedule:ward-nurse"], "wait": "5m"},
                {"page": ["schedule:ward-nurse", "person:charge-nurse"], "wait": "5m"},
            ],
            "repeat": {"from_step": 2, "every": "10m"},
            "ack_lease": "30m",
            "milestones_page": ["schedule:ward-nurse", "person:charge-nurse"],
        },
        "medium": {
            "steps": [{"page": ["schedule:ward-nurse"], "wait": "15m"}, {"page": ["person:charge-nurse"], "wait": "30m"}],
            "repeat": {"from_step": 1, "every": "30m"},
            "ack_lease": "2h",
        },
        "low": {"steps": []},
        # A battery is the home's to mend: a text to the caregiver, and the ward when that has not helped.
        "home-first": {
            "steps": [
                {"page": ["caregiver"], "wait": "15m"},
                {"page": ["schedule:ward-nurse"], "wait": "15m"},
                {"page": ["person:charge-nurse"], "wait": "30m"},
            ],
            "repeat": {"from_step": 2, "every": "30m"},
            "ack_lease": "2h",
        },
        "fallback": ["person:charge-nurse"],
    },
    "routes": [{"rule": "battery-running-out", "policy": "home-first"}],
    "protocols": ["blinatumomab_home"],
    "rules": {
        # The simulated homes keep no diary, and their next bag is always in the fridge.
        "diary-missing": {"enabled": False},
        "bag-order-due": {"enabled": False},
        # A study wants to hear of every half hour without drug, so of the hour before an occlusion that was cleared at once too.
        "interruption-found": {"when": {"predicate": "interruption_found", "cleared_min": 20}},
    },
}


def shipped_plan(patients: int, seed: int) -> Plan:
    """A study on the shipped protocol and the ward above."""
    loaded = load_ward_mapping(WARD, "study")
    return plan_of(loaded, read_protocols(loaded.protocols, loaded.rule_overrides, None), patients, seed)


def plan_of(loaded: LoadedWard, protocols: Mapping[str, str], patients: int, seed: int) -> Plan:
    """A study of a ward of one's own, on its first protocol with the assumed bag. Raises ValueError, in words, without one."""
    assumed = Assumptions()
    for name, text in protocols.items():
        if assumed.bag in load_protocol(text, name, loaded.rule_overrides).bags:
            return Plan(loaded.text_for_journal, protocols, name, patients, loaded.ward.timezone, seed, assumed)
    raise ValueError(f"no protocol of the ward has a {assumed.bag} bag; the simulated homes live on it")
