"""Raw messages may hold what must not be known to everybody: whoever looks at them is in the audit, or does not see them."""

from gateway.console.problems import REFUSED, Trouble
from gateway.console.sentences import said_by
from gateway.domain.commands import AccessChanged
from gateway.runtime.service import Service

LOOKED = "raw-messages"


async def note_look(service: Service, who: str, device: str, why: str) -> None:
    """Journal that somebody looks at a device's messages; `why` is an incident's key, or where the question came from.

    Raises `JournalFull` where that cannot be stored: then nothing is to be shown.
    """
    result = await service.command(who, AccessChanged(what=LOOKED, about=device, detail=why))
    if not result.ok:
        raise Trouble(409, said_by(result), kind=REFUSED)
