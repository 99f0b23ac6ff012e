"""Lists page by page. What stands on a page is decided by places that never change, so that nothing is told twice or left out.

`limit` says how many lines, `cursor` where the page before ended; the header `Link` (RFC 8288) has the address of the next page,
and is absent on the last. A line that comes meanwhile stands where it belongs: before the cursor it is not shown any more.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request, Response

from gateway.console.problems import INVALID, Trouble

LIMIT, LIMIT_MAX = 500, 1_000

Line = TypeVar("Line")
Place = tuple[int | str, ...]

_LINK = {"Link": {"description": 'the next page: `<…>; rel="next"`; absent on the last', "schema": {"type": "string"}}}
LISTED: dict[int | str, dict[str, Any]] = {200: {"headers": _LINK}}
"""For the `responses` of a route that gives a list."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What was asked for, and the response that will say where the next page is."""

    request: Request
    response: Response
    limit: int | None
    cursor: str

    @property
    def is_asked_for(self) -> bool:
        """Whether a page was asked for, and not just the list."""
        return self.limit is not None or bool(self.cursor)

    def page(self, lines: Iterable[Line], place: Callable[[Line], Place]) -> list[Line]:
        """The lines of this page, in the order of their places. Raises `Trouble` for a cursor that is none of this list's."""
        ordered = sorted(lines, key=place)
        if self.cursor:
            after = _read(self.cursor)
            try:
                ordered = [line for line in ordered if place(line) > after]
            except TypeError:
                raise _none_of_ours() from None
        return self._cut(ordered, place)

    def page_in_order(self, lines: Sequence[Line], name: Callable[[Line], str]) -> list[Line]:
        """The lines of this page of a list that has an order of its own and loses lines at its end only."""
        ordered = list(lines)
        if self.cursor:
            after = _read(self.cursor)
            at = next((index for index, line in enumerate(ordered) if (name(line),) == after), len(ordered))
            ordered = ordered[at + 1 :]  # nothing, where that line is gone: whatever stood behind it is gone too
        return self._cut(ordered, lambda line: (name(line),))

    def _cut(self, ordered: list[Line], place: Callable[[Line], Place]) -> list[Line]:
        limit = self.limit or LIMIT
        if len(ordered) > limit:
            following = self.request.url.include_query_params(cursor=_written(place(ordered[limit - 1])), limit=limit)
            self.response.headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
        return ordered[:limit]


def _listing(
    request: Request,
    response: Response,
    limit: Annotated[int | None, Query(ge=1, le=LIMIT_MAX, description=f"how many lines at most; {LIMIT} without it")] = None,
    cursor: Annotated[str, Query(max_length=400, description="as the header Link of the page before has it")] = "",
) -> Listing:
    return Listing(request, response, limit, cursor)


Listed = Annotated[Listing, Depends(_listing)]


def _written(place: Place) -> str:
    return urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode().rstrip("=")


def _read(cursor: str) -> Place:
    try:
        place = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, NotBase64, RecursionError):
        raise _none_of_ours() from None
    if not isinstance(place, list) or not all(isinstance(part, int | str) for part in place):
        raise _none_of_ours()
    return tuple(place)


def _none_of_ours() -> Trouble:
    return Trouble(422, "query.cursor: is none of this list's; take it from the header Link", kind=INVALID)
