"""What a ward file allows but a ward would rather know."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.config.lint import FindingName, findings
from gateway.config.load import load_ward, load_ward_mapping
from gateway.config.merge import merge_patch
from tests.unit.config.broken_ward import WARD

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MONDAY = int(datetime(2026, 3, 2, 0, 0, tzinfo=UTC).timestamp()) * 1000  # 08:00 in Hong Kong: the first handover

SOUND = {
    "site": "ward",
    "timezone": "Asia/Hong_Kong",
    "transports": {
        "pager": {"kind": "snpp", "host": "h"},
        "mail": {"kind": "apprise", "url": "mailto://h/?to={address}"},
        "sms": {"kind": "apprise", "url": "json://h/{address}"},
    },
    "people": {name: {"contacts": [{"sms": f"852{number}"}, {"mail": "m@h"}]} for number, name in enumerate("ab")},
    "schedules": {"s": {"rotation": {"every": "1w", "handover": "mon 08:00", "people": ["a", "b"], "starts": "2026-03-02"}}},
    "policies": {
        name: {"steps": [{"page": ["schedule:s"], "wait": "5m"}], "repeat": {"from_step": 1, "every": "10m"}}
        for name in ("high", "medium")
    }
    | {"fallback": ["person:a"]},
}


def found(patch: dict, at: int = MONDAY, base_dir=None) -> list[tuple[str, str]]:
    """(name, where and what) of all findings of the patched ward."""
    loaded = load_ward_mapping(merge_patch(SOUND, patch), "w", base_dir)
    return [(finding.name.value, str(finding.problem).removeprefix("w: ")) for finding in findings(loaded, at)]


def test_a_sound_ward_has_no_findings():
    """Otherwise people stop reading them."""
    assert found({}) == []


def test_findings_have_lines_and_come_in_their_order():
    """They read like problems, with the finding's name behind."""
    text = WARD.replace('"127.0.0.1:8080"', '"0.0.0.0:8080"')
    more = "whoever does not answer; add a step for somebody else"
    shown = [str(finding) for finding in findings(load_ward(text, "ward.yaml", None), MONDAY)]
    mend = "put a TLS proxy before it and listen on 127.0.0.1"
    assert shown == [
        f"ward.yaml:6: console.listen: listens on 0.0.0.0, beyond this machine; {mend} (console-exposed)",
        "ward.yaml:17: people.nurse-b: reached by sms only; add a second transport (one-channel)",
        f"ward.yaml:41: policies.medium.steps: every step pages nurse-a only, {more} (one-person-only)",
    ]


@pytest.mark.hazard("H-54")
def test_an_on_call_gap_is_shown_in_the_ward_s_own_time():
    """The day before the first handover nobody is on call."""
    stretch = "from Sun 2026-03-01 08:00 until Mon 2026-03-02 08:00"
    assert found({}, MONDAY - DAY_MS) == [
        ("on-call-gap", f"schedules.s: nobody is on call {stretch}; add an override or a layer")
    ]


def test_many_gaps_are_summed_up():
    """A schedule of nights only would fill the screen."""
    overrides = [{"from": f"2026-03-{d:02}T20:00", "until": f"2026-03-{d + 1:02}T08:00", "person": "a"} for d in range(2, 20)]
    gaps = found({"schedules": {"nights": {"overrides": overrides}}})
    assert len(gaps) == 11
    assert gaps[-1] == ("on-call-gap", "schedules.nights: and 9 more gaps in these 28 days; dripwatch oncall nights shows them")


def test_gaps_beyond_28_days_are_not_news():
    """The schedule may still be written."""
    ends = (("a", "2026-03-30T08:00"), ("b", "2026-03-29T08:00"))
    overrides = [{"from": "2026-03-02T08:00", "until": until, "person": name} for name, until in ends]
    patch = {"schedules": {"s": {"rotation": None, "overrides": overrides}}}
    assert found(patch) == []
    assert [name for name, _ in found(patch, MONDAY + 1)] == ["on-call-gap"]


def test_a_person_with_one_channel_only():
    """Two numbers on one transport are one channel."""
    contacts = {"contacts": [{"sms": "1"}, {"sms": "2", "after": "1m"}]}
    assert found({"people": {"a": contacts}}) == [("one-channel", "people.a: reached by sms only; add a second transport")]


def test_a_person_whom_no_policy_ever_pages():
    """Turns, teams, overrides, milestones and the fallback all count as being paged."""
    names = ("c", "team", "override", "milestone", "fall")
    people = {name: {"contacts": [{"sms": f"853{number}"}, {"pager": "1"}]} for number, name in enumerate(names)}
    patch = {
        "people": people,
        "teams": {"t": ["team"], "unused": ["c"]},
        "schedules": {"s": {"overrides": [{"from": "2030-01-01T00:00", "until": "2030-01-02T00:00", "person": "override"}]}},
        "policies": {
            "high": {
                "steps": [{"page": ["schedule:s", "all:t", "caregiver"], "wait": "5m"}],
                "milestones_page": ["person:milestone"],
            },
            "fallback": ["person:fall"],
        },
    }
    assert found(patch) == [("never-paged", "people.c: no policy ever pages this person; name them in a step, or remove them")]


def test_a_step_that_pages_nobody():
    """A schedule without anybody in the next 28 days; one more target makes it a step again."""
    schedules = {"empty": {"overrides": []}}
    steps = [{"page": ["schedule:empty"], "wait": "5m"}, {"page": ["schedule:empty", "caregiver", "schedule:s"], "wait": "5m"}]
    skipped = "pages nobody in the next 28 days and is skipped each time; mend the schedule, or add a person"
    assert found({"schedules": schedules, "policies": {"high": {"steps": steps}}}) == [
        ("empty-schedule", "schedules.empty: nobody is ever on call in it; add a rotation, layers, a calendar or overrides"),
        ("unreachable-step", f"policies.high.steps[0]: {skipped}"),
    ]


def test_a_policy_that_nothing_uses():
    """A route makes it used."""
    policy = SOUND["policies"]["high"]
    message = "policies.pharmacy: no priority and no route uses it; route a rule to it, or remove it"
    assert found({"policies": {"pharmacy": policy}}) == [("unused-policy", message)]
    assert found({"policies": {"pharmacy": policy, "low": policy}, "routes": [{"rule": "r", "policy": "pharmacy"}]}) == []


@pytest.mark.hazard("H-55")
def test_a_policy_that_falls_silent():
    """High and medium are refused for it; others may, knowingly."""
    policy = {"steps": [{"page": ["person:a"], "wait": "5m"}]}
    assert found({"policies": {"low": policy}}) == [
        ("may-end-in-silence", "policies.low: falls silent after its last step; add repeat, like {from_step: 1, every: 4h}")
    ]


def test_routes_that_lead_nowhere():
    """The second for a rule is never used; one to a policy without steps pages nobody."""
    routes = [{"rule": "r", "policy": "low"}, {"rule": "r", "policy": "high"}, {"rule": "q", "policy": "medium"}]
    assert found({"routes": routes}) == [
        ("may-end-in-silence", "routes[0]: alerts of r page nobody: low has no steps; give it some"),
        ("shadowed-route", "routes[1]: never used: an earlier route takes r; remove one of them"),
    ]


@pytest.mark.parametrize(("fallback", "weak"), [(["schedule:s", "caregiver"], True), (["schedule:s", "person:a"], False)])
def test_a_fallback_that_can_come_out_empty(fallback, weak):
    """It is paged exactly when a schedule had nobody."""
    message = "policies.fallback: can come out empty when it is needed; name at least one person or team"
    assert found({"policies": {"fallback": fallback}}) == ([("weak-fallback", message)] if weak else [])


def test_an_apprise_url_that_ignores_the_contact():
    """All pages would go to one place."""
    assert found({"transports": {"mail": {"url": "mailto://h/?to=all@h"}}}) == [
        (
            "address-unused",
            "transports.mail: every page goes to the same place; put {address} into the URL where the contact's own belongs",
        )
    ]


@pytest.mark.parametrize(
    ("permissions", "told"),
    [(0o600, False), (0o640, False), (0o400, False), (0o644, True), (0o660, True), (0o700, True)],
)
def test_a_secret_that_others_can_read(tmp_path, permissions, told):
    """Owner and group may read, only the owner may write."""
    file = tmp_path / "secret"
    file.write_text("s")
    file.chmod(permissions)
    message = f"mqtt.password_file: {file} has permissions {permissions:04o}; chmod 0600 or 0640 it"
    names = found({"mqtt": {"username": "u", "password_file": "secret"}}, base_dir=tmp_path)
    assert names == ([("secret-readable", message)] if told else [])


@pytest.mark.parametrize(
    ("listen", "told"),
    [
        ("127.0.0.1:1", False),
        ("127.9.9.9:1", False),
        ("localhost:1", False),
        ("[::1]:1", False),
        ("0.0.0.0:1", True),
        ("ward:1", True),
    ],
)
def test_a_console_that_listens_beyond_this_machine(listen, told):
    """Allowed, and said."""
    assert bool(found({"console": {"listen": listen}})) == told


def test_every_finding_is_explained_in_the_documentation():
    """The table at the end of the ward file's page."""
    text = (Path(__file__).parents[3] / "docs" / "ward-file.md").read_text()
    assert [name for name in FindingName if f"| `{name}` |" not in text] == []
