"""What incidents' histories gained with a record: who took them, passed them on, closed them, and what they did by themselves."""

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.core.incident_state import Happening, Incident
from gateway.core.store import State
from gateway.domain.instants import Instant
from gateway.domain.words import IncidentState, WhyPaged
from gateway.runtime.audit_line import What
from gateway.runtime.audit_words import quoted, wall
from rules.durations import say_ms

FOLLOWED_MAX = 20_000  # open incidents followed. Full: the one that opened first is told no further
BY_PEOPLE = frozenset({"acknowledged", "escalated", "handed-over", "closed", "note"})
_SPEAKS_AGAIN = frozenset({WhyPaged.SILENCE_ENDED.value, WhyPaged.NEW_ALERT.value})


@dataclass(slots=True)
class Followed:
    """An open incident: how far its history was told, when somebody was first paged, who had it. `vouched`: a record names it."""

    told: Happening | None = None
    first_page_at: Instant | None = None
    holder: str = ""
    vouched: bool = False


@dataclass(frozen=True, slots=True)
class Gained:
    """One line that an incident's history gained."""

    incident: Incident
    followed: Followed
    happening: Happening


class Followers:
    """Follows every open incident of a state. The state's `dirty` cells say where to look: take them from nobody else."""

    def __init__(self) -> None:
        self._followed: dict[str, Followed] = {}

    def of(self, key: str) -> Followed | None:
        """What is known of an incident that is followed."""
        return self._followed.get(key)

    def look(self, state: State, seq: int) -> list[Gained]:
        """Everything that the histories gained with record `seq`, incident by incident."""
        names = sorted(key.partition(":")[2] for key in state.dirty if key.startswith(("course:", "site:")))
        state.dirty.clear()
        gained: list[Gained] = []
        for name in names:
            subject = state.peek(name)
            if subject is not None and (subject.open or subject.closed):
                for incident in (*self._just_closed(subject.closed, seq), *subject.open.values()):
                    gained += self._gained(incident, seq)
        return gained

    def _just_closed(self, closed: list[Incident], seq: int) -> list[Incident]:
        """Those that this record closed, in order: the newest stand last, and all before them are told already."""
        told = (n for n, incident in enumerate(reversed(closed)) if not self._is_followed(incident.key, seq))
        return closed[len(closed) - next(told, len(closed)) :]

    def _is_followed(self, key: str, seq: int) -> bool:
        return key in self._followed or _opened_by(key) == seq

    def settle(self, gained: list[Gained]) -> None:
        """After these were told: remember who has each incident now, and forget those that are over."""
        for one in gained:
            ack = one.incident.ack
            held = one.incident.state is IncidentState.ACKNOWLEDGED and one.incident.restart_at is None
            one.followed.holder = ack.who if held and ack is not None else ""
            if one.incident.state is IncidentState.RESOLVED:
                self._followed.pop(one.incident.key, None)

    def _gained(self, incident: Incident, seq: int) -> Iterator[Gained]:
        followed = self._followed.get(incident.key)
        if followed is None:
            if _opened_by(incident.key) != seq:
                return  # given up: too many are open
            followed = self._followed[incident.key] = Followed()
            if len(self._followed) > FOLLOWED_MAX:
                del self._followed[next(iter(self._followed))]
        news = _after(incident.history, followed.told)
        if news:
            followed.told = news[-1]
        for happening in news:
            yield Gained(incident, followed, happening)


def _opened_by(key: str) -> int:
    """The record that opened the incident: `P-017@5`, or `P-017@5+1` for a second one of the same record."""
    return int(key.rpartition("@")[2].partition("+")[0])


def _after(history: list[Happening], told: Happening | None) -> list[Happening]:
    news: list[Happening] = []
    for happening in reversed(history):
        if happening is told:
            break
        news.append(happening)
    return news[::-1]


def told_in_words(gained: Gained, at: Instant, zone: ZoneInfo, by: str) -> tuple[What, str, str] | None:
    """(what, sentence, why) of a happening; None for what other lines tell. `by`: how the person who acted reached us."""
    incident, happening, length = gained.incident, gained.happening, say_ms(max(0, at - gained.incident.opened_at))
    named, who = f"{incident.key} ({about(incident)})", happening.who
    match happening.what:
        case "opened":
            return What.INCIDENT, f"{named} opened, {incident.peak.value} priority", happening.text
        case "acknowledged":
            return _acknowledged(gained, at, zone, by)
        case "escalated":
            return What.HAND_OVER, f"{who} passed {named} on to the next step{by}{_had(gained)}", ""
        case "handed-over":
            return What.HAND_OVER, f"{who} handed {named} over to {happening.text}{by}{_had(gained)}", ""
        case "closed":
            return What.CLOSE, f"{who} closed {named}{by} after {length}: “{quoted(happening.text)}”", happening.text
        case "note":
            return What.NOTE, f"{who} noted at {named}{by}: “{quoted(happening.text)}”", happening.text
        case "resolved":
            return What.INCIDENT, f"{named} was over after {length}: nothing had fired for 2 min", "quiet"
        case "lease-ended":
            return What.INCIDENT, f"the time of {who} for {named} ended, and an alert still fires", "lease-ended"
        case what if what in _SPEAKS_AGAIN:
            ended = f": the {happening.text} ended" if happening.text else ""
            return What.INCIDENT, f"{named} is not mute any more{ended}", happening.what
        case _:
            return None


def _had(gained: Gained) -> str:
    """Who had it until then, where that was somebody else."""
    holder = gained.followed.holder
    return f"; {holder} had it" if holder not in ("", gained.happening.who) else ""


def _acknowledged(gained: Gained, at: Instant, zone: ZoneInfo, by: str) -> tuple[What, str, str]:
    incident, followed, who = gained.incident, gained.followed, gained.happening.who
    named, ack = f"{incident.key} ({about(incident)})", incident.ack
    first_at = followed.first_page_at
    when = ", before anybody was paged" if first_at is None else f", {say_ms(at - first_at)} after the first page"
    until = f", until {wall(ack.until_at, at, zone)}" if ack is not None else ""
    if ack is not None and ack.seen_running:
        until += ", because the pump was seen running"
    if followed.holder == who:
        return What.ACK, f"{who} renewed the acknowledgement of {named}{by}{until}", ""
    if followed.holder:
        return What.HAND_OVER, f"{who} took {named} over from {followed.holder}{by}{when}{until}", ""
    return What.ACK, f"{who} acknowledged {named}{by}{when}{until}", ""


def about(incident: Incident) -> str:
    """What is the matter: `delivery interrupted`, `alarm persistent: air-in-line`."""
    notes = list(incident.alerts.values()) or incident.last_alerts
    words = [note.rule.replace("-", " ") + (f": {note.kind}" if note.kind else "") for note in notes]
    return ", ".join(dict.fromkeys(words)) or "nothing fires"
