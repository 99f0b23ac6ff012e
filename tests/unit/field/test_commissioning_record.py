"""The record: signed, kept whole, found out when it was changed; and the key that signs."""

import base64
import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from device_adapters.telling import tells
from gateway.field.cli import cli
from gateway.field.commissioning.evidence import Plan
from gateway.field.commissioning.keeping import keep, verified
from gateway.field.commissioning.paper import html_of, lines_of
from gateway.field.commissioning.procedure import Procedure
from gateway.field.commissioning.record import About, BadRecord, record_of
from gateway.field.commissioning.steps import Step
from gateway.field.speaking import Wrong
from gateway.outside.site_key import KeyRefused, is_signed, public_key, site_key

ABOUT = About(
    site="haem", by="tech", source="mqtt", began_at="2026-03-02T08:00:00Z", ended_at="2026-03-02T08:30:00Z", version="1"
)


def record(reason: str = "no net here") -> dict[str, Any]:
    """A commissioning of which one step was left."""
    procedure = Procedure(Plan(device="pump-9", adapter="bbraun-bcc", tells=tells("bbraun-bcc"), rate_ml_h=0.6))
    procedure.leave(Step.NETWORK, reason)
    return record_of(procedure, ABOUT)


def kept(folder: Path) -> Path:
    """Signed and written."""
    return keep(folder, record(), site_key(folder / "site.key")).document


def test_a_kept_record_verifies_and_reads_the_same(tmp_path: Path) -> None:
    """Verdict, steps and alarms as they were; signed by the key beside it."""
    read, _, known = verified(kept(tmp_path), None)
    assert (read, known) == (record(), True)
    assert read["verdict"] == "incomplete"
    assert [step["step"] for step in read["steps"]] == [step.value for step in Step]
    assert len(read["alarms"]) == len(tells("bbraun-bcc").conditions)


def test_every_step_has_its_result_and_its_reason() -> None:
    """Also one that nobody began, and one that was under way."""
    procedure = Procedure(Plan(device="pump-9", adapter="bbraun-bcc", tells=tells("bbraun-bcc"), rate_ml_h=0.6))
    procedure.begin(Step.POWER, 0)
    told = {step["step"]: (step["result"], step["words"]) for step in record_of(procedure, ABOUT)["steps"]}
    assert told["power"] == ("not done", "under way when the record was written")
    assert told["network"] == ("not done", "nobody began it")


@pytest.mark.parametrize("path", [("record", "verdict"), ("record", "device"), ("digest",), ("signature",), ("key",)], ids=str)
def test_every_change_is_found_out(tmp_path: Path, path: tuple[str, ...]) -> None:
    """Of the record, of the digest, of the signature, of the key."""
    document = kept(tmp_path)
    whole = json.loads(document.read_text())
    at = whole
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = "passed" if path[0] == "record" else base64.b64encode(b"x" * 32).decode()
    document.write_text(json.dumps(whole))
    with pytest.raises(BadRecord):
        verified(document, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"record": 1, "digest": "", "key": "", "signature": ""}',
        "[" * 100_000,
        '{"record": {"format": NaN}}',
        "\0" * 9,
    ],
    ids=range(7),
)
def test_rubbish_is_no_record(tmp_path: Path, text: str) -> None:
    """One line for each, never a traceback; a file that is not there and one that is far too large too."""
    document = tmp_path / "record.json"
    document.write_text(text)
    with pytest.raises(BadRecord):
        verified(document, None)
    done = CliRunner().invoke(cli, ["commission", "verify", str(document)])
    assert (done.exit_code, done.stderr.count("\n"), "Traceback" in done.stderr) == (1, 1, False)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """No file, a folder, a key file that is none."""
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(Wrong):
            verified(path, None)
    bad = tmp_path / "bad.pub"
    bad.write_text("not a key")
    with pytest.raises(Wrong):
        verified(kept(tmp_path), bad)
    large = tmp_path / "large.json"
    large.write_bytes(b" " * 300_000)
    with pytest.raises(BadRecord, match="256 KiB"):
        verified(large, None)


def test_another_sites_key_is_not_ours(tmp_path: Path) -> None:
    """Its signature fits, and it is refused all the same; without any key to compare nobody vouches for it."""
    theirs = kept(tmp_path / "theirs")
    site_key(tmp_path / "ours" / "site.key")
    with pytest.raises(BadRecord, match="another key"):
        verified(theirs, tmp_path / "ours" / "site.pub")
    (tmp_path / "theirs" / "site.pub").unlink()
    assert verified(theirs, None)[2] is False
    done = CliRunner().invoke(cli, ["commission", "verify", str(theirs)])
    assert done.exit_code == 1
    assert "whose key it is nobody can tell" in done.stdout


def test_no_record_is_written_over(tmp_path: Path) -> None:
    """Two of the same second stand side by side."""
    first, second = kept(tmp_path), kept(tmp_path)
    assert first != second
    assert verified(first, None)[1] == verified(second, None)[1]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither half a record nor half a key; when there is room again both are made."""

    def full(_number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    key = site_key(tmp_path / "site.key")
    before = sorted(tmp_path.iterdir())
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            keep(tmp_path, record(), key)
        with pytest.raises(KeyRefused, match="no space left"):
            site_key(tmp_path / "other.key")
    assert sorted(tmp_path.iterdir()) == before
    assert kept(tmp_path).exists()


def test_what_people_wrote_cannot_change_the_page() -> None:
    """A reason with markup and control characters is text on paper and in the terminal."""
    told = record("<script>alert(1)</script>\x1b[2J")
    document = json.dumps({"record": told, "digest": "0" * 64, "key": "k"})
    assert "<script>" not in html_of(document, "x.json")
    assert "\x1b" not in "\n".join(lines_of(told, "0" * 64))


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    """0600; the same at the second use; its public half beside it, made again where it was lost."""
    path = tmp_path / "deep" / "site.key"
    first = site_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.with_suffix(".pub").unlink()
    again = site_key(path)
    assert first.public == again.public == public_key(path.with_suffix(".pub"))
    assert is_signed(first.public, again.sign(b"x"), b"x")
    assert not is_signed(first.public, again.sign(b"x"), b"y")
    assert "sign" not in repr(first)


def test_a_key_that_others_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    """With the mend."""
    path = tmp_path / "site.key"
    site_key(path)
    path.chmod(0o644)
    with pytest.raises(KeyRefused, match="chmod 600"):
        site_key(path)
    path.write_text("rubbish")
    path.chmod(0o600)
    with pytest.raises(KeyRefused, match="PEM"):
        site_key(path)
    os.mkdir(tmp_path / "folder", 0o700)  # noqa: PTH102 - with its rights at once
    with pytest.raises(KeyRefused):
        site_key(tmp_path / "folder")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--pump is missing"),
        (["--pump", "p9"], "--adapter is missing"),
        (["--pump", "P 9", "--adapter", "bbraun-bcc"], "small letters, digits and hyphens"),
        (["--pump", "p9", "--adapter", "bbraun-bcc", "--no-gateway"], "who signs the record"),
        (["--pump", "p9", "--adapter", "bbraun-bcc"], "a screen for a terminal"),
        (["--pump", "p9", "--adapter", "bbraun-bcc", "--rate", "0"], "0"),
    ],
)
def test_a_wrong_call_is_one_line(words: list[str], said: str) -> None:
    """What is wrong and the mend, before anything is announced."""
    done = CliRunner().invoke(cli, ["commission", *words])
    assert (done.exit_code, said in done.stderr, done.stderr.count("\n")) == (2, True, 1)
