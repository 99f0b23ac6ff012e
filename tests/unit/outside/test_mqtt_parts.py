"""The small parts under the MQTT source: reading, keeping, waiting, wording."""

import asyncio
import socket
import ssl

import pytest

from gateway.outside.backoff import backoff_s
from gateway.outside.buffered_socket import READ_BYTES, BufferedSocket
from gateway.outside.inbox import Inbox
from gateway.outside.mqtt_findings import Failure, finding
from gateway.outside.tls import TlsFileRefused


@pytest.fixture
def ends():
    """A buffered end and the other end of a connection."""
    near, far = socket.socketpair()
    near.settimeout(0)
    buffered = BufferedSocket(near)
    yield buffered, far
    buffered.close()
    far.close()


def test_bytes_come_out_as_they_went_in(ends):
    """What one fill read is handed out in the sizes that are asked for."""
    near, far = ends
    far.sendall(b"abcdef")
    near.fill()
    assert [near.recv(1), near.recv(3), near.recv(100)] == [b"a", b"bcd", b"ef"]


def test_recv_never_goes_to_the_kernel(ends):
    """Bytes that arrived after the last fill wait for the next one."""
    near, far = ends
    far.sendall(b"ab")
    near.fill()
    far.sendall(b"cd")
    assert near.recv(100) == b"ab"
    assert not near.unread
    with pytest.raises(BlockingIOError):
        near.recv(1)
    near.fill()
    assert near.recv(100) == b"cd"


def test_a_fill_before_all_was_read_keeps_the_rest(ends):
    """A packet that is here by half stays until its other half comes."""
    near, far = ends
    far.sendall(b"abc")
    near.fill()
    assert near.recv(1) == b"a"
    far.sendall(b"def")
    near.fill()
    assert near.recv(100) == b"bcdef"


def test_nothing_to_read_is_nothing(ends):
    """A fill without news changes nothing and raises nothing."""
    near, _ = ends
    near.fill()
    assert not near.unread


def test_the_end_comes_after_the_last_bytes(ends):
    """A peer that sent and hung up is heard to the end, then the end is an OSError."""
    near, far = ends
    far.sendall(b"last")
    near.fill()
    far.close()
    near.fill()
    assert near.recv(100) == b"last"
    assert near.unread
    with pytest.raises(ConnectionResetError):
        near.recv(1)


def test_one_fill_is_bounded(ends):
    """However much waits in the kernel, one wake-up takes at most one piece of it."""
    near, far = ends
    far.settimeout(5)
    far.sendall(b"x" * (READ_BYTES + 10))
    near.fill()
    assert len(near.recv(10 * READ_BYTES)) <= READ_BYTES


def test_a_closed_socket_has_nothing_more_to_say(ends):
    """Closing forgets what was not read, so that nobody parses the rest of a dead connection."""
    near, far = ends
    far.sendall(b"rest")
    near.fill()
    near.close()
    assert not near.unread
    assert near.fileno() == -1


async def test_an_inbox_gives_all_it_has_in_order():
    """One take empties it."""
    inbox: Inbox[int] = Inbox(10)
    for item in (1, 2, 3):
        inbox.put(item)
    assert await inbox.take() == [1, 2, 3]
    inbox.put(4)
    assert await inbox.take() == [4]


async def test_an_inbox_wakes_its_reader():
    """A reader that came first gets the first item."""
    inbox: Inbox[int] = Inbox(10)
    reader = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    inbox.put(1)
    assert await reader == [1]


async def test_a_full_inbox_says_so_and_refuses_nothing():
    """At its limit it has no room; what still comes is kept; a take makes room."""
    inbox: Inbox[int] = Inbox(2)
    inbox.put(1)
    assert inbox.has_room.is_set()
    inbox.put(2)
    inbox.put(3)
    assert not inbox.has_room.is_set()
    assert await inbox.take() == [1, 2, 3]
    assert inbox.has_room.is_set()


def test_backoff_doubles_up_to_its_limit():
    """Between three quarters and the whole of 0.5, 1, 2, 4, 8, 15, 15 … seconds."""
    waits = [backoff_s(attempt, least_s=0.5, most_s=15.0, who="a") for attempt in range(1, 9)]
    for wait, full in zip(waits, [0.5, 1, 2, 4, 8, 15, 15, 15], strict=True):
        assert 0.75 * full <= wait <= full


def test_backoff_is_the_same_every_time_and_different_for_others():
    """The spread is derived, not drawn: a run repeats itself, and two clients do not move in step."""
    mine = [backoff_s(attempt, least_s=1, most_s=60, who="a") for attempt in range(1, 100)]
    assert mine == [backoff_s(attempt, least_s=1, most_s=60, who="a") for attempt in range(1, 100)]
    assert mine != [backoff_s(attempt, least_s=1, most_s=60, who="b") for attempt in range(1, 100)]


def test_backoff_survives_a_year_of_failures():
    """A very large attempt number is no overflow."""
    assert 11.25 <= backoff_s(10**6, least_s=0.5, most_s=15.0, who="a") <= 15.0


@pytest.mark.hazard("H-46")
@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (Failure(code=134), "the broker refused the user name or password"),
        (Failure(code=135), "the broker refused the user name or password, or does not admit this client"),
        (Failure(code=133), "the broker refused the client id"),
        (Failure(code=142), "another client took over the client id"),
        (Failure(code=141), "the broker stopped answering"),
        (Failure(cause=ConnectionRefusedError()), "nothing listens at the broker's address"),
        (Failure(cause=TimeoutError()), "the broker does not answer"),
        (Failure(cause=socket.gaierror()), "the broker's name does not resolve"),
        (Failure(cause=ssl.SSLError(1, "[SSL] wrong version number")), "TLS failed: [SSL] wrong version number"),
        (Failure(cause=TlsFileRefused("cannot use a TLS file: k.pem")), "cannot use a TLS file: k.pem"),
        (Failure(code=151, text="quota exceeded"), "quota exceeded"),
        (Failure(), "the connection failed"),
    ],
)
def test_every_failure_has_words(failure, words):
    """The finding says what is wrong and where, for people who have no debugger."""
    assert finding("broker", 8883, failure) == f"{words} (broker:8883)"
