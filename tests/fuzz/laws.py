"""What must hold of an adapter for any bytes at all."""

from device_adapters import hl7
from device_adapters.bcc_framing import Framer, frames_in
from device_adapters.ihe_pcd_identity import NAMES_MAX, identities
from device_adapters.mllp import MllpFramer
from tests.support.adapter_frames import raises_nothing, resealed

REFUSALS_MAX = 1_100  # 500 frames with a garbled run before each, and some parameters


def try_one(adapter: str, data: bytes) -> None:
    """One input, as it is and (for BCC) with its length and check made right too. Raises where a law is broken.

    No exception, a reading or a named refusal, not a refusal for every byte; for a framer the same events however it is cut.
    """
    for payload in (data, resealed(data)) if adapter == "bbraun-bcc" else (data,):
        found = raises_nothing(adapter, payload)
        assert found.readings or found.refused, "no outcome"
        assert len(found.refused) <= REFUSALS_MAX, "a refusal for every byte"
        if adapter == "bbraun-bcc":
            framer, middle = Framer(), len(payload) // 3
            events = framer.feed(payload[:middle]) + framer.feed(payload[middle:]) + framer.finish()
            assert events == frames_in(payload), "cut elsewhere, told otherwise"
    if adapter == "ihe-pcd":
        whole, parts, middle = MllpFramer(), MllpFramer(), len(data) // 3
        events = parts.feed(data[:middle]) + parts.feed(data[middle:]) + parts.finish()
        assert events == whole.feed(data) + whole.finish(), "cut elsewhere, told otherwise"
        messages = hl7.parse(data)
        for message in messages if isinstance(messages, list) else ():
            names = identities(message).all
            assert len(names) <= 2 * NAMES_MAX, "names without end"
            assert not any(hl7.words(name) & message.private_words for name in names), "a patient's name for a pump's"
