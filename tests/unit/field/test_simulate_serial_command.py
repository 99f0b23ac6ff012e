"""`simulate --serial`: calls and scripts that are wrong, told before a port is made."""

from pathlib import Path

import pytest

from gateway.field.simulate_serial import read_script
from gateway.field.speaking import LinedWrong
from gateway.scenario.serial_pumps.bcc_pump import BccPump

AT = 1_000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--serial", "nobody"], "bbraun-bcc"),
        (["--serial", "relay-and-scale", "--wrong-checksum", "2"], "have no check"),
        (["--serial", "bbraun-bcc", "--every", "5"], "speaks when it is asked"),
        (["--serial", "bbraun-bcc", "--patients", "3"], "--patients does not belong to --serial"),
        (["--serial", "bbraun-bcc", "--port", "1883"], "--port does not belong to --serial"),
        (["--serial", "bbraun-bcc", "--json"], "--json does not belong to --serial"),
        (["--serial", "bbraun-bcc", "--noise", "2"], "--noise"),
        (["--serial", "bbraun-bcc", "--script", "no-such"], "there is no such file"),
        (["--serial", "bbraun-bcc", "--link", "/no/such/port"], "there is no such folder"),
        (["--serial", "bbraun-bcc", "--link", "/"], "something of this name"),
        (["--slow-bytes", "5"], "--slow-bytes belongs to a virtual pump"),
        (["--port", "1", "--link", "x"], "--link belongs to a virtual pump"),
    ],
)
def test_a_wrong_call_is_told(run, words, said):
    """One line, exit code 2."""
    found = run("simulate", *words)
    assert (found.exit_code, len(found.stderr.splitlines())) == (2, 1)
    assert said in found.stderr


def test_a_script_with_mistakes_is_told_with_all_its_lines(tmp_path: Path):
    """Not only the first; nothing has been done by then."""
    path = tmp_path / "script"
    path.write_text("1 alarm occlusion\n\nsoon stop\n# a remark\n-1 stop\n2 explode\nnan stop\ninf stop\n")
    with pytest.raises(LinedWrong) as found:
        read_script(str(path), BccPump(AT))
    lines = str(found.value).splitlines()
    assert [line.split(": ")[0].rpartition(" ")[2] for line in lines] == ["3", "5", "6", "7", "8"]


def test_a_script_is_followed_in_the_order_of_its_times(tmp_path: Path):
    """Whatever the order of its lines; seconds may have fractions, and a line a remark."""
    path = tmp_path / "script"
    path.write_text("2.5 clear  # by hand\n0.1 alarm occlusion\n")
    pump = BccPump(AT)
    steps = read_script(str(path), pump)
    assert [after for after, _ in steps] == [100, 2_500]
    assert [order(AT) for _, order in steps] == ["raised occlusion", "cleared all alarms"]


def test_a_port_of_its_own_comes_and_goes(run, tmp_path: Path):
    """Without --link the port is in a folder that is gone afterwards; --minutes ends it."""
    found = run("simulate", "--serial", "bbraun-bcc", "--minutes", "0.001")
    assert found.exit_code == 0, found.stderr
    port = Path(found.stdout.splitlines()[0])
    assert port.name == "bbraun-bcc"
    assert not port.parent.exists()
