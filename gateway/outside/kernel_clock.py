"""What Linux knows of its own clock: since when it runs, and whether it follows a reference (NTP, a receiver, a phone)."""

import ctypes
import time
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_UNSYNCHRONISED = 0x0040  # STA_UNSYNC of <sys/timex.h>
_NO_REFERENCE = 5  # TIME_ERROR, what adjtimex returns then


class _Timex(ctypes.Structure):
    """`struct timex` up to what is read here, padded to more than any kernel writes. All zero: adjtimex only reads."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    )


def uptime_ms() -> int:
    """Milliseconds since the kernel's start, time asleep included; no clock setting changes it."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def kernel_id() -> str:
    """A name for this start of the kernel, the same for every process; empty where the kernel does not tell."""
    try:
        return _BOOT_ID.read_text().strip()[:13]
    except OSError:
        return ""


def follows_reference() -> bool:
    """Whether the kernel says that its clock is disciplined; False where it cannot be asked."""
    asked = _Timex()
    try:
        returned = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(asked))
    except (AttributeError, OSError):  # no such call in this C library
        return False
    return 0 <= returned < _NO_REFERENCE and not asked.status & _UNSYNCHRONISED
