"""Private links to pages: each page has one, made of a secret and the page's key, so that a page sent again keeps its link.

A token is looked up by its hash among those of the incidents that are remembered: nothing is kept that could be stolen, nothing
needs to survive a restart. It works for one recipient and one incident, and ends

- a day after its incident is over, or when 200 later rounds of paging have gone by,
- when its recipient is no longer among the ward's people, or the caregiver of that course at the address to which it went,
- for all pages at once when the secret beside the journal is removed and the gateway is started anew.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.core.board import IncidentLine, incident_line
from gateway.core.context import Context
from gateway.core.incident_state import Incident
from gateway.core.oncall import CAREGIVER
from gateway.core.state import Subject
from gateway.core.store import State
from gateway.domain.instants import DAY_MS, Instant
from gateway.domain.ward import Person

TOKEN_CHARS = 22  # 132 bits
KEPT_MS = DAY_MS  # after the incident is over: who opens a link late is told so, and when
LEARN_EVERY_MS = 100  # however many wrong tokens come; nobody opens a link sooner after its page was decided
ROUNDS_MAX = 200  # of an incident; a day and a half of a policy that starts again every ten minutes

_TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{TOKEN_CHARS}}}")


@dataclass(frozen=True, slots=True)
class LinkedPage:
    """What a link is about: the page's recipient, its incident as it stands now, the page's key, and the ward's time zone."""

    key: str
    person: str
    incident: IncidentLine
    timezone: str


@dataclass(frozen=True, slots=True)
class _Known:
    """How far an incident's tokens were made: its newest round; of each of its people, how many contacts, and what addresses."""

    round: int
    people: tuple[tuple[str, int, tuple[str, ...]], ...]


class Links:
    """Makes tokens and finds what they are about. Raises ValueError for an empty secret."""

    def __init__(self, secret: str) -> None:
        if not secret:
            raise ValueError("links need a secret")
        self._secret = secret.encode()
        self._keys: dict[bytes, str] = {}  # hash of a token → page key
        self._hashes: dict[str, list[bytes]] = {}  # by incident
        self._known: dict[str, _Known] = {}
        self._learnt_at: Instant = -LEARN_EVERY_MS

    def token(self, key: str, address: str = "") -> str:
        """22 characters of the URL alphabet for the page of that key.

        A caregiver's is for the address as well, for the next caregiver of that course goes by the same name.
        """
        meant = f"page\0{key}\0{address}" if f"/{CAREGIVER}:" in key else f"page\0{key}"
        return urlsafe_b64encode(hmac.digest(self._secret, meant.encode(), "sha256")).decode()[:TOKEN_CHARS]

    def find(self, token: str, state: State, at: Instant) -> LinkedPage | None:
        """What the token is about now; None for one that was never given, or has ended. Changes nothing in `state`."""
        if not _TOKEN.fullmatch(token):
            return None
        wanted = _hash(token)
        if wanted not in self._keys and at >= self._learnt_at + LEARN_EVERY_MS:
            self._learn(state, at)
        key = self._keys.get(wanted, "")
        if not key:
            return None
        name, _, person, _ = key.rsplit("/", 3)
        subject = state.peek(name.partition("@")[0].partition(".")[0])
        incident = next((one for one in _remembered(subject, at) if one.key == name), None)
        who = _person(person, state, at)
        if incident is None or who is None or wanted not in {_hash(self.token(key, address)) for address in _addresses(who)}:
            return None
        return LinkedPage(key, person, incident_line(incident, state), state.ward.timezone)

    def __len__(self) -> int:
        """How many tokens could be looked up at once."""
        return len(self._keys)

    def _learn(self, state: State, at: Instant) -> None:
        """Bring the table up to date: tokens of incidents that are forgotten go, those of new rounds come."""
        self._learnt_at = at
        subjects = (*state.courses.values(), *state.sites.values())
        incidents = {incident.key: incident for subject in subjects for incident in _remembered(subject, at)}
        for gone in self._known.keys() - incidents.keys():
            self._forget(gone)
        for incident in incidents.values():
            people = (who for name in incident.codes if (who := _person(name, state, at)) is not None)
            known = _Known(incident.round, tuple((who.id, len(who.contacts), _addresses(who)) for who in people))
            if self._known.get(incident.key) == known:
                continue
            self._forget(incident.key)
            keys = {_hash(self.token(key, address)): key for key, address in _page_keys(incident.key, known)}
            self._keys |= keys
            self._hashes[incident.key], self._known[incident.key] = list(keys), known

    def _forget(self, incident: str) -> None:
        for known in self._hashes.pop(incident, []):
            self._keys.pop(known, None)
        self._known.pop(incident, None)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _remembered(subject: Subject | None, at: Instant) -> Iterator[Incident]:
    """The subject's incidents that are open, or were until lately."""
    if subject is not None:
        yield from subject.open.values()
        yield from (one for one in subject.closed if one.closed_at is not None and at < one.closed_at + KEPT_MS)


def _page_keys(incident: str, known: _Known) -> Iterator[tuple[str, str]]:
    """All keys that its pages can have, and for which address; some were never sent, and nobody can know their tokens."""
    for round_ in range(max(1, known.round - ROUNDS_MAX + 1), known.round + 1):
        for person, contacts, addresses in known.people:
            yield from ((f"{incident}/r{round_}/{person}/{i}", address) for i in range(contacts) for address in addresses)


def _addresses(person: Person) -> tuple[str, ...]:
    """The addresses that tokens are for: a caregiver's; a person of the ward goes by a name that nobody else has."""
    return tuple(contact.address for contact in person.contacts) if person.id.startswith(f"{CAREGIVER}:") else ("",)


def _person(name: str, state: State, at: Instant) -> Person | None:
    return Context(state.ward, state.protocols, state.rules, state.desk, at, 0, courses=state.courses).person(name)
