"""What of a protocol is not said in another language: a page about it goes out in English, as a whole."""

from gateway.domain.locale import Locale
from rules.model import LimitWords, Protocol, Rule


def untranslated(protocol: Protocol, locale: Locale) -> list[str]:
    """The texts that the protocol has in English only, as a person finds them in its file: `fever: say`, `past_limit`."""
    if locale is Locale.EN:
        return []
    limit = protocol.limit_words.get(locale, LimitWords())
    said = {"past_limit": limit.long, "past_limit_short": limit.short, "past_limit_first": limit.first}
    return [name for name, text in said.items() if not text] + [
        f"{rule.name}: {what}" for rule in protocol.rules for what in _untranslated(rule, locale)
    ]


def in_english(missing: list[str], locale: Locale) -> str:
    """What is untranslated, in words for a person who can mend it."""
    return f"not in {locale.value}, so pages with it are in English: {', '.join(missing)}"


def _untranslated(rule: Rule, locale: Locale) -> list[str]:
    words = rule.translations.get(locale)
    if words is None:
        return ["say", "first"]
    missing = [] if words.say else ["say"]
    missing += [] if words.first else ["first"]
    return missing + [f"first for {name}" for name in rule.firsts if name not in words.firsts]
