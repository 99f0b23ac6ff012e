"""When a ward's day staff is there: the hours by which pages and incidents are told apart in reports and dashboards."""

from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.domain.instants import SECOND_MS, Instant

DAY_BEGINS_HOUR, DAY_ENDS_HOUR = 8, 18  # Monday to Friday; everything else is off hours
SATURDAY = 5


def is_off_hours(at: Instant, zone: ZoneInfo) -> bool:
    """Outside Monday to Friday, 08:00 to 18:00 local time."""
    local = datetime.fromtimestamp(at / SECOND_MS, zone)
    return local.weekday() >= SATURDAY or not DAY_BEGINS_HOUR <= local.hour < DAY_ENDS_HOUR
