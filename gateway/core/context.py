"""What a decision at one instant needs besides its own cell: the ward, the time, the record, and where effects go."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.core.desk import Desk
from gateway.core.oncall import CAREGIVER, resolve
from gateway.core.state import Course, Subject
from gateway.domain.effects import Effect
from gateway.domain.instants import Instant
from gateway.domain.ward import Contact, Person, Policy, Ward
from rules.model import Protocol, Rule


@dataclass(slots=True)
class Context:
    """One instant: `at`, the journal record `seq` that is being folded, and the effects decided so far."""

    ward: Ward
    protocols: Mapping[str, Protocol]
    rules: Mapping[str, Mapping[str, Rule]]
    desk: Desk
    at: Instant
    seq: int
    effects: list[Effect] = field(default_factory=list)
    courses: Mapping[str, Course] = field(default_factory=dict)

    def policy(self, name: str) -> Policy:
        """The ward's policy of that name; one without steps (board only) where the ward has none."""
        return self.ward.policies.get(name) or Policy(name)

    def route(self, rule: str) -> str:
        """The policy name that this rule's alerts are routed to; empty for the default route."""
        return next((route.policy for route in self.ward.routes if route.rule == rule), "")

    def people(self, targets: tuple[str, ...], subject: Subject | None = None) -> tuple[Person, ...]:
        """The people behind the targets now, in order, each once.

        Those whom nobody knows any more, and those who want no pages by any of their contacts, are left out. `caregiver` means
        the one of the subject's course, where it has one.
        """
        caregiver = f"{CAREGIVER}:{subject.id}" if isinstance(subject, Course) and subject.care.caregiver else None
        found = [self.person(name) for name in resolve(targets, self.ward, self.at, caregiver)]
        return tuple(person for person in found if person is not None and self.contacts(person))

    def contacts(self, person: Person) -> tuple[tuple[int, Contact], ...]:
        """(index, contact) of this person's contacts but for the transports by which the person wants no pages (STOP)."""
        stopped = self.desk.stopped.get(person.id, ())
        return tuple((i, contact) for i, contact in enumerate(person.contacts) if contact.transport not in stopped)

    def person(self, name: str) -> Person | None:
        """Somebody of the ward, or the caregiver of a course (`caregiver:P-017`)."""
        kind, _, course = name.partition(":")
        if kind != CAREGIVER or course not in self.courses:
            return self.ward.people.get(name)
        contacts = self.courses[course].care.caregiver
        return Person(name, contacts, self.ward.home_locale) if contacts else None

    def place(self, subject: Subject) -> str:
        """The tag of a subject in time series: a course's pseudonym, or nothing for the site itself."""
        return "" if subject.id == self.ward.site else subject.id
