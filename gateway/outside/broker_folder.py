"""The broker's folder: who may connect, and what the broker reads of it. One command at a time; every file whole or as it was.

    devices.json    who may connect (`broker_register`): all below `doors` but the certificates can be written anew from it
    private/        the keys of the two authorities; no broker needs them
    doors/          what the broker reads: ca.crt house.crt server.crt server.key devices.crl house.crl acl passwords

Two authorities: `ca` signs the broker and the devices, `house` the gateway and the watchdog. A device's certificate opens no door
of the house, where client ids are free: nobody takes over the gateway's session (docs/adr/0032).
"""

import contextlib
import fcntl
import os
import pwd
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from gateway.domain.instants import DAY_MS, Instant
from gateway.outside import certificates
from gateway.outside.broker_register import CannotDo, Device, Door, Register
from gateway.outside.broker_rules import HOUSE, SALT_BYTES, Kind, access_entry, password_hash
from gateway.outside.certificates import Pair

AUTHORITY_LASTS_MS: Final = 3_650 * DAY_MS
PASSWORD_BYTES: Final = 24
SERIALS_MAX: Final = 20  # certificates of one device that were not revoked
CA, HOUSE_CA = "ca", "house"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a device needs to connect: the broker's authority, and a certificate with its key, or a password."""

    ca: bytes
    own: Pair | None = None
    password: str | None = field(default=None, repr=False)


class BrokerFolder:
    """The folder at `path`; see above. Everything raises `CannotDo` for what the caller can mend, and `OSError`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def doors(self) -> Path:
        """What the broker reads."""
        return self.path / "doors"

    def begin(self, site: str, hosts: Sequence[str], now: Instant, owner: str | None) -> None:
        """Make the folder, its authorities and the broker's certificate; in one that exists only the last, for these `hosts`."""
        until = now + AUTHORITY_LASTS_MS
        for folder in (self.path, self.path / "private", self.doors):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if owner is not None:
            _hand_over(self.doors, owner)
        with self._alone():
            register = self.read() if self._file.exists() else Register(site=site, hosts=tuple(hosts))
            if register.site != site:
                raise CannotDo(f"{self.path} is the broker's folder of {register.site}, not of {site}")
            for name in (CA, HOUSE_CA):
                if not (self.path / "private" / f"{name}.key").exists():
                    made = certificates.new_authority(f"{site} {'devices' if name == CA else 'house'}", until)
                    self._put(self.doors / f"{name}.crt", made.cert)
                    self._put(self.path / "private" / f"{name}.key", made.key)
            try:
                server = certificates.sign_server(self._authority(CA), hosts, until)
            except ValueError as wrong:
                raise CannotDo(f"--host: {wrong}") from None
            self._put(self.doors / "server.key", server.key)
            self._put(self.doors / "server.crt", server.cert)
            self._write(register.model_copy(update={"hosts": tuple(hosts)}))

    def read(self) -> Register:
        """Who may connect."""
        try:
            return Register.model_validate_json(self._file.read_bytes())
        except FileNotFoundError:
            raise CannotDo(f"{self.path} is no broker's folder yet; dripwatch device ca makes it one") from None
        except ValidationError as error:
            raise CannotDo(f"{self._file} cannot be read ({error.error_count()} mistakes); restore it from a backup") from None

    def prepare(self, kind: Kind, name: str, door: Door, pumps: tuple[str, ...], now: Instant, days: int) -> "Admission":
        """Make credentials for somebody new; they open nothing before `admit`."""
        register = self.read()
        register.check_new(kind, name, pumps)
        return self._issued(register, Device(name=name, kind=kind, door=door, pumps=pumps, added_at=now), now, days)

    def prepare_again(self, name: str, now: Instant, days: int) -> "Admission":
        """Make new credentials for somebody known: an old certificate goes on opening until it ends, an old password does not."""
        register = self.read()
        device = register.known(name)
        if len(device.serials) >= SERIALS_MAX:
            raise CannotDo(f"{name} has {SERIALS_MAX} certificates that open; revoke it, and add it again")
        return self._issued(register, device, now, days)

    def admit(self, admission: "Admission") -> None:
        """Let them in."""
        with self._alone():
            register, device = self.read(), admission.device
            before = register.devices.get(device.name)
            if before != admission.before:
                raise CannotDo(f"{device.name} was changed by another command meanwhile; look with dripwatch device list")
            self._write(register.with_device(device))

    def revoke(self, name: str, now: Instant) -> Device:
        """Let somebody in no more."""
        with self._alone():
            register = self.read()
            device = register.known(name)
            self._write(register.without(device, now))
            return device

    # ---- credentials -----------------------------------------------------------------------------------------------

    def _issued(self, register: Register, device: Device, now: Instant, days: int) -> "Admission":
        before, ca = register.devices.get(device.name), (self.doors / "ca.crt").read_bytes()
        if device.door == "password":
            password = secrets.token_urlsafe(PASSWORD_BYTES)
            hashed = password_hash(password, secrets.token_bytes(SALT_BYTES))
            return Admission(device.model_copy(update={"hash": hashed}), before, Credentials(ca, password=password))
        authority = self._authority(HOUSE_CA if device.kind in HOUSE else CA)
        until = min(now + days * DAY_MS, certificates.valid_until(authority.cert))
        own, serial = certificates.sign_client(authority, device.name, register.site, until)
        device = device.model_copy(update={"serials": (*device.serials, f"{serial:x}"), "until": until})
        return Admission(device, before, Credentials(ca, own))

    def _authority(self, name: str) -> Pair:
        return Pair((self.doors / f"{name}.crt").read_bytes(), (self.path / "private" / f"{name}.key").read_bytes())

    # ---- files -----------------------------------------------------------------------------------------------------

    @property
    def _file(self) -> Path:
        return self.path / "devices.json"

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One command at a time; another one waits."""
        if not self.path.is_dir():
            raise CannotDo(f"{self.path}: there is no such folder; dripwatch device ca makes it")
        with (self.path / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, register: Register) -> None:
        """The register first: a crash between two files is mended by the next command, which writes them all."""
        self._put(self._file, register.model_dump_json(indent=1).encode())
        admitted = register.admitted()
        entries = [access_entry(one.kind, register.site, one.name, one.pumps) for one in admitted]
        self._put(self.doors / "acl", "\n".join(["# Written by dripwatch device; changes here are lost.\n", *entries]).encode())
        passwords = [f"{one.name}:{one.hash}\n" for one in admitted if one.hash]
        self._put(self.doors / "passwords", "".join(passwords).encode())
        for authority, house, list_ in ((CA, False, "devices.crl"), (HOUSE_CA, True, "house.crl")):
            serials = [int(one.serial, 16) for one in register.revoked if one.house is house]
            self._put(self.doors / list_, certificates.revocation_list(self._authority(authority), serials))

    def _put(self, path: Path, content: bytes) -> None:
        """Write a file of the folder's owner that nobody else reads, in one step."""
        draft = path.with_name(f".{path.name}.new")
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            if os.geteuid() == 0:
                owner = path.parent.stat()
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


@dataclass(frozen=True, slots=True)
class Admission:
    """Credentials that open nothing yet, the device as it will be known, and as it was known when they were made."""

    device: Device
    before: Device | None
    credentials: Credentials


def _hand_over(folder: Path, owner: str) -> None:
    try:
        uid, gid = (int(owner), int(owner)) if owner.isdecimal() else pwd.getpwnam(owner)[2:4]
    except KeyError:
        raise CannotDo(f"--owner: there is no user {owner} on this machine") from None
    os.chown(folder, uid, gid)
