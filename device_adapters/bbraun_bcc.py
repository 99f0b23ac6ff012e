r"""B. Braun Space pumps (Perfusor, Infusomat) behind a SpaceCom or ComDevice that speaks BCC, on serial or TCP.

One payload is one answer to MEM:GET or MEM:GETSLOT: one frame, or several where ETB says that blocks follow (`bcc_framing` draws
the frame). Its information is quadruples, parted by RS (1E):

    206,50111,INRT,0.60 ␞ 206,50111,INA3,1 ␞ …
    time,address,parameter,value

time     seconds since the ComDevice was switched on: no time of day. The envelope's `observed_at` dates the readings.
address  501xy: pillar x 1-3, pump y 1-9 then A-O; 50100 is the ComDevice itself
value    `_NV` has no value, `_NA` not available now: both are absent, never zero

Several pumps may answer at once, and a topic names one: the envelope's `slot` (xy) says which (docs/adr/0028). Without it only
the alarms of a several-pump answer are read: whose measures they are would be a guess; an alarm is worth the guess.

An answer tells every alarm bit each time, so a set bit is `continue`, and all that are clear are one reading. Where a condition
has several bits, all must be clear; after a block that was refused or is missing nothing is. A bit that our table does not know
is `other`.

Never read into anything: drug names (INSOL, INSOLSN), serial numbers, and all other text.
Not carried: INVTB and INRMT (what they count down is the pump's affair), INAKKU (minutes, not percent), INP2 (percent, not mmHg).

Refuses: what the framer refuses; UNKNOWN_MESSAGE (a request; GNERR); MALFORMED (quadruple, address); TOO_MANY (frames, pumps);
WRONG_TYPE; OUT_OF_BOUNDS; UNKNOWN_VALUE (a bit neither 0 nor 1); MISSING_FIELD (no time at all); NO_MEASURE.
Source: B. Braun BCC protocol as public drivers implement it; tests/captures/bbraun_bcc
"""

from typing import Final

from device_adapters.bcc_framing import SOH, Frame, frames_in
from device_adapters.bcc_measures import PRE_ALARMS, READ, Said, alarms, observation
from device_adapters.bcc_spans import bcc_spans
from device_adapters.bounds import MESSAGES_MAX
from device_adapters.envelope import Sent
from device_adapters.span import Span
from gateway.domain.readings import AlarmChange, Decoded, Reading, Refusal, Refused

_REQUESTS: Final = (b"ADMIN:", b"MEM:")
_ERROR: Final = b",50100,GNERR,"
_RS: Final = b"\x1e"
_ITSELF: Final = b"50100"
_PUMPS_AT: Final = frozenset(b"501%d%c" % (pillar, place) for pillar in (1, 2, 3) for place in b"123456789ABCDEFGHIJKLMNO")

_Pumps = dict[bytes, Said]


class BbraunBcc:
    """The adapter of B. Braun Space racks and pumps."""

    name = "bbraun-bcc"

    def decode(self, payload: bytes, sent: Sent | None = None) -> Decoded:
        """Read one answer, all its blocks together; a block that is refused does not cost the others."""
        if sent is None:
            return _refusing(Refusal.MISSING_FIELD, "observed_at", "the frames tell no time of day: put an envelope around them")
        if payload.count(SOH) > MESSAGES_MAX:  # each could be a refusal of its own
            return _refusing(Refusal.TOO_MANY, "frame", f"at most {MESSAGES_MAX} frames")
        events = frames_in(payload)
        refused = [event.refused for event in events if not isinstance(event, Frame)]
        frames = [event for event in events if isinstance(event, Frame)]
        pumps: _Pumps = {}
        for frame in frames:
            _gather(frame.information, pumps, refused)
        whole = not refused and bool(frames) and frames[-1].last
        readings = _readings(pumps, sent, refused, whole=whole)
        if not readings and not refused:
            refused.append(Refused(Refusal.NO_MEASURE, "information", "nothing that a pump measures or raises"))
        return Decoded(tuple(readings), tuple(refused), one_message=sent.seq is not None)

    def explain(self, payload: bytes) -> tuple[Span, ...]:
        """Every byte, as it came over the line."""
        return tuple(bcc_spans(payload))


def _gather(information: bytes, pumps: _Pumps, refused: list[Refused]) -> None:
    """Sort the quadruples by pump; only parameters that we read are kept, the newest word of each."""
    if information.startswith(_REQUESTS):
        refused.append(Refused(Refusal.UNKNOWN_MESSAGE, "information", "a request; the answers to it are read"))
        return
    if _ERROR in information:
        refused.append(Refused(Refusal.UNKNOWN_MESSAGE, "GNERR", "the ComDevice answered with an error"))
    well_made = True
    for quadruple in information.removesuffix(_RS).split(_RS):
        parts = quadruple.split(b",", 3)
        if len(parts) == 4 and parts[1] in _PUMPS_AT and parts[2]:
            _, address, parameter, value = parts
            if parameter in READ:
                pumps.setdefault(address, {})[parameter] = value
        else:
            well_made &= _is_bare(parts)
    if information and not well_made:
        refused.append(Refused(Refusal.MALFORMED, "information", "time,address,parameter,value with an address 501xy"))


def _is_bare(parts: list[bytes]) -> bool:
    """An answer about the ComDevice itself, or one without a value: well made, and nothing for us."""
    return len(parts) >= 3 and parts[2] != b"" and (parts[1] == _ITSELF or parts[1] in _PUMPS_AT)


def _readings(pumps: _Pumps, sent: Sent, refused: list[Refused], *, whole: bool) -> list[Reading]:
    if sent.slot is not None:
        said = pumps.get(b"501" + sent.slot.upper().encode())
        if said is None:
            refused.append(Refused(Refusal.NO_MEASURE, "header.slot", "nothing of this slot in the answer"))
            return []
        return _of_pump(said, sent, refused, whole=whole)
    if len(pumps) == 1:
        return _of_pump(next(iter(pumps.values())), sent, refused, whole=whole)
    if len(pumps) > 1:
        refused.append(Refused(Refusal.TOO_MANY, "header.slot", "several pumps answered: name the slot, a topic for each"))
    guessed = [alarm for said in pumps.values() for alarm in alarms(said, sent, refused, whole=False)]
    return list({alarm.condition: alarm for alarm in guessed if isinstance(alarm, AlarmChange)}.values())


def _of_pump(said: Said, sent: Sent, refused: list[Refused], *, whole: bool) -> list[Reading]:
    changes = alarms(said, sent, refused, whole=whole)
    alarmed = any(isinstance(change, AlarmChange) and change.condition not in PRE_ALARMS for change in changes)
    seen = observation(said, sent, refused, alarmed=alarmed)
    return [seen, *changes] if seen is not None else list(changes)


def _refusing(reason: Refusal, where: str, detail: str) -> Decoded:
    return Decoded(refused=(Refused(reason, where, detail),))
