"""A rack of B. Braun Space pumps behind a ComDevice, as the host sees it: bytes in, bytes out, time an argument (ms).

It answers ADMIN:ALIVE, ADMIN:VERSION, MEM:GET and MEM:GETSLOT#xy, and sends the next block on ACK. It is written against the
wire, not against our decoder: it shares no code with `device_adapters`.

    rack = Rack({"11": SpacePump(rate_ml_h=0.6, infused_ml=12.0)}, started_at=at)
    answer = rack.receive(request, at)
    rack.pumps["11"].alarms.add(15)
"""

import re
from dataclasses import dataclass, field

from gateway.domain.instants import HOUR_MS, SECOND_MS, Instant

REQUEST_BYTES_MAX = 256  # a question is shorter than 60 bytes; what is longer is dropped
BLOCK_QUADRUPLES = 40  # a real block has about 1,100 bytes
ALARM_NUMBERS = (1, 2, 3, 5, 7, 8, 9, 11, 12, 13, 14, 15, 16)
PRE_ALARMS = frozenset({11, 12})  # with these the pump goes on

_REQUEST = re.compile(rb"\x01(\d{5})\x02([^>]{1,15}/1/1)>([^\x03]*)\x03(\d{5})\x04")
_SLOT = re.compile(r"MEM:GETSLOT#([1-3][1-9A-O])")


@dataclass(slots=True)
class SpacePump:
    """One pump. `alarms` are numbers of INA bits; any of them but a pre-alarm stops delivery, and the counter with it."""

    rate_ml_h: float = 10.0
    infused_ml: float = 0.0
    left_ml: float = 240.0
    pumping: bool = True
    on_mains: bool = True
    locked: bool = True
    alarms: set[int] = field(default_factory=set)
    as_of: Instant = 0

    @property
    def flows(self) -> bool:
        """Whether it delivers now."""
        return self.pumping and self.alarms <= PRE_ALARMS

    def live(self, at: Instant) -> None:
        """Bring its counters up to `at`. Call it also right before an alarm is set or cleared."""
        if self.flows and self.as_of:
            given_ml = min(self.left_ml, self.rate_ml_h * (at - self.as_of) / HOUR_MS)
            self.infused_ml += given_ml
            self.left_ml -= given_ml
        self.as_of = at

    def says(self) -> list[tuple[str, str]]:
        """(parameter, value) of everything that it reports."""
        rate = f"{self.rate_ml_h:.2f}"
        told = [("INRT", rate), ("INVI", f"{self.infused_ml:.3f}"), ("INVOLACT", f"{self.left_ml:.3f}"), ("INVTB", "_NV")]
        told += [("INRMT", "65535"), ("INM1", "1"), ("INM2", "0"), ("INM3", str(int(self.flows))), ("INM6", "0")]
        told += [("INM7", str(int(self.locked))), ("INM8", str(int(self.on_mains))), ("INM10", "0"), ("INP2", "20")]
        told += [(f"INA{number}", str(int(number in self.alarms))) for number in ALARM_NUMBERS]
        return [*told, ("INSOL", "_NV"), ("GNMODEL", "8714827")]


class Rack:
    """The ComDevice with its pumps by slot (`11` … `3O`)."""

    def __init__(self, pumps: dict[str, SpacePump], *, started_at: Instant, bed: str = "SpaceCOM", stuffing: bool = True) -> None:
        self.pumps = pumps
        self._bed, self._stuffing, self._started_at = bed, stuffing, started_at
        self._held = bytearray()
        self._blocks: list[bytes] = []

    def receive(self, data: bytes, at: Instant) -> bytes:
        """What it answers to these bytes at `at`; bytes that are no question are ignored."""
        self._held += data
        answer = b""
        while (found := self._next()) is not None:
            answer += self._acked() if found == b"\x06" else self._answered(found, at)
        return answer

    def _next(self) -> bytes | None:
        """The next ACK or whole question."""
        while self._held:
            if self._held[0] == 0x06:
                del self._held[0]
                return b"\x06"
            end = self._held.find(b"\x04")
            if self._held[0] == 0x01 and end < 0:
                if len(self._held) > REQUEST_BYTES_MAX:
                    self._held.clear()
                return None
            if self._held[0] == 0x01:
                question = bytes(self._held[: end + 1])
                del self._held[: end + 1]
                return question
            del self._held[0]
        return None

    def _acked(self) -> bytes:
        return self._blocks.pop(0) if self._blocks else b""

    def _answered(self, question: bytes, at: Instant) -> bytes:
        parts = _REQUEST.fullmatch(_unstuffed(question) if self._stuffing else question)
        if parts is None or int(parts[4]) != sum(parts[0][:-6]) % 256:
            return b""  # a real one says nothing either
        command = parts[3].decode("ascii", "replace")
        quadruples = self._quadruples(command, at)
        chunks = [quadruples[i : i + BLOCK_QUADRUPLES] for i in range(0, len(quadruples), BLOCK_QUADRUPLES)]
        self._blocks = [self._block(chunk, last=chunk is chunks[-1]) for chunk in chunks]
        return self._acked()

    def _quadruples(self, command: str, at: Instant) -> list[str]:
        seconds = (at - self._started_at) // SECOND_MS
        if command == "ADMIN:ALIVE":
            return [f"{seconds},50100,GNACK,0"]
        if command == "ADMIN:VERSION":
            return [f"{seconds},50100,GNVER"]
        slot = _SLOT.fullmatch(command)
        wanted = [slot[1]] if slot is not None and slot[1] in self.pumps else sorted(self.pumps) if command == "MEM:GET" else []
        if not wanted:
            return [f"{seconds},50100,GNERR,5"]
        told = []
        for place in wanted:
            self.pumps[place].live(at)
            told += [f"{seconds},501{place},{name},{value}" for name, value in self.pumps[place].says()]
        return told

    def _block(self, quadruples: list[str], *, last: bool) -> bytes:
        text = f"{self._bed}/1/1>{chr(0x1E).join(quadruples)}".encode()
        length = 1 + 5 + 1 + len(text) + 1 + 5 + 1
        body = b"\x01%05d\x02%b%c" % (length, text, 0x03 if last else 0x17)
        frame = body + b"%05d\x04" % (sum(body) % 256)
        return _stuffed(frame) if self._stuffing else frame


def _stuffed(frame: bytes) -> bytes:
    return frame.replace(b"E", b"EE").replace(b"D", b"EX").replace(b"e", b"ee").replace(b"d", b"ex")


def _unstuffed(frame: bytes) -> bytes:
    plain, at = bytearray(), 0
    while at < len(frame):
        pair = frame[at : at + 2]
        short = {b"EX": b"D", b"EE": b"E", b"ex": b"d", b"ee": b"e"}.get(pair)
        plain += short or frame[at : at + 1]
        at += 2 if short else 1
    return bytes(plain)
