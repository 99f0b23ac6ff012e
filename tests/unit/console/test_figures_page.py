"""/metrics: every series is documented, every documented one is there, and no label names anybody."""

import re
from collections.abc import Iterable
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.console.app import create_api
from gateway.core.events import Heard, Sent
from gateway.domain.effects import Page
from gateway.domain.readings import Decoded, Refusal, Refused
from gateway.domain.words import Outcome, Priority, WhyPaged
from gateway.runtime.figures import Counted, Figures, Standing
from gateway.runtime.point_schema import SCHEMA
from gateway.runtime.ports import Kind, Record
from tests.support.fake_service import FakeService

ROOT = Path(__file__).parents[3]
AT = 1_790_000_000_000


def _page(key: str) -> Page:
    return Page(
        key=key,
        incident="P-1@1",
        course="P-1",
        person="nurse-a",
        transport="sms",
        address="8521",
        priority=Priority.HIGH,
        why=WhyPaged.OPENED,
        about=("alarm-persistent",),
        text="P-1",
        code="4711",
        decided_at=AT,
    )


def _judged(counted: Counted, kind: Kind, event: object, at: int) -> None:
    counted.note_judged(Record(1, at, kind, "w", "p", "t", b""), event)


def lived() -> Counted:
    """Two pages: one accepted after 3 s and then delivered, one rejected; and a message with a bad checksum."""
    counted = Counted()
    counted.note_effects([_page("a"), _page("b")])
    _judged(counted, Kind.OUTCOME, Sent(1, "a", Outcome.ACCEPTED), AT + 3_000)
    _judged(counted, Kind.OUTCOME, Sent(2, "a", Outcome.DELIVERED), AT + 9_000)
    _judged(counted, Kind.OUTCOME, Sent(3, "b", Outcome.REJECTED), AT + 1_000)
    _judged(counted, Kind.OUTCOME, Sent(4, "of an earlier start", Outcome.ACCEPTED), AT + 1_000)
    _judged(counted, Kind.MESSAGE, Heard(5, "w", "p", "telemetry", Decoded(refused=(Refused(Refusal.BAD_CHECKSUM),))), AT)
    return counted


def figures(*, store: tuple[int, int, int] | None = (7, 900, 1)) -> Figures:
    """Numbers of a gateway at work."""
    standing = Standing(
        pumps=4,
        pumps_silent=1,
        courses={"delivering": 2, "unknown": 1},
        incidents={("high", "triggered"): 1, ("low", "acknowledged"): 2},
    )
    return Figures(
        at=AT,
        started_at=AT - 60_000,
        ready=True,
        connected=True,
        findings=2,
        lag_records=5,
        judged_seq=120,
        waiting=1,
        oldest_waiting_ms=2_500,
        store=store,
        standing=standing,
        counted=lived(),
        watchdog_ms=4_000,
    )


async def scraped(service: FakeService) -> str:
    """What Prometheus gets with the token."""
    api = create_api(service, token="t" * 30)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://gateway") as client:
        refused = await client.get("/metrics")
        assert refused.status_code == 401
        answer = await client.get("/metrics", headers={"Authorization": f"Bearer {'t' * 30}"})
    assert answer.status_code == 200
    return answer.text


@pytest.fixture
async def text(service: FakeService) -> str:
    """/metrics of a gateway at work."""
    service.numbers = figures()
    return await scraped(service)


def _named(text: str) -> set[str]:
    return {family.name for family in text_string_to_metric_families(text) if family.name.startswith("dripwatch_")}


def _without_total(names: Iterable[str]) -> set[str]:
    return {name.removesuffix("_total") for name in names}


def test_the_list_is_the_page(text: str):
    """docs/metrics.md names every series of ours and no other, with the labels that it has."""
    rows = re.findall(r"^\| `(dripwatch_[a-z_]+)` \| ([a-z, ]*)\|", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE)
    documented = {name.removesuffix("_total"): set(labels.replace(",", " ").split()) for name, labels in rows}
    labels = {
        family.name: {label for sample in family.samples for label in sample.labels} - {"le"}
        for family in text_string_to_metric_families(text)
        if family.name.startswith("dripwatch_")
    }
    assert labels == documented


def test_the_shipped_rules_ask_for_what_is_there(text: str):
    """An alert on a series that does not exist would never fire."""
    rules = (ROOT / "deploy/prometheus/dripwatch.rules.yaml").read_text()
    asked = {name.removesuffix("_bucket") for name in re.findall(r"dripwatch_[a-z_]+", rules)}
    assert asked
    assert _without_total(asked) <= _named(text)


def test_the_values_are_the_gateways(text: str):
    """Counts, ages in seconds, and a page's way: accepted after three seconds, once, though its receipt came later."""
    for line in (
        "dripwatch_ready 1.0",
        'dripwatch_records_total{kind="outcome"} 4.0',
        'dripwatch_refused_total{reason="bad-checksum"} 1.0',
        "dripwatch_journal_lag_records 5.0",
        "dripwatch_store_poisoned_total 1.0",
        "dripwatch_pages_oldest_seconds 2.5",
        'dripwatch_page_attempts_total{outcome="accepted",transport="sms"} 1.0',
        'dripwatch_page_attempts_total{outcome="rejected",transport="sms"} 1.0',
        'dripwatch_page_latency_seconds_bucket{le="1.0",transport="sms"} 0.0',
        'dripwatch_page_latency_seconds_bucket{le="5.0",transport="sms"} 1.0',
        'dripwatch_page_latency_seconds_count{transport="sms"} 1.0',
        'dripwatch_page_latency_seconds_sum{transport="sms"} 3.0',
        "dripwatch_pumps_silent 1.0",
        'dripwatch_courses{delivery="delivering"} 2.0',
        'dripwatch_incidents{priority="high",state="triggered"} 1.0',
    ):
        assert line in text.splitlines(), line


async def test_without_a_store_its_numbers_are_absent(service: FakeService):
    """Nothing is said of what is not there."""
    service.numbers = figures(store=None)
    assert not [name for name in _named(await scraped(service)) if "_store_" in name]


def test_the_point_is_the_schemas():
    """The measurement `gateway` has exactly the declared tags and fields, in order."""
    point = figures().point("haem-ward")
    schema = SCHEMA["gateway"]
    assert tuple(name for name, _ in point.tags) == schema.tags
    assert [name for name, _ in point.fields] == list(schema.fields)
    assert dict(point.fields)["pages_failed"] == 1
    assert dict(point.fields)["incidents_open"] == 3
