"""Whether a request that changes something was sent by a page of ours: browsers say where it stood."""

from urllib.parse import urlsplit

from fastapi import Request

SAFE = ("GET", "HEAD", "OPTIONS")


def comes_from_elsewhere(request: Request, *, must_say: bool = False) -> bool:
    """Whether another site's page sent this, by `Sec-Fetch-Site`, else by `Origin`.

    A browser too old to say either is believed unless it `must_say`: its forms carry a mark of ours besides.
    """
    fetched = request.headers.get("sec-fetch-site")
    if fetched is not None:
        return fetched not in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin is None:
        return must_say
    ours: frozenset[str] = request.app.state.hosts
    return urlsplit(origin).netloc not in {request.headers.get("host", ""), *ours}
