import asyncio
import json
import subprocess
import threading
import time

import pytest

from gateway.domain.commands import HangBag
from gateway.domain.instants import MINUTE_MS, SECOND_MS
from gateway.field.simulate import simulate
from gateway.field.simulate_live import CLIENT_ID
from gateway.field.speaking import No
from gateway.scenario.fleet import Fleet, play
from gateway.scenario.network import Arrival
from gateway.scenario.places import Told
from tests.support.brokers import mosquitto
from tests.support.gateway_process import SITE, gateway, post_to, until, ward
from tests.support.process import binary, free_port
from tests.unit.scenario.study_worlds import BEGAN, HOURLY, place
from tests.unit.scenario.test_study_command import run


class FastClock:
    """A clock that is wherever somebody waits for."""

    def __init__(self) -> None:
        self.at = BEGAN

    def now(self) -> int:
        """The instant that was last waited for."""
        return self.at

    async def sleep_until(self, at: int) -> None:
        """Be there."""
        self.at = max(self.at, at)


async def played(speed: float, minutes: float, patients: int = 3):
    """What a fleet publishes and records on such a clock."""
    fleet = Fleet(place(), patients, start_at=BEGAN, speed=speed)
    published, recorded = [], []

    async def publish(topic: str, payload: bytes) -> None:
        published.append((topic, json.loads(payload)))

    async def tell(told: Told) -> None:
        recorded.append(told.command)

    done = await play(fleet, publish, tell, FastClock(), BEGAN + round(minutes * MINUTE_MS))
    return done, published, recorded


async def test_a_fleet_enrols_its_courses_and_publishes_until_the_time_is_over():
    """Three homes, twelve real hours at speed 1: an enrolment each before its first word, then reports every hour."""
    done, published, recorded = await played(speed=1, minutes=12 * 60)
    assert [command.course for command in recorded] == ["S-001", "S-002", "S-003"]
    assert done.messages == len(published) >= 3 * 12
    assert all(topic.startswith("dw/v1/study-ward/sim-00") for topic, _ in published)


async def test_compressed_time_is_published_as_real_time():
    """At speed 3600 a bag change comes after three minutes, and every stamp lies in the four real minutes of the run."""
    _, published, recorded = await played(speed=3_600, minutes=4)
    stamps = [body["observed_at"] for _, body in published if "observed_at" in body]
    assert min(stamps) >= BEGAN
    assert max(stamps) <= BEGAN + 4 * MINUTE_MS
    hung = [command for command in recorded if isinstance(command, HangBag)]
    assert hung
    assert all(BEGAN < command.hung_at <= BEGAN + 4 * MINUTE_MS for command in hung)


async def test_a_fleet_whose_cycles_are_over_ends_by_itself():
    """28 days at speed 3600 are less than a quarter of an hour."""
    fleet = Fleet(place(), 1, start_at=BEGAN, speed=3_600)
    clock = FastClock()

    async def nothing(*_: object) -> None:
        await asyncio.sleep(0)

    await play(fleet, nothing, nothing, clock, BEGAN + 60 * MINUTE_MS)
    assert fleet.next_at() is None
    assert clock.now() < BEGAN + 12 * MINUTE_MS


def test_real_time_is_passed_on_as_it_is():
    """At speed 1 nothing is written anew."""
    fleet = Fleet(place(HOURLY), 1, start_at=BEGAN, speed=1)
    arrivals = [deed for deed in fleet.due(BEGAN + 3 * 60 * MINUTE_MS) if isinstance(deed, Arrival)]
    assert fleet.real(BEGAN + 5) == BEGAN + 5
    assert arrivals


@pytest.mark.servers
def test_a_real_broker_hears_the_fleet(tmp_path):
    """Mosquitto keeps for its own client what five homes publish in three seconds; then the command ends by itself."""
    with mosquitto(tmp_path) as broker:
        listen = [
            binary("mosquitto_sub"),
            "-p",
            str(broker.port),
            "-c",
            "-i",
            "listener",
            "-q",
            "1",
            "-t",
            "dw/v1/ward/+/telemetry",
        ]
        subprocess.run([*listen, "-E"], check=True, timeout=30)  # the broker keeps for it from now on
        done = run("--patients", 5, "--port", broker.port, "--site", "ward", "--speed", 60, "--minutes", 0.05)
        heard = subprocess.run([*listen, "-C", "5", "-W", "30"], check=True, timeout=40, capture_output=True).stdout
    assert done.return_value == 0, done.exception
    assert "no --url: no course is enrolled" in done.output
    bodies = [json.loads(line) for line in heard.splitlines()]
    assert len(bodies) == 5
    assert all(abs(body["observed_at"] - time.time() * SECOND_MS) < 5 * MINUTE_MS for body in bodies)


@pytest.mark.servers
def test_a_broker_that_goes_away_is_said_in_words(tmp_path):
    """It ends in the middle of a run: one line, exit 1, no traceback."""
    with mosquitto(tmp_path) as broker:
        told: list[BaseException | None] = []
        words = ("--patients", 5, "--port", broker.port, "--site", "ward", "--speed", 60, "--minutes", 1)
        live = threading.Thread(target=lambda: told.append(run(*words).exception))
        live.start()
        until(lambda: f"as {CLIENT_ID}" in broker.log.read_text(), "the fleet is connected")
        broker.kill()
        live.join(90)
    assert isinstance(told[0], No)
    assert told[0].format_message().endswith(f"(127.0.0.1:{broker.port})")


@pytest.mark.servers
def test_a_running_gateway_watches_the_fleet_and_its_courses_end(tmp_path):
    """Enrolled by the API, heard over the broker, delivering on the board; afterwards no course is left."""
    with mosquitto(tmp_path / "broker") as broker:
        file = ward(broker.port, {"sms": post_to(free_port())}, {"sms": "1"})
        with gateway(tmp_path / "gateway", file) as running:
            words = ["--patients", "3", "--port", str(broker.port), "--minutes", "0.25", "--url", running.url]
            words += ["--token-file", str(running.token_file)]
            codes: list[int] = []
            live = threading.Thread(target=lambda: codes.append(simulate.main(words, standalone_mode=False)))
            live.start()
            delivering = {"S-001", "S-002", "S-003"}
            until(
                lambda: {c["course"] for c in running.ask("/courses") if c["state"] == "delivering"} == delivering, "delivering"
            )
            live.join(60)
            assert codes == [0]
            assert running.ask("/courses") == []


@pytest.mark.servers
def test_a_course_that_is_enrolled_already_is_refused_and_nothing_is_left(tmp_path):
    """The gateway's own words; what was enrolled before the refusal is ended."""
    with mosquitto(tmp_path / "broker") as broker:
        file = ward(broker.port, {"sms": post_to(free_port())}, {"sms": "1"})
        with gateway(tmp_path / "gateway", file) as running:
            running.enrol("S-002", "pump-9")
            words = ("--patients", 2, "--port", broker.port, "--minutes", 1, "--url", running.url)
            done = run(*words, "--token-file", running.token_file)
            assert isinstance(done.exception, No)
            assert "S-002 is enrolled already" in done.exception.format_message()
            assert [course["course"] for course in running.ask("/courses")] == ["S-002"]
            assert SITE in done.output
