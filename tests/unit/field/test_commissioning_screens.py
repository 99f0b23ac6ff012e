"""The screens of a commissioning under Textual's Pilot: small and large, by keys alone, with evidence made by hand."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import count

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from device_adapters.telling import tells
from gateway.domain.readings import AlarmChange, Decoded, Observation
from gateway.domain.words import AlarmPhase, Condition, DeliveryStatus, Power
from gateway.field.adapter_live import Live
from gateway.field.commissioning.bench import Bench
from gateway.field.commissioning.dialogs import PickWay
from gateway.field.commissioning.evidence import Plan
from gateway.field.commissioning.procedure import Procedure
from gateway.field.commissioning.screens import CommissionApp
from gateway.field.commissioning.steps import Standing, Step
from gateway.field.speaking import Wrong

SIZES = [(80, 24), (120, 40), (60, 20)]
WALL = 1_772_409_600_000


class StillBench(Bench):
    """Nothing comes by itself."""

    async def run(self, changed: Callable[[], None]) -> None:
        """Until cancelled."""
        await asyncio.get_running_loop().create_future()


def bench(way: str = "") -> Bench:
    """A bench without a gateway; its clock rises by a millisecond a look."""
    if way.startswith("mqtt nowhere"):
        raise Wrong("'nowhere' is not a place; write host:port, like 127.0.0.1:1883")
    ticking = count()
    plan = Plan(device="pump-9", adapter="bbraun-bcc", tells=tells("bbraun-bcc"), rate_ml_h=600.0, asks_gateway=False)
    return StillBench(Procedure(plan), Live(adapter="bbraun-bcc"), None, lambda: next(ticking))


def app(write: Callable[[Procedure], Sequence[str]] = lambda _: ["written"], *, pick: bool = False) -> CommissionApp:
    """The app on such a bench."""
    return CommissionApp(bench, write, pick=pick, ports=["/dev/ttyUSB0"])


def says(shown: App, name: str) -> str:
    """The words in a part of the screen."""
    return str(shown.query_one(f"#{name}", Static).content)


async def until(pilot: Pilot, holds: Callable[[], object]) -> None:
    """Let the app work until that is so."""
    async with asyncio.timeout(20):
        while not holds():
            await pilot.pause(0.02)


def hears(shown: CommissionApp, *readings) -> Procedure:
    """The pump says this."""
    assert shown.bench is not None
    shown.bench.procedure.hear(Decoded(readings), shown.bench.uptime())
    shown._changed()
    return shown.bench.procedure


def delivers() -> Observation:
    """On mains, at the prescribed rate."""
    return Observation(
        observed_at=WALL, delivery_status=DeliveryStatus.DELIVERING, set_rate_ml_h=600.0, infused_ml=1.5, power=Power.MAINS
    )


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_a_step_is_begun_and_passes_by_keys_alone(size: tuple[int, int]):
    """Enter begins the highlighted step; the pump's word ends it; nothing that matters is off the screen."""
    shown = app()
    async with shown.run_test(size=size) as pilot:
        await until(pilot, lambda: shown.bench is not None and "Power" in says(shown, "what") + str(shown._rows))
        await pilot.press("enter")
        await until(pilot, lambda: "UNDER WAY" in says(shown, "what"))
        procedure = hears(shown, delivers())
        await until(pilot, lambda: "PASSED: it says that it runs on mains" in says(shown, "what"))
        assert procedure.steps[Step.POWER].standing is Standing.PASSED
        assert says(shown, "line").startswith("PUMP: delivering, 600 mL/h, 1.50 mL given, on mains")
        assert says(shown, "gateway").startswith("GATEWAY: none")
        for name in ("head", "steps", "what", "line"):
            region = shown.query_one(f"#{name}").region
            assert region.right <= size[0], name
            assert region.y < size[1] - 1, name


async def test_a_step_is_left_with_a_reason():
    """N asks for it; an empty answer changes nothing; the reason stands in the record."""
    shown = app()
    async with shown.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shown.bench is not None and shown._rows)
        await pilot.press("down", "n", "escape")
        await pilot.press("n", *"no net", "enter")
        await until(pilot, lambda: "no net" in says(shown, "what"))
        assert shown.bench is not None
        assert shown.bench.procedure.steps[Step.PAIRING].words == "no net"


async def test_an_alarm_is_excused_and_another_ticks():
    """Tab leads to the alarms; e asks why one cannot be provoked."""
    shown = app()
    async with shown.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shown.bench is not None and len(shown._rows.get("alarms", [])) > 1)
        await pilot.press("e")
        await until(pilot, lambda: "choose an alarm first" in says(shown, "note"))
        await pilot.press("tab", "down", "e", *"none here", "enter")
        await until(pilot, lambda: any("excused" in row for row in shown._rows["alarms"]))
        await pilot.press("shift+tab", *["down"] * 4, "enter")
        air = AlarmChange(observed_at=WALL, condition=Condition.AIR_IN_LINE, phase=AlarmPhase.START)
        hears(shown, air)
        await until(pilot, lambda: "air in line: clear it" in shown._rows["alarms"])
        assert "ALARMS: air in line" in says(shown, "line")


async def test_what_does_not_fit_is_said_in_a_line():
    """A volume that is none, and one before the step: one line, no traceback."""
    shown = app()
    async with shown.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shown.bench is not None)
        await pilot.press("m", *"nan", "enter")
        await until(pilot, lambda: "'nan' is no volume" in says(shown, "note"))
        await pilot.press("m", *"1,5", "enter")
        await until(pilot, lambda: "first the volume step must pass" in says(shown, "note"))


async def test_the_record_is_written_only_after_a_yes():
    """A full disk is said and the work is not lost; then the lines come back."""
    tries = []

    def write(procedure: Procedure) -> Sequence[str]:
        tries.append(procedure.verdict().value)
        if len(tries) == 1:
            raise OSError(28, "No space left on device")
        return ["record commissioning.json"]

    shown = app(write)
    async with shown.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shown.bench is not None)
        await pilot.press("w", *"no", "enter")
        await pilot.press("w", *"yes", "enter")
        await until(pilot, lambda: "No space left on device" in says(shown, "note"))
        await pilot.press("w", *"yes", "enter")
        await until(pilot, lambda: shown.return_value is not None)
    assert (tries, shown.return_value) == (["incomplete", "incomplete"], ["record commissioning.json"])


async def test_leaving_asks_and_writes_nothing():
    """Q and yes: no record."""
    shown = app()
    async with shown.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shown.bench is not None)
        await pilot.press("q", *"yes", "enter")
        await until(pilot, lambda: not shown.is_running)
    assert shown.return_value is None


async def test_the_way_is_picked_and_a_wrong_one_is_asked_for_again():
    """A typed way or a port that is plugged in."""
    shown = app(pick=True)
    async with shown.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(shown.screen, PickWay))
        await pilot.press(*"mqtt nowhere", "enter")
        await until(pilot, lambda: isinstance(shown.screen, PickWay) and "is not a place" in shown.screen._trouble)
        await pilot.press("tab")
        await until(pilot, lambda: isinstance(shown.focused, OptionList))
        await pilot.press("enter")
        await until(pilot, lambda: shown.bench is not None)


async def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch):
    """With NO_COLOR nothing on the screen has a colour; words and signs carry the meaning."""
    monkeypatch.setenv("NO_COLOR", "1")
    shown = app()
    async with shown.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shown.bench is not None and shown._rows)
        assert any(type(one).__name__ == "Monochrome" for one in shown._filters)
