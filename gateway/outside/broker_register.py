"""Who may connect to the broker: one file, `devices.json`, from which all that the broker reads is written."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.domain.instants import Instant
from gateway.outside.broker_rules import HOUSE, Kind

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Door = Literal["tls", "password"]

DEVICES_MAX: Final = 20_000  # more are refused: one broker's access list is read as a whole at each change
PUMPS_MAX: Final = 50
OURS: Final = ("dripwatch", "gateway")  # the gateway's client id begins so; a device's client id is its name


class CannotDo(Exception):
    """What was asked of the broker's folder cannot be done; the message says why, and the mend."""


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Device(_Exact):
    """One user of the broker. `serials` are its certificates', `until` when the newest ends; `hash` its password's."""

    name: Name
    kind: Kind
    door: Door
    pumps: tuple[Name, ...] = ()
    added_at: Instant
    revoked_at: Instant | None = None
    serials: tuple[str, ...] = ()
    until: Instant | None = None
    hash: str = Field(default="", repr=False)


class Revoked(_Exact):
    """A certificate that opens no door any more."""

    serial: str
    house: bool


class Register(_Exact):
    """The whole file. `hosts`: names and addresses under which the broker is reached, the first one for the bundles."""

    site: Name
    hosts: tuple[str, ...]
    devices: dict[Name, Device] = {}
    revoked: tuple[Revoked, ...] = ()

    def admitted(self) -> list[Device]:
        """Those who may connect, by name."""
        return [device for _, device in sorted(self.devices.items()) if device.revoked_at is None]

    def known(self, name: str) -> Device:
        """A device that may connect. Raises `CannotDo`."""
        device = self.devices.get(name)
        if device is None or device.revoked_at is not None:
            raise CannotDo(f"{name} may not connect as it is; dripwatch device list shows who may")
        return device

    def with_device(self, device: Device) -> "Register":
        """With this one in place of what was there under its name."""
        return self.model_copy(update={"devices": {**self.devices, device.name: device}})

    def without(self, device: Device, at: Instant) -> "Register":
        """With this one shut out: its certificates are revoked, its password is forgotten."""
        gone = tuple(Revoked(serial=serial, house=device.kind in HOUSE) for serial in device.serials)
        shut = device.model_copy(update={"revoked_at": at, "serials": (), "hash": ""})
        return self.with_device(shut).model_copy(update={"revoked": (*self.revoked, *gone)})

    def check_new(self, kind: Kind, name: str, pumps: tuple[str, ...]) -> None:
        """Raises `CannotDo` where nobody may be added so."""
        if len(self.devices) >= DEVICES_MAX:
            raise CannotDo(f"{DEVICES_MAX} devices are known already; one broker serves no more")
        if len(pumps) > PUMPS_MAX:
            raise CannotDo(f"at most {PUMPS_MAX} pumps for one bridge, not {len(pumps)}")
        before = self.devices.get(name)
        if before is not None and before.revoked_at is None:
            raise CannotDo(f"{name} may connect already; dripwatch device renew {name}, or revoke it first")
        if kind not in HOUSE and name.startswith(OURS):
            raise CannotDo(f"{name}: names that begin with {' or '.join(OURS)} are the gateway's own")
        clashing = {f"{self.site}-{one.name}" for one in self.devices.values() if one.kind in HOUSE}
        if kind not in HOUSE and name in clashing:
            raise CannotDo(f"{name} is the client id of one of the house's own; choose another name")
        if kind in HOUSE and f"{self.site}-{name}" in self.devices:
            raise CannotDo(f"a device has the client id of this one, {self.site}-{name}; choose another name")
        if kind in (Kind.PUMP, Kind.WATCHDOG) and pumps:
            raise CannotDo(f"a {kind} speaks for itself only; --for is a bridge's, or the gateway's synthetic pump")
