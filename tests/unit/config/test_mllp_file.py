"""The ward file's `mllp`: what the gateway makes of it, and what is refused with the mend."""

from pathlib import Path

import pytest

from gateway.config.finding import FindingName
from gateway.config.lint import findings
from gateway.config.load import load_ward, load_ward_file, load_ward_mapping
from gateway.config.problems import ConfigError
from gateway.config.settings import MllpSettings

ROOT = Path(__file__).parents[3]
EXAMPLE = (ROOT / "tests" / "ward.example.yaml").read_text()
POLICY = {"steps": [{"page": ["person:nurse-a"], "wait": "5m"}], "repeat": {"from_step": 1, "every": "10m"}}
WARD = {
    "site": "haem-ward",
    "timezone": "Asia/Hong_Kong",
    "transports": {"pager": {"kind": "snpp", "host": "127.0.0.1"}},
    "people": {"nurse-a": {"contacts": [{"pager": "77"}]}},
    "policies": {"high": POLICY, "medium": POLICY, "fallback": ["person:nurse-a"]},
}
DEVICES = {"pump-01": ["LVP-P6013", "P6013", "00-12-21-00-00-00-00-01"], "pump-02": ["P6014"]}


def test_without_it_nothing_listens():
    """The shipped example has none."""
    assert load_ward(EXAMPLE, "example", None).mllp is None


def test_names_are_spelt_as_messages_spell_them():
    """A map from each name to its pump, on the default port."""
    names = {"lvp-p6013": "pump-01", "p6013": "pump-01", "0012210000000001": "pump-01", "p6014": "pump-02"}
    assert load_ward_mapping(WARD | {"mllp": {"devices": DEVICES}}, "w").mllp == MllpSettings("127.0.0.1", 2575, names)


def test_certificates_start_at_the_ward_files_directory(tmp_path: Path):
    """They must be there, and the journal's text of the ward loads without them."""
    mllp = {"devices": DEVICES, "listen": "10.0.0.5:6661", "tls": {"cert": "hl7.pem", "key": "hl7.key"}}
    text = str(WARD | {"mllp": mllp}).replace("None", "null")
    (tmp_path / "ward.yaml").write_text(text)
    with pytest.raises(ConfigError, match="no such file") as refused:
        load_ward_file(tmp_path / "ward.yaml")
    assert [problem.path for problem in refused.value.problems] == [("mllp", "tls", "cert"), ("mllp", "tls", "key")]
    for name in ("hl7.pem", "hl7.key"):
        (tmp_path / name).write_text("x")
    loaded = load_ward_file(tmp_path / "ward.yaml")
    assert loaded.mllp is not None
    assert loaded.mllp.tls is not None
    assert (loaded.mllp.host, loaded.mllp.port) == ("10.0.0.5", 6661)
    assert (loaded.mllp.tls.cert, loaded.mllp.tls.ca) == (tmp_path / "hl7.pem", None)
    assert ("mllp", "tls", "key") in [file.key for file in loaded.secret_files]
    assert load_ward(loaded.text_for_journal, "journal", None).ward == loaded.ward


@pytest.mark.parametrize(
    ("mllp", "path", "words"),
    [
        ({}, ("mllp", "devices"), "required"),
        ({"devices": {}}, ("mllp", "devices"), "must not be empty"),
        ({"devices": {"pump-01": []}}, ("mllp", "devices", "pump-01"), "must not be empty"),
        ({"devices": {"Pump 1": ["a"]}}, ("mllp", "devices", "Pump 1"), ""),
        ({"devices": {"pump-01": ["x" * 65]}}, ("mllp", "devices", "pump-01", 0), "64"),
        ({"devices": {"a": ["P6013"], "b": ["p6013 "]}}, ("mllp", "devices", "b", 0), "'p6013 ' is a's name already"),
        ({"devices": {"a": ["0012210000000001"], "b": ["00:12:21:00:00:00:00:01"]}}, ("mllp", "devices", "b", 0), "a's name"),
        ({"devices": DEVICES, "listen": "2575"}, ("mllp", "listen"), "host:port"),
        ({"devices": DEVICES, "port": 2575}, ("mllp", "port"), "unknown key"),
        ({"devices": DEVICES, "tls": {"cert": "a"}}, ("mllp", "tls", "key"), "required"),
    ],
)
def test_mistakes_are_told_with_their_place(mllp: dict[str, object], path: tuple[str, ...], words: str):
    """Where, what, and the mend."""
    with pytest.raises(ConfigError) as refused:
        load_ward_mapping(WARD | {"mllp": mllp}, "w")
    (problem,) = refused.value.problems
    assert problem.path == path
    assert words in problem.message


@pytest.mark.parametrize(("listen", "exposed"), [("0.0.0.0:2575", True), ("10.0.0.5:2575", True), ("127.0.0.1:2575", False)])
def test_plain_hl7_beyond_this_machine_is_a_finding(listen: str, exposed: bool):
    """HL7 messages name patients."""
    loaded = load_ward_mapping(WARD | {"mllp": {"devices": DEVICES, "listen": listen}}, "w")
    assert (FindingName.HL7_EXPOSED in [finding.name for finding in findings(loaded, 1_772_409_600_000)]) is exposed
