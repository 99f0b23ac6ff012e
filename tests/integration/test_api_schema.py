"""The whole API as its own description tells it, asked at random: no server error, nothing that the description does not know."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.brokers import mosquitto
from tests.support.gateway_process import GatewayProcess, gateway, mail_to, ward
from tests.support.process import free_port

pytestmark = pytest.mark.servers

EXAMPLES = {
    schemathesis.GenerationMode.POSITIVE: 6,
    schemathesis.GenerationMode.NEGATIVE: 4,
}  # of each operation; the same at every run
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Never ends, and told by processes of their own, a second each: their tests are test_api_stream, test_audit_live, test_api_docs.
APART = {"/api/v1/stream", "/api/v1/export", "/api/v1/audit"}
KNOWN = {"course": "P-017", "device": "pump-17", "key": "P-017", "person": "nurse-a"}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[GatewayProcess]:
    """A gateway with a course, its pump and an open incident."""
    with mosquitto(tmp_path / "broker") as broker:
        file = ward(broker.port, {"email": mail_to(free_port())}, {"email": "nurse-a@ward.example"})
        with gateway(tmp_path / "gateway", file) as made:
            made.enrol("P-017", "pump-17")
            yield made


def headers_of(running: GatewayProcess, number: int) -> dict[str, str]:
    """The key file's token, and another visitor for each operation: nobody asks faster than is allowed."""
    return {"Authorization": f"Bearer {running.token_file.read_text().strip()}", "X-Dripwatch-User": f"tester-{number}"}


def asked_at_random(operation: Any, headers: dict[str, str], manner: schemathesis.GenerationMode) -> None:
    """Ask one operation a few times, half of them about what there is; raises what is wrong with an answer.

    `manner`: with what the description allows, or with what it does not.
    """

    @settings(
        max_examples=EXAMPLES[manner],
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=manner), known=st.booleans())
    def ask(case: Any, known: bool) -> None:
        if known and case.path_parameters:
            case.path_parameters |= {name: KNOWN[name] for name in case.path_parameters if name in KNOWN}
        for name in ("Authorization", "X-Dripwatch-User"):
            case.headers.pop(name, None)
        case.call_and_validate(headers=headers, checks=CHECKS)

    ask()


def test_the_api_is_as_it_is_described(running: GatewayProcess):
    """Every operation, with bodies and parameters of all kinds, answers as the description says, or says what is wrong."""
    schema = schemathesis.openapi.from_url(f"{running.url}/api/openapi.json")
    wrong, asked = [], 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path in APART or not operation.path.startswith(("/api/v1/", "/health/")):
            continue
        asked += 1
        for manner in EXAMPLES:
            try:
                asked_at_random(operation, headers_of(running, asked), manner)
            except hypothesis.errors.Unsatisfiable:
                assert manner is schemathesis.GenerationMode.NEGATIVE  # it takes nothing that could be wrong
            except (Exception, BaseExceptionGroup) as failure:  # noqa: BLE001  all of them are told at once
                wrong.append(f"{manner.value} {operation.method.upper()} {operation.path}: {failure}")
    assert not wrong, "\n\n".join(wrong)
    assert asked > 30
    assert "failed" not in running.log, running.log[-4000:]
