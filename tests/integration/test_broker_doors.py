"""The shipped broker against those who mean it ill: what nobody may do is refused or harmless, and named where we can see it."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import aiomqtt
import pytest

from device_adapters.bounds import PAYLOAD_BYTES_MAX
from gateway.config import settings as config
from gateway.core.events import Heard
from gateway.domain.instants import DAY_MS
from gateway.domain.readings import Refusal
from gateway.field.broker_probe import probe
from gateway.outside import certificates
from gateway.outside.certificates import Pair
from gateway.outside.wall_clock import system_ms
from gateway.runtime.ports import Incoming, Record, Session
from gateway.runtime.records import event_of, message_entry
from tests.support.doors import SITE, Doors, client_context, doors
from tests.support.listening import Ear, listening

pytestmark = pytest.mark.servers

OURS = f"dw/v1/{SITE}/p1"
OF_ANOTHER = f"dw/v1/{SITE}/p2"
NUMBERS = itertools.count()
GATEWAY_ID = f"dripwatch-{SITE}"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """One broker for all; p1 and p2 are let in by certificate, p9 by password, b1 is the bridge of p3."""
    with doors(tmp_path_factory.mktemp("doors")) as made:
        made.add("p1")
        made.add("p2")
        made.add("p9", "--password")
        made.add("b1", "--for", "p3")
        made.add("watchdog", "--as", "watchdog")
        made.restart()
        yield made


@contextlib.asynccontextmanager
async def device(house: Doors, name: str, door: str = "devices", **more: object) -> AsyncIterator[aiomqtt.Client]:
    """A device with its own credentials."""
    own = house.settings(house.folder / name, door)
    who = {"username": own.username, "password": own.password, "tls_context": client_context(house.folder / name), **more}
    async with aiomqtt.Client("127.0.0.1", own.port, **who) as client:
        yield client


@contextlib.asynccontextmanager
async def the_gateway(house: Doors) -> AsyncIterator[Ear]:
    """The gateway's ear, with its own credentials at its own door."""
    async with listening(house.settings(house.folder / "gateway", "house", client_id=GATEWAY_ID)) as ear:
        await ear.see(Session.UP)
        yield ear


async def heard_behind(ear: Ear, client: aiomqtt.Client, topic: str) -> list[Incoming]:
    """All that came before a message that is allowed: what is not among it did not pass."""
    last = b"the last, number %d" % next(NUMBERS)
    await client.publish(topic, last, qos=1)
    await ear.until(lambda ear: any(message.payload == last for message in ear.messages))
    return [message for message in ear.messages if not message.payload.startswith(b"the last")]


def asked(house: Doors, name: str, door: str) -> str:
    """What the doctor says about connecting so: empty when the broker lets us in."""
    own = house.settings(house.folder / name, door)
    return probe(as_config(own), 5.0)


def as_config(own: object) -> config.MqttSettings:
    """The same settings as a ward file's."""
    tls = config.TlsSettings(*(Path(path) if path else None for path in (own.tls_ca, own.tls_cert, own.tls_key)))
    return config.MqttSettings(
        host=own.host,
        port=own.port,
        client_id="asking",
        protocol="3.1.1",
        keepalive_ms=30_000,
        username=own.username,
        password=own.password,
        tls=tls,
    )


# ---- who comes in ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "door"),
    [("p1", "devices"), ("b1", "devices"), ("p9", "password"), ("gateway", "house"), ("watchdog", "house")],
)
def test_everybody_comes_in_at_their_own_door(house: Doors, name: str, door: str):
    """With the credentials of the bundle."""
    assert asked(house, name, door) == ""


@pytest.mark.parametrize(("name", "door"), [("p1", "house"), ("b1", "house"), ("gateway", "devices")])
def test_nobody_comes_in_at_another_door(house: Doors, name: str, door: str):
    """A device's certificate opens no door of the house, where client ids are free."""
    assert "TLS fails" in asked(house, name, door)


def test_a_door_without_credentials_stays_shut(house: Doors):
    """Neither without a certificate, nor without a password, nor with a wrong one, nor without TLS."""
    p9 = as_config(house.settings(house.folder / "p9", "password"))
    for wrong in ({"password": "wrong"}, {"username": "p1"}, {"username": "gateway"}, {"username": None, "password": None}):
        assert "does not let this user in" in probe(replace(p9, **wrong))
    assert "TLS fails" in probe(replace(p9, port=house.ports["devices"]))
    assert probe(replace(p9, tls=None))


@pytest.mark.hazard("H-72")
@pytest.mark.parametrize("how", ["expired", "stranger", "another's name on a stranger's"])
def test_a_certificate_that_is_not_ours_or_not_any_more(house: Doors, tmp_path: Path, how: str):
    """Expired, or signed by somebody else: refused before a word of MQTT, and the broker's log says why."""
    authority = Pair((house.broker.doors / "ca.crt").read_bytes(), (house.broker.path / "private/ca.key").read_bytes())
    ends = system_ms() + DAY_MS
    if how == "expired":
        own, _ = certificates.sign_client(authority, "p1", SITE, system_ms() - DAY_MS)
    else:
        name = "p1" if how == "stranger" else "gateway"
        own, _ = certificates.sign_client(certificates.new_authority("stranger", ends), name, SITE, ends)
    (tmp_path / "crt").write_bytes(own.cert)
    (tmp_path / "key").write_bytes(own.key)
    good = as_config(house.settings(house.folder / "p1", "devices"))
    assert "TLS fails" in probe(replace(good, tls=config.TlsSettings(good.tls.ca, tmp_path / "crt", tmp_path / "key")))
    assert "certificate verify failed" in house.log


@pytest.mark.hazard("H-72")
def test_whoever_is_revoked_comes_in_no_more(house: Doors):
    """By certificate or by password; a new admission opens again."""
    house.add("gone")
    house.add("gone-too", "--password")
    house.restart()
    assert asked(house, "gone", "devices") == asked(house, "gone-too", "password") == ""
    house.device("revoke", "gone")
    house.device("revoke", "gone-too")
    house.restart()
    assert "TLS fails" in asked(house, "gone", "devices")
    assert "does not let this user in" in asked(house, "gone-too", "password")
    house.add("gone")
    house.restart()
    assert asked(house, "gone", "devices") == ""


def test_renewed_credentials_open_and_an_old_password_does_not(house: Doors):
    """A certificate overlaps with the one before it, so that nobody has to hurry."""
    old = as_config(house.settings(house.add("early"), "devices"))
    copies = [path.rename(path.with_name(f"old-{path.name}")) for path in (old.tls.cert, old.tls.key)]
    house.add("early", verb="renew")
    password = as_config(house.settings(house.add("early-too", "--password"), "password"))
    house.add("early-too", verb="renew")
    house.restart()
    assert asked(house, "early", "devices") == asked(house, "early-too", "password") == ""
    assert probe(replace(old, tls=config.TlsSettings(old.tls.ca, *copies))) == ""
    assert probe(password)


async def test_what_waits_for_the_gateway_outlives_the_restart_that_lets_somebody_in(house: Doors):
    """The broker keeps what came while the gateway was away, also when it is started anew meanwhile."""
    async with the_gateway(house):
        pass
    async with device(house, "p2") as p2:
        await p2.publish(f"{OF_ANOTHER}/alarm", b"while you were away", qos=1)
    house.add("newcomer")
    house.restart()
    async with the_gateway(house) as ear, device(house, "p2") as p2:
        heard = await heard_behind(ear, p2, f"{OF_ANOTHER}/event")
    assert [message.payload for message in heard] == [b"while you were away"]


# ---- what they may do ------------------------------------------------------------------------------------------------


@pytest.mark.hazard("H-72")
async def test_a_device_speaks_under_its_own_name_only(house: Doors):
    """Not for another, not as the gateway, not under `$SYS`; a bridge for its own pumps."""
    async with the_gateway(house) as ear, device(house, "p1") as p1, device(house, "b1") as bridge:
        for topic in (f"{OF_ANOTHER}/alarm", f"dw/v1/{SITE}/p3/alarm", "dw/v1/other/p1/alarm", f"dw/v1/{SITE}/p11/alarm"):
            await p1.publish(topic, b"not mine", qos=1)
        for topic in (f"dwack/{SITE}/p2", f"dwack/{SITE}/gateway", "$SYS/broker/publish/messages/dropped", "anything"):
            await p1.publish(topic, b"9999", qos=1, retain=True)
        await bridge.publish(f"{OF_ANOTHER}/alarm", b"not mine", qos=1)
        await bridge.publish(f"dw/v1/{SITE}/p3/alarm", b"of its pump", qos=1)
        await heard_behind(ear, bridge, f"dw/v1/{SITE}/b1/event")
        heard = await heard_behind(ear, p1, f"{OURS}/event")
    assert [(message.topic, message.payload) for message in heard] == [(f"dw/v1/{SITE}/p3/alarm", b"of its pump")]
    assert 9999 not in ear.dropped


async def test_a_wildcard_hears_nothing_of_others(house: Doors):
    """A device may ask for everything; it is given what is told to itself."""
    async with device(house, "p2") as p2, device(house, "p1") as nosy, the_gateway(house) as ear:
        await nosy.subscribe([("#", 1), ("+/+/+/#", 1), ("$SYS/#", 1), ("dwack/#", 1), (f"{OF_ANOTHER}/#", 1)])
        await heard_behind(ear, p2, f"{OF_ANOTHER}/alarm")
        ear.source.tell(f"dwack/{SITE}/p2", b"for p2")
        ear.source.tell(f"dwack/{SITE}/p1", b"for p1")
        async with asyncio.timeout(20):
            first = await anext(aiter(nosy.messages))
    assert (str(first.topic), first.payload) == (f"dwack/{SITE}/p1", b"for p1")


async def test_the_gateway_writes_where_no_pump_listens_for_commands(house: Doors):
    """Below `dwack/`, and its synthetic pump's alarm; a stolen gateway could speak for no pump."""
    async with the_gateway(house) as ear, device(house, "gateway", "house", identifier="synthetic") as own:
        await own.publish(f"{OURS}/alarm", b"not mine", qos=1)
        await own.publish(f"dw/v1/{SITE}/test-pump/telemetry", b"not mine", qos=1)
        assert await heard_behind(ear, own, f"dw/v1/{SITE}/test-pump/alarm") == []


@pytest.mark.hazard("H-32")
async def test_an_oversized_payload_is_refused_by_name_or_at_the_door(house: Doors):
    """A little too large: it arrives, and is refused by name. Much too large: its sender is disconnected."""
    async with the_gateway(house) as ear:
        async with device(house, "p1", timeout=2) as p1:
            await p1.publish(f"{OURS}/telemetry", b"x" * (PAYLOAD_BYTES_MAX + 1), qos=1)
            with pytest.raises(aiomqtt.MqttError):
                await p1.publish(f"{OURS}/telemetry", b"x" * (PAYLOAD_BYTES_MAX + 10_000), qos=1)
        async with device(house, "p1") as p1:
            heard = await heard_behind(ear, p1, f"{OURS}/event")
    assert [len(message.payload) for message in heard] == [PAYLOAD_BYTES_MAX + 1]
    assert refusals(heard[0]) == [Refusal.TOO_LARGE]
    assert "p1 disconnected due to oversize packet" in house.log


@pytest.mark.hazard("H-34")
async def test_what_a_device_left_for_later_is_no_news(house: Doors):
    """A retained alarm is told again to every gateway that subscribes: it is refused by name then, and raises nothing."""
    alarm = b'{"observed_at": 1772409600000, "alarm": "air-in-line", "phase": "start"}'
    async with device(house, "p1") as p1:
        await p1.publish(f"{OURS}/alarm", alarm, qos=1, retain=True)
        await p1.publish(f"{OURS}/status", b'{"online": true}', qos=1, retain=True)
    async with listening(house.settings(house.folder / "gateway", "house", client_id="another", persistent=False)) as ear:
        kept = {message.topic: message for message in await ear.hear(2)}
    async with device(house, "p1") as p1:
        for topic in kept:
            await p1.publish(topic, b"", qos=1, retain=True)
    assert refusals(kept[f"{OURS}/alarm"]) == [Refusal.RETAINED]
    assert refusals(kept[f"{OURS}/status"]) == []


@pytest.mark.hazard("H-46")
async def test_a_client_id_is_nobody_s_to_take(house: Doors):
    """Two devices that give the gateway's client id: both stay, and so does the gateway, with its session."""
    async with (
        the_gateway(house) as ear,
        device(house, "p1", identifier=GATEWAY_ID) as p1,
        device(house, "p9", "password", identifier=GATEWAY_ID) as p9,
    ):
        await p9.publish(f"dw/v1/{SITE}/p9/event", b"p9 is here", qos=1)
        heard = await heard_behind(ear, p1, f"{OURS}/event")
        assert heard[-1].payload == b"p9 is here"
        assert ear.sessions.count(Session.UP) == 1
        assert ear.source.finding is None


def refusals(message: Incoming) -> list[Refusal]:
    """By which names the gateway refuses it."""
    entry = message_entry(message.topic, message.payload, system_ms(), retained=message.retained)
    heard = event_of(Record(1, entry.received_at, entry.kind, entry.site, entry.device, entry.topic, entry.body))
    assert isinstance(heard, Heard)
    return [one.reason for one in heard.decoded.refused]
