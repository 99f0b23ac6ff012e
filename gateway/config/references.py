"""What must fit together across the ward file: names that refer, policies that never end, numbers that tell people apart.

Works on the raw file and passes over whatever has the wrong shape (`shape` reports that), so that every error is found at once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from gateway.config.durations import parse_duration
from gateway.config.mllp_file import check_mllp
from gateway.config.parse import instant_of, known_zone, parse_date_time, weekday_of
from gateway.config.problems import Report, unknown
from gateway.config.transports import is_two_way, is_voice
from gateway.config.watching import check_watching
from gateway.core.oncall import CAREGIVER
from gateway.domain.instants import DAY_MS
from rules.yaml_lines import Path

Raw = Mapping[str, Any]
_T = TypeVar("_T")

MUST_NOT_END = ("high", "medium")
BOARD_ONLY = ("low", "information")  # policies that are there even when the file does not write them
_NAMED = {"person": "people", "schedule": "schedules", "all": "teams"}  # kind of target → section that has its names


def check_references(raw: Raw, report: Report) -> None:
    """Report everything that does not fit together."""
    for check in (
        check_contacts,
        _check_numbers,
        _check_people_named,
        _check_schedules,
        _check_policies,
        _check_targets,
        _check_pairs,
        check_watching,
        check_mllp,
    ):
        check(raw, report)


def mapping(value: object) -> Raw:
    """`value` where it is a mapping; else an empty one."""
    return value if isinstance(value, Mapping) else {}


def items(value: object) -> Iterable[tuple[int, Any]]:
    """Index and value of a list's items; none where `value` is no list."""
    return enumerate(value) if isinstance(value, list) else ()


def _contacts(raw: Raw) -> Iterator[tuple[Path, str, Raw]]:
    """(path, person, contact) of everything that looks like a contact."""
    for person, body in mapping(raw.get("people")).items():
        for i, contact in items(mapping(body).get("contacts")):
            if isinstance(contact, Mapping):
                yield ("people", person, "contacts", i), person, contact


def _ways(contact: Raw) -> list[str]:
    return [key for key in contact if key != "after"]


def check_contacts(raw: Raw, report: Report) -> None:
    """Report contacts that name no transport, or more than one, or one that is not there."""
    transports = mapping(raw.get("transports"))
    if "after" in transports:
        report.add(("transports", "after"), "a contact's delay is called so; name the transport otherwise")
    for path, _, contact in _contacts(raw):
        ways = _ways(contact)
        if len(ways) != 1:
            report.add(path, 'a contact names exactly one transport, like {sms: "85290000001", after: 2m}')
        for way in ways:
            if way not in transports:
                report.add(path, unknown("transport", way, transports))


def _check_numbers(raw: Raw, report: Report) -> None:
    """A reply is attributed by its number: on transports that bring replies, no two people may share one."""
    transports = mapping(raw.get("transports"))
    owners: dict[str, tuple[str, Path]] = {}
    for path, person, contact in _contacts(raw):
        for way in _ways(contact):
            number = same_number(contact[way])
            if not number or not _brings_replies(way, mapping(transports.get(way))):
                continue
            owner, first = owners.setdefault(number, (person, (*path, way)))
            if owner != person:
                here = f"line {report.line(first)}" if report.located else "above"
                report.add((*path, way), f"the same number as {owner}'s ({here}); nobody could tell whose reply it was")


def _brings_replies(name: str, transport: Raw) -> bool:
    said, url = transport.get("voice"), str(transport.get("url", ""))
    texts = "twilio" in transport and not is_voice(name, url, said=said if isinstance(said, bool) else None)
    return is_two_way(name, str(transport.get("kind")), twilio=texts)


def same_number(address: object) -> str:
    """A phone number reduced to what tells it apart: digits, without the ways to write "international"."""
    digits = "".join(letter for letter in str(address) if letter.isdigit()) if isinstance(address, str | int) else ""
    return digits.removeprefix("00")


def _check_people_named(raw: Raw, report: Report) -> None:
    people = mapping(raw.get("people"))

    def check(path: Path, person: object) -> None:
        if isinstance(person, str) and person not in people:
            report.add(path, unknown("person", person, people))

    for team, members in mapping(raw.get("teams")).items():
        for i, person in items(members):
            check(("teams", team, i), person)
    for name, schedule in mapping(raw.get("schedules")).items():
        for path, rotation in _rotations(schedule, ("schedules", name)):
            for i, person in items(rotation.get("people")):
                check((*path, "people", i), person)
        for title, person in mapping(mapping(schedule).get("ical_names")).items():
            check(("schedules", name, "ical_names", title), person)
        for i, override in items(mapping(schedule).get("overrides")):
            check(("schedules", name, "overrides", i, "person"), mapping(override).get("person"))


def _check_schedules(raw: Raw, report: Report) -> None:
    timezone = _read(known_zone, raw.get("timezone")) or "UTC"  # a wrong zone is reported elsewhere
    for name, schedule in mapping(raw.get("schedules")).items():
        path = ("schedules", name)
        if {"rotation", "layers"} <= mapping(schedule).keys():
            report.add(
                (*path, "rotation"), "give rotation or layers, not both; a rotation is a layer too: write it first among them"
            )
        for below, rotation in _rotations(schedule, path):
            _check_rotation(rotation, below, report)
        for i, override in items(mapping(schedule).get("overrides")):
            _check_override(mapping(override), timezone, (*path, "overrides", i), report)


def _rotations(schedule: object, path: Path) -> Iterator[tuple[Path, Raw]]:
    """(path, rotation) of everything in a schedule that looks like people who take turns."""
    yield (*path, "rotation"), mapping(mapping(schedule).get("rotation"))
    for i, layer in items(mapping(schedule).get("layers")):
        yield (*path, "layers", i), mapping(layer)


def _check_rotation(rotation: Raw, path: Path, report: Report) -> None:
    every_ms = _read(parse_duration, rotation.get("every"))
    if every_ms is None:
        return
    if every_ms == 0 or every_ms % DAY_MS:
        report.add((*path, "every"), "a turn lasts whole days, like 1d or 1w")
    elif weekday_of(str(rotation.get("handover"))) is not None and every_ms % (7 * DAY_MS):
        report.add((*path, "every"), "a handover on a weekday needs turns of whole weeks; name no weekday, or write 1w")


def _check_override(override: Raw, timezone: str, path: Path, report: Report) -> None:
    start, end = (_read(parse_date_time, override.get(key)) for key in ("from", "until"))
    if start and end and instant_of(start, timezone) >= instant_of(end, timezone):
        report.add((*path, "until"), "must be later than `from`")


def _read(parse: Callable[[Any], _T], text: object) -> _T | None:
    try:
        return parse(text)
    except ValueError:
        return None


def _check_policies(raw: Raw, report: Report) -> None:
    policies = mapping(raw.get("policies"))
    for name in MUST_NOT_END:
        if policies and name not in policies:
            report.add(("policies", name), f"required, but missing: a {name} incident could end in silence")
    for name, policy in policies.items():
        if not isinstance(policy, Mapping):
            continue
        path = ("policies", name)
        if name in MUST_NOT_END and not policy.get("steps"):
            report.add((*path, "steps"), f"a {name} incident could end in silence: give it at least one step")
        if name in MUST_NOT_END and policy.get("repeat") is None:
            report.add(path, f"a {name} incident could end in silence: add repeat, like {{from_step: 1, every: 10m}}")
        from_step, steps = mapping(policy.get("repeat")).get("from_step"), policy.get("steps", [])
        if isinstance(from_step, int) and isinstance(steps, list) and from_step > len(steps):
            report.add((*path, "repeat", "from_step"), f"step {from_step} does not exist; the policy has {len(steps)}")
    for i, route in items(raw.get("routes")):
        policy_name = mapping(route).get("policy")
        known = [name for name in dict.fromkeys((*policies, *BOARD_ONLY)) if name != "fallback"]
        if isinstance(policy_name, str) and policy_name not in known:
            report.add(("routes", i, "policy"), unknown("policy", policy_name, known))


def _targets(raw: Raw) -> Iterator[tuple[Path, object]]:
    policies = mapping(raw.get("policies"))
    for i, target in items(policies.get("fallback")):
        yield ("policies", "fallback", i), target
    for name, policy in policies.items():
        for i, target in items(mapping(policy).get("milestones_page")):
            yield ("policies", name, "milestones_page", i), target
        for i, step in items(mapping(policy).get("steps")):
            for j, target in items(mapping(step).get("page")):
                yield ("policies", name, "steps", i, "page", j), target


def _check_targets(raw: Raw, report: Report) -> None:
    for path, target in _targets(raw):
        if not isinstance(target, str) or target == CAREGIVER:
            continue
        kind, _, name = target.partition(":")
        section = _NAMED.get(kind)
        if section is None or not name:
            report.add(path, f"'{target}' is no target; write person:NAME, schedule:NAME, all:TEAM or caregiver")
        elif name not in mapping(raw.get(section)):
            what = "team" if kind == "all" else kind
            report.add(path, unknown(what, name, mapping(raw.get(section))))


def _check_pairs(raw: Raw, report: Report) -> None:
    """Keys that make sense only together."""
    mqtt = mapping(raw.get("mqtt"))
    if ("password" in mqtt or "password_file" in mqtt) and "username" not in mqtt:
        report.add(("mqtt",), "a password without a username; add username")
    for name, transport in mapping(raw.get("transports")).items():
        if "twilio" in mapping(transport) and "base_url" not in mapping(raw.get("console")):
            report.add(("transports", name, "twilio"), "Twilio calls us back and signs our address: add console.base_url")
    tls = mapping(mqtt.get("tls"))
    if ("cert" in tls) != ("key" in tls):
        report.add(("mqtt", "tls"), "cert and key come together; add the other, or remove both")
