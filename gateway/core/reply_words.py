"""Which texts mean something: a whole message that is a code, a word for "I have it", or a word for "no more of this".

The whole message counts, never a part of it: a page that is quoted back, an automatic answer, the transcript of a voice box and a
receipt all hold words or digits of ours, and none of them is a person who takes an incident.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from unicodedata import category, normalize

TEXT_MAX = 80  # characters; whatever is longer is no answer of ours, and is not looked at any further


class Wish(StrEnum):
    """What else than taking an incident a message may ask for."""

    STOP = "stop"
    START = "start"


@dataclass(frozen=True, slots=True)
class Take:
    """Somebody takes the incident of `code`; of the one open page where the code is empty."""

    code: str


_TAKE = re.compile(
    r"(?P<word>(?:ack(?:nowledged?)?|ok|yes)\b|接手|收到)?[\s:#.]*(?P<code>[0-9]{4}|[0-9]{6})?(?:\s*(?:接手|收到))?[\s.!。]*",
    re.IGNORECASE,
)
_END = " .!。\t\r\n"
_STOPS = frozenset(
    {"stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "optout", "opt out", "opt-out", "revoke"}
    | {"停止", "停", "退訂", "退订", "取消訂閱", "取消订阅"}
)
_STARTS = frozenset({"start", "unstop", "optin", "opt in", "opt-in", "resume", "開始", "开始", "恢復", "恢复"})


def read(text: str) -> Take | Wish | None:
    """What the message means; None for everything that is not exactly one of our words."""
    plain = normalize("NFKC", text)  # a Chinese keyboard writes wide digits
    plain = "".join(letter for letter in plain if category(letter) != "Cf").strip()  # and some add marks that nobody sees
    if not plain or len(plain) > TEXT_MAX:
        return None
    word = " ".join(plain.strip(_END).casefold().split())
    if word in _STOPS:
        return Wish.STOP
    if word in _STARTS:
        return Wish.START
    match = _TAKE.fullmatch(plain)
    if match is None or not (match["word"] or match["code"]):
        return None
    return Take(match["code"] or "")
