"""What silences and planned windows mute: alerts stay on the board, pages wait, and the end is loud (DESIGN 4 and 6)."""

from gateway.core.care import Silence, Window
from gateway.core.incident_state import Incident, Note
from gateway.core.state import Course, Subject
from gateway.domain.instants import HOUR_MS, Instant
from gateway.domain.words import Condition, Priority

HIGH_MAX_MS = 4 * HOUR_MS  # an alert of high priority is never mute for longer

SILENCE, WINDOW = "silence", "window"

_UNKNOWN = "delivery-unknown"
_WAITING = frozenset({"delivery-interrupted", "interruption-found", "settings-changed"})
_OF_CONDITIONS = frozenset({"alarm-persistent", "alarm-recurrent"})
# What a pump shows while people work on it. Free flow, over-infusion and whatever we do not know never wait.
STOPPING = frozenset(
    {
        Condition.OCCLUSION_DOWNSTREAM,
        Condition.OCCLUSION_UPSTREAM,
        Condition.OCCLUSION,
        Condition.AIR_IN_LINE,
        Condition.DOOR_OPEN,
        Condition.CASSETTE_DETACHED,
        Condition.RESERVOIR_EMPTY,
        Condition.INFUSION_COMPLETE,
        Condition.BATTERY_DEPLETED,
        Condition.SYSTEM_FAULT,
        Condition.STOPPED_UNATTENDED,
    }
)


def review(subject: Subject, incident: Incident, at: Instant) -> str:
    """Bring what is mute up to date; returns what ended (`silence`, `window`) with an alert still firing, else nothing."""
    ended = ""
    for note in incident.alerts.values():
        was_until, was_by = note.muted_until, note.muted_by
        note.muted_until, note.muted_by = muting(subject, note, at)
        if was_until is not None and note.muted_until is None:
            ended = was_by
    alerts = incident.alerts.values()
    incident.muted = bool(alerts) and all(note.muted_until is not None for note in alerts)
    if incident.muted:
        incident.muted_by = next(note.muted_by for note in alerts)
    elif ended:
        incident.muted_by = ended
    return ended


def muting(subject: Subject, note: Note, at: Instant) -> tuple[Instant | None, str]:
    """Until when this alert is mute, and by what; (None, "") when it speaks."""
    if not isinstance(subject, Course):
        return None, ""
    ends = [(until_at, SILENCE) for silence in subject.care.silences if (until_at := _silenced_until(silence, note)) > at]
    window = subject.care.window
    if window is not None and at < window.until_at and _waits(window, note):
        ends.append((window.until_at, WINDOW))
    return max(ends, default=(None, ""))


def next_end(course: Course, at: Instant) -> Instant | None:
    """When, after `at`, the next silence or window of this course ends, or stops covering what is high."""
    care = course.care
    if care.window is None and not care.silences:
        return None
    ends = [end_at for silence in care.silences for end_at in (silence.until_at, silence.from_at + HIGH_MAX_MS)]
    if care.window is not None:
        ends.append(care.window.until_at)
    return min((end_at for end_at in ends if end_at > at), default=None)


def forget_ended(course: Course, at: Instant) -> None:
    """Silences that are over leave the course; whoever wants to know about them asks the journal."""
    if any(silence.until_at <= at for silence in course.care.silences):
        course.care.silences = tuple(silence for silence in course.care.silences if silence.until_at > at)


def id_of(course: str, seq: int) -> str:
    """The id of the silence that journal record `seq` made."""
    return f"{course}.s{seq}"


def covers(silence: Silence, rule: str) -> bool:
    """Whether the silence is about this rule."""
    return not silence.rules or rule in silence.rules


def _silenced_until(silence: Silence, note: Note) -> Instant:
    """When this silence stops muting the alert; 0 when it never did."""
    if not covers(silence, note.rule):
        return 0
    if note.priority is Priority.HIGH:
        return min(silence.until_at, silence.from_at + HIGH_MAX_MS)
    return silence.until_at


def _waits(window: Window, note: Note) -> bool:
    """Whether what began inside the window may wait for its end."""
    if note.rule == _UNKNOWN:
        return note.began_at >= window.heard_at
    if note.began_at < window.from_at:
        return False
    return note.rule in _WAITING or (note.rule in _OF_CONDITIONS and note.kind in STOPPING)
