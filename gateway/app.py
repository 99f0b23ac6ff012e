"""The composition root: the only place where concrete classes meet."""

import asyncio
import contextlib
import logging
import signal
import sys
import tempfile
import webbrowser
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from gateway.app_broker import HeardBeside, as_a_pump, hear_beside, make_source, outside_switch
from gateway.app_console import serve_api
from gateway.app_transports import bring_replies, inbound_routes, make_transports, make_wording, receipt_deadlines
from gateway.config.load import load_ward_file
from gateway.config.problems import ConfigError
from gateway.config.protocols import read_protocols
from gateway.config.settings import ConsoleSettings, InfluxV1Settings, LoadedWard
from gateway.outside.systemd import ALIVE, READY, STOPPING, tell_systemd
from gateway.runtime.access import AccessStoreFailed
from gateway.runtime.gateway import Gateway
from gateway.runtime.parts import Parts
from gateway.runtime.point_sink import PointSink, Poison
from gateway.runtime.ports import Clock, Journal, JournalFull, Source, Transport
from gateway.runtime.recovery import recover
from gateway.runtime.ward_watch import WardWatch
from gateway.runtime.wording import LINK_SECRET, Wording

FINE, NO, WRONG = 0, 1, 2
LOOPBACK = "127.0.0.1"
# A library can lose a cancellation (`wait_for` before Python 3.12). A job of ours is told again; the members of its task groups
# are not: a task group cancels them once. No job takes so long to end.
CANCEL_AGAIN_S = 10.0

_log = logging.getLogger(__name__)


def run_gateway(ward_file: Path) -> int:
    """Run the gateway of a ward file until it is told to stop. Returns the exit code; problems are said on standard error."""
    from gateway.console.token import TokenRefused  # noqa: PLC0415
    from gateway.outside.http_server import CannotListen  # noqa: PLC0415
    from gateway.outside.sqlite_journal import JournalRefused  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        loaded = load_ward_file(ward_file)
        protocols = read_protocols(loaded.protocols, loaded.rule_overrides, ward_file.parent)
        return asyncio.run(_run(ward_file, loaded, protocols))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
    except (AccessStoreFailed, JournalRefused, JournalFull, CannotListen, TokenRefused) as error:
        sys.stderr.write(f"{error}\n")
    return WRONG


async def _run(ward_file: Path, loaded: LoadedWard, protocols: Mapping[str, str]) -> int:
    from gateway.console.token import load_or_create_token, token_file  # noqa: PLC0415
    from gateway.outside.http_server import check_listen  # noqa: PLC0415
    from gateway.outside.sqlite_journal import SqliteJournal  # noqa: PLC0415
    from gateway.outside.wall_clock import WallClock  # noqa: PLC0415

    # There is nothing to take in again yet, and HUP's own meaning would end a gateway that still reads its journal.
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, lambda: None)
    path = loaded.journal.path
    token = load_or_create_token(token_file(path))
    journal = SqliteJournal.open(path)
    newest = await journal.read(max(0, await journal.last_seq() - 1), 1)
    clock = WallClock(max((getattr(record, "received_at", 0) for record in newest), default=0))
    source = make_source(loaded)
    transports = make_transports(loaded, token)
    async with gateway_of(
        loaded,
        protocols,
        journal=journal,
        source=source,
        clock=clock,
        transports=transports,
        poison=path.with_name("poison.lp"),
        wording=make_wording(loaded, load_or_create_token(path.with_name(LINK_SECRET))),
        beside=hear_beside(loaded, clock),
    ) as gateway:
        console, watch = loaded.console, WardWatch(gateway, clock, ward_file, loaded, protocols)
        check_listen(console.host, console.port)  # before the broker is asked: its session is another gateway's then
        jobs = [
            serve_api(gateway, console, path, inbound_routes(loaded, transports, token)),
            gateway.run(),
            watch.run(),
            until_told_to_stop(watch),
        ]
        return await _run_all(jobs)


async def _run_all(jobs: list[Coroutine[Any, Any, None]]) -> int:
    tell_systemd(READY)
    try:
        await first_of(jobs, None)
    except ExceptionGroup as failed:  # a part that must not end has ended: begin anew, from the journal
        _log.critical("the gateway ends: %s", failed.exceptions[0], exc_info=failed)
        return NO
    finally:
        tell_systemd(STOPPING)
    return FINE


@contextlib.asynccontextmanager
async def gateway_of(  # noqa: PLR0913  the parts, by name
    loaded: LoadedWard,
    protocols: Mapping[str, str],
    *,
    journal: Journal,
    source: Source,
    clock: Clock,
    transports: Mapping[str, Transport],
    poison: Path,
    sink: PointSink | None = None,
    audits: bool = True,
    wording: Wording | None = None,
    beside: HeardBeside | None = None,
) -> AsyncIterator[Gateway]:
    """A gateway on these parts, recovered and started, not yet running; closes them at the end."""
    parts = Parts(
        journal=journal,
        source=source,
        listeners=() if beside is None else beside.listeners,
        noted={} if beside is None else beside.noted,
        clock=clock,
        transports=transports,
        receipt_deadlines_ms=receipt_deadlines(loaded),
        sink=sink or make_sink(loaded),
        set_aside=_set_aside(poison),
        keep_ms=loaded.journal.keep_ms,
        max_bytes=loaded.journal.max_bytes,
        finding=lambda: getattr(source, "finding", None),
        publish=as_a_pump(loaded.mqtt),
        ping=outside_switch(loaded),
        audits=audits,
        alive=partial(tell_systemd, ALIVE),
        wording=wording,
    )
    try:
        yield await _started(parts, loaded, protocols)
    finally:
        await _close(transports, parts.sink, journal)


async def _started(parts: Parts, loaded: LoadedWard, protocols: Mapping[str, str]) -> Gateway:
    gateway = Gateway(parts, await recover(parts.journal))
    await gateway.start(loaded.text_for_journal, protocols)
    bring_replies(parts.transports, gateway)
    return gateway


def _set_aside(poison: Path) -> Callable[[Poison], None]:
    from gateway.outside.influx_sink import PoisonFile  # noqa: PLC0415

    return PoisonFile(poison)


async def _close(transports: Mapping[str, Transport], sink: PointSink | None, journal: Journal) -> None:
    for transport in transports.values():
        await transport.close()
    if sink is not None:
        await sink.close()
    await journal.close()


def make_sink(loaded: LoadedWard) -> PointSink | None:
    """The time-series store that the ward file names, if any."""
    from gateway.outside.influx_sink import InfluxV1Sink, InfluxV2Sink  # noqa: PLC0415

    influx = loaded.influx
    if influx is None:
        return None
    if isinstance(influx, InfluxV1Settings):
        return InfluxV1Sink(influx.url, influx.database, influx.username, influx.password)
    return InfluxV2Sink(influx.url, influx.org, influx.bucket, influx.token or "")


async def until_told_to_stop(watch: WardWatch) -> None:
    """TERM and INT end the gateway; HUP takes the ward file in again."""
    loop = asyncio.get_running_loop()
    reloads: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = loop.create_task(watch.reload())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    loop.add_signal_handler(signal.SIGHUP, reload)
    await until_signalled(signal.SIGTERM, signal.SIGINT)


async def until_signalled(*numbers: signal.Signals) -> None:
    """Return at the first of these signals. They end nothing by themselves any more."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


def run_demo(*, speed: float, port: int | None, seconds: float | None, open_browser: bool, write: Callable[[str], None]) -> int:
    """Run the demo until interrupted or its terminal is closed, or for `seconds`. Returns the exit code."""
    from gateway.outside.embedded_broker import BrokerFailed  # noqa: PLC0415
    from gateway.outside.http_server import CannotListen  # noqa: PLC0415

    try:
        asyncio.run(_demo(speed, port, seconds, write, open_browser=open_browser))
    except KeyboardInterrupt:
        return FINE
    except (BrokerFailed, CannotListen, ConnectionError) as error:
        sys.stderr.write(f"{error}\n")
        return WRONG
    return FINE


async def _demo(
    speed: float, port: int | None, seconds: float | None, write: Callable[[str], None], *, open_browser: bool
) -> None:
    from gateway.config.load import load_ward_mapping  # noqa: PLC0415
    from gateway.console.token import TOKEN_FILE, load_or_create_token  # noqa: PLC0415
    from gateway.outside.embedded_broker import demo_broker  # noqa: PLC0415
    from gateway.outside.mqtt_source import MqttSettings, MqttSource  # noqa: PLC0415
    from gateway.outside.sqlite_journal import SqliteJournal  # noqa: PLC0415
    from gateway.outside.terminal_transport import TerminalTransport  # noqa: PLC0415
    from gateway.outside.uplink import uplink  # noqa: PLC0415
    from gateway.outside.wall_clock import ScaledClock, WallClock  # noqa: PLC0415
    from gateway.scenario.day import WARD  # noqa: PLC0415
    from gateway.scenario.live import live_day, this_morning  # noqa: PLC0415

    loaded = replace(load_ward_mapping(WARD, "demo"), console=_demo_console(port))
    protocols = read_protocols(loaded.protocols, loaded.rule_overrides, None)
    with tempfile.TemporaryDirectory(prefix="dripwatch-demo-") as name:
        folder = Path(name)
        journal = folder / "dripwatch.db"
        async with (
            demo_broker() as broker_port,
            uplink(LOOPBACK, broker_port, "demo-pumps") as publish,
            gateway_of(
                loaded,
                protocols,
                journal=SqliteJournal.open(journal),
                source=MqttSource(MqttSettings(host=LOOPBACK, port=broker_port, client_id="dripwatch-demo", dropped_topic="")),
                clock=ScaledClock(speed, this_morning(loaded.ward.timezone, WallClock().now())),
                transports={name: TerminalTransport(name, write) for name in loaded.transports},
                poison=folder / "poison.lp",
                audits=False,  # at this speed every hiccup would look like a standstill
                wording=make_wording(loaded, load_or_create_token(folder / LINK_SECRET)),
            ) as gateway,
        ):
            _greet(write, speed, loaded.console.base_url, folder / TOKEN_FILE, open_browser=open_browser)
            jobs = [gateway.run(), serve_api(gateway, loaded.console, journal, inbound_routes(loaded, {}, ""))]
            jobs.append(until_signalled(signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
            await first_of([*jobs, live_day(gateway, loaded.ward.site, publish, write)], seconds)


def _demo_console(port: int | None) -> ConsoleSettings:
    from gateway.outside.http_server import free_port  # noqa: PLC0415

    port = port or free_port(8080)
    return ConsoleSettings(LOOPBACK, port, f"http://{LOOPBACK}:{port}", links=True, here="triage")


def _greet(write: Callable[[str], None], speed: float, url: str, token: Path, *, open_browser: bool) -> None:
    write(f"A day of six homes in {24 * 60 / speed:g} minutes. Status page: {url}  (Ctrl-C ends it)")
    write(
        f"Take an incident yourself by the link in a page, or: dripwatch incidents ack P-102 --url {url} --token-file {token}\n"
    )
    if open_browser:
        webbrowser.open(url)


async def first_of(jobs: list[Coroutine[Any, Any, None]], seconds: float | None) -> None:
    """Run all of them until the first ends, or the time is over; its failure is ours."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        while left := [task for task in tasks if not task.done()]:
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=CANCEL_AGAIN_S)
        await asyncio.gather(*tasks, return_exceptions=True)
