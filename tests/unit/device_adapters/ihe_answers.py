"""What the IHE PCD adapter makes of one message, for tests."""

from device_adapters.ihe_pcd import IhePcd
from gateway.domain.readings import AlarmChange, Decoded, Observation, Refusal
from tests.unit.device_adapters import hl7_encoder as hl7
from tests.unit.device_adapters.hl7_encoder import wire

OBSERVED_AT = 1_772_409_598_000  # OBR-7 of the encoder's messages


def decode(payload: bytes) -> Decoded:
    """What the adapter makes of it."""
    return IhePcd().decode(payload)


def alarm(payload: bytes) -> AlarmChange:
    """The only reading, an alarm."""
    decoded = decode(payload)
    assert not decoded.refused
    (found,) = decoded.readings
    assert isinstance(found, AlarmChange)
    return found


def observation(payload: bytes) -> Observation:
    """The only reading, an observation."""
    decoded = decode(payload)
    assert not decoded.refused
    (found,) = decoded.readings
    assert isinstance(found, Observation)
    return found


def reasons(payload: bytes) -> list[tuple[Refusal, str]]:
    """What was refused, and where."""
    return [(refused.reason, refused.where) for refused in decode(payload).refused]


def bare(*results: str, trigger: str = "ORU^R01", time: str = "20260302080000+0800", order: str | None = None) -> bytes:
    """A header, an order and these results."""
    return wire(hl7.msh(trigger, time=time), hl7.obr() if order is None else order, *results)
