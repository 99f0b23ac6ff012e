"""What people write back."""

import pytest


async def test_a_reply_goes_into_the_journal(client, service):
    """Who wrote is the address on the transport; what it means is not the API's business."""
    answer = await client.post("/api/v1/replies", json={"transport": "sms", "address": "85290000001", "text": "ack 4711"})
    assert answer.status_code == 202
    assert service.replies == [("sms", "85290000001", "ack 4711")]


@pytest.mark.parametrize(
    "body", [{}, {"transport": "sms", "address": "", "text": "4711"}, {"transport": "sms", "address": "1", "text": "x" * 1_001}]
)
async def test_a_reply_without_a_sender_or_too_long_is_refused(client, service, body):
    """Nothing is journalled of it."""
    assert (await client.post("/api/v1/replies", json=body)).status_code == 422
    assert service.replies == []


async def test_nobody_replies_without_the_token(opened, service):
    """An acknowledgement silences pages: not everybody may bring one."""
    async with opened() as stranger:
        answer = await stranger.post("/api/v1/replies", json={"transport": "sms", "address": "1", "text": "ack"})
    assert answer.status_code == 401
    assert service.replies == []
