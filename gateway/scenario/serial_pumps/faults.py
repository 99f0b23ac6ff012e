"""What a bad line does to bytes on their way, from a seed."""

from dataclasses import dataclass
from random import Random  # noqa: TID251 - seeded: the same faults each time

CHECK_DIGIT_FROM_END = 2  # of a BCC frame: five digits and EOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """`noise`: which share of all bytes arrives as another one; `wrong_check`: each nth answer has a wrong check, 0 none.

    `slow_ms`: how long each byte takes; `unplugged_every_ms`: how often the cable is pulled for a moment, 0 never.
    """

    noise: float = 0.0
    wrong_check: int = 0
    slow_ms: int = 0
    unplugged_every_ms: int = 0


class BadLine:
    """Spoils what passes. Counts what it did to whom."""

    def __init__(self, faults: Faults, seed: int) -> None:
        self._faults, self._dice = faults, Random(seed)  # noqa: S311 - repeatable faults, no secret
        self._passed = 0

    def spoil(self, frame: bytes) -> bytes:
        """The frame as it arrives."""
        self._passed += 1
        body = bytearray(frame)
        every = self._faults.wrong_check
        if every and self._passed % every == 0 and len(body) > CHECK_DIGIT_FROM_END:
            digit = body[-CHECK_DIGIT_FROM_END]
            body[-CHECK_DIGIT_FROM_END] = ord("0") + (digit - ord("0") + 1) % 10
        if self._faults.noise:
            for at in range(len(body)):
                if self._dice.random() < self._faults.noise:
                    body[at] = self._dice.randrange(256)
        return bytes(body)
