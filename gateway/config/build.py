"""From the checked file to what the gateway works with: the domain's ward, and settings for the shell. Nothing fails here."""

from datetime import timedelta
from pathlib import Path as File
from typing import assert_never

from device_adapters.ihe_pcd_identity import normal
from gateway.config import settings
from gateway.config.calendars import IcalCalendar
from gateway.config.mllp_file import MllpFile, MllpTlsFile
from gateway.config.parse import instant_of, minutes_of, split_listen, weekday_of
from gateway.config.references import BOARD_ONLY
from gateway.config.secrets import Secrets
from gateway.config.transports import is_two_way, is_voice
from gateway.config.ward_file import (
    AppriseFile,
    ContactFile,
    InfluxV1File,
    InfluxV2File,
    KannelFile,
    LayerFile,
    MqttFile,
    PolicyFile,
    RotationFile,
    ScheduleFile,
    SmppFile,
    SnppFile,
    TlsFile,
    WardFile,
)
from gateway.config.watching import build_synthetic, build_watchdog
from gateway.core.synthetic import ROUTE
from gateway.core.synthetic import policy as policy_of_test
from gateway.core.synthetic import route as route_of_test
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from gateway.domain.ward import Contact, Layer, Person, Policy, Rotation, Route, Schedule, Shift, Step, TransportFacts, Ward

LEASES_MS = {"high": 30 * MINUTE_MS, "medium": 2 * HOUR_MS}
OTHER_LEASE_MS = 4 * HOUR_MS

_TransportFile = KannelFile | SmppFile | SnppFile | AppriseFile


def build_ward(file: WardFile) -> Ward:
    """People, schedules and policies as the escalation sees them."""
    policies = {name: _policy(name, policy) for name, policy in _policies(file).items()}
    synthetic = build_synthetic(file.synthetic)
    return Ward(
        site=file.site,
        timezone=file.timezone,
        people={
            name: Person(name, tuple(_contacts(person.contacts)), person.locale or file.locale)
            for name, person in file.people.items()
        },
        teams={name: tuple(members) for name, members in file.teams.items()},
        schedules={name: _schedule(name, schedule, file.timezone) for name, schedule in file.schedules.items()},
        policies=policies if synthetic is None else {**policies, ROUTE: policy_of_test(synthetic)},
        fallback=tuple(file.policies.fallback),
        routes=(*((route_of_test(),) if synthetic else ()), *(Route(route.rule, route.policy) for route in file.routes)),
        transports={name: _facts(name, transport) for name, transport in file.transports.items()},
        base_url=build_console(file).base_url,
        home_locale=file.home_locale or file.locale,
        synthetic=synthetic,
        watchdog=build_watchdog(file.watchdog),
    )


def build_mqtt(file: MqttFile, site: str, secrets: Secrets, base_dir: File | None) -> settings.MqttSettings:
    """The broker's settings; the port follows from TLS where none is written."""
    tls = None if file.tls is None else _tls(file.tls, base_dir)
    return settings.MqttSettings(
        host=file.host,
        port=file.port or (8883 if tls else 1883),
        client_id=file.client_id or f"dripwatch-{site}",
        protocol=file.protocol,
        keepalive_ms=file.keepalive,
        username=file.username,
        password=secrets.values.get(("mqtt", "password")),
        tls=tls,
    )


def _tls(file: TlsFile | MllpTlsFile, base_dir: File | None) -> settings.TlsSettings:
    ca, cert, key = (None if text is None else resolved(text, base_dir) for text in (file.ca, file.cert, file.key))
    return settings.TlsSettings(ca, cert, key)


def build_mllp(file: MllpFile | None, base_dir: File | None) -> settings.MllpSettings | None:
    """Where the gateway listens for HL7, if anywhere."""
    if file is None:
        return None
    host, port = split_listen(file.listen)
    tls = None if file.tls is None else _tls(file.tls, base_dir)
    return settings.MllpSettings(
        host, port, {normal(name): device for device, names in file.devices.items() for name in names}, tls
    )


def build_influx(file: InfluxV1File | InfluxV2File | None, secrets: Secrets) -> settings.InfluxSettings | None:
    """The time-series store's settings, where there is one."""
    match file:
        case None:
            return None
        case InfluxV1File():
            password = secrets.values.get(("influx", "password"))
            return settings.InfluxV1Settings(url=file.url, database=file.database, username=file.username, password=password)
        case InfluxV2File():
            token = secrets.values.get(("influx", "token"))
            return settings.InfluxV2Settings(url=file.url, org=file.org or "", bucket=file.bucket, token=token)
    assert_never(file)


def build_console(file: WardFile) -> settings.ConsoleSettings:
    """Where the console listens and is reached."""
    host, port = split_listen(file.console.listen)
    given = file.console.base_url
    return settings.ConsoleSettings(
        host,
        port,
        given or f"http://{file.console.listen}",
        links=given is not None,
        here=file.console.here,
        trusted_proxies=tuple(file.console.trusted_proxies),
        session_idle_ms=file.console.session_idle,
        session_most_ms=file.console.session_longest,
        kiosk_session_ms=file.console.kiosk_session,
    )


def build_transport(name: str, file: _TransportFile, secrets: Secrets) -> settings.TransportSettings:
    """One transport's settings."""
    password = secrets.values.get(("transports", name, "password"))
    match file:
        case KannelFile():
            return settings.KannelSettings(
                name=name,
                url=file.url,
                username=file.username,
                password=password,
                token=secrets.values.get(("transports", name, "token")),
                callback_url=file.callback_url,
                sender=file.sender,
                receipts=file.receipts,
                receipt_deadline_ms=file.receipt_deadline,
            )
        case SmppFile():
            return settings.SmppSettings(
                name=name,
                host=file.host,
                port=file.port,
                system_id=file.system_id,
                password=password,
                system_type=file.system_type,
                sender=file.sender,
                receipts=file.receipts,
                receipt_deadline_ms=file.receipt_deadline,
            )
        case SnppFile():
            return settings.SnppSettings(name=name, host=file.host, port=file.port)
        case AppriseFile():
            auth_token = secrets.values.get(("transports", name, "twilio", "auth_token"))
            return settings.AppriseSettings(name=name, url=file.url, auth_token=auth_token)
    assert_never(file)


def resolved(text: str, base_dir: File | None) -> File:
    """A path of the file: relative ones start at the ward file's own directory."""
    return base_dir / text if base_dir is not None else File(text)


def _policies(file: WardFile) -> dict[str, PolicyFile]:
    written: dict[str, PolicyFile] = file.policies.model_extra or {}
    return {**written, **{name: PolicyFile() for name in BOARD_ONLY if name not in written}}


def _policy(name: str, file: PolicyFile) -> Policy:
    return Policy(
        name=name,
        steps=tuple(Step(tuple(step.page), step.wait) for step in file.steps),
        repeat_from=file.repeat.from_step - 1 if file.repeat else None,
        repeat_every_ms=file.repeat.every if file.repeat else 0,
        ack_lease_ms=file.ack_lease or LEASES_MS.get(name, OTHER_LEASE_MS),
        milestone_targets=tuple(file.milestones_page),
    )


def _contacts(files: list[ContactFile]) -> list[Contact]:
    return [Contact(transport, address, file.after) for file in files for transport, address in (file.model_extra or {}).items()]


def _schedule(name: str, file: ScheduleFile, timezone: str) -> Schedule:
    overrides = tuple(
        Shift(instant_of(override.from_, timezone), instant_of(override.until, timezone), override.person)
        for override in file.overrides
    )
    return Schedule(
        name=name,
        timezone=timezone,
        rotation=None if file.rotation is None else _rotation(file.rotation),
        overrides=overrides,
        layers=tuple(_layer(layer) for layer in file.layers),
        calendar=None if file.ical is None else IcalCalendar(file.ical, timezone, tuple(file.ical_names.items())),
    )


def _layer(file: LayerFile) -> Layer:
    from_minute, until_minute = minutes_of(file.hours)
    return Layer(_rotation(file), from_minute, until_minute, tuple(sorted(set(file.days))))


def _rotation(file: RotationFile) -> Rotation:
    """The first handover is the first one on or after the day on which the rotation starts."""
    weekday = weekday_of(file.handover)
    wait_days = 0 if weekday is None else (weekday - file.starts.weekday()) % 7
    first_day = file.starts + timedelta(days=wait_days)
    return Rotation(file.every // DAY_MS, f"{first_day.isoformat()}T{file.handover[-5:]}", tuple(file.people))


def _facts(name: str, file: _TransportFile) -> TransportFacts:
    receipts = isinstance(file, KannelFile | SmppFile) and file.receipts
    voice = is_voice(name, file.url if isinstance(file, AppriseFile) else "", said=file.voice)
    signed = isinstance(file, AppriseFile) and file.twilio is not None
    return TransportFacts(
        name=name,
        kind=file.kind,
        voice=voice,
        two_way=is_two_way(name, file.kind, twilio=signed and not voice),
        receipts=receipts,
        receipt_deadline_ms=file.receipt_deadline if isinstance(file, KannelFile | SmppFile) and receipts else 0,
    )
