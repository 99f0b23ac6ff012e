"""Durable effects as JSON, and back: what the outbox keeps."""

import json

from pydantic import TypeAdapter

from gateway.domain.effects import Answer, Effect, Heeded, Page, Point
from gateway.runtime.points import point_to_json
from gateway.runtime.ports import EffectKind, OutboxRow

_PAGES = TypeAdapter(Page)
_ANSWERS = TypeAdapter(Answer)


def row_of(effect: Effect, seq: int, number: int) -> OutboxRow | None:
    """The outbox row of an effect of record `seq`; None for effects that need not survive (results, `dwack`)."""
    if isinstance(effect, Page):
        return OutboxRow(effect.key, EffectKind.PAGE, effect.decided_at, _PAGES.dump_json(effect))
    if isinstance(effect, Answer):
        return OutboxRow(effect.key, EffectKind.ANSWER, effect.decided_at, _ANSWERS.dump_json(effect))
    if isinstance(effect, Point):
        return OutboxRow(f"point@{seq}/{number}", EffectKind.POINT, effect.at, point_to_json(effect))
    return None


def item_of(row: OutboxRow) -> Page | Answer:
    """The page or answer that a row holds."""
    return _PAGES.validate_json(row.body) if row.kind is EffectKind.PAGE else _ANSWERS.validate_json(row.body)


def heeded_body(effect: Heeded) -> bytes:
    """What a sender of an alarm is told: its own boot and number."""
    return json.dumps({"boot": effect.boot, "seq": effect.seq}).encode()
