"""`oncall`: who is on call now, who comes next, and where nobody is."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from gateway.config.parse import instant_of, parse_date_time
from gateway.core.oncall import Duty, duties
from gateway.domain.instants import DAY_MS, SECOND_MS, Instant
from gateway.domain.ward import Schedule
from gateway.field.checking import load_checked
from gateway.field.remote import DEFAULT_WARD
from gateway.field.speaking import FINE, NO, Wrong, existing_file
from gateway.outside.wall_clock import WallClock

DAYS_MAX = 366
NOBODY = "NOBODY"


@click.command(short_help="Show who is on call.")
@click.argument("schedule", required=False)
@click.option("--at", "moment", help="From this time on, like 2026-03-04T20:00 (the ward's time) or with an offset; else now.")
@click.option("--days", type=click.IntRange(1, DAYS_MAX), default=14, show_default=True, help="How many days to show.")
@click.option("--ward", envvar="DRIPWATCH_WARD", default=DEFAULT_WARD, show_default=True, help="The ward file [DRIPWATCH_WARD].")
def oncall(schedule: str | None, moment: str | None, days: int, ward: str) -> int:
    """Show who is on call in a SCHEDULE, or in all: now, next, and through the coming days. Exit 1 where nobody is."""
    loaded = load_checked(existing_file(ward))
    schedules = loaded.ward.schedules
    if schedule is not None and schedule not in schedules:
        raise Wrong(f"{ward}: no schedule {schedule!r}; schedules: {', '.join(schedules) or 'none'}")
    if not schedules:
        raise Wrong(f"{ward}: has no schedules; its policies page people and teams by name")
    from_at = WallClock().now() if moment is None else _instant(moment, loaded.ward.timezone)
    missing = False
    for one in schedules.values() if schedule is None else [schedules[schedule]]:
        found = duties(one, from_at, from_at + days * DAY_MS)
        missing |= not all(duty.people for duty in found)
        for line in _lines(one, found):
            click.echo(line)
    return NO if missing else FINE


def _instant(moment: str, timezone: str) -> Instant:
    try:
        return instant_of(parse_date_time(moment), timezone)
    except ValueError as error:
        raise Wrong(f"--at: {error}") from None


def _lines(schedule: Schedule, found: list[Duty]) -> Iterator[str]:
    zone = ZoneInfo(schedule.timezone)
    yield f"{schedule.name} ({schedule.timezone})"
    yield f"  now   {_people(found[0])}"
    yield (
        f"  next  {_people(found[1])}, from {_local(found[1].from_at, zone)}"
        if len(found) > 1
        else "  next  no change in these days"
    )
    for duty in found:
        colour = None if duty.people else "red"
        yield click.style(f"  {_local(duty.from_at, zone)}  {_local(duty.until_at, zone)}  {_people(duty)}", fg=colour)


def _people(duty: Duty) -> str:
    return ", ".join(duty.people) or NOBODY


def _local(at: Instant, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(at // SECOND_MS, zone):%a %Y-%m-%d %H:%M}"
