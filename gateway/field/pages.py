"""`page preview`: every text that can be sent, as it would be sent, for a reviewer to read and sign."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from gateway.config.lint_texts import locales_of
from gateway.core.previews import Preview, Previewer
from gateway.domain.locale import Locale
from gateway.domain.ward import Ward
from gateway.field.checking import load_with_protocols
from gateway.field.page_test import test
from gateway.field.rulebook import shipped_names
from gateway.field.speaking import FINE, NO, Wrong, printable, wrapped
from gateway.outside.sms_text import coded
from rules.loader import load_protocol, shipped_text
from rules.model import Protocol
from rules.translations import in_english, untranslated

DEFAULT_PROTOCOL = "blinatumomab_home"
_EXAMPLE = Ward(site="ward", timezone="Asia/Hong_Kong")


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whose texts are shown: a ward's protocols in its languages, or one that is shipped in all."""

    ward: Ward
    protocols: Sequence[Protocol]
    locales: Sequence[Locale]


@click.group("page", short_help="Show what pages say; send one as a test.")
def page() -> None:
    """What pages say, and whether they arrive."""


page.add_command(test)


@page.command("preview")
@click.argument("protocol", required=False)
@click.option("--rule", help="Only this rule's texts.")
@click.option(
    "--locale", type=click.Choice([locale.value for locale in Locale]), help="Only this language; else those of the ward, or all."
)
@click.option("--ward", help="The ward file: its protocols with its own changes, its time zone and its languages.")
def preview(protocol: str | None, rule: str | None, locale: str | None, ward: str | None) -> int:
    """Print every text of PROTOCOL (one that is shipped), or of a ward, with its length; exit 1 where one has no room."""
    if protocol is not None and ward is not None:
        raise Wrong("give a protocol or --ward, not both: a ward file names its protocols")
    asked = _of_protocol(protocol or DEFAULT_PROTOCOL) if ward is None else _of_ward(Path(ward))
    locales = asked.locales if locale is None else [Locale(locale)]
    _check_rule(rule, asked.protocols)
    cut = 0
    for shown in asked.protocols:
        for language in locales:
            click.secho(f"{shown.name} in {language.value}", bold=True)
            missing = [text for text in untranslated(shown, language) if rule is None or text.startswith(f"{rule}:")]
            if missing:
                click.echo("\n".join(wrapped(in_english(missing, language), "  ")))
            for text in _previews(Previewer(shown, asked.ward, language), rule):
                cut += text.cut
                _say(text)
            click.echo()
    click.echo("everything essential fits into one message" if not cut else f"{cut} texts have no room for the essential")
    return NO if cut else FINE


def _previews(previewer: Previewer, rule: str | None) -> Iterator[Preview]:
    for one in previewer.protocol.rules:
        if rule is None or one.name == rule:
            yield from previewer.of(one)
    if rule is None:
        yield from previewer.answers()


def _say(text: Preview) -> None:
    click.echo(f"  {text.rule}, {text.what}: {measured(text)}{' NO ROOM: its words are cut' if text.cut else ''}")
    for line in text.text.splitlines():
        click.echo(f"    {printable(line)}")


def measured(text: Preview) -> str:
    """`GSM-7, 103 characters, 197 with what to do first, 2 parts`: what a telephone makes of the whole text."""
    message, essential, whole = coded(text.text), len(text.essential), len(text.text)
    parts = "1 part" if len(message.parts) == 1 else f"{len(message.parts)} parts"
    first = "" if whole == essential else f"{whole} with what to do first, "
    return f"{'GSM-7' if message.gsm7 else 'UCS-2'}, {essential} characters, {first}{parts}"


def _of_protocol(name: str) -> _Asked:
    text = shipped_text(name)
    if text is None:
        raise Wrong(f"no protocol {name!r} is shipped; known: {', '.join(shipped_names())}. One of your own: --ward")
    return _Asked(_EXAMPLE, [load_protocol(text, name)], [*Locale])


def _of_ward(file: Path) -> _Asked:
    loaded, texts = load_with_protocols(file)
    protocols = [load_protocol(text, name, loaded.rule_overrides) for name, text in texts.items()]
    return _Asked(loaded.ward, protocols, locales_of(loaded.ward))


def _check_rule(rule: str | None, protocols: Sequence[Protocol]) -> None:
    known = dict.fromkeys(one.name for protocol in protocols for one in protocol.rules)
    if rule is not None and rule not in known:
        raise Wrong(f"no rule {rule!r}; rules: {', '.join(known)}")
