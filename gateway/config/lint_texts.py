"""What the protocols of a ward do not say in the languages that its people read."""

from collections.abc import Mapping

from gateway.config.finding import FindingName
from gateway.config.lint import Finding
from gateway.config.settings import LoadedWard
from gateway.domain.locale import Locale
from gateway.domain.ward import Ward
from rules.loader import load_protocol
from rules.translations import in_english, untranslated
from rules.yaml_lines import Problem


def findings(loaded: LoadedWard, texts: Mapping[str, str]) -> list[Finding]:
    """One finding for each protocol and language with something left in English. `texts` are protocols that load, by name."""
    line = loaded.located.line(("protocols",)) if loaded.located else 0
    found = []
    for name, text in texts.items():
        protocol = load_protocol(text, name, loaded.rule_overrides)
        for locale in locales_of(loaded.ward):
            if missing := untranslated(protocol, locale):
                problem = Problem(loaded.source, line, ("protocols", name), in_english(missing, locale))
                found.append(Finding(FindingName.NOT_TRANSLATED, problem))
    return found


def locales_of(ward: Ward) -> list[Locale]:
    """The languages that somebody reads whom the ward pages, and the homes'."""
    read = {person.locale for person in ward.people.values()} | {ward.home_locale}
    return [locale for locale in Locale if locale in read]
