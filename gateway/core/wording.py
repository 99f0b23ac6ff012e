"""What a language must bring so that pages can be written in it. No text here; each language has a file of its own.

Templates have names in braces, as `str.format` reads them. What a text is put together from stands in the order in which it is
read: `opening`, what is wrong, `end`, the limit, `reply`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.domain.words import Priority, WhyPaged


@dataclass(frozen=True, slots=True)
class Wording:
    """One language.

    `opening` has `{lead}`, `{subject}` and `{priority}`; `leads` say why a page comes that is not the first one. `limit_at` tells
    the limit before it is reached, `limit_perhaps` where nobody knows, `limit_past` what it means then (`{then}`), and
    `limit_bare` the same without. `over` is the end of an incident, `closed` the end by a person; `was` what it had been, and
    `stopped` how long that lasted where it was longer than the limit. `answers` are said back to a person who wrote, by name.

    `lasted` says a duration (ms), `clock` a local time on a local day (then, now), `detail` the figures of a finding, which come
    in English; None where it does not know them.
    """

    priorities: Mapping[Priority, str]
    opening: str
    leads: Mapping[WhyPaged, str]
    window_over: str
    causes: Mapping[str, str]
    kinds: Mapping[str, str]
    joined: str
    about: str
    between: str
    more: str
    end: str
    limit_at: str
    limit_perhaps: str
    limit_past: str
    limit_bare: str
    reply: str
    over: str
    closed: str
    was: str
    stopped: str
    over_end: str
    reminder: str
    unreachable: str
    test: str
    answers: Mapping[str, str]
    lasted: Callable[[int], str]
    clock: Callable[[datetime, datetime], str]
    detail: Callable[[str], str | None]

    def cause(self, detail: str) -> str | None:
        """Why delivery stopped or is unknown; None where the language has no word for it."""
        return self.causes.get(detail or "unspecified") or self.kinds.get(detail)
