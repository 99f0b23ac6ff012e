"""Small questions by HTTP: whether a gateway is ready, and telling the outside dead man's switch that all is well."""

from pathlib import Path

import httpx

from gateway.outside.tls import TlsFileRefused, client_context
from gateway.runtime.watchdog import Answer

ANSWER_S = 5.0
DETAIL_MAX = 120


async def ask_ready(url: str, token: str | None, ca: Path | None = None) -> tuple[Answer, str]:
    """What `{url}/health/ready` says, and in words what is wrong. Never raises for what the world does.

    `ca`: the authority that signed the certificate of an https:// address, where it is none of the usual ones.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        trusted = client_context(ca) if ca is not None else True
        async with httpx.AsyncClient(timeout=ANSWER_S, trust_env=False, verify=trusted) as client:
            answer = await client.get(f"{url}/health/ready", headers=headers)
            said = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, UnicodeError, TlsFileRefused) as error:
        return Answer.NONE, f"{url}: {str(error) or type(error).__name__}"[:DETAIL_MAX]
    if answer.status_code == httpx.codes.OK:
        return Answer.READY, ""
    detail = str(said.get("detail", "")) if isinstance(said, dict) else ""
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        return Answer.NOT_READY, detail[:DETAIL_MAX]
    return Answer.NONE, f"{url}: {answer.status_code} {detail}"[:DETAIL_MAX]


async def ping(url: str) -> None:
    """Ask an address: that it was asked is the message. Raises `ConnectionError`; the address is a secret, in no text."""
    try:
        async with httpx.AsyncClient(timeout=ANSWER_S, trust_env=False, follow_redirects=True) as client:
            answer = await client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise ConnectionError(type(error).__name__) from None
    if not answer.is_success:
        raise ConnectionError(f"it answers with {answer.status_code}")
