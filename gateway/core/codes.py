"""Reply codes: short numbers by which a text message says which incident it is about.

A code belongs to one person and one incident; it is not given again to the same person within 30 days of its last
use, so a late reply can never reach another incident.
"""

from zlib import crc32

from gateway.core.context import Context
from gateway.core.desk import Issued
from gateway.core.incident_state import Incident
from gateway.core.state import Subject
from gateway.domain.instants import DAY_MS
from gateway.domain.ward import Person

KEPT_MS = 30 * DAY_MS
SHORT_CODES = 9_000


def code_for(subject: Subject, incident: Incident, person: Person, context: Context) -> str:
    """The person's code for this incident: 4 digits, 6 when half of the short ones are in use. Issued on first use.

    An incident that was quiet for 30 days keeps its code, unless another one has it by then.
    """
    issued = context.desk.codes.setdefault(person.id, {})
    for old in [code for code, entry in issued.items() if entry.at <= context.at - KEPT_MS]:
        del issued[old]
    code = incident.codes.get(person.id, "")
    if not code or (code in issued and issued[code].incident != incident.key):
        code = _fresh(incident.key, person.id, issued)
    issued[code] = Issued(incident.key, subject.id, person.id, context.at)
    incident.codes[person.id] = code
    return code


def _fresh(incident: str, person: str, issued: dict[str, Issued]) -> str:
    digits = 4 if len(issued) < SHORT_CODES // 2 else 6
    span = 9 * 10 ** (digits - 1)
    start = crc32(f"{incident}/{person}".encode()) % span
    for step in range(span):
        code = str(10 ** (digits - 1) + (start + step) % span)
        if code not in issued:
            return code
    raise AssertionError("fewer codes are in use than there are")
