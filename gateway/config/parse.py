"""Words of the ward file: how each kind of text is read, and refused with the mend (ValueError)."""

import re
from datetime import date, datetime
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from gateway.core.oncall import wall_instant
from gateway.domain.instants import SECOND_MS, Instant
from gateway.domain.locale import Locale

_Day = TypeVar("_Day", date, datetime)

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HANDOVER = re.compile(r"(?:([a-z]+) +)?([01][0-9]|2[0-3]):([0-5][0-9])")
_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)")
_DATE_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:[0-9]{2})?")


def parse_handover(text: str) -> str:
    """Accept `mon 08:00` or `08:00`. Raises ValueError with the mend."""
    found = _HANDOVER.fullmatch(text.lower())
    if not found or (found[1] and weekday_of(text) is None):
        raise ValueError(f"not a handover: {text!r}; write a weekday and a time of 24 hours, like 'mon 08:00', or only '08:00'")
    return text.lower()


def weekday_of(handover: str) -> int | None:
    """0 (Monday) … 6 of `mon 08:00`; None where no weekday is named."""
    word = handover.lower().partition(" ")[0]
    names = [name for name in WEEKDAYS if word in (name, name[:3])]
    return WEEKDAYS.index(names[0]) if names else None


def parse_hours(text: str) -> str:
    """Accept `08:00-20:00`, `20:00-08:00`, `00:00-24:00`. Raises ValueError with the mend."""
    if not _HOURS.fullmatch(text):
        raise ValueError(f"not hours: {text!r}; write when they begin and end, of 24 hours, like 20:00-08:00")
    return text


def minutes_of(hours: str) -> tuple[int, int]:
    """`20:00-08:00` → (1200, 1920): minutes from the midnight that begins the day; an end that is not later is the next day's."""
    start, end = (60 * int(text[:2]) + int(text[3:]) for text in hours.split("-"))
    return start, end if end > start else end + 24 * 60


def parse_day(text: object) -> int:
    """`sat`, `Saturday` → 5; Monday is 0. Raises ValueError with the mend."""
    day = weekday_of(text) if isinstance(text, str) else None
    if day is None:
        raise ValueError(f"not a weekday: {text!r}; write mon, tue, wed, thu, fri, sat or sun")
    return day


def parse_listen(text: str) -> str:
    """Accept `127.0.0.1:8080`, `localhost:8080`, `[::1]:8080`. Raises ValueError with the mend."""
    host, port = split_listen(text)
    if not host or not 0 < port < 65_536:
        raise ValueError(f"not a place to listen: {text!r}; write host:port, like 127.0.0.1:8080")
    return text


def parse_place(text: str) -> str:
    """Accept `192.0.2.7:4001`, `pump.example:4001`, `[fd00::7]:4001`. Raises ValueError with the mend."""
    host, port = split_listen(text)
    if not host or not 0 < port < 65_536:
        raise ValueError(f"not a place: {text!r}; write host:port, like 192.0.2.7:4001")
    return text


def host_alone(text: str) -> str:
    """A name or an address, without what stands around it in a URL. Raises ValueError with the mend."""
    if re.search(r"[\s/]", text) or re.fullmatch(r"[^:]*:[0-9]*", text):
        raise ValueError(f"not a host alone: {text!r}; write its name or address here, and its port under port")
    return text


def split_listen(text: str) -> tuple[str, int]:
    """`[::1]:8080` → (`::1`, 8080); a port that is no number gives 0."""
    host, _, port = text.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port) if re.fullmatch(r"[0-9]{1,5}", port) else 0


def parse_address(text: str) -> str:
    """An address of a machine, like `127.0.0.1` or `fd00::7`, as it is usually written. Raises ValueError with the mend."""
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError(f"not an address: {text!r}; write one machine's own, like 127.0.0.1 (no name, no network)") from None


def known_zone(name: object) -> str:
    """Accept an IANA zone that this machine knows. Raises ValueError with the mend."""
    try:
        ZoneInfo(name := str(name))
    except (KeyError, ValueError, OSError):
        raise ValueError(f"unknown time zone {name!r}; write it like Asia/Hong_Kong or Europe/Berlin") from None
    return name


def parse_locale(text: object) -> Locale:
    """A language that pages can speak: `en`, `zh-Hant`. Raises ValueError with the known ones."""
    if isinstance(text, str) and text in set(Locale):
        return Locale(text)
    raise ValueError(f"{text!r} is no language of ours; write one of {', '.join(Locale)}")


def http_url(text: str) -> str:
    """Accept http(s) addresses; drop slashes at the end. Raises ValueError with the mend."""
    try:
        parts = urlsplit(text)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise ValueError("not a web address; write it like http://127.0.0.1:8086")
    return text.rstrip("/")


def public_url(text: str) -> str:
    """Accept a web address that may stand in a page: no password, no arguments. Raises ValueError with the mend."""
    if set(text) & set("@?#"):
        raise ValueError("stands in every page, so it holds no user, password, '?' or '#'; write only http://host:port/path")
    return http_url(text)


def apprise_url(text: str) -> str:
    """Accept anything with a scheme; Apprise itself judges the rest. Raises ValueError, without the text: it may be a secret."""
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://.", text):
        raise ValueError("not an Apprise URL; write it like mailto://mail.example/?to={address}")
    return text


def parse_date(text: object) -> date:
    """`2026-03-02` → that day. Raises ValueError with the mend."""
    try:
        day = date.fromisoformat(str(text))
    except ValueError:
        raise ValueError(f"not a date: {text!r}; write it like 2026-03-02") from None
    return _sane(day)


def parse_date_time(text: object) -> datetime:
    """`2026-03-04T20:00` → naive (the ward's wall time); with an offset or Z → aware. Raises ValueError with the mend."""
    mend = f"not a time: {text!r}; write it like 2026-03-04T20:00 (the ward's time) or 2026-03-04T20:00+08:00"
    if not isinstance(text, str) or not _DATE_TIME.fullmatch(text):
        raise ValueError(mend)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(mend) from None
    return _sane(moment)


def instant_of(moment: datetime, timezone: str) -> Instant:
    """The instant of `parse_date_time`'s result; a naive one is wall time in `timezone`, skipped and doubled as in `oncall`."""
    if moment.tzinfo is None:
        return wall_instant(moment.isoformat(), timezone)
    return round(moment.timestamp()) * SECOND_MS


def _sane(day: _Day) -> _Day:
    if not 2000 <= day.year <= 2200:
        raise ValueError(f"the year {day.year} is no ward's; write one from 2000 to 2200")
    return day


def as_text(value: object) -> object:
    """A number that reads back as it was written may stand without quotes (a pager's id, a version)."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
