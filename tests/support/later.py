"""The gateway as a program whose clock SIGUSR1 sets two minutes forward, so that a test need not wait for what takes its time.

`python -m tests.support.later run --ward …` is `dripwatch run …`, and does not know that it is.
"""

import signal
import sys
import time
from types import FrameType

STEP_NS = 120 * 1_000_000_000

_told_ns = time.time_ns
_steps = 0


def _set_forward(_: int, __: FrameType | None) -> None:
    global _steps  # noqa: PLW0603  there is one clock
    _steps += 1


if __name__ == "__main__":
    time.time_ns = lambda: _told_ns() + _steps * STEP_NS  # before anybody has taken hold of it
    signal.signal(signal.SIGUSR1, _set_forward)
    from gateway.__main__ import main

    sys.exit(main())
