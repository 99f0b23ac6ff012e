"""A non-blocking socket that is read in large pieces, for a client that asks for single bytes."""

import socket
import ssl

READ_BYTES = 65_536

_NOTHING_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class BufferedSocket:
    """Stands where a non-blocking (or TLS) socket stood: one system call a wake-up instead of three or four a packet.

    `fill` reads from the kernel; `recv` only hands out what `fill` got, so that one wake-up does a bounded amount of work.
    The end of the stream and a broken connection come out of `recv` as `OSError`, after everything that was read before them.
    """

    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner
        self._data = b""
        self._at = 0
        self._broken: OSError | None = None

    @property
    def unread(self) -> bool:
        """True while `recv` has something to say without waiting: bytes, or the end."""
        return self._at < len(self._data) or self._broken is not None

    def fill(self) -> None:
        """Read once, at most `READ_BYTES`. Never raises, never waits.

        A TLS record holds at most 16 KiB, so one read always empties it: nothing stays decrypted without a wake-up to tell.
        """
        try:
            piece = self._inner.recv(READ_BYTES)
        except _NOTHING_YET:
            return
        except OSError as exc:
            self._broken = exc
            return
        if not piece:
            self._broken = ConnectionResetError("the other side closed the connection")
        self._data = self._data[self._at :] + piece
        self._at = 0

    def recv(self, size: int) -> bytes:
        """At most `size` bytes of what was read; `BlockingIOError` when there are none, `OSError` at the end."""
        start = self._at
        piece = self._data[start : start + size]
        if not piece:
            raise self._broken or BlockingIOError
        self._at = start + len(piece)
        return piece

    def send(self, data: bytes | bytearray) -> int:
        """Straight to the socket; how many bytes it took."""
        return self._inner.send(data)

    def close(self) -> None:
        """Close the socket and forget what was not read."""
        self._data, self._at, self._broken = b"", 0, None
        self._inner.close()

    def fileno(self) -> int:
        """The socket's number; -1 when closed."""
        return self._inner.fileno()

    def setblocking(self, flag: bool) -> None:
        """As on the socket."""
        self._inner.setblocking(flag)
