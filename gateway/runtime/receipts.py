"""Which page each delivery report is about, by the provider's own id."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.domain.instants import MINUTE_MS, Instant
from gateway.runtime.ports import Kind, Receipt, Record
from gateway.runtime.records import provider_id_of

STRAYS_MAX = 1_000  # receipts kept that came before we knew their message; full: the oldest is dropped, and counts as missing
STRAY_KEPT_MS = MINUTE_MS  # beyond every send's deadline: a later answer with that id is another message's
OUTCOMES_READ = 50_000  # records looked through at a start for the provider's ids of pages that await a receipt
OUTCOME_KINDS = (Kind.OUTCOME,)

Id = tuple[str, str]  # transport, provider's id


@dataclass(frozen=True, slots=True)
class _Stray:
    receipt: Receipt
    came_at: Instant


class Receipts:
    """The ids under which pages in hand were accepted, and the receipts that overtook the answer to their own send."""

    def __init__(self) -> None:
        self._keys: dict[Id, str] = {}
        self._ids: dict[str, list[Id]] = {}
        self._strays: dict[Id, _Stray] = {}

    def __len__(self) -> int:
        return len(self._keys) + len(self._strays)

    def expect(self, transport: str, provider_id: str, key: str) -> None:
        """The provider took this page under this id. Without an id nothing ties a receipt to it."""
        if provider_id:
            self._keys[transport, provider_id] = key
            self._ids.setdefault(key, []).append((transport, provider_id))

    def key_of(self, transport: str, receipt: Receipt) -> str | None:
        """The page that this receipt is about; None when we know of none."""
        return self._keys.get((transport, receipt.provider_id))

    def forget(self, key: str) -> None:
        """No receipt of this page changes anything any more."""
        for known in self._ids.pop(key, ()):
            self._keys.pop(known, None)

    def keep_stray(self, transport: str, receipt: Receipt, at: Instant) -> None:
        """A receipt for something that we do not know: perhaps the answer to our send is still on its way."""
        self._strays.pop((transport, receipt.provider_id), None)
        self._strays[transport, receipt.provider_id] = _Stray(receipt, at)
        if len(self._strays) > STRAYS_MAX:
            del self._strays[next(iter(self._strays))]

    def stray(self, transport: str, provider_id: str, at: Instant) -> Receipt | None:
        """The receipt that came before the answer with this id. One that is too old belongs to another message with that id."""
        found = self._strays.pop((transport, provider_id), None)
        return found.receipt if found is not None and at - found.came_at <= STRAY_KEPT_MS else None

    def recall(self, transports: Mapping[str, str], outcomes: list[Record]) -> None:
        """Learn again, from the journal, under which ids an earlier run's pages were accepted: transports by page key."""
        for record in outcomes:
            key, provider_id = provider_id_of(record)
            if key in transports:
                self.expect(transports[key], provider_id, key)
