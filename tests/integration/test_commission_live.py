"""A pump is commissioned through everything real: rack on a pty, bridge, mosquitto, gateway, and the screens by their keys."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from device_adapters.telling import Tells, tells
from gateway.domain.bench import Verdict
from gateway.domain.words import Condition
from gateway.field.adapter_live import Live
from gateway.field.commissioning.bench import Bench
from gateway.field.commissioning.evidence import Plan
from gateway.field.commissioning.gateway_side import GatewaySide
from gateway.field.commissioning.keeping import keep, verified
from gateway.field.commissioning.procedure import Procedure
from gateway.field.commissioning.record import About, record_of
from gateway.field.commissioning.screens import STEPS, CommissionApp
from gateway.field.commissioning.steps import Standing, Step
from gateway.field.remote import Remote
from gateway.outside.kernel_clock import uptime_ms
from gateway.outside.site_key import site_key
from gateway.scenario.serial_pumps.bcc import SpacePump
from tests.support.bridge_process import BridgeProcess, bridge_file
from tests.support.brokers import mosquitto
from tests.support.gateway_process import SITE, gateway, post_to, ward
from tests.support.process import free_port
from tests.support.virtual_rack import RackOnPty, rack_on_pty

pytestmark = pytest.mark.servers

PUMP, AIR = "pump-new", 15
TELLS = Tells(tells("bbraun-bcc").measures, frozenset({Condition.AIR_IN_LINE, Condition.DOOR_OPEN}))
PLAN = Plan(device=PUMP, adapter="bbraun-bcc", tells=TELLS, course="P-017", rate_ml_h=600.0, cut_ms=4_000, battery_ms=1_500)
ABOUT = About(
    site=SITE, by="tech", source="mqtt", began_at="2026-03-02T08:00:00+08:00", ended_at="2026-03-02T08:30:00+08:00", version="1"
)


async def test_a_pump_is_commissioned_and_nobody_is_paged(tmp_path: Path):
    """Seven steps pass, the record is signed, kept and remembered across a kill; the provoked alarm pages nobody."""
    with mosquitto(tmp_path / "broker") as broker, rack_on_pty(slot_11=SpacePump(rate_ml_h=600.0)) as rack:
        file = ward(broker.port, {"web": post_to(free_port())}, {"web": "nurse"})
        line = {"adapter": "bbraun-bcc", "serial": {"port": rack.port}, "slots": {"11": PUMP}, "poll": "1s", "report": "1s"}
        bridge = BridgeProcess(tmp_path / "bridge", bridge_file(broker.port, lines=[line]))
        with gateway(tmp_path / "gateway", file) as running:
            side = GatewaySide(Remote(running.url, running.token_file.read_text().strip(), "tech"), PUMP)
            side.announce()
            bridge.start()
            try:
                app = commissioning(tmp_path, broker.port, side)
                async with app.run_test(size=(80, 24)) as pilot:
                    await until(pilot, lambda: app.bench is not None and app.bench.procedure.line.delivering, "the pump is heard")
                    await through_the_steps(pilot, app, rack, broker)
                    await pilot.press("w", *"yes", "enter")
                    await until(pilot, lambda: app.return_value is not None, "the record is written")
            finally:
                bridge.stop()
            assert "off the bench" in running.command("pump", "bench", PUMP, "--over")
            assert running.ask("/pages") == []
            assert running.ask("/board")["site_incidents"] == []
            running.kill()
            running.start()
            assert "by tech: PASSED, document" in running.command("pump", "show", PUMP)
            (kept,) = running.ask(f"/pumps/{PUMP}/full")["commissioned"]
    record, digest, known = verified(tmp_path / "records" / f"commissioning-{PUMP}-20260302T083000.json", None)
    assert known
    assert (kept["digest"], kept["verdict"], kept["who"]) == (digest, "passed", "tech")
    air = next(alarm for alarm in record["alarms"] if alarm["condition"] == "air-in-line")
    assert air["would_page"] == "would page nurse-a by web at once"
    assert 0 <= air["gateway_after_s"] < 30
    assert (tmp_path / "records" / f"commissioning-{PUMP}-20260302T083000.html").read_text().count("<b>passed</b>") == len(Step)


def commissioning(folder: Path, port: int, side: GatewaySide) -> CommissionApp:
    """The app as the command puts it together, with short limits."""
    live = Live(mqtt=f"127.0.0.1:{port}", topic=f"dw/v1/{SITE}/{PUMP}/#")
    key = site_key(folder / "records" / "site.key")

    def write(procedure: Procedure) -> Sequence[str]:
        kept = keep(folder / "records", record_of(procedure, ABOUT), key)
        return [side.record(kept.digest, procedure.verdict())]

    return CommissionApp(lambda _way: Bench(Procedure(replace(PLAN)), live, side, uptime_ms), write, pick=False)


async def through_the_steps(pilot: Pilot, app: CommissionApp, rack: RackOnPty, broker) -> None:
    """What a technician does, one step after another."""
    assert app.bench is not None
    procedure = app.bench.procedure
    for step in STEPS:
        await pilot.press("enter")
        await until(pilot, lambda step=step: procedure.steps[step].standing is not Standing.NOT_DONE, f"{step} begins")
        await HANDS.get(step, nothing)(pilot, app, rack, broker)
        await until(pilot, lambda step=step: procedure.under_way is None, f"{step} ends")
        assert (step, procedure.steps[step].standing, procedure.steps[step].words) == (
            step,
            Standing.PASSED,
            procedure.steps[step].words,
        )
        await pilot.press("down")
    assert procedure.verdict() is Verdict.PASSED


async def nothing(*_: object) -> None:
    """The pump says enough by itself."""


async def provoke(pilot: Pilot, app: CommissionApp, rack: RackOnPty, _broker) -> None:
    """Air into the line and out again; a syringe pump has no door."""
    procedure = app.bench.procedure
    air = procedure.ticks.by_condition[Condition.AIR_IN_LINE]
    rack.raise_alarm("11", AIR)
    await until(pilot, lambda: air.gateway_ms is not None and air.would_page, "the gateway saw it")
    await pilot.press("tab", "down", "down", "e", *"no door", "enter")
    await until(pilot, lambda: procedure.ticks.by_condition[Condition.DOOR_OPEN].excused, "the door is excused")
    await pilot.press("shift+tab")
    rack.clear("11")


async def pull_the_plug(pilot: Pilot, app: CommissionApp, rack: RackOnPty, _broker) -> None:
    """Out for longer than the plan wants, and in again."""
    for on_mains in (False, True):
        with rack.lock:
            rack.rack.pumps["11"].on_mains = on_mains
        if not on_mains:
            await until(pilot, lambda: app.bench.procedure._watch.battery_ms >= PLAN.battery_ms, "long enough on battery")


async def pull_the_network(pilot: Pilot, app: CommissionApp, _rack: RackOnPty, broker) -> None:
    """The broker goes, and comes back."""
    broker.stop()
    await until(pilot, lambda: app.bench.procedure.silent_ms(uptime_ms()) >= PLAN.cut_ms, "cut off for long enough")
    broker.start()


HANDS = {Step.ALARMS: provoke, Step.BATTERY: pull_the_plug, Step.NETWORK: pull_the_network}


async def until(pilot: Pilot, holds: Callable[[], object], what: str) -> None:
    """Let everything work until that is so."""
    try:
        async with asyncio.timeout(60):
            while not holds():
                await pilot.pause(0.05)
    except TimeoutError:
        app = pilot.app
        raise AssertionError(f"not within a minute: {what}; {app.bench} {app.screen}") from None
