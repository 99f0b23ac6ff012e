"""An MQTT broker on 127.0.0.1 for the demo: the real Mosquitto where there is one, else one that comes as a Python package.

Not for a ward: no passwords, nothing on disk. The packaged one (iotcore, with rumqttd inside) was chosen over amqtt, whose
sessions do not keep what is published while we are away and which carries a twentieth of the load. Its limits: MQTT 3.1.1 only;
no `$SYS` topics (it hangs up when asked for one: `MqttSettings(dropped_topic="")`); while its in-flight limit is used up it
answers nothing, so a consumer that stalls for longer than the keepalive loses its session, and no message.
"""

import asyncio
import contextlib
import shutil
import signal
import socket
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from iotcore import Broker

LOOPBACK = "127.0.0.1"
PAYLOAD_MAX_BYTES = 1_048_576  # well over what the decoder takes: it is the decoder that refuses, by name
IN_FLIGHT_MAX = 1_000
START_S = 10.0
PORT_TRIES = 5

_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
max_inflight_messages 1000
max_queued_messages 1000000
set_tcp_nodelay true
persistence false
sys_interval 1
log_type error
user root
"""  # user: read only when root starts it, who may not be able to read the temporary folder as anybody else


class BrokerFailed(Exception):
    """The broker did not come up."""


@contextlib.asynccontextmanager
async def demo_broker() -> AsyncIterator[int]:
    """Port of a broker for the length of the block: Mosquitto if it is installed, else the embedded one."""
    program = find_mosquitto()
    broker = embedded_broker() if program is None else mosquitto_broker(program)
    async with broker as port:
        yield port


@contextlib.asynccontextmanager
async def embedded_broker() -> AsyncIterator[int]:
    """Port of a packaged broker. It is a child process that ends with us, also when we are killed. Raises `BrokerFailed`."""
    broker, port = await asyncio.to_thread(_start_embedded)
    try:
        yield port
    finally:
        await asyncio.to_thread(broker.stop)


@contextlib.asynccontextmanager
async def mosquitto_broker(program: str) -> AsyncIterator[int]:
    """Port of a real Mosquitto, tuned as in `deploy/` but without persistence. Raises `BrokerFailed`."""
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="dripwatch-demo-") as folder:
        config = Path(folder) / "mosquitto.conf"
        config.write_text(_MOSQUITTO.format(port=port))
        process = await asyncio.create_subprocess_exec(
            *(program, "-c", str(config)), stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, start_new_session=True
        )  # of its own: Ctrl-C in a terminal reaches all of a group, and the broker must outlive those who speak with it
        try:
            await _until_listening(process, port)
            yield port
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.communicate()


def find_mosquitto() -> str | None:
    """Path of an installed Mosquitto; Debian puts it where an ordinary user's PATH does not look."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")


def _start_embedded() -> tuple[Broker, int]:
    for _ in range(PORT_TRIES):
        port = _free_port()
        broker = Broker(port=port, listen=LOOPBACK, max_payload_size=PAYLOAD_MAX_BYTES, max_inflight_count=IN_FLIGHT_MAX)
        try:
            with _deaf_to_the_terminal():
                broker.start(timeout=START_S)
        except OSError:  # somebody took the port in between
            continue
        except RuntimeError as exc:
            raise BrokerFailed(f"the embedded broker did not start: {exc}") from exc
        return broker, port
    raise BrokerFailed(f"no free port on {LOOPBACK} in {PORT_TRIES} tries")


@contextlib.contextmanager
def _deaf_to_the_terminal() -> Iterator[None]:
    """What this thread starts meanwhile does not hear Ctrl-C, nor that the terminal was closed: we end it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


async def _until_listening(process: Process, port: int) -> None:
    try:
        async with asyncio.timeout(START_S):
            while process.returncode is None:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection(LOOPBACK, port)
                    writer.close()
                    return
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise BrokerFailed(f"mosquitto did not listen on {LOOPBACK}:{port} within {START_S:.0f} s") from None
    said = (await process.stderr.read()).decode(errors="replace").strip() if process.stderr else ""
    raise BrokerFailed(f"mosquitto ended at once: {said or process.returncode}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
