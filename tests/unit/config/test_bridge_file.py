"""The bridge's own file: loaded whole, or refused with every mistake and its line."""

import re
from pathlib import Path

import pytest

from gateway.config.bridge import load_bridge_file
from gateway.config.problems import ConfigError
from gateway.domain.instants import MINUTE_MS, SECOND_MS

ROOT = Path(__file__).parents[3]

WHOLE = """
site: haem-ward
name: bridge-01
mqtt: {host: broker.example, username: bridge-01, password_file: mqtt}
lines:
  - {adapter: bbraun-bcc, serial: {port: /dev/ttyUSB0}, slots: {"11": pump-01, "12": pump-02}}
  - {adapter: generic-json, tcp: "192.0.2.7:4001", pump: pump-03}
  - {adapter: generic-json, listen: 4001, pump: pump-04}
beside:
  - pump: pump-05
    relay: 17
    lights: {red: {gpio: 5, active: high}}
    scale: {data: 23, clock: 24, tare: -81000, counts_per_g: 412.5}
  - {pump: pump-01, mains: 25}
last_resort: {buzzer: 22, button: 27, url_file: second}
"""


def written(folder: Path, text: str) -> Path:
    """The file and its secrets in a folder."""
    for name, secret in (("mqtt", "mqtt-secret"), ("second", "json://second-secret.example/{address}\n")):
        (folder / name).write_text(secret)
        (folder / name).chmod(0o600)
    path = folder / "bridge.yaml"
    path.write_text(text)
    return path


def problems(path: Path) -> list[str]:
    """What is wrong with it, as `line place: words`."""
    with pytest.raises(ConfigError) as refused:
        load_bridge_file(path)
    return [f"{one.line} {'.'.join(map(str, one.path))}: {one.message}" for one in refused.value.problems]


def test_a_whole_file_loads_with_its_secrets(tmp_path: Path):
    """Defaults where little is written; secrets stand in no repr; a bare port listens on this machine only."""
    loaded = load_bridge_file(written(tmp_path, WHOLE))
    file = loaded.file
    assert [line.listen for line in file.lines] == [None, None, "127.0.0.1:4001"]
    assert (file.lines[0].poll, file.lines[0].report, file.spool.commit) == (SECOND_MS, 30 * SECOND_MS, 10 * SECOND_MS)
    assert file.beside[0].relay is not None
    assert (file.beside[0].relay.gpio, file.beside[0].relay.active) == (17, "low")
    assert (loaded.mqtt.client_id, loaded.mqtt.password) == ("dripwatch-haem-ward-bridge-01", "mqtt-secret")
    assert loaded.url == "json://second-secret.example/{address}"
    assert loaded.spool == tmp_path / "data" / "bridge.db"
    assert file.last_resort is not None
    assert file.last_resort.after == MINUTE_MS
    assert "secret" not in repr(loaded)


def test_every_mistake_is_told_at_once(tmp_path: Path):
    """With its line, its place and its mend."""
    text = """
site: haem-ward
name: pump-01
colour: red
lines:
  - {adapter: bcc, serial: {port: /dev/ttyUSB0}, pump: pump-01}
  - {adapter: generic-json, tcp: here, listen: 4001, pump: pump-02, slots: {"11": pump-03}}
  - {adapter: bbraun-bcc, serial: {port: /dev/ttyUSB1, framing: 9N1}, slots: {"41": pump-02}, poll: 60s}
beside:
  - {pump: pump-02, relay: 17}
  - {pump: pump-09}
  - {pump: pump-10, mains: 17, scale: {data: 40, clock: 17, tare: 1, counts_per_g: 0}}
last_resort: {button: 27, url_file: nowhere}
"""
    found = problems(written(tmp_path, text))
    for words in (
        r"4 colour: unknown key",
        r"6 lines.0.adapter: unknown adapter 'bcc'; known: bbraun-bcc, generic-json, relay-and-scale",
        r"6 lines.0.pump: pump-01 is named twice",
        r"7 lines.1: one way to the device, not 2",
        r"7 lines.1: one of pump",
        r"7 lines.1.slots: only bbraun-bcc",
        r"7 lines.1.tcp: not a place: 'here'; write host:port",
        r"8 lines.2.serial.framing: not a framing: '9N1'; .* like 8N1",
        r"8 lines.2.slots.41: no slot: '41'; .* like 11",
        r"8 lines.2.poll: from 1s",
        r"8 lines.2.slots.41: pump-02 is named twice",
        r"10 beside.0: this pump speaks for itself",
        r"11 beside.1: nothing is wired",
        r"12 beside.2.mains: GPIO 17 is wired twice",
        r"12 beside.2.scale.data: must be at most 27",
        r"12 beside.2.scale.counts_per_g: must not be 0",
        r"13 last_resort.url_file: no such file",
    ):
        assert any(re.match(words, one) for one in found), (words, found)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "{adapter: ihe-pcd, listen: 2575, pump: b}",
            r"lines.0.adapter: senders of HL7 connect to the gateway's own .* docs/hl7.md",
        ),
        ("{adaptor: generic-json, listen: 1, pump: b}", r"lines.0.adaptor: unknown key 'adaptor'; did you mean 'adapter'\?"),
        ("{adapter: generic-json, serial: {prot: /dev/a}, pump: b}", r"serial.prot: unknown key 'prot'; did you mean 'port'\?"),
        ("{adapter: generic-json, serial: {port: /dev/a, baud: fast}, pump: b}", "serial.baud: must be a whole number, not text"),
        (
            "{adapter: generic-json, serial: {port: /dev/a}, pump: b}, {adapter: generic-json, serial: {port: /dev/a}, pump: c}",
            r"lines.1.serial: lines\[0\] reads /dev/a already; several pumps on one line are its slots",
        ),
        (
            '{adapter: generic-json, listen: 5, pump: b}, {adapter: generic-json, listen: "127.0.0.1:5", pump: c}',
            r"lines.1.listen: lines\[0\] reads 127.0.0.1:5 already",
        ),
        ('{adapter: bbraun-bcc, tcp: "h:1", slots: {11: b, 12: b}}', "slots.12: b is named twice"),
        ('{adapter: bbraun-bcc, tcp: "h:1", slots: {"11": b, "11": c}}', "key '11' is given twice"),
    ],
)
def test_a_likely_mistake_in_a_line_is_told_with_its_mend(tmp_path: Path, line: str, words: str):
    """Each is one problem, of which the words say what is meant."""
    (found,) = [one for one in problems(written(tmp_path, f"site: a\nname: z\nlines: [{line}]\n")) if "required" not in one]
    assert re.search(words, found)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ('mqtt: {host: "mqtt://broker:1883"}', "mqtt.host: not a host alone"),
        ('mqtt: {host: "broker:1883"}', "its port under port"),
        ("beside: [{pump: b, relay: GPIO17}]", "beside.0.relay: write the pin's BCM number"),
        ("beside: [{pump: b, scale: {data: 1, clock: 2, tare: 1.5, counts_per_g: 1}}]", "tare: must be a whole number$"),
        ("beside: [{pump: b, scale: {data: 1, clock: 2, tare: 1, counts_per_g: x}}]", "counts_per_g: must be a number, not text"),
    ],
)
def test_a_likely_mistake_elsewhere_too(tmp_path: Path, key: str, words: str):
    """A URL for a host, a pin by its name, a fraction where counts stand."""
    lines = "" if key.startswith("beside") else "lines: [{adapter: generic-json, listen: 1, pump: b}]\n"
    (found,) = problems(written(tmp_path, f"site: a\nname: z\n{lines}{key}\n"))
    assert re.search(words, found)


@pytest.mark.parametrize("place", ["bridge.yaml", "./mqtt", "folder", "/dev/full"])
def test_a_spool_is_a_file_of_its_own(tmp_path: Path, place: str):
    """What is there and is no spool would be set aside when the bridge starts: never its own file, a secret, a device."""
    (tmp_path / "folder").mkdir()
    text = (
        f"site: a\nname: z\nmqtt: {{username: u, password_file: mqtt}}\nspool: {{path: {place}}}\n"
        "lines: [{adapter: generic-json, listen: 1, pump: b}]\n"
    )
    (found,) = problems(written(tmp_path, text))
    assert found.startswith("4 spool.path: ")
    assert found.endswith("name a file of the spool's own")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("site: a\nname: b\n", "nothing to read"),
        ("site: a\nname: b\nlines: [{adapter: generic-json, listen: 1, pump: c}]\nlast_resort: {after: 30s}\n", "does nothing"),
        ("site: a\nname: b\nlines: 3\n", "must be a list"),
        ("- a\n", "mapping"),
        ("site: [", "a value is missing"),
        (
            "site: a\nname: b\nlines: [3]\nbeside: [x, {pump: 3, relay: true}]\nlast_resort: {url: x, url_file: mqtt}\n",
            "not both",
        ),
    ],
)
def test_rubbish_is_refused_in_words(tmp_path: Path, text: str, words: str):
    """Never a traceback."""
    assert re.search(words, "\n".join(problems(written(tmp_path, text))))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path):
    """Missing, a folder, or not text."""
    assert "no such file" in problems(tmp_path / "nowhere.yaml")[0]
    assert "directory" in problems(tmp_path)[0]
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe")
    assert "UTF-8" in problems(tmp_path / "binary.yaml")[0]


def test_the_second_path_must_be_a_url(tmp_path: Path):
    """What its file holds is not shown: it may be a secret."""
    path = written(tmp_path, WHOLE)
    (tmp_path / "second").write_text("hunter2")
    assert "Apprise" in problems(path)[0]
    assert "hunter2" not in problems(path)[0]


def test_the_examples_of_the_docs_load(tmp_path: Path):
    """Each YAML block of docs/bridge.md that names a site is a whole file."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "bridge.md").read_text(), re.DOTALL)
    whole = [block for block in blocks if block.startswith("site:")]
    assert whole
    for block in whole:
        text = re.sub(r"(_file|ca|cert|key): \S+?([,}\n])", r"\1: mqtt\2", block).replace("url_file: mqtt", "url_file: second")
        load_bridge_file(written(tmp_path, text))


def test_every_key_is_documented():
    """Each key of the file stands in docs/bridge.md."""
    from gateway.config.bridge_file import MODELS  # noqa: PLC0415  read only here

    text = (ROOT / "docs" / "bridge.md").read_text()
    keys = {name for path, model in MODELS.items() if path[:1] != ("mqtt",) for name in model.model_fields}
    assert [key for key in sorted(keys) if f"`{key}`" not in text] == []
