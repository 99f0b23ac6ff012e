import asyncio
import json
import shutil
from pathlib import Path

import pytest

from gateway.field import doctor_checks
from gateway.outside.sqlite_journal import SqliteJournal
from gateway.runtime.service import Health
from tests.support.brokers import mosquitto
from tests.support.damage import flip_byte_of
from tests.support.fake_service import TOKEN, board, pump
from tests.support.journals import entry
from tests.support.kannel import kannel
from tests.support.process import free_port
from tests.support.smsc import smsc
from tests.support.snpp import snpp_terminal

pytestmark = pytest.mark.servers


Usage = type(shutil.disk_usage("."))  # in bytes: total, used, free


WARD = """\
site: haem-ward
timezone: Asia/Hong_Kong
mqtt: {{host: 127.0.0.1, port: {broker}, username: gw, password: {password}}}
journal: {{path: data/dripwatch.db, max_bytes: 2GiB}}
{influx}
console: {{listen: "{console}"}}
transports:
  email: {{kind: apprise, url: "{email}"}}
  chat: {{kind: apprise, url: "json://127.0.0.1:9/{{address}}"}}
people:
  nurse-a: {{contacts: [{{email: "a@ward.example"}}, {{chat: a}}]}}
  nurse-b: {{contacts: [{{email: "b@ward.example"}}, {{chat: b}}]}}
teams: {{nurses: [nurse-a, nurse-b]}}
policies:
  high: {{steps: [{{page: ["all:nurses"], wait: 5m}}], repeat: {{from_step: 1, every: 10m}}}}
  medium: {{steps: [{{page: ["all:nurses"], wait: 5m}}], repeat: {{from_step: 1, every: 10m}}}}
  fallback: ["person:nurse-a"]
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    """A broker that asks for a password."""
    with mosquitto(tmp_path_factory.mktemp("broker"), users={"gw": "right"}) as running:
        yield running


@pytest.fixture
def ward(tmp_path, broker, monkeypatch):
    """Writes a ward file in this folder; whatever is not said is well. A hundred GiB are free."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 100 << 30))

    def write(**changed: object) -> Path:
        settings = {
            "broker": broker.port,
            "password": "right",
            "influx": "",
            "console": f"127.0.0.1:{free_port()}",
            "email": "mailto://127.0.0.1:2525/?mode=insecure&from=d@ward.example&to={address}",
        }
        path = tmp_path / "ward.yaml"
        path.write_text(WARD.format(**{**settings, **changed}))
        return path

    return write


@pytest.fixture
def with_house(house, ward, tmp_path, monkeypatch):
    """A ward whose gateway runs, with its journal."""
    monkeypatch.delenv("DRIPWATCH_URL")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "api-token").write_text(TOKEN)
    asyncio.run(keep(tmp_path / "data" / "dripwatch.db", [b'{"n": 1}', b'{"n": 2}', b'{"n": 3}']))
    ward(console=house.url.removeprefix("http://"))
    return house


async def keep(path: Path, bodies: list[bytes]) -> None:
    """A journal with these messages."""
    opened = SqliteJournal.open(path)
    await opened.append([entry(body) for body in bodies])
    await opened.close()


def lines_of(result) -> list[str]:
    """What doctor said, without the columns' padding."""
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def test_a_healthy_house_is_a_list_of_ok(run, with_house, tmp_path, broker):
    """A line for each check, exit 0."""
    result = run("doctor")
    assert result.exit_code == 0
    assert lines_of(result) == [
        "ok ward file: ward.yaml loads",
        f"ok broker: 127.0.0.1:{broker.port} lets us in",
        "ok journal: data/dripwatch.db: 3 records, the newest 3 are sound",
        f"ok disk: {tmp_path}/data: 100.0 GiB free",
        "ok store: none is configured",
        "ok transport email: apprise, nothing wrong is to be seen",
        "ok transport chat: apprise, nothing wrong is to be seen",
        "ok gateway: is ready",
    ]


def test_before_the_first_start_nothing_is_bad(run, ward):
    """A fresh ward file is checked before anything runs: what is not there yet is a warning."""
    ward()
    result = run("doctor")
    assert result.exit_code == 0
    assert "warn journal: data/dripwatch.db: not there yet; the gateway makes it at its first start" in lines_of(result)
    assert any(line.startswith("warn gateway: not asked: data/api-token: no such file") for line in lines_of(result))


def test_a_broken_ward_file_ends_the_examination(run, tmp_path):
    """Every problem a line; without a ward file nothing else can be looked at."""
    (tmp_path / "ward.yaml").write_text("site: x\n")
    result = run("doctor")
    assert result.exit_code == 1
    assert len(lines_of(result)) > 1
    assert all(line.startswith("bad ward file: ward.yaml") for line in lines_of(result))
    assert run("doctor", "--ward", "no.yaml").stdout == "bad   ward file: no.yaml: no such file or directory\n"


def test_findings_of_the_ward_file_are_warnings(run, ward, tmp_path):
    """They need a person, not a technician at night."""
    path = ward()
    path.write_text(path.read_text().replace(", {chat: a}", ""))
    line = next(line for line in lines_of(run("doctor")) if "one-channel" in line)
    assert line.startswith("warn ward file: ward.yaml:")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"password": "wrong"}, "the broker does not let this user in; check its ACL and mqtt.username"),
        ({"broker": 1}, "Connection refused; is the broker running, and are mqtt.host and mqtt.port right?"),
    ],
)
def test_a_broker_that_does_not_let_us_in_is_bad(run, ward, changed, said):
    """With what to look at."""
    ward(**changed)
    result = run("doctor")
    assert result.exit_code == 1
    assert any(line.startswith("bad broker: 127.0.0.1:") and said in line for line in lines_of(result))


def test_damaged_records_are_named(run, with_house, tmp_path):
    """By number, with the mend."""
    flip_byte_of(tmp_path / "data" / "dripwatch.db", b'{"n": 2}')
    result = run("doctor")
    assert result.exit_code == 1
    wanted = "bad journal: record 2: its bytes do not match their checksum; check the disk, keep a copy of the file"
    assert wanted in lines_of(result)


def test_many_damaged_records_are_counted(run, with_house, tmp_path):
    """The first five say enough."""
    path = tmp_path / "data" / "dripwatch.db"
    bodies = [b'{"m": %02d}' % number for number in range(8)]
    asyncio.run(keep(path, bodies))
    for body in bodies:
        flip_byte_of(path, body)
    lines = [line for line in lines_of(run("doctor")) if "journal" in line]
    assert len(lines) == 6
    assert lines[-1] == "bad journal: and 3 more damaged records"


def test_a_file_that_is_no_journal_is_bad(run, with_house, tmp_path):
    """The wrong path, or a ruined disk."""
    (tmp_path / "data" / "dripwatch.db").write_bytes(b"no journal" * 1_000)
    result = run("doctor")
    assert result.exit_code == 1
    assert any(line.startswith("bad journal: data/dripwatch.db: this is not a Dripwatch journal") for line in lines_of(result))


@pytest.mark.parametrize(
    ("free", "said"),
    [
        (1 << 29, "bad disk: {0}: 0.5 GiB free; make room before the journal is full"),
        (3 << 29, "warn disk: {0}: 1.5 GiB free, but the journal may grow to 2.0 GiB; lower journal.max_bytes or make room"),
    ],
)
def test_a_disk_without_room_is_said_before_it_is_full(run, with_house, tmp_path, monkeypatch, free, said):
    """A full disk stops acknowledging; a warning comes first."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, free))
    assert said.format(tmp_path / "data") in lines_of(run("doctor"))


def test_a_folder_that_cannot_be_written_is_bad(run, with_house, tmp_path, monkeypatch):
    """Whoever runs doctor should be whom the gateway runs as."""
    monkeypatch.setattr(doctor_checks.os, "access", lambda *_: False)
    assert f"bad disk: {tmp_path}/data: cannot be written; check owner and permissions" in lines_of(run("doctor"))


@pytest.mark.parametrize(
    ("status", "said"),
    [(204, "ok store: InfluxDB answers"), (404, "warn store: what answers at influx.url says 404 to /ping; check influx.url")],
)
def test_the_store_is_asked(run, ward, web, status, said):
    """It is never bad: every page goes out without it."""
    handler, place = web
    handler.status = status
    ward(influx=f"influx: {{api: v1, url: 'http://{place}'}}")
    assert said in lines_of(run("doctor"))


def test_a_store_that_does_not_answer_is_a_warning(run, ward):
    """Its points wait in the journal."""
    ward(influx="influx: {api: v1, url: 'http://127.0.0.1:1'}")
    line = next(line for line in lines_of(run("doctor")) if " store:" in line)
    assert line.startswith("warn store: InfluxDB does not answer (")
    assert line.endswith("; points wait in the journal; check influx.url")


def test_a_transport_that_cannot_work_is_bad(run, ward):
    """A typing error in its URL, or a kind that cannot be reached."""
    path = ward(email="nonsense://x")
    path.write_text(path.read_text().replace("transports:", "transports:\n  pager: {kind: snpp, host: 127.0.0.1, port: 1}"))
    result = run("doctor")
    assert result.exit_code == 1
    assert "bad transport email: apprise does not understand the URL" in lines_of(result)
    assert any(line.startswith("bad transport pager: ") for line in lines_of(result))


def test_sms_servers_are_looked_at_without_paging(run, ward, tmp_path):
    """A password that Kannel refuses is bad, and not shown; a Kannel that cannot bring replies is a warning."""
    with kannel(tmp_path / "kannel") as server, smsc(tmp_path / "smsc") as centre, snpp_terminal(tmp_path / "snpp") as terminal:
        right = f"{{kind: kannel, url: '{server.url}', username: gw, password: secret, sender: '1', token: {TOKEN}}}"
        wrong = right.replace("secret", "hunter2").replace(f", token: {TOKEN}", "")
        smpp = f"{{kind: smpp, host: 127.0.0.1, port: {centre.port}, system_id: gw, sender: '1'}}"
        snpp = f"{{kind: snpp, host: 127.0.0.1, port: {terminal.port}}}"
        more = f"transports:\n  sms: {right}\n  wrong: {wrong}\n  smsc: {smpp}\n  pager: {snpp}"
        (path := ward()).write_text(path.read_text().replace("transports:", more))
        result = run("doctor")
        assert (server.arrived, centre.lines, terminal.pages) == ([], [], [])
    said = lines_of(result)
    for what in ("sms: kannel", "smsc: smpp", "pager: snpp"):
        assert f"ok transport {what}, nothing wrong is to be seen" in said
    assert [line.partition(":")[0] for line in said if " wrong:" in line] == ["bad transport wrong", "warn transport wrong"]
    assert "hunter2" not in result.output


def test_what_the_gateway_says_of_itself_and_of_its_devices_is_told(run, with_house):
    """Refusals by device and reason; findings are bad only when it is not ready."""
    with_house.service.state = Health(ready=True, findings=("record 7 is damaged",), numbers=())
    with_house.service.shown = board(pumps=(pump("pump-99", refusals=(("bad-checksum", 12), ("not-json", 3))),))
    result = run("doctor")
    assert result.exit_code == 0
    assert lines_of(result)[-4:] == [
        "warn gateway: record 7 is damaged",
        "ok gateway: is ready",
        "warn pump pump-99: 12 messages refused: bad-checksum",
        "warn pump pump-99: 3 messages refused: not-json",
    ]


@pytest.mark.parametrize(
    ("findings", "said"),
    [(("the disk is full",), "bad gateway: the disk is full"), ((), "bad gateway: is not ready; see its log")],
)
def test_a_gateway_that_is_not_ready_is_bad(run, with_house, findings, said):
    """It hears, stores, judges and pages, or somebody must look."""
    with_house.service.state = Health(ready=False, findings=findings, numbers=())
    result = run("doctor")
    assert result.exit_code == 1
    assert lines_of(result)[-1] == said


def test_a_gateway_that_does_not_answer_is_a_warning(run, with_house):
    """Perhaps it is not meant to run."""
    line = lines_of(run("doctor", "--url", "http://127.0.0.1:1"))[-1]
    assert line.startswith("warn gateway: no gateway answers at http://127.0.0.1:1 (")


def test_something_else_at_the_gateways_address_is_bad(run, with_house, web):
    """Another program has the port."""
    _, place = web
    result = run("doctor", "--url", f"http://{place}")
    assert result.exit_code == 1
    assert (
        lines_of(result)[-1]
        == f"bad gateway: what answers at http://{place} is not this ward's gateway; check --url and console.listen"
    )


@pytest.mark.parametrize("said", [[], {}, {"ready": True}, {"ready": True, "findings": 7}])
def test_answers_of_another_shape_are_not_a_gateways(said):
    """Whatever it is, it is no gateway of ours."""
    with pytest.raises((KeyError, TypeError, ValueError)):
        list(doctor_checks._said(json.loads(json.dumps(said)), []))
