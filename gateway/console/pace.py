"""Nobody asks for changes faster than people and honest programs do: a visitor has a stock of changes that fills up again.

Every change is a durable record, kept for ever, by the API or by a form; so is each look at raw messages. A program that runs
wild would fill the journal and slow down what pumps send. Taking an incident is never refused: that is what pages are for. What
needs no admission (links in pages, the homes' diaries, the sign-in) has limits of its own.
"""

import asyncio
import re
from collections import OrderedDict

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.console.guard import is_open
from gateway.console.once import is_change, who_asks
from gateway.console.problems import problem
from gateway.console.refusals import to_asker
from gateway.console.words import message

STOCK = 300.0  # changes at once: a ward that is enrolled by a script
PER_S = 10.0
VISITORS_MAX = 1_000  # remembered; the one that asked for nothing for longest is forgotten, and starts with a full stock
TOO_FAST = "urn:dripwatch:too-fast"
SLOWER = message("You asked for more at once than the gateway takes, so nothing was changed. Wait a few seconds, and try again.")

_NEVER_REFUSED = re.compile(r"(/api/v1)?/incidents/[^/]+/(ack|escalate|hand-over)")
_LOOKS = re.compile(r"(/api/v1)?/(pumps|incidents)/[^/]+/messages")


class Paced:
    """ASGI middleware, behind the guard, which has found out who asks."""

    def __init__(self, app: ASGIApp, *, stock: float = STOCK, per_s: float = PER_S) -> None:
        self._app, self._stock, self._per_s = app, stock, per_s
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # visitor → (changes left, as of)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if _writes(scope) and not self._takes_one(who_asks(scope)):
            detail = f"more than {self._stock:.0f} changes at once, or {self._per_s:g} a second; wait a second and go on slower"
            refusal = problem(429, detail, kind=TOO_FAST, headers={"Retry-After": "1"}, on_page=SLOWER)
            await to_asker(refusal)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _takes_one(self, visitor: str) -> bool:
        now_s = asyncio.get_running_loop().time()
        left, as_of_s = self._left.pop(visitor, (self._stock, now_s))
        left = min(self._stock, left + (now_s - as_of_s) * self._per_s)
        may = left >= 1
        self._left[visitor] = (left - 1 if may else left, now_s)
        if len(self._left) > VISITORS_MAX:
            self._left.popitem(last=False)
        return may


def _writes(scope: Scope) -> bool:
    """Whether this leaves a record behind, and may be refused."""
    if scope["type"] != "http" or is_open(scope["path"]) or _NEVER_REFUSED.fullmatch(scope["path"]):
        return False
    return is_change(scope) or scope["method"] == "POST" or _LOOKS.fullmatch(scope["path"]) is not None
