"""The live half of `simulate`: homes that publish to a real broker, enrolled with a running gateway, for a while."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit

from gateway.config.load import load_ward_mapping
from gateway.console.times import rfc3339
from gateway.domain.commands import EndCourse, Enrol, HangBag
from gateway.domain.instants import MINUTE_MS, SECOND_MS
from gateway.field.at_broker import NOBODY, Credentials
from gateway.field.remote import Remote, find
from gateway.field.speaking import FINE, No, Wrong
from gateway.outside.uplink import uplink
from gateway.outside.wall_clock import WallClock
from gateway.scenario.assumptions import Assumptions
from gateway.scenario.fleet import Fleet, Played, play
from gateway.scenario.patients import place_of
from gateway.scenario.places import Told
from rules.loader import load_protocol, shipped_text

PROTOCOL = "blinatumomab_home"
CLIENT_ID = "dripwatch-simulate"
CONNECT_S = 5.0
WHO = "simulate"
_HERE = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Live:
    """A live run as it was asked for."""

    patients: int
    seed: int
    report_s: float
    host: str
    port: int
    speed: float
    minutes: float
    url: str | None
    token_file: str | None
    site: str | None
    credentials: Credentials = NOBODY


class Enrolments:
    """What the homes' nurses record, by the gateway's API; without a gateway nothing is recorded."""

    def __init__(self, gateway: Remote | None) -> None:
        self._gateway = gateway
        self._running: list[str] = []

    async def tell(self, told: Told) -> None:
        """One command. Raises `No` or `Wrong`."""
        if self._gateway is not None:
            await asyncio.to_thread(self._record, self._gateway, told)

    def end_all(self) -> int:
        """End what was enrolled and still runs: pumps that fall silent now are nobody's trouble. Returns how many."""
        for course in (running := self._running):
            if self._gateway is not None:
                self._gateway.post(_path(course, "end"), {"reason": "the simulation is over"})
        self._running = []
        return len(running)

    def _record(self, gateway: Remote, told: Told) -> None:
        match told.command:
            case Enrol() as enrol:
                gateway.post("/api/v1/courses", _enrol_body(enrol))
                self._running.append(enrol.course)
            case HangBag() as hung:
                body = {"bag": hung.bag, "primed_ml": hung.primed_ml}
                gateway.post(_path(hung.course, "bags"), body | ({"hung_at": rfc3339(hung.hung_at)} if hung.hung_at else {}))
            case EndCourse() as end:
                gateway.post(_path(end.course, "end"), {"reason": end.reason})
                self._running.remove(end.course)
            case other:
                raise TypeError(f"homes do not record {other}")


def run_live(asked: Live, ward: Mapping[str, Any], write: Callable[[str], None]) -> int:
    """Publish until the time is over. Returns the exit code; raises `Wrong` and `No` in words."""
    gateway = _gateway(asked)
    site = asked.site or (str(gateway.get("/api/v1/board")["site"]) if gateway else "")
    if not site:
        raise Wrong("which site? Give --site as in the topics dw/v1/<site>/…, or --url so that the gateway is asked")
    _refuse_no_broker(asked)
    if gateway is None:
        write("no --url: no course is enrolled, so a gateway that hears these pumps knows no patient of theirs")
    write(f"{asked.patients} homes on {asked.host}:{asked.port}, site {site}, at speed {asked.speed:g} for {asked.minutes:g} min")
    enrolments = Enrolments(gateway)
    try:
        played = asyncio.run(_play(asked, ward, site, enrolments))
    except ConnectionError as error:
        raise No(str(error)) from None
    finally:
        ended = enrolments.end_all()
    write(f"{played.messages} messages published, {played.commands} records of nurses, {ended} courses ended")
    if played.behind_ms > SECOND_MS:
        write(f"the broker or this machine was too slow: messages came up to {played.behind_ms / SECOND_MS:.1f} s late")
    return FINE


async def _play(asked: Live, ward: Mapping[str, Any], site: str, enrolments: Enrolments) -> Played:
    loaded = load_ward_mapping(ward, "simulation")
    protocol = load_protocol(shipped_text(PROTOCOL) or "", PROTOCOL, loaded.rule_overrides)
    assumed = replace(Assumptions(), report_s=asked.report_s)
    place = replace(place_of(loaded, protocol, assumed, asked.seed), site=site)
    clock = WallClock()
    start_at = clock.now()
    fleet = Fleet(place, asked.patients, start_at=start_at, speed=asked.speed)
    async with uplink(asked.host, asked.port, CLIENT_ID, **asked.credentials.of_uplink()) as publish:
        return await play(fleet, publish, enrolments.tell, clock, start_at + round(asked.minutes * MINUTE_MS))


def _gateway(asked: Live) -> Remote | None:
    if asked.url is None:
        return None
    if urlsplit(asked.url).hostname not in _HERE:
        raise Wrong(f"simulated patients are enrolled on this machine only: --url is http://127.0.0.1:…, not {asked.url}")
    return find(asked.url, asked.token_file, None, WHO)


def _refuse_no_broker(asked: Live) -> None:
    try:
        socket.create_connection((asked.host, asked.port), CONNECT_S).close()
    except OSError as error:
        raise No(
            f"no broker answers at {asked.host}:{asked.port} ({error.strerror or error}); start one, or give its --port"
        ) from None


def _enrol_body(enrol: Enrol) -> dict[str, Any]:
    body = {name: value for name, value in asdict(enrol).items() if name in ("course", "pump", "protocol", "bag", "primed_ml")}
    planned_ms = enrol.planned_change_ms
    return body | ({"planned_change": f"{planned_ms // SECOND_MS}s"} if planned_ms else {})


def _path(course: str, verb: str) -> str:
    return f"/api/v1/courses/{quote(course, safe='')}/{verb}"
