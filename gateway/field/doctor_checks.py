"""What `doctor` looks at. Each check yields verdicts and raises nothing for what the world does."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import httpx

from gateway.app_transports import make_transport
from gateway.config.settings import InfluxV1Settings, InfluxV2Settings, KannelSettings, LoadedWard
from gateway.console.token import TokenRefused, read_token, token_file
from gateway.field.broker_probe import probe
from gateway.field.remote import Remote, address
from gateway.field.speaking import Wrong
from gateway.outside.sqlite_journal import JournalRefused, SqliteJournal
from gateway.runtime.ports import Damaged, JournalFull, Transport

TIMEOUT_S = 5.0
DISK_LEAST_BYTES = 1 << 30  # below it a night's messages may fill the disk
RECORDS_LOOKED_AT = 200_000  # the newest; a whole year would take minutes
READ_AT_ONCE = 5_000
DAMAGED_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line: what was looked at, and what was found, with the mend where there is something to mend."""

    state: Literal["ok", "warn", "bad"]
    what: str
    found: str

    def __str__(self) -> str:
        return f"{self.what}: {self.found}"


@runtime_checkable
class Checkable(Protocol):
    """A transport whose settings can be judged by themselves."""

    def check(self) -> str | None:
        """What is wrong, in words; None: nothing."""
        ...


@runtime_checkable
class Probed(Protocol):
    """A transport whose server can be asked without paging anybody."""

    async def probe(self) -> str | None:
        """What is wrong, in words; None: nothing."""
        ...


def broker(loaded: LoadedWard) -> Iterator[Verdict]:
    """Whether the broker lets us in."""
    problem = probe(loaded.mqtt, TIMEOUT_S)
    yield (
        Verdict("bad", "broker", problem)
        if problem
        else Verdict("ok", "broker", f"{loaded.mqtt.host}:{loaded.mqtt.port} lets us in")
    )


def journal(loaded: LoadedWard) -> Iterator[Verdict]:
    """Whether the journal can be read, and which of its newest records are damaged."""
    path = loaded.journal.path
    if not path.exists():
        yield Verdict("warn", "journal", f"{path}: not there yet; the gateway makes it at its first start")
        return
    try:
        records, damaged = asyncio.run(_read(path))
    except (JournalRefused, JournalFull) as error:
        yield Verdict("bad", "journal", str(error))
        return
    for item in damaged[:DAMAGED_SHOWN]:
        yield Verdict("bad", "journal", f"record {item.seq}: {item.detail}; check the disk, keep a copy of the file")
    if len(damaged) > DAMAGED_SHOWN:
        yield Verdict("bad", "journal", f"and {len(damaged) - DAMAGED_SHOWN} more damaged records")
    if not damaged:
        yield Verdict("ok", "journal", f"{path}: {records} records, the newest {min(records, RECORDS_LOOKED_AT)} are sound")


async def _read(path: Path) -> tuple[int, list[Damaged]]:
    """(number of the newest record, the damaged ones among the newest)."""
    opened = SqliteJournal.open(path, read_only=True)
    try:
        newest = await opened.last_seq()
        after, damaged = max(0, newest - RECORDS_LOOKED_AT), []
        while found := await opened.read(after, READ_AT_ONCE):
            damaged += [item for item in found if isinstance(item, Damaged)]
            after = found[-1].seq
        return newest, damaged
    finally:
        await opened.close()


def disk(loaded: LoadedWard) -> Iterator[Verdict]:
    """Whether the journal has room to live."""
    folder = loaded.journal.path.absolute().parent
    while not folder.exists():
        folder = folder.parent
    free, wanted = shutil.disk_usage(folder).free, loaded.journal.max_bytes
    there = loaded.journal.path.stat().st_size if loaded.journal.path.exists() else 0
    if not os.access(folder, os.W_OK):
        yield Verdict("bad", "disk", f"{folder}: cannot be written; check owner and permissions")
    elif free < DISK_LEAST_BYTES:
        yield Verdict("bad", "disk", f"{folder}: {_size(free)} free; make room before the journal is full")
    elif free + there < wanted:
        mend = "lower journal.max_bytes or make room"
        yield Verdict("warn", "disk", f"{folder}: {_size(free)} free, but the journal may grow to {_size(wanted)}; {mend}")
    else:
        yield Verdict("ok", "disk", f"{folder}: {_size(free)} free")


def store(loaded: LoadedWard) -> Iterator[Verdict]:
    """Whether the time-series store answers. Without it nothing is lost and every page goes out, so it is never `bad`."""
    influx: InfluxV1Settings | InfluxV2Settings | None = loaded.influx
    if influx is None:
        yield Verdict("ok", "store", "none is configured")
        return
    try:
        answer = httpx.get(f"{influx.url}/ping", timeout=TIMEOUT_S, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = str(error) or type(error).__name__
        yield Verdict("warn", "store", f"InfluxDB does not answer ({why}); points wait in the journal; check influx.url")
        return
    if answer.is_success:
        yield Verdict("ok", "store", "InfluxDB answers")
    else:
        yield Verdict("warn", "store", f"what answers at influx.url says {answer.status_code} to /ping; check influx.url")


def transports(loaded: LoadedWard) -> Iterator[Verdict]:
    """Whether each transport could send, as far as that can be known without paging anybody."""
    for name, settings in loaded.transports.items():
        what = f"transport {name}"
        problem = asyncio.run(_problem(make_transport(name, loaded)))
        yield Verdict("bad", what, problem) if problem else Verdict("ok", what, f"{settings.kind}, nothing wrong is to be seen")
        if isinstance(settings, KannelSettings) and settings.token is None:
            yield Verdict("warn", what, "without a token Kannel cannot hand on what people write; see token in docs/ward-file.md")


async def _problem(transport: Transport) -> str | None:
    try:
        problem = transport.check() if isinstance(transport, Checkable) else None
        return problem or (await transport.probe() if isinstance(transport, Probed) else None)
    finally:
        await transport.close()


def gateway(loaded: LoadedWard, url: str | None, ca: str | None = None) -> Iterator[Verdict]:
    """What the running gateway says of itself, and which devices' messages it refuses."""
    try:
        token = read_token(token_file(loaded.journal.path))
        remote = Remote((url or address(loaded.console)).rstrip("/"), token, "doctor", ca)
        health = remote.answer("GET", "/health/ready").json()
        pumps = remote.answer("GET", "/api/v1/pumps").json()
        said = list(_said(health, pumps))
    except TokenRefused as error:
        yield Verdict("warn", "gateway", f"not asked: {error}")
    except Wrong as error:
        yield Verdict("warn", "gateway", error.message)
    except (ValueError, KeyError, TypeError):
        yield Verdict(
            "bad", "gateway", f"what answers at {remote.url} is not this ward's gateway; check --url and console.listen"
        )
    else:
        yield from said


def _said(health: dict[str, object], pumps: list[dict[str, dict[str, int]]]) -> Iterator[Verdict]:
    """Raises ValueError, KeyError, TypeError for answers that are not a gateway's."""
    ready, findings = bool(health["ready"]), health["findings"]
    if not isinstance(findings, list):
        raise TypeError("findings")
    for finding in findings:
        yield Verdict("warn" if ready else "bad", "gateway", str(finding))
    if ready:
        yield Verdict("ok", "gateway", "is ready")
    elif not findings:
        yield Verdict("bad", "gateway", "is not ready; see its log")
    for pump in pumps:
        for reason, count in pump["refusals"].items():
            yield Verdict("warn", f"pump {pump['device']}", f"{count} messages refused: {reason}")


def _size(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB"
