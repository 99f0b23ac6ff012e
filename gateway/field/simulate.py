"""`simulate`: a study of simulated patients in virtual time, or the same homes on a real broker of this machine."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, ParamSpec

import click
from click.core import ParameterSource

from gateway.config.load import load_ward_file
from gateway.config.problems import ConfigError
from gateway.config.protocols import read_protocols
from gateway.domain.instants import SECOND_MS
from gateway.field.at_broker import BROKER_OPTIONS, Credentials, broker_options
from gateway.field.simulate_live import Live, run_live
from gateway.field.simulate_serial import FAMILIES, run_serial
from gateway.field.simulate_serial import Asked as Virtual
from gateway.field.speaking import FINE, NO, LinedWrong, Wrong, existing_file
from gateway.scenario.local_time import LocalTime
from gateway.scenario.serial_pumps.faults import Faults
from gateway.scenario.study import PATIENTS_MAX, Plan, run_study
from gateway.scenario.study_report import Report, report
from gateway.scenario.study_text import table
from gateway.scenario.study_ward import WARD, plan_of, shipped_plan

SMALL = 20  # up to so many patients a study takes pumps that report every minute
REPORT_SMALL_S, REPORT_LARGE_S = 60, 300
LIVE_MINUTES = 10.0
SEED = 1

_STUDY_ONLY = ("days", "workers", "ward", "as_json", "goals")
_SERIAL_ONLY = ("noise", "slow_bytes", "disconnect_every", "wrong_checksum", "script", "link")
_LIVE_ONLY = ("host", "speed", "minutes", "url", "token_file", "site", *BROKER_OPTIONS)

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Asked:
    """A study as it was asked for."""

    days: float
    workers: int
    ward: str | None
    as_json: bool
    goals: bool


def _options(*options: Callable[[Callable[P, int]], Callable[P, int]]) -> Callable[[Callable[P, int]], Callable[P, int]]:
    def decorate(command: Callable[P, int]) -> Callable[P, int]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_COMMON = _options(
    click.option("--patients", type=click.IntRange(1, PATIENTS_MAX), default=SMALL, show_default=True, help="How many homes."),
    click.option("--seed", type=int, default=SEED, show_default=True, help="The same seed gives the same homes."),
    click.option("--every", type=click.IntRange(1, 3_600), help="Seconds between a pump's reports [60; from 21 patients 300]."),
)
_STUDY = _options(
    click.option("--days", type=click.FloatRange(1, 28), help="Study: how long each course lasts [28]."),
    click.option("--workers", type=click.IntRange(1, 64), help="Study: how many processes share the work [one a core]."),
    click.option("--ward", help="Study: a ward file of your own, with its people, policies and rules."),
    click.option("--json", "as_json", is_flag=True, default=None, help="Study: print everything as JSON."),
    click.option("--goals", is_flag=True, default=None, help="Study: exit 1 when a goal is not met."),
)
_LIVE = _options(
    click.option("--port", type=click.IntRange(1, 65_535), help="Publish to the broker on this port instead of a study."),
    click.option("--host", help="Live: the broker's address, of this machine only [127.0.0.1]."),
    click.option("--speed", type=click.FloatRange(1, 3_600), help="Live: the homes live so many times as fast [1]."),
    click.option(
        "--minutes",
        type=click.FloatRange(0, 24 * 60, min_open=True),
        help=f"Live: end after this [{LIVE_MINUTES:g}]. Serial: the same [never].",
    ),
    click.option("--url", help="Live: enrol the courses with the gateway here, and end them afterwards."),
    click.option("--token-file", help="Live: the file with its token; else DRIPWATCH_TOKEN."),
    click.option("--site", help="Live: the ward's site, as in topics; else the gateway's."),
    broker_options,
)


_SERIAL = _options(
    click.option("--serial", type=click.Choice(FAMILIES), help="One virtual pump on a pseudo-terminal instead; prints its port."),
    click.option("--noise", type=click.FloatRange(0, 1), help="Serial: this share of all bytes arrives as another one."),
    click.option("--slow-bytes", type=click.IntRange(1, 1_000), help="Serial: each byte takes so many milliseconds."),
    click.option("--disconnect-every", type=click.FloatRange(1, 86_400), help="Serial: pull the cable so often, in seconds."),
    click.option("--wrong-checksum", type=click.IntRange(1), help="Serial: each nth answer has a wrong check."),
    click.option("--script", help="Serial: a file of orders, `SECONDS ORDER` a line; else they are typed."),
    click.option("--link", help="Serial: the name of the port, so that a bridge's file can hold it."),
)


@click.command(short_help="Study simulated patients; let them live on a broker or port.")
@_COMMON
@_STUDY
@_LIVE
@_SERIAL
@click.pass_context
def simulate(
    context: click.Context, /, *, patients: int, seed: int, every: int | None, port: int | None, serial: str | None, **given: Any
) -> int:
    """Live simulated patients through their cycles and count what is paged.

    Without --port it is a study in virtual time: the table compares Dripwatch with a page on every alarm, and with the truth.
    With --port the same homes publish to a real broker on this machine, for --minutes.
    With --serial it is one virtual pump on a pseudo-terminal, for a bridge or the bench; alarms and stops are typed.
    """
    if serial is not None:
        patients_given = context.get_parameter_source("patients") is ParameterSource.COMMANDLINE
        _refuse_beside_serial({**given, "port": port, "patients": patients if patients_given else None})
        return _serial(serial, seed=seed, every=every, given=given)
    _refuse_mixed(given, live=port is not None)
    report_s = every or (REPORT_SMALL_S if patients <= SMALL or port is not None else REPORT_LARGE_S)
    if port is not None:
        host = given["host"] or "127.0.0.1"
        refuse_other_machines(host, "--host", "simulated patients are published on")
        asked = Live(
            patients=patients,
            seed=seed,
            report_s=report_s,
            host=host,
            port=port,
            speed=given["speed"] or 1.0,
            minutes=given["minutes"] or LIVE_MINUTES,
            url=given["url"],
            token_file=given["token_file"],
            site=given["site"],
            credentials=Credentials.given(given),
        )
        return run_live(asked, WARD, click.echo)
    workers = given["workers"] or os.cpu_count() or 1
    study = Asked(given["days"] or 28.0, workers, given["ward"], bool(given["as_json"]), bool(given["goals"]))
    return _study(study, patients=patients, seed=seed, report_s=report_s)


def _serial(family: str, *, seed: int, every: int | None, given: dict[str, Any]) -> int:
    if every is not None and family == "bbraun-bcc":
        raise Wrong("--every: bbraun-bcc speaks when it is asked; leave it out")
    faults = Faults(
        noise=given["noise"] or 0.0,
        wrong_check=given["wrong_checksum"] or 0,
        slow_ms=given["slow_bytes"] or 0,
        unplugged_every_ms=round((given["disconnect_every"] or 0) * SECOND_MS),
    )
    asked = Virtual(
        family=family,
        faults=faults,
        seed=seed,
        script=given["script"],
        link=given["link"],
        minutes=given["minutes"],
        every_s=every or REPORT_SMALL_S,
    )
    return run_serial(asked, click.echo)


def _study(asked: Asked, *, patients: int, seed: int, report_s: int) -> int:
    plan = _plan(asked.ward, patients, seed).lasting(days=asked.days, report_s=report_s)
    progress = _counter(patients) if sys.stderr.isatty() else lambda _: None
    done = run_study(plan, workers=asked.workers, progress=progress)
    counted = report(done, LocalTime(plan.timezone, plan.assumed))
    click.echo(json.dumps(counted.as_json(), indent=2) if asked.as_json else "\n".join(table(counted)))
    return NO if asked.goals and not _all_met(counted) else FINE


def _plan(ward: str | None, patients: int, seed: int) -> Plan:
    """The shipped ward, or the one in a file."""
    if ward is None:
        return shipped_plan(patients, seed)
    path = Path(existing_file(ward))
    try:
        loaded = load_ward_file(path)
        return plan_of(loaded, read_protocols(loaded.protocols, loaded.rule_overrides, path.parent), patients, seed)
    except ConfigError as error:
        raise LinedWrong(error.problems) from None
    except ValueError as error:
        raise Wrong(f"{ward}: {error}") from None


def _counter(patients: int) -> Callable[[int], None]:
    return lambda done: click.echo(f"\r{done} of {patients} patients", err=True, nl=done >= patients)


def _all_met(counted: Report) -> bool:
    return all(goal.met for goal in counted.goals)


def _refuse_beside_serial(given: dict[str, Any]) -> None:
    """Beside --serial only its own options, --seed, --every and --minutes mean something."""
    for name, value in given.items():
        if value is not None and name != "minutes" and name not in _SERIAL_ONLY:
            raise Wrong(f"--{_flag(name)} does not belong to --serial, which is one pump; leave out one of them")


def _flag(name: str) -> str:
    return {"as_json": "json"}.get(name, name).replace("_", "-")


def _refuse_mixed(given: dict[str, Any], *, live: bool) -> None:
    """An option that would be ignored is a mistake."""
    for name in _SERIAL_ONLY:
        if given[name] is not None:
            raise Wrong(f"--{_flag(name)} belongs to a virtual pump; give --serial too")
    for name in _STUDY_ONLY if live else _LIVE_ONLY:
        if given[name] is not None:
            raise Wrong(f"--{_flag(name)} belongs to {'a study; leave out --port' if live else 'a live run; give --port too'}")


def refuse_other_machines(host: str, option: str, what: str) -> None:
    """Made-up and recorded patients have no business on a ward's broker. Raises `Wrong`."""
    try:
        here = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        here = False
    if not here:
        raise Wrong(f"{what} this machine only: {option} is 127.0.0.1, ::1 or localhost, not {host!r}")
