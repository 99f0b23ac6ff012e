"""InfluxDB, by its two ways of writing. Both take the same line protocol with millisecond timestamps.

`InfluxV1Sink`: InfluxDB 1.x, `POST /write?db=`. `InfluxV2Sink`: InfluxDB 2.x, 3.x, 1.8+ and VictoriaMetrics, `/api/v2/write`.

What an answer means (measured on 1.6.7 and VictoriaMetrics 1.79; InfluxDB's API reference for the rest):

    204, 200              stored
    400, 422 as JSON      some lines will never be taken; the others of the body were stored (1.x) or not (2.x)
    413                   the body is too large: halve it
    429, 5xx, no answer   not now
    anything else         not now, and an operator must look: a wrong token, a wrong address or a proxy's own 400 must not
                          cost a line

A 400 rarely names the refused lines, and never all of them: 1.6.7 names what it cannot parse, only counts conflicts of type, and
of a body with both it reports the conflicts alone. So the named ones are put aside, the rest is written again (which changes
nothing for those that are there), and what is refused without a name is halved until single lines are left.

VictoriaMetrics answers 204 to everything and drops what it cannot read. It needs `-dedup.minScrapeInterval=1ms`, or a point
written twice is kept twice.
"""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from gateway.runtime.point_sink import Poison, StoreUnavailable

if TYPE_CHECKING:
    from influxdb_client.client.write_api import WriteApi

TIMEOUT_S = 5.0
REASON_MAX = 300  # characters of a refusal that are kept; some repeat the whole line
POISON_FILE_MAX_BYTES = 16 * 1024 * 1024  # full: it becomes `….1`, and the older one goes

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The store will not take this body as it is; `detail` is the store's own text."""

    detail: str


Post = Callable[[bytes], Awaitable[Refusal | None]]


class InfluxV1Sink:
    """Writes to InfluxDB 1.x; makes the database when the server says that it does not exist."""

    def __init__(self, url: str, database: str, username: str | None = None, password: str | None = None) -> None:
        if not database:
            raise ValueError("influx.database is empty: name the database that points go to")
        self._database = database
        self._client = httpx.AsyncClient(
            base_url=url,
            timeout=TIMEOUT_S,
            auth=httpx.BasicAuth(username, password or "") if username else None,
            trust_env=False,  # what the ward file says and nothing else
        )

    async def write(self, lines: Sequence[bytes]) -> list[Poison]:
        """Store the lines; return those that will never be taken. Raises `StoreUnavailable`."""
        return await write_isolating(self._post, lines)

    async def close(self) -> None:
        """Release connections."""
        await self._client.aclose()

    async def _post(self, body: bytes) -> Refusal | None:
        answer = await self._send("/write", params={"db": self._database, "precision": "ms"}, content=body)
        if answer.status_code == httpx.codes.NOT_FOUND and "database not found" in answer.text:
            await self._create_database()
            answer = await self._send("/write", params={"db": self._database, "precision": "ms"}, content=body)
        return verdict(answer.status_code, answer.text, "username, password and database")

    async def _create_database(self) -> None:
        name = self._database.replace("\\", "\\\\").replace('"', '\\"')
        answer = await self._send("/query", params={"q": f'CREATE DATABASE "{name}"'})
        if answer.is_error or "error" in answer.text:
            raise StoreUnavailable(
                f"InfluxDB has no database {self._database} and will not make it: {answer.text.strip()}"[:REASON_MAX]
            )
        log.info("made InfluxDB database %s", self._database)

    async def _send(self, path: str, *, params: dict[str, str], content: bytes = b"") -> httpx.Response:
        try:
            return await self._client.post(path, params=params, content=content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise StoreUnavailable(f"InfluxDB does not answer: {str(error) or type(error).__name__}") from error


class InfluxV2Sink:
    """Writes through influxdb-client, which blocks: in threads of its own, so that a hung store takes none from others."""

    def __init__(self, url: str, org: str, bucket: str, token: str) -> None:
        if not bucket:
            raise ValueError("influx.bucket is empty: name the bucket that points go to")
        # A ward on InfluxDB 1.x does not pay for this import: 0.3 s and 18 MB.
        from influxdb_client.client.influxdb_client import InfluxDBClient  # noqa: PLC0415
        from influxdb_client.client.write_api import SYNCHRONOUS  # noqa: PLC0415

        self._org, self._bucket = org, bucket
        self._client = InfluxDBClient(url=url, token=token, org=org, timeout=int(TIMEOUT_S * 1_000))
        self._writer: WriteApi = self._client.write_api(write_options=SYNCHRONOUS)
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="influx")

    async def write(self, lines: Sequence[bytes]) -> list[Poison]:
        """Store the lines; return those that will never be taken. Raises `StoreUnavailable`."""
        return await write_isolating(self._post, lines)

    async def close(self) -> None:
        """Release connections; waits for a write in hand, at most its deadline."""
        await asyncio.to_thread(self._threads.shutdown)
        self._writer.close()  # type: ignore[no-untyped-call]
        self._client.close()  # type: ignore[no-untyped-call]

    async def _post(self, body: bytes) -> Refusal | None:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._post_blocking, body)

    def _post_blocking(self, body: bytes) -> Refusal | None:
        from influxdb_client.domain.write_precision import WritePrecision  # noqa: PLC0415
        from influxdb_client.rest import ApiException  # noqa: PLC0415
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        try:
            precision: WritePrecision = WritePrecision.MS  # type: ignore[assignment]  # its constants are plain strings
            self._writer.write(bucket=self._bucket, org=self._org, record=body, write_precision=precision)
        except ApiException as error:
            return verdict(error.status or 0, str(error.body or error.reason or ""), "token, org and bucket")
        except (HTTPError, OSError, UnicodeError) as error:
            raise StoreUnavailable(f"InfluxDB does not answer: {error}") from error
        return None


def verdict(status: int, text: str, settings: str) -> Refusal | None:
    """What an HTTP answer means, by the table above. Raises `StoreUnavailable`; `settings` are those an operator should check."""
    said = _error_text(text)
    words = said or text.strip() or "no reason given"
    match status:
        case 200 | 204:
            return None
        case 400 | 422 if said is not None:
            return Refusal(said)
        case 413:
            return Refusal("larger than the store takes")
        case 401 | 403 | 404:
            raise StoreUnavailable(f"InfluxDB refuses us ({status}); check {settings}: {words}"[:REASON_MAX])
        case _:
            raise StoreUnavailable(f"InfluxDB answers {status}: {words}"[:REASON_MAX])


async def write_isolating(post: Post, lines: Sequence[bytes]) -> list[Poison]:
    """Write `lines` by `post`; every line that the store can take is stored, the others come back with the store's reason."""
    if not lines:
        return []
    refusal = await post(b"\n".join(lines))
    if refusal is None:
        return []
    if len(lines) == 1 or _all_dropped(refusal, len(lines)):
        return [Poison(line, refusal.detail.replace(line.decode(errors="replace"), "…")[:REASON_MAX]) for line in lines]
    named = _named(refusal)
    poison = [Poison(line, named[line]) for line in lines if line in named]
    if poison:
        return poison + await write_isolating(post, [line for line in lines if line not in named])
    middle = len(lines) // 2
    return await write_isolating(post, lines[:middle]) + await write_isolating(post, lines[middle:])


_UNPARSABLE = re.compile(r"unable to parse '(.*)': (.*)")
_DROPPED = re.compile(r"partial write: .* dropped=(\d+)", re.DOTALL)


def _named(refusal: Refusal) -> dict[bytes, str]:
    """The lines that the refusal names, with the reason of each."""
    return {line.encode(): reason[:REASON_MAX] for line, reason in _UNPARSABLE.findall(refusal.detail)}


def _all_dropped(refusal: Refusal, lines: int) -> bool:
    """The store counts as many dropped as were sent: a conflict that every line has need not be halved thousands of times."""
    counted = _DROPPED.fullmatch(refusal.detail)
    return counted is not None and int(counted[1]) == lines


def _error_text(body: str) -> str | None:
    """What InfluxDB says is wrong: `{"error": …}` in 1.x and 3.x, `{"message": …}` in 2.x. None: InfluxDB did not say this."""
    try:
        said = json.loads(body)
    except ValueError:
        return None
    text = (said.get("error") or said.get("message")) if isinstance(said, dict) else None
    return str(text).strip() if text else None


class PoisonFile:
    """Keeps refused lines beside the journal: line protocol, each under a comment with its reason; mend and post it by hand.

    At most twice `POISON_FILE_MAX_BYTES`. When the disk refuses too, that is logged: the journal still has the record.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, poison: Poison) -> None:
        """Append one line."""
        reason = " ".join(poison.reason.split())
        try:
            if self._path.exists() and self._path.stat().st_size >= POISON_FILE_MAX_BYTES:
                self._path.replace(self._path.with_name(self._path.name + ".1"))
            with self._path.open("ab") as out:
                out.write(b"# " + reason.encode(errors="replace") + b"\n" + poison.line + b"\n")
        except OSError as error:
            log.warning("cannot set a refused line aside in %s: %s", self._path, error)
