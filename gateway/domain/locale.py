"""The languages in which people are paged. English is always there; the others may lack a text here and there."""

from enum import StrEnum


class Locale(StrEnum):
    """A language, by its BCP 47 tag."""

    EN = "en"
    ZH_HANT = "zh-Hant"


TRANSLATED = tuple(locale for locale in Locale if locale is not Locale.EN)
