"""A ward with a past, behind the console: the real core, told a story; its messages are kept for whoever looks back."""

import json
import re

import httpx

from device_adapters.registry import decode
from gateway.console.app import Entrance, create_api
from gateway.console.door import Callers
from gateway.core.board import build_board, incident_lines
from gateway.core.events import Heard
from gateway.core.sheets import Sheets
from gateway.domain.care import LogCall, OrderBag, Seen, Signed, SilenceRules
from gateway.domain.commands import AddDiary, Command, Enrol, HangBag
from gateway.domain.effects import CommandResult
from gateway.domain.instants import DAY_MS, HOUR_MS
from gateway.domain.ward import Contact
from gateway.runtime.access import Role
from gateway.runtime.history import HistoryFailed, Message, Messages, Series
from gateway.runtime.ports import Damaged, Kind, Record
from gateway.runtime.series import series_of
from tests.support.core_world import COURSE, PROTOCOL, PUMP, SITE, START_AT, World
from tests.support.fake_service import TOKEN, FakeService

ADDRESS = "85290000017"  # of the caregiver: nobody without triage sees it
NAME = "CHAN TAI MAN"  # in a raw message only
DRUG = re.compile("blina|blincyto", re.IGNORECASE)  # on no page


class KeptPast:
    """Implements `gateway.runtime.history.History` on records in memory. `broken` says why it cannot be read."""

    def __init__(self) -> None:
        self.records: list[Record | Damaged] = []
        self.broken = ""

    async def series(self, site: str, device: str, *, since: int, until: int, at_most: int = 600) -> Series:
        self._fail()
        own = [one for one in self.records if isinstance(one, Record) and one.device == device]
        return series_of(own, since=since, until=until, at_most=at_most, whole=True)

    async def messages(self, site: str, device: str, *, since: int, until: int, before: int = 0, limit: int = 200) -> Messages:
        self._fail()
        own = [one for one in self.records if isinstance(one, Damaged) or one.device == device]
        own = [one for one in reversed(own) if not before or one.seq < before]
        found = [one if isinstance(one, Damaged) else Message(one, decode(one.topic.split("/", 4)[4], one.body)) for one in own]
        return Messages(tuple(found[:limit]), own[limit - 1].seq if len(found) > limit else 0)

    def _fail(self) -> None:
        if self.broken:
            raise HistoryFailed(self.broken)


class LivedWard(FakeService):
    """A service on a real core. `minute` is now, counted from the world's start."""

    def __init__(self) -> None:
        super().__init__()
        self.world, self.past, self.minute = World(enrol=False), KeptPast(), 0.0

    def now(self) -> int:
        return self.world.at(self.minute)

    def timezone(self) -> str:
        return self.world.monitor.state.ward.timezone

    def board(self):
        return build_board(self.world.monitor.state, self.now())

    def incidents(self, wanted=None, **which):
        return incident_lines(self.world.monitor.state, wanted, **which)

    def sheets(self) -> Sheets:
        return Sheets(self.world.monitor.state, self.now())

    async def command(self, who: str, command: Command, *, by: str = "", once=None) -> CommandResult:
        self.told.append((who, command))
        return self.world.does(self.minute, command, who)

    def pump_says(self, minute: float, channel: str = "telemetry", *, pump: str = PUMP, **body: object) -> None:
        """A message arrives, is kept and judged."""
        self.minute = minute
        told = {"observed_at": self.now(), **body}
        self.arrives(f"dw/v1/{SITE}/{pump}/{channel}", json.dumps(told).encode(), pump)

    def arrives(self, topic: str, body: bytes, pump: str = PUMP) -> None:
        """These bytes arrive now."""
        seq = self.world._next()
        self.past.records.append(Record(seq, self.now(), Kind.MESSAGE, SITE, pump, topic, body))
        channel = topic.split("/", 4)[4]
        self.world._step(Heard(seq, SITE, pump, channel, decode(channel, body)), self.now())

    def waits_until(self, minute: float) -> None:
        """Time passes."""
        self.minute = minute
        self.world.waits(minute)

    def client(self, role: Role | None = None, **headers: str) -> httpx.AsyncClient:
        """A browser on this machine that may do what this role may; without one, with the key file's token as nurse-a."""
        api = create_api(self, token=TOKEN, entrance=Entrance(callers=Callers(here=role)))
        api.state.history = self.past
        token = {"Authorization": f"Bearer {TOKEN}", "X-Dripwatch-User": "nurse-a"} if role is None else {}
        sent = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin", **token, **headers}
        transport = httpx.ASGITransport(api, client=("127.0.0.1", 50_000))
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080", headers=sent)


async def post(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """Send a form of ours, as the page of its course has it."""
    found = re.search(r'name="csrf" value="(\w+)"', (await client.get("/enrol")).text)
    assert found
    return await client.post(path, data={"csrf": found[1], **fields})


def lived_ward() -> LivedWard:
    """P-017 in its third day: a bag was changed, an occlusion stopped the pump for a while, messages were lost and refused."""
    ward = LivedWard()
    ward.world.does(0, _enrolment())
    _two_days(ward)
    return ward


def _enrolment() -> Enrol:
    signed = tuple(Signed(item=item, by="nurse-b", at=START_AT - DAY_MS) for item in PROTOCOL.checklist)
    return Enrol(
        course=COURSE,
        pump=PUMP,
        protocol=PROTOCOL.name,
        bag="24-hour",
        caregiver=(Contact("sms", ADDRESS, 0),),
        ward_contact="2345 6789",
        travel_minutes=40,
        checklist=signed,
    )


_DEEDS = {
    78: ("nurse-a", HangBag(course=COURSE, bag="24-hour", primed_ml=10.0, prepared_at=START_AT)),
    84: ("pharmacist-p", OrderBag(course=COURSE, bag="7-day", ready_at=START_AT + 3 * DAY_MS)),
    88: ("nurse-a", AddDiary(course=COURSE, temperature_c=37.2, handwriting_changed=False, from_whom="caregiver")),
    92: ("nurse-b", LogCall(course=COURSE, called="caregiver", seen=Seen.RUNNING, advice="watch the pump")),
    93: ("nurse-a", SilenceRules(course=COURSE, reason="battery on its way", rules=("battery-running-out",), for_ms=4 * HOUR_MS)),
}


def _two_days(ward: LivedWard) -> None:
    """Telemetry every 30 minutes; in the second day 50 minutes without flow; a hole in the numbers; a refused message."""
    seq = 0
    for step in range(2 * 48 + 1):
        minute, seq = step * 30.0, seq + (3 if step == 20 else 1)
        stopped = step in (60, 61)
        if step == 60:
            ward.pump_says(
                minute,
                "alarm",
                boot="b1",
                seq=seq,
                alarm="occlusion-downstream",
                phase="start",
                priority="high",
                stops_delivery=True,
                text="OCCLUSION",
            )
            seq += 1
        if step == 62:
            ward.pump_says(minute, "alarm", boot="b1", seq=seq, alarm="occlusion-downstream", phase="end")
            seq += 1
        ward.pump_says(
            minute + 0.01,
            boot="b1",
            seq=seq,
            delivery_status="not-delivering" if stopped else "delivering",
            rate_ml_h=0 if stopped else 10,
            set_rate_ml_h=10,
            infused_ml=round(step * 5.0, 1),
            remaining_ml=round(max(0.0, 240 - (step % 48) * 5.0), 1),
            battery_percent=max(5, 99 - step),
            power="battery",
            locked=True,
        )
        if step in _DEEDS:
            who, deed = _DEEDS[step]
            assert ward.world.does(minute + 0.02, deed, who).ok
        if step == 90:
            ward.arrives(f"dw/v1/{SITE}/{PUMP}/telemetry", b'{"patient": "' + NAME.encode() + b'", "rate_ml_h": "fast"}')
