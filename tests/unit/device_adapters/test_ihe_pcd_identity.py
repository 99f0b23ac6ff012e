"""Which pump a message is about: every way of naming one, and no way of naming a patient."""

import pytest

from device_adapters import hl7 as parser
from device_adapters.ihe_pcd_identity import NAMES_MAX, Identities, device_of, identities, normal
from tests.unit.device_adapters import hl7_encoder as hl7
from tests.unit.device_adapters.hl7_encoder import alarm_message, device, obx, pid, status_message, wire

EUI = "0012210000000001"
DEVICES = {"p6013": "pump-01", "lvp-p6013": "pump-01", EUI: "pump-01", "p6014": "pump-02", "0011": "rack"}


def named(payload: bytes) -> Identities:
    """The names in the one message of a payload."""
    (message,) = parser.parse(payload)
    return identities(message)


@pytest.mark.parametrize(
    ("payload", "names"),
    [
        (status_message(obx(hl7.SYS_ID, EUI)), (EUI,)),
        (status_message(obx("0^MDC_ATTR_SYS_ID^MDC", f"LVP-P6013^^{EUI}^EUI-64")), ("lvp-p6013", EUI)),
        (status_message(device(equipment=f"LVP-P6013^^{EUI}^EUI-64")), ("lvp-p6013", EUI)),
        (alarm_message(equipment=f"P6013^NAMESPACE^{EUI}^EUI-64"), ("p6013", EUI)),
        (alarm_message(equipment=f"^^{EUI}^EUI-64~P6013"), (EUI, "p6013")),
        (alarm_message() + b"PRT|1|UC||EQUIP|||||^^^|P6013^^00-12-21-00-00-00-00-01^EUI-64\r", ("p6013", EUI)),
        (alarm_message(), ()),
        (alarm_message(equipment="x" * 65), ()),
        (status_message(obx(hl7.SYS_ID, "P6013.00")), ("p6013.00",)),
    ],
)
def test_names_of_the_pump(payload: bytes, names: tuple[str, ...]):
    """SYS_ID, OBX-18 and PRT-10; labels and EUI-64; trailing zeros are part of a name."""
    assert named(payload) == Identities(names, ("gw", "0011"))


def test_a_missing_pipe_moves_the_name_too():
    """Where the status stands in OBX-10, the equipment stands in OBX-17."""
    shifted = f"OBX|1|CWE|{hl7.ALARM}|1.0.0.0.1|{hl7.OCCLUSION}|||||F|||||||P6013"
    assert named(wire(hl7.msh("ORU^R40"), hl7.obr(), shifted)).pump == ("p6013",)


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("0012210000000001", EUI),
        (" 00-12-21-00-00-00-00-01 ", EUI),
        ("00:12:21:00:00:00:00:01", EUI),
        ("0012.2100.0000.0001", EUI),
        ("P6013", "p6013"),
        ("P-6013", "p-6013"),
        ("00FF", "00ff"),
    ],
)
def test_spellings_of_one_name(written: str, same: str):
    """The marks inside an EUI-64 and capitals do not matter; those inside a label do."""
    assert normal(written) == same


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (Identities(("p6013", EUI), ("gw",)), "pump-01"),
        (Identities(("p6013", "unheard-of"), ()), "pump-01"),
        (Identities(("p6013", "p6014"), ()), ("pump-01", "pump-02")),
        (Identities(("unheard-of",), ("0011",)), ()),
        (Identities((), ("gw", "0011")), "rack"),
        (Identities((), ()), ()),
    ],
)
def test_whose_the_names_are(names: Identities, found: str | tuple[str, ...]):
    """The pump's own names go before the sender's: a rack's message about a new pump must not land on another one."""
    assert device_of(names, DEVICES) == found


def test_start_and_status_meet_on_one_pump():
    """The status names the pump by SYS_ID and a label with its type, the alarm by the label without: both are pump-01."""
    status = status_message(obx(hl7.SYS_ID, EUI), device(equipment="LVP-P6013"))
    assert device_of(named(status), DEVICES) == device_of(named(alarm_message(equipment="P6013")), DEVICES) == "pump-01"


def test_no_patient_is_named():
    """Somebody wrote the patient's name where the pump's belongs: it is no name of a pump."""
    payload = alarm_message(equipment="Testperson^^X12345^EUI-64").replace(b"GW^0011", b"Nobody^0011")
    assert named(payload) == Identities(("x12345",), ("0011",))
    assert named(wire(hl7.msh("ORU^R40"), pid(), "PRT|1|UC||RO|8^Doe^Jane|||||Jane")).pump == ()


def test_names_are_bounded():
    """A message that says a thousand names says no more than a few."""
    assert len(named(status_message(*(device(equipment=f"X{number}") for number in range(1_000)))).pump) == NAMES_MAX
