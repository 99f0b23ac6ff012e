"""All dashboards as JSON, byte for byte the same on every machine."""

import json
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.alerting import alerting
from dashboards.gateway_health import gateway_health
from dashboards.patient import patient
from dashboards.ward_overview import ward_overview

ALL = {
    "ward-overview.json": ward_overview,
    "patient.json": patient,
    "alerting-performance.json": alerting,
    "gateway-health.json": gateway_health,
}


def build() -> dict[str, str]:
    """Each dashboard's JSON, by the name of its file."""
    return {name: _json(make().build()) for name, make in ALL.items()}


def _json(dashboard: object) -> str:
    body: dict[str, Any] = json.loads(json.dumps(dashboard, cls=JSONEncoder))
    for variable in body["templating"]["list"]:
        for key in ("auto", "auto_min", "auto_count"):  # the SDK gives every variable what only intervals have
            variable.pop(key, None)
    for number, panel in enumerate(body["panels"], 1):
        panel["id"] = number
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"
