from gateway.outside.terminal_transport import TerminalTransport
from gateway.runtime.ports import Accepted
from tests.support.fake_transport import message


async def test_the_terminal_shows_pages_and_keeps_the_last_fifty() -> None:
    """The demo's pager accepts everything, and forgets the oldest."""
    shown: list[str] = []
    transport = TerminalTransport("sms", shown.append)
    for number in range(51):
        assert await transport.send(message("nurse-a", f"page {number}", urgent=number == 0)) == Accepted("")
    assert shown[:2] == ["!! sms → nurse-a: page 0", "   sms → nurse-a: page 1"]
    assert [kept.text for kept in transport.messages] == [f"page {number}" for number in range(1, 51)]
    assert [receipt async for receipt in transport.receipts()] == []


async def test_a_terminal_that_went_away_does_not_fail_a_page() -> None:
    """Closing the demo's terminal leaves the demo running."""

    def closed(_: str) -> None:
        raise BrokenPipeError

    assert await TerminalTransport("sms", closed).send(message("nurse-a")) == Accepted("")
