"""Refusals of people, schedules and policies, each with its line."""

from tests.unit.config.broken_ward import check_refused, refusals


@refusals(
    # people
    (
        '- {sms: "85290000001"}',
        '- {smss: "85290000001"}  # HERE',
        None,
        "people.nurse-a.contacts[0]: unknown transport 'smss'; known: sms,",
    ),
    (
        '- {sms: "85290000001"}',
        '- {sms: "1", email: x}  # HERE',
        None,
        "people.nurse-a.contacts[0]: a contact names exactly one transport",
    ),
    (
        '- {sms: "85290000001"}',
        "- {after: 2m}  # HERE",
        None,
        "people.nurse-a.contacts[0]: a contact names exactly one transport",
    ),
    ('- {sms: "85290000001"}', "- {}  # HERE", None, "people.nurse-a.contacts[0]: a contact names exactly one transport"),
    ('- {sms: "85290000001"}', '- {sms: ""}  # HERE', None, "people.nurse-a.contacts[0].sms: must not be empty"),
    (
        '- {sms: "85290000001"}',
        "- {sms: 1.5}  # HERE",
        None,
        "people.nurse-a.contacts[0].sms: must be text, not a number; put it in",
    ),
    (
        '- {sms: "85290000001"}',
        "- sms  # HERE",
        None,
        "people.nurse-a.contacts[0]: must be a mapping (`key: value` lines), not text",
    ),
    ("after: 2m", "after: 2", 16, "people.nurse-a.contacts[1].after: not a length of time: 2; write it like 90s"),
    ('[{sms: "85290000002"}]', "[]  # HERE", None, "people.nurse-b.contacts: must not be empty"),
    (
        '    contacts: [{sms: "85290000002"}]',
        "    kontakt: []  # HERE",
        None,
        "people.nurse-b.kontakt: unknown key 'kontakt'; did you mean",
    ),
    (
        'sms: "85290000002"',
        'sms: "85290000001"',
        18,
        "people.nurse-b.contacts[0].sms: the same number as nurse-a's (line 15); nobody",
    ),
    (
        'sms: "85290000002"',
        'centre: "+852 9000-0001"',
        18,
        "people.nurse-b.contacts[0].centre: the same number as nurse-a's (line 15)",
    ),
    ('sms: "85290000002"', 'sms: "0085290000001"', 18, "people.nurse-b.contacts[0].sms: the same number as nurse-a's (line 15)"),
    # teams
    (
        "[nurse-b]\nsched",
        "[nurse-b, nurse-c]  # HERE\nsched",
        None,
        "teams.seniors[1]: unknown person 'nurse-c'; known: nurse-a, nurse-b",
    ),
    ("[nurse-b]\nsched", "[]  # HERE\nsched", None, "teams.seniors: must not be empty"),
    ("[nurse-b]\nsched", "nurse-b  # HERE\nsched", None, "teams.seniors: must be a list, not text"),
    # schedules
    ("every: 1w", "every: 36h  # HERE", None, "schedules.ward-nurse.rotation.every: a turn lasts whole days, like 1d or 1w"),
    ("every: 1w", "every: 0s  # HERE", None, "schedules.ward-nurse.rotation.every: a turn lasts whole days"),
    (
        "every: 1w",
        "every: 10d  # HERE",
        None,
        "schedules.ward-nurse.rotation.every: a handover on a weekday needs turns of whole",
    ),
    ("every: 1w", "every: 1x  # HERE", None, "schedules.ward-nurse.rotation.every: not a length of time: '1x'"),
    (
        '"mon 08:00"',
        "mon 25:00  # HERE",
        None,
        "schedules.ward-nurse.rotation.handover: not a handover: 'mon 25:00'; write a weekday",
    ),
    ('"mon 08:00"', "mo 08:00  # HERE", None, "schedules.ward-nurse.rotation.handover: not a handover: 'mo 08:00'"),
    ('"mon 08:00"', "8:00  # HERE", None, "schedules.ward-nurse.rotation.handover: not a handover: '8:00'"),
    ("people: [nurse-a, nurse-b]", "people: []  # HERE", None, "schedules.ward-nurse.rotation.people: must not be empty"),
    (
        "people: [nurse-a, nurse-b]",
        "people: [nurse-x]  # HERE",
        None,
        "schedules.ward-nurse.rotation.people[0]: unknown person 'nurse-x'",
    ),
    (
        "starts: 2026-03-02",
        "starts: 2026-02-30  # HERE",
        None,
        "schedules.ward-nurse.rotation.starts: not a date: '2026-02-30'; write",
    ),
    (
        "starts: 2026-03-02",
        "starts: 0206-03-02  # HERE",
        None,
        "schedules.ward-nurse.rotation.starts: the year 206 is no ward's; write",
    ),
    (
        "from: 2026-03-04T20:00",
        "from: 20:00  # HERE",
        None,
        "schedules.ward-nurse.overrides[0].from: not a time: '20:00'; write it like",
    ),
    (
        "from: 2026-03-04T20:00",
        "from: 2026-03-04T25:00  # HERE",
        None,
        "schedules.ward-nurse.overrides[0].from: not a time: '2026-03-04T25:",
    ),
    (
        "until: 2026-03-05T08:00",
        "until: 2026-03-04T20:00  # HERE",
        None,
        "schedules.ward-nurse.overrides[0].until: must be later than `from`",
    ),
    (
        "until: 2026-03-05T08:00",
        "until: 2026-03-04T12:00Z  # HERE",
        None,
        "schedules.ward-nurse.overrides[0].until: must be later than",
    ),
    (
        "until: 2026-03-05T08:00",
        "until: 9999-03-05T08:00  # HERE",
        None,
        "schedules.ward-nurse.overrides[0].until: the year 9999 is no",
    ),
    (
        "person: nurse-b\np",
        "person: nurse-c  # HERE\np",
        None,
        "schedules.ward-nurse.overrides[0].person: unknown person 'nurse-c'",
    ),
    (
        "    overrides:\n",
        "    ical_file: oncall.ics  # HERE\n    overrides:\n",
        None,
        "schedules.ward-nurse.ical_file: no calendar file can be read here; write the calendar's text under `ical`",
    ),
    # policies
    ("  high:\n", "  hihg:  # HERE\n", 32, "policies.high: required, but missing: a high incident could end in silence"),
    ("  medium:\n", "  other:\n", 32, "policies.medium: required, but missing: a medium incident could end in silence"),
    (
        '    steps: [{page: ["person:nurse-a"], wait: 15m}]\n',
        "    steps: []  # HERE\n",
        None,
        "policies.medium.steps: a medium incident could",
    ),
    (
        '    steps: [{page: ["person:nurse-a"], wait: 15m}]\n',
        "",
        40,
        "policies.medium.steps: a medium incident could end in silence: give",
    ),
    ("    repeat: {from_step: 1, every: 30m}\n", "", 40, "policies.medium: a medium incident could end in silence: add repeat"),
    ("from_step: 2", "from_step: 3", 38, "policies.high.repeat.from_step: step 3 does not exist; the policy has 2"),
    ("from_step: 2", "from_step: 0", 38, "policies.high.repeat.from_step: must be at least 1"),
    ("from_step: 2, every: 10m", "from_step: 2, every: 0s", 38, "policies.high.repeat.every: too short; at least 1 s"),
    ("from_step: 2, every: 10m", "from_step: 2", 38, "policies.high.repeat.every: required, but missing"),
    ("        wait: 5m\n", "", 36, "policies.high.steps[1].wait: required, but missing"),
    (
        "        wait: 5m\n",
        "        wiat: 5m  # HERE\n",
        None,
        "policies.high.steps[1].wiat: unknown key 'wiat'; did you mean 'wait'?",
    ),
    ('"all:seniors"', '"all:juniors"', 36, "policies.high.steps[1].page[0]: unknown team 'juniors'; known: seniors"),
    (
        '"schedule:ward-nurse"',
        '"schedule:night"',
        35,
        "policies.high.steps[0].page[0]: unknown schedule 'night'; known: ward-nurse",
    ),
    (
        '"all:seniors"',
        '"seniors"',
        36,
        "policies.high.steps[1].page[0]: 'seniors' is no target; write person:NAME, schedule:NAME",
    ),
    ('"all:seniors"', '"person:"', 36, "policies.high.steps[1].page[0]: 'person:' is no target"),
    ('["all:seniors"]', "[]", 36, "policies.high.steps[1].page: must not be empty"),
    ('["all:seniors"]', "[5]", 36, "policies.high.steps[1].page[0]: must be text, not a number"),
    (
        'milestones_page: ["person:nurse-a"]',
        'milestones_page: ["person:x"]',
        39,
        "policies.high.milestones_page[0]: unknown person 'x'",
    ),
    ('fallback: ["person:nurse-b"]', "fallback: []", 43, "policies.fallback: must not be empty"),
    ('fallback: ["person:nurse-b"]', "fallback: {steps: []}", 43, "policies.fallback: must be a list, not a mapping"),
    (
        'fallback: ["person:nurse-b"]',
        'fallback: ["person:x"]',
        43,
        "policies.fallback[0]: unknown person 'x'; known: nurse-a, nurse-b",
    ),
    ('  fallback: ["person:nurse-b"]\n', "", 32, "policies.fallback: required, but missing"),
    (
        '  fallback: ["person:nurse-b"]\n',
        "  fallback:\n  low:\n",
        44,
        "policies.low: must be a mapping (`key: value` lines), not nothing",
    ),
    ("  medium:\n", "  ack_lease: 5m\n  medium:\n", 40, "policies.ack_lease: must be a mapping"),
    # routes, protocols, rules
    ("policy: medium", "policy: pharmacy", 45, "routes[0].policy: unknown policy 'pharmacy'; known: high, medium"),
    ("policy: medium", "policy: fallback", 45, "routes[0].policy: unknown policy 'fallback'; known: high, medium"),
    ("policy: medium", "polic: medium", 45, "routes[0].polic: unknown key 'polic'; did you mean 'policy'?"),
    ("[blinatumomab_home]", "[]", 46, "protocols: must not be empty"),
    (
        "diary-missing: {enabled: false}",
        "diary-missing: off",
        48,
        "rules.diary-missing: must be a mapping (`key: value` lines), not text",
    ),
)
def test_wrong_people_schedules_and_policies_are_refused_at_their_line(old, new, line, message):
    """File, line, path, what is wrong and the mend."""
    check_refused(old, new, line, message)
