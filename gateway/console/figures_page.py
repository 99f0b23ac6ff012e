"""`/metrics`: the gateway's own numbers as Prometheus reads them. What each means: docs/metrics.md.

No course, device or person is a label: Prometheus keeps every combination of labels for long, and a pseudonym has no business
there.
"""

from collections.abc import Iterable, Iterator
from importlib.metadata import version

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.console.access import Running, needs
from gateway.console.roles import Need
from gateway.domain.instants import SECOND_MS
from gateway.runtime.figures import BOUNDS_S, Figures, Latencies

router = APIRouter(tags=["health"], dependencies=needs(Need.VIEW))


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def figures(service: Running) -> Response:
    """The gateway's own numbers, in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Collector(service.figures()))
    ProcessCollector(registry=registry)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Collector(Collector):
    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        """Everything, once."""
        yield from _gateway(self._figures)
        yield from _journal_and_store(self._figures)
        yield from _paging(self._figures)
        yield from _ward(self._figures)


def _gauge(name: str, said: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"dripwatch_{name}", said, value=value)


def _by(family: Metric, values: Iterable[tuple[list[str], float]]) -> Metric:
    for labels, value in sorted(values):
        family.add_metric(labels, value)  # type: ignore[attr-defined]  # every family has it, their base does not
    return family


def _gateway(now: Figures) -> Iterator[Metric]:
    yield _by(
        GaugeMetricFamily("dripwatch_build_info", "Always 1; the label tells the version.", labels=["version"]),
        [([version("dripwatch")], 1)],
    )
    yield _gauge("started_seconds", "When the gateway started, in seconds since 1970.", now.started_at / SECOND_MS)
    yield _gauge("ready", "1 while it hears, stores, judges and can page.", now.ready)
    yield _gauge("broker_connected", "1 while there is a session with the broker.", now.connected)
    yield _gauge("findings", "How many things are not well; the board and dripwatch doctor name them.", now.findings)


def _journal_and_store(now: Figures) -> Iterator[Metric]:
    records = CounterMetricFamily("dripwatch_records", "Records judged since the start, by kind.", labels=["kind"])
    yield _by(records, (([kind], count) for kind, count in now.counted.records.items()))
    refused = CounterMetricFamily(
        "dripwatch_refused", "Payloads, or parts, refused since the start, by reason.", labels=["reason"]
    )
    yield _by(refused, (([reason], count) for reason, count in now.counted.refused.items()))
    yield _gauge("journal_last_judged", "Number of the newest record that was judged.", now.judged_seq)
    yield _gauge("journal_lag_records", "Records stored and not yet judged.", now.lag_records)
    if now.store is not None:
        lag, written, poisoned = now.store
        yield _gauge("store_lag_records", "Records whose points the time-series store does not have yet.", lag)
        yield CounterMetricFamily(
            "dripwatch_store_lines", "Lines that the time-series store took since the start.", value=written
        )
        yield CounterMetricFamily("dripwatch_store_poisoned", "Lines that it refused for ever, set aside.", value=poisoned)


def _paging(now: Figures) -> Iterator[Metric]:
    yield _gauge("pages_waiting", "Pages and answers decided, whose end is not known.", now.waiting)
    yield _gauge("pages_oldest_seconds", "Age of the oldest of them; 0 where there is none.", now.oldest_waiting_ms / SECOND_MS)
    attempts = CounterMetricFamily(
        "dripwatch_page_attempts", "Tries to hand a page over, by transport and outcome.", labels=["transport", "outcome"]
    )
    yield _by(attempts, ((list(labels), count) for labels, count in now.counted.attempts.items()))
    said = "From the decision to page until a provider took it, in seconds."
    latency = HistogramMetricFamily("dripwatch_page_latency_seconds", said, labels=["transport"])
    for transport, latencies in sorted(now.counted.latencies.items()):
        latency.add_metric([transport], _buckets(latencies), latencies.sum_s)
    yield latency


def _buckets(latencies: Latencies) -> list[tuple[str, float]]:
    total, found = 0, []
    for bound, count in zip((*(str(bound) for bound in BOUNDS_S), "+Inf"), latencies.counts, strict=True):
        total += count
        found.append((bound, float(total)))
    return found


def _ward(now: Figures) -> Iterator[Metric]:
    yield _gauge("pumps", "Devices that were ever heard or enrolled.", now.standing.pumps)
    yield _gauge("pumps_silent", "Those not heard from within their promise.", now.standing.pumps_silent)
    courses = GaugeMetricFamily("dripwatch_courses", "Running courses, by how delivery is judged.", labels=["delivery"])
    yield _by(courses, (([state], count) for state, count in now.standing.courses.items()))
    incidents = GaugeMetricFamily("dripwatch_incidents", "Open incidents, by priority and state.", labels=["priority", "state"])
    yield _by(incidents, ((list(labels), count) for labels, count in now.standing.incidents.items()))
