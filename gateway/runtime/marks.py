"""Where the dispatcher writes down how far it is: the states of outbox rows, and what a transport's word means for them."""

import logging

from gateway.domain.words import Outcome
from gateway.runtime.ports import Accepted, Journal, JournalFull, Rejected, SendResult, SendState

OWED_MAX = 10_000  # marks that a full disk did not take; more: the oldest is dropped, and its page may be sent twice

_log = logging.getLogger(__name__)


class Marks:
    """Marks outbox rows. `owed` are those that could not be written: (state, attempts) by key."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.owed: dict[str, tuple[SendState, int]] = {}

    async def write(self, key: str, state: SendState, attempts: int) -> None:
        """Write one; what a full disk does not take is owed, and the page goes on all the same."""
        try:
            await self._journal.mark(key, state, attempts)
        except JournalFull as full:
            _log.warning("page %s goes on without its mark: %s", key, full)  # a full disk must not silence a page
            self.owed[key] = (state, attempts)
            if len(self.owed) > OWED_MAX:
                del self.owed[next(iter(self.owed))]
        else:
            self.owed.pop(key, None)

    async def write_owed(self) -> None:
        """Try again what is owed; the first refusal ends it until the next time."""
        for key, (state, attempts) in list(self.owed.items()):
            if self.owed.get(key) != (state, attempts):
                continue  # it went on meanwhile
            await self.write(key, state, attempts)
            if key in self.owed:
                return


def outcome_of(result: SendResult) -> tuple[Outcome, str, str]:
    """What a transport said as (outcome, reason, provider's id)."""
    if isinstance(result, Accepted):
        return Outcome.ACCEPTED, "", result.provider_id
    if isinstance(result, Rejected):
        return (Outcome.TEMPORARY if result.temporary else Outcome.REJECTED), result.reason, ""
    return Outcome.UNKNOWN, result.reason, ""
