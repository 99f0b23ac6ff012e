"""Real time-series stores on loopback: Debian's InfluxDB 1.6.7 and VictoriaMetrics, data in a directory of the test's own."""

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.support.process import binary, free_port, stop, wait_listening

INFLUXD_CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc_port}"
[meta]
dir = "{directory}/meta"
logging-enabled = false
[data]
dir = "{directory}/data"
wal-dir = "{directory}/wal"
query-log-enabled = false
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
auth-enabled = {auth}
max-body-size = {max_body_bytes}
[logging]
level = "warn"
suppress-logo = true
"""


@dataclass
class Influxd:
    """InfluxDB 1.6.7 on a free port; start it again with the same data after `stop`.

    `auth` makes the server ask for a user: create the first with `query("CREATE USER …")`.
    """

    directory: Path
    auth: bool = False
    max_body_bytes: int = 25_000_000
    port: int = field(default_factory=free_port)
    rpc_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return when it listens."""
        config = self.directory / "influxd.conf"
        config.write_text(
            INFLUXD_CONFIG.format(
                directory=self.directory,
                port=self.port,
                rpc_port=self.rpc_port,
                auth=str(self.auth).lower(),
                max_body_bytes=self.max_body_bytes,
            )
        )
        with (self.directory / "influxd.log").open("ab") as log:
            self.process = subprocess.Popen(
                [binary("influxd"), "-config", str(config)], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        wait_listening(self.port, self.process)

    def stop(self) -> None:
        """Return when it is gone; the data stay."""
        if self.process is not None:
            stop(self.process)
            self.process = None

    def query(self, statement: str, database: str = "") -> list[dict[str, Any]]:
        """The series of one InfluxQL statement: [{"name", "columns", "values", …}]; RuntimeError when it is refused."""
        form = {"q": statement, "db": database, "epoch": "ms"}
        result = httpx.post(f"{self.url}/query", data=form, timeout=30, trust_env=False).json()["results"][0]
        if "error" in result:
            raise RuntimeError(f"{statement}: {result['error']}")
        series: list[dict[str, Any]] = result.get("series", [])
        return series

    def count(self, database: str, measurement: str, field_name: str) -> int:
        """How many points of the measurement carry the field."""
        series = self.query(f'SELECT COUNT("{field_name}") FROM "{measurement}"', database)  # noqa: S608  a test's own words
        return int(series[0]["values"][0][1]) if series else 0


@dataclass
class VictoriaMetrics:
    """VictoriaMetrics on a free port; start it again with the same data after `stop`."""

    directory: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return when it listens."""
        with (self.directory / "victoria-metrics.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    binary("victoria-metrics"),
                    f"-httpListenAddr=127.0.0.1:{self.port}",
                    f"-storageDataPath={self.directory}/vm-data",
                    "-retentionPeriod=100y",
                    "-dedup.minScrapeInterval=1ms",  # or a point written twice is kept twice
                    "-memory.allowedBytes=64MB",
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        wait_listening(self.port, self.process)

    def stop(self) -> None:
        """Return when it is gone; the data stay."""
        if self.process is not None:
            stop(self.process)
            self.process = None

    def export(self, measurement_and_field: str) -> list[dict[str, Any]]:
        """All series of `{measurement}_{field}`: [{"metric": {…tags}, "values": […], "timestamps": [ms, …]}]."""
        httpx.get(f"{self.url}/internal/force_flush", timeout=30, trust_env=False).raise_for_status()
        query = {"match[]": measurement_and_field}
        answer = httpx.get(f"{self.url}/api/v1/export", params=query, timeout=30, trust_env=False).raise_for_status()
        return [json.loads(line) for line in answer.text.splitlines()]
