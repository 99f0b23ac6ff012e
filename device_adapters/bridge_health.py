"""What a bridge tells of itself in its `status`, beside `online`.

    {"observed_at": 1772409600000, "clock": "synced", "online": true,
     "bridge": {"waiting": 0, "spool_percent": 1, "dropped": 0, "holdover_s": 0, "garbled": 3, "temperature_c": 48.2,
                "under_voltage": false, "disk_free_mib": 21400, "silent": ["pump-018"],
                "findings": ["clock-free: the clock has followed no reference since the machine started"]}}

Every key may be absent, and what we do not know is ignored. What cannot be read costs the health alone, never the word that the
bridge is there: None then.
"""

from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic asks for this one below Python 3.12

from device_adapters.bounds import NAME_CHARS_MAX, PERCENT, plain_text
from gateway.domain.readings import BridgeHealth

FINDINGS_MAX: Final = 20  # the rest is cut off: whoever mends twenty things looks again
SILENT_MAX: Final = 64
FINDING_CHARS_MAX: Final = 200
COUNT_MAX: Final = 2**53

_Count = Annotated[int, Field(strict=True, ge=0, le=COUNT_MAX)]
_Degrees = Annotated[float, Field(strict=True, ge=-60, le=200, allow_inf_nan=False)]
_Percent = Annotated[float, Field(strict=True, ge=PERCENT[0], le=1_000, allow_inf_nan=False)]
_Text = Annotated[str, Field(strict=True, max_length=4_096)]


class _Facts(TypedDict, total=False):
    waiting: _Count | None
    spool_percent: _Percent | None
    dropped: _Count | None
    garbled: _Count | None
    holdover_s: _Count | None
    disk_free_mib: _Count | None
    temperature_c: _Degrees | None
    under_voltage: Annotated[bool, Field(strict=True)] | None


class _Lists(TypedDict, total=False):
    findings: list[_Text] | None
    silent: list[_Text] | None


_FACTS: Final = TypeAdapter(_Facts)
_LISTS: Final = TypeAdapter(_Lists)


def bridge_health(value: Any) -> BridgeHealth | None:
    """The health that stands under `bridge`; None where there is none, or none that can be read."""
    try:
        facts, lists = _FACTS.validate_python(value), _LISTS.validate_python(value)
    except ValidationError:
        return None
    findings = _plain((lists.get("findings") or [])[:FINDINGS_MAX], FINDING_CHARS_MAX)
    silent = _plain((lists.get("silent") or [])[:SILENT_MAX], NAME_CHARS_MAX)
    return BridgeHealth(**facts, findings=findings, silent=silent)


def _plain(texts: list[str], chars_max: int) -> tuple[str, ...]:
    return tuple(plain for text in texts if (plain := plain_text(text, chars_max=chars_max)))
