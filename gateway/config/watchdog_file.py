"""The watchdog's own file, `watchdog.yaml`: which gateway it watches, whom it tells, and how. Lengths in ms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gateway.config.build import build_mqtt, build_transport, resolved
from gateway.config.problems import Report, unknown
from gateway.config.references import check_contacts
from gateway.config.secrets import read_secrets
from gateway.config.settings import MqttSettings, TransportSettings
from gateway.config.shape import check_model
from gateway.config.text_file import located_in
from gateway.config.ward_file import AppriseFile, ContactFile, KannelFile, MqttFile, PersonFile, SmppFile, SnppFile, TlsFile
from gateway.config.ward_types import HttpUrl, Name, Names, PositiveDuration, Site, Text
from gateway.domain.instants import MINUTE_MS
from gateway.domain.ward import Contact, Person


class _Exact(BaseModel):
    """As in the ward file: no unknown keys, no silent conversion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class GatewayPlace(_Exact):
    """Where the gateway's API is reached from here, and with which token."""

    url: HttpUrl
    token: Text | None = None
    token_file: Text | None = None
    ca: Text | None = None


class WatchdogYaml(_Exact):
    """The whole file."""

    site: Site
    name: Site = "watchdog"
    mqtt: MqttFile = MqttFile()
    gateway: GatewayPlace
    after: PositiveDuration = 3 * MINUTE_MS
    repeat: PositiveDuration | None = None
    transports: dict[Name, Annotated[KannelFile | SmppFile | SnppFile | AppriseFile, Field(discriminator="kind")]]
    people: Annotated[dict[Name, PersonFile], Field(min_length=1)]
    page: Names


MODELS: Mapping[tuple[str, ...], type[BaseModel]] = {
    (): WatchdogYaml,
    ("mqtt",): MqttFile,
    ("mqtt", "tls"): TlsFile,
    ("gateway",): GatewayPlace,
    ("transports", "*", "kannel"): KannelFile,
    ("transports", "*", "smpp"): SmppFile,
    ("transports", "*", "snpp"): SnppFile,
    ("transports", "*", "apprise"): AppriseFile,
    ("people", "*"): PersonFile,
    ("people", "*", "contacts", "#"): ContactFile,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedWatchdog:
    """A watchdog file that has passed every check."""

    site: str
    name: str
    mqtt: MqttSettings
    url: str
    token: str | None = field(repr=False)
    ca: File | None
    after_ms: int
    repeat_ms: int | None
    transports: Mapping[str, TransportSettings]
    people: tuple[Person, ...]


def load_watchdog_file(file: File) -> LoadedWatchdog:
    """Load the file at `file`; its relative paths start at its own directory. Raises `ConfigError` with every problem."""
    located = located_in(file)
    report = Report(str(file), located)
    raw = {key: value for key, value in located.value.items() if value is not None}
    checked = check_model(WatchdogYaml, MODELS, raw, report)
    check_contacts(raw, report)
    secrets = read_secrets(raw, file.parent, report)
    for i, person in enumerate(checked.page if checked else ()):
        if checked and person not in checked.people:
            report.add(("page", i), unknown("person", person, checked.people))
    ca = resolved(checked.gateway.ca, file.parent) if checked and checked.gateway.ca else None
    if ca is not None and not ca.is_file():
        report.add(("gateway", "ca"), f"{ca}: there is no such file")
    report.refuse_if_any()
    assert checked is not None  # noqa: S101 - without a report the shape is right
    return LoadedWatchdog(
        site=checked.site,
        name=checked.name,
        mqtt=build_mqtt(checked.mqtt, f"{checked.site}-{checked.name}", secrets, file.parent),
        url=checked.gateway.url,
        token=secrets.values.get(("gateway", "token")),
        ca=ca,
        after_ms=checked.after,
        repeat_ms=checked.repeat,
        transports={name: build_transport(name, one, secrets) for name, one in checked.transports.items()},
        people=tuple(_person(name, checked.people[name]) for name in checked.page),
    )


def _person(name: str, file: PersonFile) -> Person:
    contacts = [(way, address, one.after) for one in file.contacts for way, address in (one.model_extra or {}).items()]
    return Person(name, tuple(Contact(way, address, after_ms) for way, address, after_ms in contacts))
