"""What somebody needs to connect, in one file to carry there: a `.tar.gz` that is unpacked beside the program's own file.

device.json               for programs: who it is, where the broker is, what it may do there, which files
bridge.yaml or mqtt.yaml  for a bridge: its file, but for its lines; for gateway and watchdog: the `mqtt` part of theirs
secrets/ca.crt            signs the broker's certificate
secrets/device.crt, .key  or secrets/mqtt-password
"""

import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any, Final

from gateway.domain.instants import SECOND_MS
from gateway.outside.broker_folder import Admission
from gateway.outside.broker_register import CannotDo, Device, Register
from gateway.outside.broker_rules import HOUSE, Kind, allowed

DEVICE_PORT: Final = 8883
PASSWORD_PORT: Final = 8884
HOUSE_PORT: Final = 8885

_LINES: Final = """
# What it reads; docs/bridge.md tells how to write it. Take the number signs away.
# lines:
#   - {adapter: bbraun-bcc, serial: {port: /dev/serial/by-id/usb-…}, pump: PUMP}
"""


def port_of(device: Device) -> int:
    """The door at which this one is let in."""
    if device.kind in HOUSE:
        return HOUSE_PORT
    return PASSWORD_PORT if device.door == "password" else DEVICE_PORT


def write_bundle(path: Path, register: Register, admission: Admission) -> None:
    """Write the bundle; it holds a secret, so only its owner reads it. Raises `CannotDo` where there is a file already."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise CannotDo(f"{path} is there already; name another file with --to, or remove it") from None
    at_s = admission.device.added_at // SECOND_MS
    with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as bundle:
        for name, content in _contents(register, admission).items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(content), 0o600, at_s
            bundle.addfile(entry, io.BytesIO(content))


def _contents(register: Register, admission: Admission) -> dict[str, bytes]:
    device, held = admission.device, admission.credentials
    secrets = {"secrets/ca.crt": held.ca}
    if held.own is not None:
        secrets |= {"secrets/device.crt": held.own.cert, "secrets/device.key": held.own.key}
    elif held.password is not None:
        secrets["secrets/mqtt-password"] = held.password.encode()
    files = {"device.json": json.dumps(_told(register, device, sorted(secrets)), indent=1).encode()}
    if device.kind is Kind.BRIDGE:
        files["bridge.yaml"] = _bridge_yaml(register, device).encode()
    elif device.kind in HOUSE:
        files["mqtt.yaml"] = f"mqtt: {json.dumps(_mqtt(register, device))}\n".encode()
    return files | secrets


def _told(register: Register, device: Device, files: list[str]) -> dict[str, Any]:
    may = allowed(device.kind, register.site, device.name, device.pumps)
    return {
        "site": register.site,
        "name": device.name,
        "kind": device.kind.value,
        "broker": {"host": register.hosts[0], "port": port_of(device), "tls": True, "protocols": ["3.1.1", "5"]},
        "username": device.name if device.door == "password" else None,
        "publish": [topic for act, topic in may if act == "write"],
        "subscribe": [topic for act, topic in may if act == "read"],
        "files": files,
    }


def _mqtt(register: Register, device: Device) -> dict[str, Any]:
    """The `mqtt` part of a file of ours. JSON is YAML."""
    mqtt: dict[str, Any] = {"host": register.hosts[0], "port": port_of(device), "tls": {"ca": "secrets/ca.crt"}}
    if device.door == "password":
        return mqtt | {"username": device.name, "password_file": "secrets/mqtt-password"}
    mqtt["tls"] |= {"cert": "secrets/device.crt", "key": "secrets/device.key"}
    return mqtt


def _bridge_yaml(register: Register, device: Device) -> str:
    lines = _LINES.replace("PUMP", next(iter(device.pumps), "pump-017"))
    return f"site: {register.site}\nname: {device.name}\nmqtt: {json.dumps(_mqtt(register, device))}\n{lines}"
