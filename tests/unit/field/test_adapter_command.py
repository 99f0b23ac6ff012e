"""`adapter list`, `decode` and `check` on files and digits: what is shown, what is hidden, and what is told of a wrong call."""

import io
import json
import os
import re
from pathlib import Path

import pytest

from device_adapters.registry import ADAPTERS
from gateway.field.adapter_captures import CaptureWriter, read_capture
from gateway.field.adapter_frames import BYTES, Caught
from gateway.field.speaking import Wrong
from tests.support.adapter_frames import AT, CAPTURES, SECRET, with_secret
from tests.support.bcc_encoder import ALARM_BITS, answer, pump_items, wire

RUNNING = CAPTURES / "bbraun_bcc" / "running-not-stuffed" / "frame.bin"


def capture(path: Path, *frames: Caught) -> Path:
    """A capture of these frames."""
    writer = CaptureWriter(path, "serial", AT)
    for caught in frames:
        writer.keep(caught)
    writer.close()
    return path


def bcc(body: bytes, second: int = 0) -> Caught:
    """An answer that came so long after the first."""
    return Caught(AT + second * 1_000, "raw/bbraun-bcc", body)


def test_the_list_names_every_adapter(run):
    """With what it reads and what is not proved yet; as JSON with every law."""
    shown = run("adapter", "list")
    assert shown.exit_code == 0
    assert all(f"\n{name}\n" in f"\n{shown.stdout}" for name in ADAPTERS)
    listed = json.loads(run("adapter", "list", "--json").stdout)
    assert {item["name"] for item in listed} == set(ADAPTERS)
    assert all(claim["standing"] in ("done", "todo", "exempt") for item in listed for claim in item["laws"].values())


def test_every_byte_stands_in_its_place(run):
    """The offsets and bytes of a frame, put together again, are the frame; what is hidden is counted."""
    body = RUNNING.read_bytes()
    shown = run("adapter", "decode", RUNNING, "--adapter", "bbraun-bcc")
    assert shown.exit_code == 0
    rows = re.findall(r"^ {0,5}(\d+)  (?:((?:[0-9a-f]{2} ?)+)|\((\d+) not shown\))", shown.stdout, re.MULTILINE)
    at = 0
    for offset, digits, hidden in rows:
        assert int(offset) == at
        part = bytes.fromhex(digits)
        assert part == body[at : at + len(part)]
        at += len(part) + int(hidden or 0)
    assert at == len(body)
    assert "pump 11, 206 s: rate: 0.60 mL/h" in shown.stdout
    assert "delivery_status delivering, rate_ml_h 0.6" in shown.stdout


@pytest.mark.parametrize("form", [[], ["--json"], ["--readings"]])
@pytest.mark.parametrize("adapter", sorted(ADAPTERS))
def test_no_name_is_shown(run, tmp_path, adapter, form):
    """Neither as text nor as bytes, in no form."""
    path = tmp_path / "frame.bin"
    path.write_bytes(with_secret(adapter)[1])
    shown = run("adapter", "decode", path, "--adapter", adapter, *form)
    assert shown.exit_code == 0
    assert SECRET not in shown.stdout
    assert SECRET.encode().hex() not in shown.stdout.replace(" ", "").replace("\n", "")


def test_a_free_text_is_not_shown(run, tmp_path):
    """What a device or a patient wrote stays out of the readings too."""
    path = tmp_path / "frame.json"
    path.write_text(
        json.dumps(
            [
                {"observed_at": AT, "entry": "note", "text": SECRET},
                {"observed_at": AT, "alarm": "other", "phase": "start", "text": SECRET},
            ]
        )
    )
    shown = run("adapter", "decode", path, "--adapter", "generic-json")
    assert "condition other" in shown.stdout
    assert SECRET not in shown.stdout


def test_a_file_of_several_answers_is_cut(run, tmp_path):
    """Noise between two answers is a frame of its own, refused by name with its place."""
    path = tmp_path / "log.bin"
    path.write_bytes(answer(pump_items()) + b"\xff\xfenoise" + answer(pump_items(alarms=[3]), per_block=20))
    shown = run("adapter", "decode", path, "--adapter", "bbraun-bcc", "--readings")
    assert re.findall(r"^frame (\d)", shown.stdout, re.MULTILINE) == ["1", "2", "3"]
    assert "refused: malformed at outside" in shown.stdout
    assert "condition occlusion" in shown.stdout


@pytest.mark.parametrize("way", ["hex", "stdin", "digits"])
def test_the_same_frame_by_other_ways(run, tmp_path, way):
    """Digits on the line, a .hex file with remarks, standard input: one reading each."""
    body = answer(pump_items())
    if way == "hex":
        path = tmp_path / "frames.hex"
        path.write_text(f"# a pump\n{body.hex(' ')}  # running\n\n")
        shown = run("adapter", "decode", path, "--adapter", "bbraun-bcc", "--json")
    elif way == "stdin":
        shown = run("adapter", "decode", "-", "--adapter", "bbraun-bcc", "--json", input=io.BytesIO(body))
    else:
        shown = run("adapter", "decode", "--hex", body.hex(":"), "--adapter", "bbraun-bcc", "--json")
    assert shown.exit_code == 0
    (said,) = map(json.loads, shown.stdout.splitlines())
    assert said["readings"][0]["rate_ml_h"] == 0.6
    assert sum(span["length"] for span in said["bytes"]) == len(body)


def test_nothing_readable_is_a_no(run):
    """A frame that is refused is explained as far as it goes, and the exit code says so."""
    bad = bytearray(wire("206,50100,GNACK,0", stuffed=False))
    bad[-2] = ord("0") + (bad[-2] - ord("0") + 1) % 10
    shown = run("adapter", "decode", "--hex", bad.hex(), "--adapter", "bbraun-bcc")
    assert shown.exit_code == 1
    assert "wrong, the bytes from SOH to here make" in shown.stdout
    assert "refused: bad-checksum at check" in shown.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["decode"], "one source"),
        (["decode", "x", "--hex", "00"], "one source"),
        (["decode", "no-such-file", "--adapter", "bbraun-bcc"], "there is no such file"),
        (["decode", str(RUNNING)], "which adapter reads it"),
        (["decode", str(RUNNING), "--adapter", "nobody"], "there is no adapter 'nobody'"),
        (["decode", "--hex", "0", "--adapter", "bbraun-bcc"], "two hexadecimal digits"),
        (["decode", "--serial", "/dev/null/x", "--tcp", "h:1", "--adapter", "bbraun-bcc"], "one way to the device"),
        (["decode", "--serial", "/no-such-port", "--adapter", "bbraun-bcc"], "there is no such port"),
        (["decode", "--tcp", "nowhere", "--adapter", "bbraun-bcc"], "write host:port"),
        (["decode", "--tcp", "127.0.0.1:1", "--adapter", "generic-json"], "127.0.0.1:1"),
        (["decode", "--serial", "x", "--adapter", "bbraun-bcc", "--slot", "99"], "pillar 1-3"),
        (["decode", "--serial", "x", "--adapter", "generic-json", "--slot", "11"], "belongs to --adapter bbraun-bcc"),
        (["decode", "--topic", "dw/v1/#", "x"], "--topic belongs to --mqtt"),
        (["decode", "--mqtt", "127.0.0.1:1", "--adapter", "bbraun-bcc"], "the topic names it"),
        (["decode", "--mqtt", "127.0.0.1:1", "--username", "u", "--password-file", "/no/such"], "no such file"),
        (["decode", "--mqtt", "127.0.0.1:1", "--password-file", "/no/such"], "belongs to --username"),
        (["decode", "--mqtt", "127.0.0.1:1", "--key", "/no/such"], "belongs to --cert"),
        (["decode", "--mqtt", "127.0.0.1:1", "--ca", "/no/such"], "cannot read a TLS file: /no/such: no such file"),
        (["decode", "--hex", "00", "--adapter", "template", "--tls"], "--tls belongs to --mqtt"),
        (["decode", "--seconds", "1", "x", "--adapter", "bbraun-bcc"], "belongs to a live device"),
        (["check", str(RUNNING), "--adapter", "bbraun-bcc", "--without", "wings"], "neither a measure"),
        (["capture", "--out", "x"], "which device"),
        (["replay", "x", "--mqtt", "192.0.2.7:1883", "--site", "w"], "there is no such file"),
        (["new", "Acme"], "write maker_model"),
        (["new", "acme_one", "--into", "/"], "not a checkout"),
    ],
)
def test_a_wrong_call_is_told(run, words, said):
    """One line with the mend, exit code 2 (1 where a device does not answer), no traceback."""
    found = run("adapter", *words)
    assert found.exit_code in (1, 2)
    assert said in found.stderr
    assert len(found.stderr.splitlines()) == 1
    assert "internal error" not in found.stderr


def test_a_capture_comes_back_as_it_was(tmp_path):
    """Times, channels, slots and topics; a line that a crash has cut is left out; the file is its owner's only."""
    frames = [bcc(b"\x01\x02"), Caught(AT + 7, "telemetry", b"{}", None, "dw/v1/w/p/telemetry"), Caught(AT, "raw/x", b"", "11")]
    path = capture(tmp_path / "c.jsonl", *frames)
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open("a") as file:
        file.write('{"at": 1, "chan')
    assert list(read_capture(path)) == frames
    with pytest.raises(Wrong, match="never written over"):
        CaptureWriter(path, "serial", AT)


def test_a_full_disk_ends_a_capture_in_words(tmp_path, monkeypatch):
    """One line, also at its closing, where what could not be written is tried once more."""
    writer = CaptureWriter(tmp_path / "c.jsonl", "serial", AT)
    writer.close()
    monkeypatch.setattr(writer, "_file", os.fdopen(os.open("/dev/full", os.O_WRONLY), "w"))
    with pytest.raises(Wrong, match=r"c\.jsonl: no space left"):
        writer.keep(bcc(b"x"))
    writer.close()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("not json", "not JSON"),
        ("[]", "one object a line"),
        ('{"at": true, "channel": "x", "hex": ""}', "at .ms since 1970"),
        ('{"at": -1, "channel": "x", "hex": ""}', "at .ms since 1970"),
        ('{"at": 1, "channel": 7, "hex": ""}', "channel"),
        ('{"at": 1, "channel": "x", "hex": "0"}', "hexadecimal"),
        ('{"at": 1, "channel": "x"}', "hexadecimal"),
        ('{"at": 1, "channel": "x", "hex": "00", "slot": 1}', "slot and topic"),
        ('{"at": 1' + "0" * 700_000, "longer than any frame"),
    ],
)
def test_a_broken_capture_is_told_with_its_line(tmp_path, line, said):
    """Which line, and what it must be."""
    path = capture(tmp_path / "c.jsonl")
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(Wrong, match=f"line 2: .*{said}"):
        list(read_capture(path))


def test_bytes_without_an_adapter_are_cut_later(run, tmp_path):
    """A recording of raw bytes, in pieces that split frames, is read once an adapter is named."""
    stream = answer(pump_items()) + answer(pump_items(alarms=[15]))
    parts = [Caught(AT + at, BYTES, stream[at : at + 100]) for at in range(0, len(stream), 100)]
    path = capture(tmp_path / "c.jsonl", *parts)
    assert "which adapter reads it" in run("adapter", "decode", path).stderr
    shown = run("adapter", "decode", path, "--adapter", "bbraun-bcc", "--readings")
    assert re.findall(r"^frame (\d)", shown.stdout, re.MULTILINE) == ["1", "2"]
    assert "condition air-in-line" in shown.stdout


def test_a_device_that_told_everything_is_fit(run, tmp_path):
    """Each alarm raised and ended, each measure told: nothing is missing, exit code 0."""
    frames = [bcc(answer(pump_items(alarms=[number])), second) for second, number in enumerate(ALARM_BITS)]
    path = capture(tmp_path / "c.jsonl", *frames, bcc(answer(pump_items()), 20))
    found = run("adapter", "check", path)
    assert (found.exit_code, found.stdout.splitlines()[-1]) == (0, "nothing is missing")
    parts = [path, capture(tmp_path / "second.jsonl", bcc(answer(pump_items()), 30))]
    assert run("adapter", "check", *parts).exit_code == 0


@pytest.mark.parametrize(
    ("frames", "law"),
    [
        ([bcc(answer(pump_items())[:-1])], "read"),
        ([bcc(answer(pump_items(INRT="9000")))], "bounds"),
        ([bcc(answer(pump_items())), bcc(answer(pump_items()), 600)], "times"),
        ([bcc(answer(pump_items(INVI="_NV")))], "infused_ml"),
        ([bcc(answer(pump_items(alarms=[15])))], "air-in-line"),
        ([bcc(answer(pump_items()))], "door-open"),
        (
            [Caught(AT, "telemetry", b'{"observed_at": %d, "rate_ml_h": 1}' % (AT + 600_000), None, "dw/v1/w/p/telemetry")],
            "times",
        ),
        ([Caught(AT, "raw/nobody", b"\x00", None, "dw/v1/w/p/raw/nobody")], "adapter"),
        ([], "heard"),
    ],
    ids=["cut", "impossible", "quiet", "not-told", "not-ended", "not-raised", "clock-ahead", "no-adapter", "nothing"],
)
def test_what_is_missing_is_named(run, tmp_path, frames, law):
    """The law, in words, and exit code 1."""
    found = run("adapter", "check", capture(tmp_path / "c.jsonl", *frames), "--json")
    assert found.exit_code == 1
    assert law in [item["law"] for item in json.loads(found.stdout) if not item["holds"]]


def test_what_a_pump_cannot_tell_is_left_out(run, tmp_path):
    """By name, and said so in the report."""
    path = capture(tmp_path / "c.jsonl", bcc(answer(pump_items(alarms=[3]))), bcc(answer(pump_items()), 1))
    every = json.loads(run("adapter", "check", path, "--json").stdout)
    missing = [item["law"] for item in every if not item["holds"]]
    assert "door-open" in missing
    found = run("adapter", "check", path, *(word for law in missing for word in ("--without", law)))
    assert found.exit_code == 0
    assert "left out: this pump is said not to raise it" in found.stdout
