"""A gateway reduced to what a kill test needs: take, write, fsync, acknowledge. To be killed at any moment.

`python -m tests.support.journalling_consumer PORT FILE [--until-drained]` appends `boot device seq;` a line for each message, and
`run;` at each start. A line without its `;` was torn by the kill.
"""

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

from gateway.outside.mqtt_source import MqttSettings, MqttSource
from gateway.runtime.ports import Incoming, Session


async def consume(port: int, path: Path, *, until_drained: bool) -> None:
    """Journal everything; for ever, or until the backlog has been read."""
    source = MqttSource(MqttSettings(host="127.0.0.1", port=port))
    running = asyncio.create_task(source.run())
    with path.open("ab") as file:
        file.write(b"\nrun;")
        while not running.done():
            items = await source.take()
            messages = [item for item in items if isinstance(item, Incoming)]
            file.write(b"".join(_line(message) for message in messages))
            file.flush()
            os.fsync(file.fileno())
            source.acknowledge(messages)
            if until_drained and Session.DRAINED in items:
                break
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


def _line(message: Incoming) -> bytes:
    body = json.loads(message.payload)
    return f"\n{body['boot']} {message.topic.split('/')[3]} {body['seq']};".encode()


if __name__ == "__main__":
    asyncio.run(consume(int(sys.argv[1]), Path(sys.argv[2]), until_drained="--until-drained" in sys.argv))
