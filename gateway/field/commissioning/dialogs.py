"""Small screens that ask for one thing: a line of text, or which way leads to the pump."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

TEXT_MAX = 200


class AskText(ModalScreen[str]):
    """One line; empty when the technician thought better of it."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "leave", "Back")]
    DEFAULT_CSS = """
    AskText { align: center middle; }
    AskText > Vertical { width: 72; height: auto; border: round $primary; padding: 0 1; background: $surface; }
    """

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """The question and the line."""
        with Vertical():
            yield Label(self._question)
            yield Input(max_length=TEXT_MAX, placeholder="Enter takes it, Esc goes back")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        self.dismiss(event.value.strip())

    def action_leave(self) -> None:
        """Esc."""
        self.dismiss("")


class PickWay(ModalScreen[str]):
    """A serial port of the list, or a typed `tcp HOST:PORT` or `mqtt HOST:PORT`; empty to leave."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "leave", "Leave")]
    DEFAULT_CSS = """
    PickWay { align: center middle; }
    PickWay > Vertical { width: 76; height: auto; border: round $primary; padding: 0 1; background: $surface; }
    PickWay OptionList { max-height: 10; }
    """

    def __init__(self, ports: list[str], trouble: str = "") -> None:
        super().__init__()
        self._ports, self._trouble = ports, trouble

    def compose(self) -> ComposeResult:
        """What is plugged in, and a line for the rest."""
        with Vertical():
            yield Label(self._trouble or "Which way leads to the pump? Its bridge's topic is best: mqtt HOST:PORT")
            yield Input(max_length=TEXT_MAX, placeholder="mqtt 127.0.0.1:1883, tcp 192.168.1.9:4001, /dev/ttyUSB0")
            if self._ports:
                yield Label("Serial ports that are plugged in (Tab, then Enter):")
                yield OptionList(*(Option(port, id=str(number)) for number, port in enumerate(self._ports)))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter on the line."""
        if event.value.strip():
            self.dismiss(event.value.strip())

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter on a port."""
        self.dismiss(self._ports[event.option_index])

    def action_leave(self) -> None:
        """Esc."""
        self.dismiss("")
