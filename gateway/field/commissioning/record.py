"""The commissioning record: a JSON document with its signature. Who signs is an argument; times are texts with their offset.

    {"record": {…}, "digest": sha256 hex, "key": Ed25519 public key, "signature": …}        both base64

Signed and digested are the bytes of `record` in one spelling: keys sorted, no spaces, UTF-8.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.field.commissioning.procedure import Procedure, StepState
from gateway.field.commissioning.steps import TITLES, Standing

FORMAT: Final = "dripwatch-commissioning-1"
DOCUMENT_BYTES_MAX: Final = 256 * 1024

Sign = Callable[[bytes], bytes]
Verify = Callable[[bytes, bytes, bytes], bool]
"""(public key, signature, bytes) → whether it is that key's signature of them."""


class BadRecord(Exception):
    """A document that is not what it should be; the text says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the procedure cannot know: who, where, when. Texts."""

    site: str
    by: str
    source: str
    began_at: str
    ended_at: str
    version: str


def record_of(procedure: Procedure, about: About) -> dict[str, Any]:
    """The record as JSON values."""
    plan, asks = procedure.plan, procedure.plan.asks_gateway
    ticks = procedure.ticks
    return {
        "format": FORMAT,
        "device": plan.device,
        "site": about.site,
        "course": plan.course,
        "adapter": plan.adapter,
        "source": about.source,
        "by": about.by,
        "began_at": about.began_at,
        "ended_at": about.ended_at,
        "dripwatch": about.version,
        "verdict": procedure.verdict().value,
        "steps": [
            {"step": step.value, "title": TITLES[step], **_result(state), "facts": dict(state.facts)}
            for step, state in procedure.steps.items()
        ],
        "alarms": [
            dict(ticks.facts(tick)) | {"mark": tick.mark(asks_gateway=asks)} for tick in tuple(ticks.by_condition.values())
        ],
        "refused": dict(procedure.line.refused),
    }


def _result(state: StepState) -> dict[str, str]:
    """Passed, failed, or not done; each with its words."""
    if state.standing is Standing.UNDER_WAY:
        return {"result": Standing.NOT_DONE.value, "words": "under way when the record was written"}
    return {"result": state.standing.value, "words": state.words or "nobody began it"}


def canonical(record: Mapping[str, Any]) -> bytes:
    """The one spelling that is signed."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest_of(record: Mapping[str, Any]) -> str:
    """SHA-256, hex: the name under which the gateway remembers it."""
    return hashlib.sha256(canonical(record)).hexdigest()


def signed(record: Mapping[str, Any], public_key: bytes, sign: Sign) -> str:
    """The whole document, to be read by people too."""
    document = {
        "record": record,
        "digest": digest_of(record),
        "key": base64.b64encode(public_key).decode(),
        "signature": base64.b64encode(sign(canonical(record))).decode(),
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def opened(text: str, verify: Verify, trusted_key: bytes | None) -> dict[str, Any]:
    """The record of a document whose signature holds. `trusted_key`: the site's; None believes the document's own.

    Raises `BadRecord`.
    """
    document = _document(text)
    record = document["record"]
    try:
        key, signature = (base64.b64decode(document[name], validate=True) for name in ("key", "signature"))
        plain = canonical(record)
    except (binascii.Error, ValueError):
        raise BadRecord("key or signature cannot be read; the file was changed") from None
    if trusted_key is not None and key != trusted_key:
        raise BadRecord("signed with another key than this site's; give that site's key with --key")
    if not verify(key, signature, plain):
        raise BadRecord("the signature does not fit: the record was changed after it was signed")
    if document["digest"] != digest_of(record):
        raise BadRecord("the digest does not fit the record")
    return dict(record)


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise BadRecord("not a JSON document") from None
    shaped = isinstance(document, dict) and all(isinstance(document.get(name), str) for name in ("digest", "key", "signature"))
    record = document.get("record") if shaped else None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise BadRecord(f"no commissioning record of the form {FORMAT}")
    return dict(document)


def _no_number(text: str) -> float:
    raise ValueError(text)
