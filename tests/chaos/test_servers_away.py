"""The store or the broker goes away for a while: no page waits for the one, nothing is lost by the other."""

import asyncio
import json
import os
import threading
from pathlib import Path

import pytest

from gateway.runtime.ports import Kind
from tests.benchmarks.publisher import Load, Publisher
from tests.support.brokers import mosquitto
from tests.support.gateway_process import PATIENCE_S, SITE, GatewayProcess, gateway, post_to, records_of, until, ward
from tests.support.pouring import occlusion, pour, telemetry
from tests.support.stores import Influxd
from tests.support.web_hook import web_hook

pytestmark = [pytest.mark.servers, pytest.mark.chaos]

OUTAGE_S = int(os.environ.get("DRIPWATCH_OUTAGE_SECONDS", "30"))
RATE = 500  # messages a second meanwhile
DEVICES = 50
DATABASE = "dripwatch"


@pytest.mark.hazard("H-47")
def test_the_store_is_away_during_load(tmp_path: Path):
    """InfluxDB is down while pumps publish: the page goes out meanwhile, and afterwards every point is there once."""
    store = Influxd(tmp_path)
    load = Load(count=OUTAGE_S * RATE, devices=DEVICES, site=SITE, rate=RATE)
    with mosquitto(tmp_path / "broker") as broker, web_hook() as hook:
        influx = {"api": "v1", "url": store.url, "database": DATABASE}
        with gateway(
            tmp_path / "gateway", ward(broker.port, {"web": post_to(hook.port)}, {"web": "nurse-a"}, influx=influx)
        ) as running:
            running.enrol("P-017", "pump-x")
            publishing = threading.Thread(target=Publisher(broker.port, load).run)
            publishing.start()
            until(lambda: "store: " in " ".join(running.health()["findings"]), "the store is found missing")
            pour(broker.port, [occlusion(SITE, "pump-x")])
            until(lambda: hook.calls, "the page goes out without the store")
            assert publishing.is_alive()
            publishing.join(OUTAGE_S * 2 + 30)
            assert running.health()["ready"]
            store.start()
            try:
                until(lambda: has_database(store) and store.count(DATABASE, "pump", "rate_ml_h") == load.count, "all points", 90)
                until(lambda: store.count(DATABASE, "page", "ok") == 1, "the page's point")
                until(lambda: running.health()["numbers"]["store_lag_records"] == 0, "the store has everything")
                check_pump_points(store, load)
                assert running.health()["numbers"]["store_poisoned"] == 0
            finally:
                store.stop()


def has_database(store: Influxd) -> bool:
    """Whether the gateway has made its database."""
    return [DATABASE] in store.query("SHOW DATABASES")[0].get("values", [])


def check_pump_points(store: Influxd, load: Load) -> None:
    """Each pump's points: as many as it published, with the values that it published."""
    each = load.count // load.devices
    query = "SELECT COUNT(infused_ml), SUM(infused_ml), MIN(infused_ml), MAX(infused_ml) FROM pump GROUP BY device"
    series = store.query(query, DATABASE)
    volumes_ml = [seq / 1000 for seq in range(1, each + 1)]
    assert len(series) == load.devices
    for of_pump in series:
        count, total, least, most = of_pump["values"][0][1:]
        assert (count, least, most) == (each, volumes_ml[0], volumes_ml[-1])
        assert total == pytest.approx(sum(volumes_ml))


@pytest.mark.hazard("H-46")
async def test_the_broker_is_away(tmp_path: Path):
    """While the broker is down the gateway says that it is deaf; what was published before, between and after is there."""
    rules = {"gateway-deaf": {"hold": "1s"}}
    with mosquitto(tmp_path / "broker") as broker, web_hook() as hook:
        file = ward(broker.port, {"web": post_to(hook.port)}, {"web": "nurse-a"}, rules=rules)
        with gateway(tmp_path / "gateway", file) as running:
            running.enrol("P-017", "pump-01")
            published = pour(broker.port, telemetry(SITE, "pump-01", 1, 300))
            broker.stop()
            until(lambda: any("hears no pump" in body["message"] for _, body in hook.calls), "the page about the gateway itself")
            until(lambda: not running.health()["ready"], "it is not ready")  # a slow start may have said it once before
            health = running.health()
            assert f"127.0.0.1:{broker.port}" in health["findings"][0]
            broker.start()
            published += pour(broker.port, telemetry(SITE, "pump-01", published + 1, 300))
            running.wait_ready()
            await journalled(running, published)

            running.kill()
            published += pour(broker.port, telemetry(SITE, "pump-01", published + 1, 300))
            broker.stop()
            broker.start()
            running.start()
            await journalled(running, published)


async def journalled(running: GatewayProcess, published: int) -> None:
    """Return when the journal has every message from 1 to `published`; fail when one does not come."""
    async with asyncio.timeout(PATIENCE_S):
        while await numbers(running) != set(range(1, published + 1)):
            await asyncio.sleep(0.05)


async def numbers(running: GatewayProcess) -> set[int]:
    """The numbers of the messages in the journal."""
    return {json.loads(record.body)["seq"] for record in await records_of(running.journal, [Kind.MESSAGE])}
