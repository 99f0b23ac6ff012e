"""Whom to reach about a course, and who signed its checklist, as options."""

from typing import Any

from gateway.config.durations import parse_duration
from gateway.field.speaking import Wrong, printable
from gateway.field.when import When

CAREGIVER_HELP = "How to reach the caregiver, like sms:85290000009, or sms:85290000009@2m to try it 2 min later; repeatable."
WARD_CONTACT_HELP = "Whom the home calls, like the ward's number."
TRAVEL_HELP = "How long the way to the hospital takes, in minutes."


def caregiver_contacts(typed: tuple[str, ...]) -> list[dict[str, str]] | None:
    """`sms:85290000009@2m` → `{"sms": "85290000009", "after": "2m"}`, in the order of trying; None where none was typed.

    An address may hold an @ itself: what stands behind the last one is a delay only if it reads as a length of time.
    Raises `Wrong`.
    """
    return [_contact(text) for text in typed] or None


def _contact(text: str) -> dict[str, str]:
    transport, colon, address = (part.strip() for part in text.partition(":"))
    if not (transport and colon and address):
        raise Wrong(f"--caregiver: {printable(text)!r} is no contact; write it like sms:85290000009 or sms:85290000009@2m")
    before, _, after = address.rpartition("@")
    return {transport: before, "after": after} if before and _is_length(after) else {transport: address}


def _is_length(text: str) -> bool:
    try:
        parse_duration(text)
    except ValueError:
        return False
    return True


def signed_items(typed: tuple[str, ...], when: When) -> list[dict[str, Any]] | None:
    """`caregiver-trained=nurse-a@2026-03-01T10:00` → `{"item", "by", "at"}`; without a time it was signed now.

    None where none was typed. Raises `Wrong`.
    """
    return [_signed(text, when) for text in typed] or None


def _signed(text: str, when: When) -> dict[str, Any]:
    item, equals, rest = (part.strip() for part in text.partition("="))
    by, _, at = rest.partition("@")
    if not (item and equals and by.strip()):
        raise Wrong(f"--checklist: {printable(text)!r} says not who signed what; write it like caregiver-trained=nurse-a")
    return {"item": item, "by": by.strip(), "at": when.past("--checklist", at) if at else when.now.isoformat()}
