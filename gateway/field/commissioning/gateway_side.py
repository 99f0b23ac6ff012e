"""The gateway as a commissioning asks it: what it holds of the device, whom it would page, what it is told. Blocking calls."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from gateway.domain.bench import Verdict
from gateway.domain.instants import HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from gateway.domain.words import Condition
from gateway.field.commissioning.evidence import GatewayWord
from gateway.field.remote import Remote
from gateway.field.speaking import No, printable

BENCH_MS = HOUR_MS  # announced for so long, and again while the work goes on: whoever goes home leaves no mute pump behind
RENEW_MS = 20 * MINUTE_MS
NOT_FOUND = 404


class GatewaySide:
    """One device at one gateway. Everything raises `No` where the gateway refuses, `Wrong` where none answers."""

    def __init__(self, remote: Remote, device: str) -> None:
        self._remote, self._path = remote, f"/api/v1/pumps/{quote(device, safe='')}"

    @property
    def who(self) -> str:
        """Who asks."""
        return self._remote.who

    def site(self) -> str:
        """The ward's, as in topics."""
        return str(self._remote.get("/api/v1/board")["site"])

    def word(self, at: Instant) -> GatewayWord:
        """What it holds of the device now; a device that it never heard has no `heard_at`."""
        answer = self._remote.answer("GET", f"{self._path}/full")
        if answer.status_code == NOT_FOUND:
            return GatewayWord(at, "", 0, "", "", 0, 0, clock_doubtful=False, conditions=frozenset())
        told = answer.json() if answer.is_success else self._remote.get(f"{self._path}/full")  # which says what is wrong
        heard_at, observed_at = told["heard_at"] or "", told["observed_at"] or ""
        return GatewayWord(
            at=at,
            heard_at=heard_at,
            lag_ms=_ms(heard_at) - _ms(observed_at) if heard_at and observed_at else 0,
            course=told["course"],
            boot=told["boot"],
            missing=told["missing"],
            clock_offset_ms=told["clock_offset_ms"],
            clock_doubtful=told["clock_doubtful"],
            conditions=frozenset(Condition(each["condition"]) for each in told["conditions"] if each["active"]),
        )

    def would_page(self, condition: Condition) -> str:
        """Whom it would page for this condition and after how long, in words."""
        try:
            told = self._remote.get(f"{self._path}/rehearsal", condition=condition.value)
        except No as refused:
            return printable(refused.message)
        if not told["people"]:
            return f"would page nobody: {told['priority'] or 'no priority'}, on the board only"
        people = ", ".join(f"{each['person']} by {each['transport']}" for each in told["people"])
        when = f"after {told['after_ms'] / MINUTE_MS:g} min" if told["after_ms"] else "at once"
        return f"would page {people} {when}"

    def announce(self) -> str:
        """The pump is on the bench; returns the gateway's words."""
        return self._done("bench", {"for": f"{BENCH_MS // MINUTE_MS}m"})

    def leave_bench(self) -> str:
        """The work is over."""
        return printable(self._remote.delete(f"{self._path}/bench")["message"])

    def record(self, digest: str, verdict: Verdict) -> str:
        """The commissioning is to be remembered with the device."""
        return self._done("commissionings", {"digest": digest, "verdict": verdict.value})

    def _done(self, part: str, body: dict[str, Any]) -> str:
        return printable(self._remote.post(f"{self._path}/{part}", body)["message"])


def _ms(text: str) -> Instant:
    return round(datetime.fromisoformat(text).timestamp() * SECOND_MS)
