"""`rules explain` and `rules test`."""

from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path

import click

from gateway.domain.locale import TRANSLATED
from gateway.field.speaking import FINE, NO, LinedWrong, Wrong, wrapped
from rules.examples import run_example
from rules.explain import explain, explain_protocol, what_to_do
from rules.loader import RulesError, load_protocol, shipped_text
from rules.model import Protocol, Rule
from rules.translations import in_english, untranslated


@click.group()
def rules() -> None:
    """Explain and test rules."""


@rules.command("explain")
@click.argument("protocol", required=False)
def explain_(protocol: str | None) -> int:
    """Say PROTOCOL (a name or a file; else all that are shipped) and each of its rules in plain English, to be signed."""
    known: set[str] = set()
    for loaded, _ in _loaded([protocol] if protocol else []):
        click.secho("\n".join(wrapped(f"{loaded.name}: {loaded.title}", "")), bold=True)
        for fact in explain_protocol(loaded):
            click.echo("\n".join(wrapped(fact, "  ")))
        click.echo()
        fresh = [rule for rule in loaded.rules if _as_said(rule) not in known]
        for rule in fresh:
            known.add(_as_said(rule))
            _explain_rule(rule)
        same = ", ".join(rule.name for rule in loaded.rules if rule not in fresh)
        if same:
            click.echo("\n".join(wrapped(f"Word for word as above: {same}.", "  ")))
            click.echo()
    return FINE


def _as_said(rule: Rule) -> str:
    """The whole text of a rule: what has been said word for word is not said again."""
    return "\n".join((explain(rule), *what_to_do(rule)))


def _explain_rule(rule: Rule) -> None:
    click.echo("\n".join(wrapped(explain(rule), "  ")))
    for line in what_to_do(rule):
        click.echo("\n".join(wrapped(line, "    ")))
    click.echo()


@rules.command("test")
@click.argument("files", nargs=-1)
def test_(files: tuple[str, ...]) -> int:
    """Run every example of the protocols in FILES (names or files; else of all that are shipped); say what is not translated."""
    code = FINE
    for loaded, source in _loaded(files):
        examples = failed = 0
        for rule in loaded.rules:
            for example in rule.examples:
                examples += 1
                problem = run_example(rule, example, loaded)
                if problem is not None:
                    failed += 1
                    click.echo(f"{source}:{example.line}: {rule.name}: {example.title}: {problem}")
        click.echo(f"{source}: {len(loaded.rules)} rules, {examples} examples, {failed or 'none'} failed")
        for locale in TRANSLATED:
            if missing := untranslated(loaded, locale):
                words = f"{source}: {in_english(missing, locale)}"
                click.echo("\n".join(wrapped(words, "")))
        code = NO if failed else code
    return code


def _loaded(names: Sequence[str]) -> Iterator[tuple[Protocol, str]]:
    """(protocol, where it comes from) of each name or file. Raises `Wrong`."""
    for name in names or shipped_names():
        shipped = shipped_text(name)
        text = shipped if shipped is not None else _text_of(Path(name))
        try:
            yield load_protocol(text, name), name
        except RulesError as error:
            raise LinedWrong(error.problems) from None


def shipped_names() -> list[str]:
    """The protocols that come with Dripwatch."""
    catalog = resources.files("rules").joinpath("catalog")
    return sorted(file.name.removesuffix(".yaml") for file in catalog.iterdir() if file.name.endswith(".yaml"))


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Wrong(f"{path}: not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        known = ", ".join(shipped_names())
        reason = (error.strerror or "cannot be read").lower()
        raise Wrong(f"{path}: {reason}; give a file, or a shipped protocol ({known})") from None
