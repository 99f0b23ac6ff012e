"""The ward file's `mllp`: pumps that send HL7 to a port of the gateway's own, and the names by which they call themselves."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field

from device_adapters.ihe_pcd_identity import NAME_CHARS_MAX, normal
from gateway.config.parse import parse_listen
from gateway.config.problems import Report
from gateway.config.ward_types import STRICT, Site, Text

DEVICES_MAX = 10_000
NAMES_MAX = 16  # of one pump

PumpName = Annotated[Text, Field(max_length=NAME_CHARS_MAX)]


class MllpTlsFile(BaseModel):
    """The listener's certificate; with `ca` only senders whose certificate it signed may connect."""

    model_config = STRICT

    cert: Text
    key: Text
    ca: Text | None = None


class MllpFile(BaseModel):
    """Where senders connect, and whose their messages are."""

    model_config = STRICT

    listen: Annotated[str, AfterValidator(parse_listen)] = "127.0.0.1:2575"
    tls: MllpTlsFile | None = None
    devices: Annotated[
        dict[Site, Annotated[list[PumpName], Field(min_length=1, max_length=NAMES_MAX)]],
        Field(min_length=1, max_length=DEVICES_MAX),
    ]


def check_mllp(raw: Mapping[str, Any], report: Report) -> None:
    """Report a name that two pumps share: nobody could tell whose alarm it is."""
    section = raw.get("mllp")
    devices = section.get("devices") if isinstance(section, Mapping) else None
    owners: dict[str, str] = {}
    for device, names in devices.items() if isinstance(devices, Mapping) else ():
        for i, name in enumerate(names) if isinstance(names, list) else ():
            owner = owners.setdefault(normal(str(name)), device)
            if owner != device:
                report.add(
                    ("mllp", "devices", device, i), f"{name!r} is {owner}'s name already; nobody could tell whose alarm it is"
                )
