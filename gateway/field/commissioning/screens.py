"""The terminal's screens: thin. They show what `shown` says, and turn keys into acts of the procedure."""

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import work
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from gateway.field.commissioning import shown
from gateway.field.commissioning.bench import Bench
from gateway.field.commissioning.dialogs import AskText, PickWay
from gateway.field.commissioning.procedure import NotNow, Procedure
from gateway.field.commissioning.steps import TITLES, Step
from gateway.field.speaking import No, Wrong

STEPS = tuple(Step)
REDRAW_S = 0.25
VOLUME_ML_MAX = 20_000

OpenBench = Callable[[str], Bench]
"""A bench on the way that was picked; empty: the one of the command line. Raises `Wrong` in words."""
Write = Callable[[Procedure], Sequence[str]]
"""Signs, keeps and records; returns what was done, line by line. Blocks. Raises `No`, `Wrong`, `OSError`."""


class CommissionApp(App[Sequence[str]]):
    """One commissioning. Returns the lines that `write` gave; None when it was left without a record."""

    TITLE = "Dripwatch commission"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #head { height: 1; text-style: bold; padding: 0 1; }
    #left { width: 36; }
    #steps { height: 9; border: round $primary; }
    #alarms { height: 1fr; border: round $primary; }
    #right { width: 1fr; }
    #what, #line, #gateway { height: auto; padding: 0 1; margin-bottom: 1; }
    #note { height: auto; padding: 0 1; text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("n", "leave_step", "not done"),
        ("f", "fail_step", "failed"),
        ("m", "collected", "mL"),
        ("e", "excuse", "excuse"),
        ("w", "write", "write record"),
        ("q", "stop", "quit"),
    ]

    def __init__(self, open_bench: OpenBench, write: Write, *, pick: bool, ports: Sequence[str] = ()) -> None:
        super().__init__()
        self._open, self._write, self._pick, self._ports = open_bench, write, pick, list(ports)
        self.bench: Bench | None = None
        self._stale = False
        self._rows: dict[str, list[str]] = {}

    def compose(self) -> ComposeResult:
        """Steps and alarms on the left, words on the right, keys below."""
        yield Static(id="head", markup=False)
        with Horizontal():
            with Vertical(id="left"):
                yield OptionList(id="steps")
                yield OptionList(id="alarms")
            with VerticalScroll(id="right", can_focus=False):
                yield Static(id="note", markup=False)
                yield Static(id="what", markup=False)
                yield Static(id="line", markup=False)
                yield Static(id="gateway", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Open the way, or ask for it."""
        self.query_one("#steps", OptionList).border_title = "Steps"
        self.query_one("#alarms", OptionList).border_title = "Alarms"
        self.query_one("#steps").focus()
        self.query_one("#note").display = False
        self.set_interval(REDRAW_S, self._redraw)
        self._start()

    @work
    async def _start(self) -> None:
        trouble, way = "", ""
        while True:
            if self._pick:
                way = await self.push_screen_wait(PickWay(self._ports, trouble))
                if not way:
                    self.exit(None)
                    return
            try:
                bench = self._open(way)
                break
            except Wrong as wrong:
                trouble = wrong.message
                if not self._pick:
                    self._say(trouble)
                    return
        self.bench = bench
        self._changed()
        self.run_worker(bench.run(self._changed), exclusive=True, group="bench")

    # ---- keys --------------------------------------------------------------------------------------------------------

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter: begin the step, or judge the one under way."""
        if event.option_list.id == "steps":
            self._act(lambda procedure, at: _begin_or_judge(procedure, STEPS[event.option_index], at))

    def on_option_list_option_highlighted(self) -> None:
        """Another row: other words."""
        self._changed()

    @work
    async def action_leave_step(self) -> None:
        """Why this step is not done."""
        step = self._step()
        if reason := await self.push_screen_wait(AskText(f"{TITLES[step]} is not done, because:")):
            self._act(lambda procedure, _at: procedure.leave(step, reason))

    @work
    async def action_fail_step(self) -> None:
        """What the technician saw that the line does not tell."""
        step = self._step()
        if reason := await self.push_screen_wait(AskText(f"{TITLES[step]} failed, because:")):
            self._act(lambda procedure, _at: procedure.fail(step, reason))

    @work
    async def action_collected(self) -> None:
        """What stands in the measuring cylinder."""
        text = await self.push_screen_wait(AskText("Collected since the volume step began, mL:"))
        if not text:
            return
        try:
            volume_ml = float(text.replace(",", "."))
        except ValueError:
            volume_ml = -1.0
        if not 0 <= volume_ml <= VOLUME_ML_MAX:
            self._say(f"{text!r} is no volume; write mL like 1.25")
            return
        self._act(lambda procedure, _at: procedure.collected(volume_ml))

    @work
    async def action_excuse(self) -> None:
        """Why a condition cannot be provoked."""
        row = self.query_one("#alarms", OptionList).highlighted
        if self.bench is None or row is None:
            self._say("choose an alarm first: Tab, then the arrow keys")
            return
        condition = list(self.bench.procedure.ticks.by_condition)[row]
        name = condition.replace("-", " ")
        if reason := await self.push_screen_wait(AskText(f"{name} cannot be provoked here, because:")):
            self._act(lambda procedure, at: procedure.excuse(condition, reason, at))

    @work
    async def action_write(self) -> None:
        """Sign, keep, record, end."""
        if self.bench is None:
            return
        verdict = self.bench.procedure.verdict().value
        if await self.push_screen_wait(AskText(f"The record will say {verdict.upper()}. Sign it and end? yes:")) != "yes":
            return
        try:
            lines = await asyncio.to_thread(self._write, self.bench.procedure)
        except (No, Wrong) as trouble:
            self._say(trouble.message)
        except OSError as error:
            self._say(f"the record cannot be written: {error.strerror or error}")
        else:
            self.exit(lines)

    @work
    async def action_stop(self) -> None:
        """Leave without a record."""
        if await self.push_screen_wait(AskText("Leave without a record? yes:")) == "yes":
            self.exit(None)

    # ---- what is shown -----------------------------------------------------------------------------------------------

    def _act(self, act: Callable[[Procedure, int], None]) -> None:
        if self.bench is None:
            return
        try:
            act(self.bench.procedure, self.bench.uptime())
            self._say("")
        except NotNow as refused:
            self._say(str(refused))
        self._changed()

    def _step(self) -> Step:
        return STEPS[self.query_one("#steps", OptionList).highlighted or 0]

    def _say(self, words: str) -> None:
        note = self.query_one("#note", Static)
        note.update(words)
        note.display = bool(words)

    def _changed(self) -> None:
        self._stale = True

    def _redraw(self) -> None:
        bench = self.bench
        if bench is None or not self._stale:
            return
        self._stale = False
        procedure, at = bench.procedure, bench.uptime()
        self._fill("steps", [shown.step_row(procedure, step) for step in STEPS])
        self._fill("alarms", [shown.tick_row(procedure, tick) for tick in procedure.ticks.by_condition.values()])
        self.query_one("#head", Static).update(shown.head(bench))
        self.query_one("#what", Static).update("\n".join(shown.step_words(procedure, self._step(), at)))
        self.query_one("#line", Static).update("\n".join(shown.line_words(bench, at)))
        self.query_one("#gateway", Static).update("\n".join(shown.gateway_words(bench)))

    def _fill(self, name: str, rows: list[str]) -> None:
        """Only what is new is drawn: over a slow connection every row counts, and the cursor stays where it is."""
        rows_before, shown_list = self._rows.get(name, []), self.query_one(f"#{name}", OptionList)
        if len(rows) < len(rows_before):
            shown_list.clear_options()
            rows_before = []
        for number, row in enumerate(rows):
            if number >= len(rows_before):
                shown_list.add_option(Option(row))
            elif row != rows_before[number]:
                shown_list.replace_option_prompt_at_index(number, row)
        self._rows[name] = rows
        if name == "steps" and shown_list.highlighted is None:
            shown_list.highlighted = 0


def _begin_or_judge(procedure: Procedure, step: Step, at: int) -> None:
    if procedure.under_way is step:
        procedure.judge_now(at)
    else:
        procedure.begin(step, at)
