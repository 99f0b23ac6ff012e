"""How many messages a second one core decodes, by adapter: an ordinary answer of one pump, in its envelope."""

import time
from collections.abc import Callable

from device_adapters.bcc_framing import frames_in
from device_adapters.envelope import Sent, enveloped
from device_adapters.registry import decode
from tests.support.bcc_encoder import answer, pump_items
from tests.unit.device_adapters.hl7_encoder import status_message

AT = 1_772_409_600_000
COUNT = 20_000
ROUNDS = 3  # the best of them: the machine is shared


def per_s(channel: str, payload: bytes) -> float:
    """Messages decoded a second."""
    return rate(lambda: decode(channel, payload, received_at=AT))


def rate(act: Callable[[], object]) -> float:
    """Acts a second of one core's own time, the best of a few rounds."""
    best_s = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(COUNT):
            act()
        best_s = min(best_s, time.process_time() - began)
    return COUNT / best_s


def run() -> dict[str, float]:
    """Messages a second: BCC answers of one pump with 30 parameters and of three; framing and check alone; HL7."""
    one = answer(pump_items())
    three = answer(pump_items("11"), pump_items("12"), pump_items("13"))
    return {
        "decode_bcc_frames_per_s": per_s("raw/bbraun-bcc", enveloped(Sent(AT, "b1", 1), one)),
        "decode_bcc_three_pumps_per_s": per_s("raw/bbraun-bcc", enveloped(Sent(AT, "b1", 1, slot="12"), three)),
        "frame_bcc_per_s": rate(lambda: frames_in(one)),
        "decode_hl7_per_s": per_s("raw/ihe-pcd", status_message()),
    }
