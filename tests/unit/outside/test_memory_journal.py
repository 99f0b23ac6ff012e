"""What the in-memory journal has beyond the conformance suite: it can play a full disk."""

import pytest

from gateway.outside.memory_journal import MemoryJournal
from gateway.runtime.ports import EffectKind, JournalFull, SendState
from tests.support.journals import NO_LIMIT, bodies, entry, page


async def test_it_refuses_on_request_and_keeps_nothing_meanwhile():
    """While `refusing` gives a reason, every write raises it and reads go on; afterwards it works again."""
    journal = MemoryJournal()
    await journal.append([entry(b"before")])
    journal.refusing = "the disk is full"
    for write in (
        journal.append([entry(b"refused")]),
        journal.commit("pipeline", 1, [page("k")]),
        journal.mark("k", SendState.DONE, 1),
        journal.forget(["k"]),
        journal.stage_snapshot(1, {"P-1": b"cell"}),
        journal.complete_snapshot(1),
        journal.prune(before_at=NO_LIMIT, max_bytes=0, keep_after=1),
    ):
        with pytest.raises(JournalFull, match="the disk is full"):
            await write
    assert await bodies(journal) == [b"before"]
    assert await journal.outbox(EffectKind.PAGE, SendState, 9) == []
    journal.refusing = ""
    assert await journal.append([entry(b"after")]) == 2
    assert journal.findings() == []
