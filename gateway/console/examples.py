"""An example of every JSON body that the API takes, by the name of its schema. Each is valid, which a test sees to."""

from collections.abc import Mapping
from typing import Any

EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "AckAsked": {"for": "30m"},
    "BagAsked": {"bag": "7-day", "primed_ml": 1.5, "prepared_at": "2026-03-01T15:00:00+08:00"},
    "BenchAsked": {"for": "2h"},
    "BreakAsked": {"reason": "the clinic decided so"},
    "CallAsked": {"called": "caregiver", "seen": "running", "advice": "plug the pump in", "for": "2h"},
    "ClearAsked": {"condition": "occlusion-downstream"},
    "CloseAsked": {"reason": "pump exchanged"},
    "CommissionedAsked": {"verdict": "passed", "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
    "ContactsAsked": {"caregiver": [{"sms": "85290000009", "after": "2m"}], "travel_minutes": 40},
    "CycleAsked": {"bag": "7-day", "pump": "pump-17"},
    "DiaryAsked": {"temperature_c": 37.2, "handwriting_changed": False, "from_whom": "caregiver"},
    "DoseAsked": {"mcg_per_day": 28},
    "EndAsked": {"reason": "treatment completed"},
    "EnrolAsked": {"course": "P-017", "pump": "pump-17", "bag": "7-day", "travel_minutes": 40},
    "HandOverAsked": {"to": "nurse-b"},
    "NoteAsked": {"text": "the home does not answer, trying the neighbour"},
    "OrderAsked": {"bag": "7-day", "ready_at": "2026-03-08T10:00:00+08:00"},
    "PasswordAsked": {"password": "four words of your own"},
    "PumpAsked": {"pump": "pump-18", "reason": "battery worn out"},
    "ReplyAsked": {"transport": "sms", "address": "85290000001", "text": "4711"},
    "RoleAsked": {"role": "triage"},
    "SilenceAsked": {"course": "P-017", "rules": ["battery-running-out"], "reason": "charger on its way", "for": "2h"},
    "TokenAsked": {"name": "ward-screen", "role": "kiosk", "for": "90d"},
    "UserAsked": {"name": "nurse-a", "role": "triage", "password": "four words of your own"},
    "WindowAsked": {"kind": "bag-change", "for": "45m"},
}
