"""A right ward to break: its text, and what loading says of it."""

import pytest

from gateway.config.load import load_ward
from gateway.config.problems import ConfigError

WARD = """\
site: haem-ward
timezone: Asia/Hong_Kong
mqtt: {host: 127.0.0.1}
journal: {keep: 60d}
influx: {api: v1, url: "http://127.0.0.1:8086"}
console: {listen: "127.0.0.1:8080"}
transports:
  sms: {kind: kannel, url: "http://127.0.0.1:13013/cgi-bin/sendsms", username: gw, sender: "13013"}
  centre: {kind: smpp, host: 127.0.0.1, system_id: gw, sender: "13013"}
  pager: {kind: snpp, host: 127.0.0.1}
  email: {kind: apprise, url: "mailto://127.0.0.1/?to={address}"}
people:
  nurse-a:
    contacts:
      - {sms: "85290000001"}
      - {pager: "7001", after: 2m}
  nurse-b:
    contacts: [{sms: "85290000002"}]
teams:
  seniors: [nurse-b]
schedules:
  ward-nurse:
    rotation:
      every: 1w
      handover: "mon 08:00"
      people: [nurse-a, nurse-b]
      starts: 2026-03-02
    overrides:
      - from: 2026-03-04T20:00
        until: 2026-03-05T08:00
        person: nurse-b
policies:
  high:
    steps:
      - {page: ["schedule:ward-nurse"], wait: 5m}
      - page: ["all:seniors"]
        wait: 5m
    repeat: {from_step: 2, every: 10m}
    milestones_page: ["person:nurse-a"]
  medium:
    steps: [{page: ["person:nurse-a"], wait: 15m}]
    repeat: {from_step: 1, every: 30m}
  fallback: ["person:nurse-b"]
routes:
  - {rule: bag-order-due, policy: medium}
protocols: [blinatumomab_home]
rules:
  diary-missing: {enabled: false}
"""


def problems(text: str) -> list[str]:
    """What loading says, line by line; nothing for a good file."""
    try:
        load_ward(text, "ward.yaml", None)
    except ConfigError as refused:
        return [str(problem) for problem in refused.problems]
    return []


Case = tuple[str, str, int | None, str]
"""What to replace in WARD, by what, the line meant (None: the one that bears the comment HERE), the start of the message."""


def refusals(*cases: Case) -> pytest.MarkDecorator:
    """Run a test for each case."""
    ids = [f"{n}-{case[3][:50]}" for n, case in enumerate(cases)]
    return pytest.mark.parametrize(("old", "new", "line", "message"), cases, ids=ids)


def check_refused(old: str, new: str, line: int | None, message: str) -> None:
    """The broken ward is refused at the line, with the message."""
    assert old in WARD
    text = WARD.replace(old, new, 1)
    if line is None:
        line = next(n for n, content in enumerate(text.split("\n"), 1) if "# HERE" in content)
    found = problems(text)
    assert any(problem.startswith(f"ward.yaml:{line}: {message}") for problem in found), found
