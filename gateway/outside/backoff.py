"""How long to wait before the next try: doubling, with a spread that is the same every time."""

import zlib


def backoff_s(attempt: int, *, least_s: float, most_s: float, who: str) -> float:
    """Seconds to wait after failure number `attempt` (1, 2, …): `least_s` doubled each time up to `most_s`, less up to a quarter.

    The spread comes from `who` and the attempt: many clients of one broker do not return in step, and a run can be repeated.
    """
    full_s = min(most_s, least_s * 2.0 ** min(attempt - 1, 30))
    spread = zlib.crc32(f"{who}/{attempt}".encode()) / 2**32
    return full_s * (1.0 - 0.25 * spread)
