"""What a broker lets whom do, in Mosquitto's words: its access list and its password file. Texts only.

    user pump-017                                  name:$7$ROUNDS$SALT$HASH
    topic write dw/v1/haem-ward/pump-017/#
    topic read dwack/haem-ward/pump-017            PBKDF2-HMAC-SHA512; salt of 12 bytes and hash of 64 in Base64

Source: mosquitto.conf(5), mosquitto_passwd(1) of Mosquitto 2.0.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

SALT_BYTES: Final = 12
ROUNDS: Final = 101  # the tool's own; what is hashed is 32 random characters, which no amount of guessing finds


class Kind(StrEnum):
    """Who connects. Gateway and watchdog are the house's own, and have a door of their own."""

    PUMP = "pump"
    BRIDGE = "bridge"
    BENCH = "bench"
    GATEWAY = "gateway"
    WATCHDOG = "watchdog"


HOUSE: Final = frozenset({Kind.GATEWAY, Kind.WATCHDOG})


def allowed(kind: Kind, site: str, name: str, pumps: Iterable[str]) -> list[tuple[str, str]]:
    """("read" or "write", topic filter) of all that somebody may do.

    `pumps`: a bridge's, the gateway's synthetic one, or those at which alone a bench looks.
    """
    match kind:
        case Kind.PUMP | Kind.BRIDGE:
            found = []
            for device in dict.fromkeys((name, *pumps)):
                found += [("write", f"dw/v1/{site}/{device}/#"), ("read", f"dwack/{site}/{device}")]
            return found
        case Kind.BENCH:
            return [("read", f"dw/v1/{site}/{device}/#") for device in dict.fromkeys(pumps)] or [("read", f"dw/v1/{site}/#")]
        case Kind.GATEWAY:
            synthetic = [("write", f"dw/v1/{site}/{pump}/alarm") for pump in pumps]
            return [("read", "dw/#"), ("read", "$SYS/broker/#"), ("write", "dwack/#"), *synthetic]
        case Kind.WATCHDOG:
            return [("read", f"dwack/{site}/gateway"), ("write", f"dw/v1/{site}/{name}/status")]


def access_entry(kind: Kind, site: str, name: str, pumps: Iterable[str]) -> str:
    """One user's part of the access list."""
    return "\n".join([f"user {name}", *(f"topic {act} {topic}" for act, topic in allowed(kind, site, name, pumps)), ""])


def password_hash(password: str, salt: bytes) -> str:
    """What stands behind the name in the password file."""
    found = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS)
    return f"$7${ROUNDS}${b64encode(salt).decode()}${b64encode(found).decode()}"
