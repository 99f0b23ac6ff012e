"""Providers that hang or are down, and a disk that is full: the page arrives all the same, under its one key."""

import contextlib
import json
import os
import resource
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.runtime.ports import Kind
from tests.support.brokers import mosquitto
from tests.support.gateway_process import (
    ENGINEER,
    SITE,
    GatewayProcess,
    gateway,
    mail_to,
    post_to,
    records_of,
    until,
    ward,
)
from tests.support.pouring import occlusion, pour, telemetry
from tests.support.process import binary, free_port
from tests.support.smtp import mail_server
from tests.support.web_hook import WebHook, web_hook

pytestmark = [pytest.mark.servers, pytest.mark.chaos]

DISK_BYTES = 16 << 20


async def outcomes_of(running: GatewayProcess) -> list[tuple[str, str]]:
    """(page key, outcome) of every attempt, from the journal."""
    bodies = [json.loads(record.body) for record in await records_of(running.journal, [Kind.OUTCOME])]
    return [(body["key"], body["outcome"]) for body in bodies]


@pytest.mark.hazard("H-52")
async def test_a_provider_that_hangs_gets_the_same_page_again(tmp_path: Path):
    """Two tries hang and nobody knows what became of them; when the provider is back, the page goes out under its one key."""
    with mosquitto(tmp_path / "broker") as broker, web_hook() as hook:
        file = ward(broker.port, {"web": post_to(hook.port)}, {"web": "hang-nurse"})
        with gateway(tmp_path / "gateway", file) as running:
            running.enrol("P-017", "pump-01")
            pour(broker.port, [occlusion(SITE, "pump-01")])
            hook.wait_hanging(2)
            assert running.ask("/pages")[0]["outcome"] == "unknown"
            hook.release()
            until(lambda: running.ask("/pages")[0]["outcome"] == "accepted", "the provider takes the page")
            (page,) = running.ask("/pages")
        attempts = await outcomes_of(running)

    assert {key for key, _ in attempts} == {page["key"]}
    assert [outcome for _, outcome in attempts] == ["unknown"] * (len(attempts) - 1) + ["accepted"]
    assert {body["message"] for _, body in hook.calls} == {page["text"]}


async def test_a_mail_server_that_is_down_gets_the_mail_once_it_is_up(tmp_path: Path):
    """Nothing listens at the moment of the page; the mail arrives once, as soon as the server is there."""
    port = free_port()
    with mosquitto(tmp_path / "broker") as broker:
        file = ward(broker.port, {"email": mail_to(port)}, {"email": "nurse-a@ward.example"})
        with gateway(tmp_path / "gateway", file) as running:
            running.enrol("P-017", "pump-01")
            pour(broker.port, [occlusion(SITE, "pump-01")])
            until(lambda: [page["outcome"] for page in running.ask("/pages")] == ["temporary"], "the first try has failed")
            with mail_server(port) as mail:
                until(lambda: running.ask("/pages")[0]["outcome"] == "accepted", "the mail is taken")
                (page,) = running.ask("/pages")
                assert [(sent.recipient, sent.text) for sent in mail.mails] == [("nurse-a@ward.example", page["text"])]
        assert {key for key, _ in await outcomes_of(running)} == {page["key"]}


@dataclass(slots=True)
class Disk:
    """A place for the journal whose room a test takes and gives back."""

    folder: Path

    def fill(self, _running: GatewayProcess) -> None:
        """Leave no byte."""
        with (self.folder / "other-data").open("wb", buffering=0) as other, contextlib.suppress(OSError):
            while other.write(bytes(4096)):
                pass

    def free(self, _running: GatewayProcess) -> None:
        """Give the room back."""
        (self.folder / "other-data").unlink()


class LimitedFiles(Disk):
    """Where nobody may mount: no file of the gateway may grow."""

    def fill(self, running: GatewayProcess) -> None:
        """Forbid growth beyond the largest file there is."""
        largest = max(path.stat().st_size for path in self.folder.iterdir())
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))

    def free(self, running: GatewayProcess) -> None:
        """Allow it again."""
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


# Only root may mount; anybody may limit files.
@pytest.fixture(params=["limited-files", *(["small-disk"] if os.geteuid() == 0 else [])])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """A small disk of its own, mounted; and what an ordinary user can have."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "limited-files":
        yield LimitedFiles(folder)
        return
    subprocess.run([binary("mount"), "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", folder], check=True)
    try:
        yield Disk(folder)
    finally:
        subprocess.run([binary("umount"), folder], check=True)


def engineer_was_told(hook: WebHook, words: str) -> bool:
    """Whether the fallback person has a message with these words."""
    return any(who == ENGINEER and words in body["message"] for who, body in hook.calls)


def nurse_was_told(hook: WebHook, words: str) -> bool:
    """Whether the nurse has a message with these words."""
    return any(who == "nurse-a" and words in body["message"] for who, body in hook.calls)


@pytest.mark.hazard("H-41")
async def test_a_full_disk_is_told_and_survived(tmp_path: Path, disk: Disk):
    """Without room nothing is acknowledged and the engineer is told; with room again everything is there, and the alarm pages."""
    with mosquitto(tmp_path / "broker") as broker, web_hook() as hook:
        file = ward(broker.port, {"web": post_to(hook.port)}, {"web": "nurse-a"}, journal=str(disk.folder / "dripwatch.db"))
        with gateway(tmp_path / "gateway", file) as running:
            running.enrol("P-017", "pump-01")
            published = pour(broker.port, telemetry(SITE, "pump-02", 1, 50))
            disk.fill(running)

            def is_full() -> Any:
                nonlocal published
                published += pour(broker.port, telemetry(SITE, "pump-02", published + 1, 50))
                return not running.health().get("ready", False)

            until(is_full, "the journal has no room")
            until(lambda: engineer_was_told(hook, "stores nothing"), "the engineer is told")
            assert "disk" in next(body["message"] for who, body in hook.calls if who == ENGINEER)
            kept = len(await records_of(running.journal, [Kind.MESSAGE]))
            assert kept < published
            pour(broker.port, [occlusion(SITE, "pump-01")])
            published += pour(broker.port, telemetry(SITE, "pump-02", published + 1, 200))
            assert len(await records_of(running.journal, [Kind.MESSAGE])) == kept
            assert not nurse_was_told(hook, "")
            running.signal(signal.SIGHUP)
            until(lambda: "the ward file was not taken in" in running.log, "the log says that nothing was taken in")

            disk.free(running)
            until(lambda: nurse_was_told(hook, "P-017 HIGH"), "the alarm pages")
            until(lambda: running.health().get("ready", False), "the gateway is ready again")
            (pump,) = [line for line in running.ask("/pumps") if line["device"] == "pump-02"]
            assert (pump["missing"], pump["repeats"]) == (0, 0)
            assert running.stop() == 0
        assert len(await records_of(running.journal, [Kind.MESSAGE])) == published + 1


@pytest.mark.hazard("H-41")
def test_a_start_on_a_full_disk_is_told_and_waits_for_room(tmp_path: Path, disk: Disk):
    """A gateway that finds no room at its start tells the engineer and waits; a reload meanwhile does not end it."""
    with mosquitto(tmp_path / "broker") as broker, web_hook() as hook:
        file = ward(broker.port, {"web": post_to(hook.port)}, {"web": "nurse-a"}, journal=str(disk.folder / "dripwatch.db"))
        with gateway(tmp_path / "gateway", file) as running:
            running.enrol("P-017", "pump-01")
            running.kill()
            starting = running.spawn()
            disk.fill(running)
            until(lambda: engineer_was_told(hook, "stores nothing"), "the engineer is told")
            running.signal(signal.SIGHUP)
            pour(broker.port, [occlusion(SITE, "pump-01")])
            assert starting.poll() is None
            disk.free(running)
            until(lambda: nurse_was_told(hook, "P-017 HIGH"), "the alarm pages")
            running.wait_ready()
            assert running.stop() == 0
