"""The command `dripwatch`: one file per topic, loaded when it is asked for."""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from gateway.field.speaking import FINE, WRONG, printable, wants_colour

# command → where it is. A Pi that runs one command does not load what the others need.
COMMANDS: Mapping[str, str] = {
    "run": "gateway.field.running:run",
    "demo": "gateway.field.running:demo",
    "check-config": "gateway.field.checking:check_config",
    "doctor": "gateway.field.doctor:doctor",
    "oncall": "gateway.field.oncall:oncall",
    "enrol": "gateway.field.enrolment:enrol",
    "course": "gateway.field.courses:course",
    "bag": "gateway.field.bags:bag",
    "pump": "gateway.field.pumps:pump",
    "window": "gateway.field.quiet:window",
    "silence": "gateway.field.quiet:silence",
    "unsilence": "gateway.field.quiet:unsilence",
    "call": "gateway.field.calls:call",
    "diary": "gateway.field.diary:diary",
    "incidents": "gateway.field.incidents:incidents",
    "report": "gateway.field.report:report",
    "audit": "gateway.field.audit:audit",
    "export": "gateway.field.export:export",
    "dashboards": "gateway.field.dashboards:dashboards",
    "rules": "gateway.field.rulebook:rules",
    "page": "gateway.field.pages:page",
    "scenario": "gateway.field.stories:scenario",
    "replay": "gateway.field.stories:replay",
    "simulate": "gateway.field.simulate:simulate",
    "adapter": "gateway.field.adapter:adapter",
    "commission": "gateway.field.commission:commission",
    "user": "gateway.field.users:user",
    "token": "gateway.field.tokens:token",
    "probe": "gateway.field.probe:probe",
    "watchdog": "gateway.field.watchdog:watchdog",
    "bridge": "gateway.field.bridge:bridge",
    "device": "gateway.field.device:device",
    "backup": "gateway.field.backup:backup",
    "restore": "gateway.field.backup:restore",
}

INTERRUPTED = 130  # what shells expect of a program that Ctrl-C ended


class Dripwatch(click.Group):
    """The top of the command line. Whatever happens below, people get one line and an exit code: 0 fine, 1 no, 2 wrong."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of a day's work, not of the alphabet."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one topic's file."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def main(self, args: Sequence[str] | None = None, *_: Any, **extra: Any) -> NoReturn:
        """Run and end the process. `--debug` may stand anywhere, so that it can be added to a line that failed."""
        given = list(sys.argv[1:] if args is None else args)
        debug = "--debug" in given
        given = [word for word in given if word != "--debug"]
        extra |= {"standalone_mode": False, "prog_name": "dripwatch"}
        sys.exit(self._guarded(given, debug=debug, **extra))

    def _guarded(self, given: list[str], *, debug: bool, **extra: Any) -> int:
        try:
            code = super().main(given, **extra)
        except click.ClickException as error:
            _say(_one_line(error))
            return error.exit_code
        except (click.Abort, KeyboardInterrupt):
            _say("interrupted")
            return INTERRUPTED
        except Exception as error:
            if debug:
                raise
            _say(f"internal error ({type(error).__name__}: {printable(str(error))[:200]}); run again with --debug and report it")
            return WRONG
        return code if isinstance(code, int) else FINE


def _say(text: str) -> None:
    for line in text.splitlines():
        click.echo(f"dripwatch: {line}", err=True)


def _one_line(error: click.ClickException) -> str:
    """What is wrong; for a call that is wrong also where its help is."""
    message = error.format_message()
    if isinstance(error, click.UsageError):
        words = " ".join(message.split()).rstrip(".")
        return f"{words}; see {error.ctx.command_path} --help" if error.ctx else words
    return message


@click.group(cls=Dripwatch, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="dripwatch", message="dripwatch %(version)s")
@click.option("--debug", is_flag=True, help="Show where an internal error happened; may stand anywhere in the line.")
@click.pass_context
def cli(context: click.Context, *, debug: bool) -> None:
    """Watch infusion pumps at patients' homes, and page the nursing team when a pump needs a person.

    Dripwatch informs people. It never commands a pump, and a pump's alarm is cleared at the pump only.
    """
    del debug  # taken out of the line before click sees it; declared for --help
    context.color = wants_colour()
