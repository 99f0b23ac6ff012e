"""What an SMS centre delivers: receipts for what we sent, and what people wrote.

Source: SMPP 3.4, sections 5.2.12, 5.2.28 and appendix B.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gateway.domain.words import Outcome
from gateway.outside.smpp_pdu import DataCoding, EsmClass, Short, Tag
from gateway.outside.sms_text import from_gsm7
from gateway.runtime.ports import Receipt

REMEMBERED_MAX = 10_000  # parts; full: the oldest is forgotten, and its receipt is taken for a whole message's

_ID = re.compile(rb"\bid:\s*([!-~]+)", re.IGNORECASE)
_STATE = re.compile(rb"\bstat:\s*([A-Z]+)", re.IGNORECASE)

# Final states only: "accepted", "en route" and "unknown" decide nothing.
_STATES: dict[int | str, Outcome] = {
    2: Outcome.DELIVERED,
    3: Outcome.REJECTED,  # expired
    4: Outcome.REJECTED,  # deleted
    5: Outcome.REJECTED,  # undeliverable
    8: Outcome.REJECTED,  # refused
    "DELIVRD": Outcome.DELIVERED,
    "EXPIRED": Outcome.REJECTED,
    "DELETED": Outcome.REJECTED,
    "UNDELIV": Outcome.REJECTED,
    "REJECTD": Outcome.REJECTED,
}


@dataclass(slots=True)
class Whole:
    """One message in hand: the ids of its parts, and what is known of them."""

    ids: list[str] = field(default_factory=list)
    delivered: set[str] = field(default_factory=set)
    failed: bool = False
    finished: bool = False
    told: bool = False


class Parts:
    """Which parts belong together: a message is delivered when all of its parts are, and failed when the first is.

    `tell` hears of each message once. A receipt may come while later parts are still being sent, or be read together with the
    answer that names its part, before whoever sent it had a turn: what nobody knows waits as long as anything is being sent.
    After a restart nothing is remembered: the last part, whose id is in the journal, then speaks for the whole.
    """

    def __init__(self, tell: Callable[[Receipt], None]) -> None:
        self._tell = tell
        self._wholes: dict[str, Whole] = {}  # by the id of each part, lower case
        self._sending = 0
        self._early: list[tuple[str, Outcome]] = []

    @contextmanager
    def sending(self) -> Iterator[Whole]:
        """A message whose parts go out within the block."""
        self._sending += 1
        try:
            yield Whole()
        finally:
            self._sending -= 1
            if not self._sending:
                self._take_early()

    def accepted(self, whole: Whole, part: str) -> None:
        """The centre took the next part under this id."""
        whole.ids.append(part)
        self._wholes[part.lower()] = whole
        while len(self._wholes) > REMEMBERED_MAX:
            del self._wholes[next(iter(self._wholes))]
        self._take_early()

    def finish(self, whole: Whole) -> str:
        """All parts were taken; returns the id that stands for the whole."""
        whole.finished = True
        self._tell_if_decided(whole)
        return whole.ids[-1]

    def receipt(self, part: str, outcome: Outcome) -> None:
        """The centre says what became of a part. Late and repeated ones change nothing."""
        known = next((spelling for spelling in _spellings(part) if spelling in self._wholes), None)
        if known is None and self._sending and len(self._early) < REMEMBERED_MAX:
            self._early.append((part, outcome))
            return
        if known is None:
            self._tell(Receipt(part, outcome))
            return
        whole = self._wholes[known]
        if outcome is Outcome.DELIVERED:
            whole.delivered.add(known)
        else:
            whole.failed = True
        self._tell_if_decided(whole)

    def _take_early(self) -> None:
        early, self._early = self._early, []
        for part, outcome in early:
            self.receipt(part, outcome)

    def _tell_if_decided(self, whole: Whole) -> None:
        decided = whole.failed or len(whole.delivered) == len(whole.ids)
        if whole.finished and decided and not whole.told:
            whole.told = True
            self._tell(Receipt(whole.ids[-1], Outcome.REJECTED if whole.failed else Outcome.DELIVERED))


def is_receipt(short: Short) -> bool:
    """Whether the centre reports on something that we sent."""
    return short.esm_class & EsmClass.KIND == EsmClass.RECEIPT


def is_written(short: Short) -> bool:
    """Whether a person wrote it."""
    return short.esm_class & EsmClass.KIND == 0


def read_receipt(short: Short) -> tuple[str, Outcome] | None:
    """(message id, outcome) of a receipt; None where it decides nothing. Optional parameters count for more than the text."""
    tagged_id = short.tags.get(Tag.RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0")
    tagged_state = short.tags.get(Tag.MESSAGE_STATE, b"")
    written_id, written_state = _ID.search(short.message), _STATE.search(short.message)
    part = tagged_id or (written_id[1] if written_id else b"")
    state: int | str = tagged_state[0] if tagged_state else written_state[1].decode().upper() if written_state else ""
    outcome = _STATES.get(state)
    return (part.decode("latin-1"), outcome) if part and outcome is not None else None


def written_text(short: Short) -> str:
    """What a person wrote; of a message in parts the text of this part."""
    message = short.message
    if short.esm_class & EsmClass.HEADING and message:
        message = message[message[0] + 1 :]
    match short.data_coding:
        case DataCoding.UCS2:
            return message.decode("utf-16-be", "replace")
        case DataCoding.DEFAULT:
            return from_gsm7(message)
        case _:
            return message.decode("latin-1")


def _spellings(part: str) -> Iterator[str]:
    """A centre may write an id in hex in its answer and in decimal in its receipt, or the other way round."""
    yield part.lower()
    if part.isdecimal() and part.isascii():
        yield f"{int(part):x}"
        yield f"{int(part):08x}"
    if re.fullmatch(r"[0-9A-Fa-f]{1,16}", part):
        yield str(int(part, 16))
