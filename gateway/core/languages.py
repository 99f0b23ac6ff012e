"""Which words a person's pages are written in."""

from collections.abc import Mapping

from gateway.core.context import Context
from gateway.core.wording import Wording
from gateway.core.wording_en import ENGLISH
from gateway.core.wording_zh_hant import CHINESE
from gateway.domain.locale import Locale
from gateway.domain.ward import Contact, Person

WORDINGS: Mapping[Locale, Wording] = {Locale.EN: ENGLISH, Locale.ZH_HANT: CHINESE}

ASCII_ONLY = frozenset({"snpp"})  # kinds of transport whose receivers show nothing else: a pager


def locale_of(person: Person, contact: Contact, context: Context) -> Locale:
    """The person's language, where the transport can carry it; else English."""
    facts = context.ward.transports.get(contact.transport)
    return Locale.EN if facts is not None and facts.kind in ASCII_ONLY else person.locale


def answer(person: Person, name: str, **words: object) -> str:
    """One of the answers to somebody who wrote, in the language of that person."""
    return WORDINGS[person.locale].answers[name].format(**words)
