"""The composition root of the watchdog: its own process, on another host, with its own file and its own transports."""

import asyncio
import logging
import signal
import sys
from functools import partial
from pathlib import Path

from gateway.app import FINE, WRONG, first_of, until_signalled
from gateway.app_broker import link_settings
from gateway.app_transports import transport_of
from gateway.config.problems import ConfigError
from gateway.config.watchdog_file import LoadedWatchdog, load_watchdog_file
from gateway.outside.mqtt_source import MqttSource
from gateway.outside.systemd import ALIVE, READY, STOPPING, tell_systemd
from gateway.outside.wall_clock import WallClock
from gateway.outside.web_asks import ask_ready
from gateway.runtime.heartbeat import topic_of
from gateway.runtime.telling import Teller
from gateway.runtime.watchdog_loop import LAST_WILL, Watchdog, WatchdogParts, status_topic


def run_watchdog(file: Path) -> int:
    """Watch a gateway until told to stop. Returns the exit code; problems are said on standard error."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        loaded = load_watchdog_file(file)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return WRONG
    asyncio.run(_run(loaded))
    return FINE


async def _run(loaded: LoadedWatchdog) -> None:
    topic, clock = status_topic(loaded.site, loaded.name), WallClock()
    transports = {name: transport_of(name, settings) for name, settings in loaded.transports.items()}
    link = link_settings(
        loaded.mqtt, topics=(topic_of(loaded.site),), dropped_topic="", persistent=False, last_will=(topic, LAST_WILL)
    )
    watchdog = Watchdog(
        WatchdogParts(
            site=loaded.site,
            name=loaded.name,
            after_ms=loaded.after_ms,
            repeat_ms=loaded.repeat_ms,
            source=MqttSource(link, tells_below=topic),
            clock=clock,
            ask=partial(ask_ready, loaded.url, loaded.token, loaded.ca),
            teller=Teller(transports, clock),
            people=loaded.people,
            alive=partial(tell_systemd, ALIVE),
        )
    )
    tell_systemd(READY)
    try:
        await first_of([watchdog.run(), until_signalled(signal.SIGTERM, signal.SIGINT)], None)
    finally:
        tell_systemd(STOPPING)
        for transport in transports.values():
            await transport.close()
