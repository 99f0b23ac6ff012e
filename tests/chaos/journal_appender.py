"""A program that fills a journal and says on stdout what was acknowledged; its tests kill it or take its disk away.

    journal_appender.py forever PATH SEED        appends from four tasks until it is killed
    journal_appender.py no-room PATH             fills a file that may not grow, then gets its room back

One line a call that returned: `acked FIRST_SEQ COUNT TOKEN`; one a call that was refused: `refused TOKEN REASON`. The bodies of
a call follow from its token alone (`bodies_of`), so a line says everything that must be found later.
"""

import asyncio
import hashlib
import itertools
import os
import random
import resource
import sys
from pathlib import Path

from gateway.outside.sqlite_journal import SqliteJournal
from gateway.runtime.ports import EffectKind, Entry, JournalFull, Kind, OutboxRow


def bodies_of(token: str, count: int) -> list[bytes]:
    """The bodies of a call: 32 to 1,600 bytes each, different in every call."""
    seeds = [hashlib.sha256(f"{token}/{n}".encode()).digest() for n in range(count)]
    return [seed * (1 + seed[0] % 50) for seed in seeds]


def entries_of(token: str, count: int) -> list[Entry]:
    """The call's entries."""
    return [Entry(1_000, Kind.MESSAGE, "home", "pump-1", token, body) for body in bodies_of(token, count)]


def say(line: str) -> None:
    """One write a line: what was said before a kill is whole."""
    os.write(1, f"{line}\n".encode())


async def append(journal: SqliteJournal, token: str, count: int) -> bool:
    """Append a call and say what became of it."""
    try:
        first = await journal.append(entries_of(token, count))
    except JournalFull as full:
        say(f"refused {token} {full}")
        return False
    say(f"acked {first} {count} {token}")
    return True


async def forever(path: Path, seed: str) -> None:
    """Four tasks append calls of 1 to 60 entries, commit a cursor with a keyed effect behind each, and never stop."""
    journal = SqliteJournal.open(path)

    async def task(name: int) -> None:
        chance = random.Random(f"{seed}/{name}")
        for n in itertools.count():
            token = f"{seed}-{name}-{n}"
            await append(journal, token, chance.choice([1, 1, 2, 10, 60]))
            await journal.commit(f"task-{name}", n, [OutboxRow(token, EffectKind.PAGE, n, token.encode())])
            say(f"planned {token}")

    await asyncio.gather(*map(task, range(4)))


async def no_room(path: Path) -> None:
    """Append until the file may not grow any more, try twice again, then get the room back and append twice."""
    journal = SqliteJournal.open(path)
    await append(journal, "before", 5)
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, unlimited[1]))  # bytes of any one file of this process
    n = 0
    while await append(journal, f"filling-{n}", 20):
        n += 1
    for again in range(2):
        await append(journal, f"no-room-{again}", 20)
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    for after in range(2):
        await append(journal, f"after-{after}", 20)
    await journal.close()


if __name__ == "__main__":
    what, where, *rest = sys.argv[1:]
    asyncio.run(forever(Path(where), *rest) if what == "forever" else no_room(Path(where)))
