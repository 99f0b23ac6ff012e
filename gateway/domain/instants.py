"""Time as the core sees it: whole milliseconds since 1970-01-01T00:00:00Z.

Points in time end in `_at` or `_until`; lengths of time end in `_ms`.
"""

Instant = int

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
