"""What each role may do: one table, tested cell by cell, from which the one in docs/access.md is made."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from gateway.runtime.access import Role

__all__ = ["IN_WORDS", "MAY", "Need", "Role", "may", "table"]


class Need(StrEnum):
    """What a route asks of its visitor."""

    VIEW = "view"
    READ = "read"
    TRIAGE = "triage"
    PUMP = "pump"
    TECHNICIAN = "technician"
    ADMIN = "admin"


IN_WORDS: Mapping[Need, str] = {
    Need.VIEW: "see the board and the wall, live, and whether the gateway is well",
    Need.READ: "read everything else: incidents, courses, pages, pumps, who is on call, the audit; page oneself as a test",
    Need.TRIAGE: "take, pass on, hand over, close, note; silences, windows, calls, diary; courses, bags, doses, contacts",
    Need.PUMP: "give a course another pump, record a condition as cleared at the pump, look at raw messages",
    Need.TECHNICIAN: "have the gateway test itself; put a pump on the bench and commission it",
    Need.ADMIN: "add and change users, tokens and sessions",
}

MAY: Mapping[Need, frozenset[Role]] = {
    Need.VIEW: frozenset(Role),
    Need.READ: frozenset(Role) - {Role.KIOSK},
    Need.TRIAGE: frozenset({Role.TRIAGE, Role.ADMIN}),
    Need.PUMP: frozenset({Role.TRIAGE, Role.TECHNICIAN, Role.ADMIN}),
    Need.TECHNICIAN: frozenset({Role.TECHNICIAN, Role.ADMIN}),
    Need.ADMIN: frozenset({Role.ADMIN}),
}


def may(role: Role | str, need: Need | str) -> bool:
    """Whether this role has what is needed; both may be given by their texts, as templates do."""
    return Role(role) in MAY[Need(need)]


def table() -> Iterator[str]:
    """The table as Markdown, line by line."""
    yield f"| to | {' | '.join(Role)} |"
    yield "|---" * (len(Role) + 1) + "|"
    for need in Need:
        yield f"| {IN_WORDS[need]} | {' | '.join('yes' if may(role, need) else 'no' for role in Role)} |"
