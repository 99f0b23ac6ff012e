"""Telling systemd how we are (sd_notify): a datagram on the socket that it names, or nothing where it did not start us."""

import contextlib
import os
import socket

READY = "READY=1"
STOPPING = "STOPPING=1"
ALIVE = "WATCHDOG=1"


def tell_systemd(state: str) -> None:
    """Send one state. Never raises, never waits: a service manager that does not listen must not stop us."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as wire:
        wire.sendto(state.encode(), address.replace("@", "\0", 1) if address.startswith("@") else address)
