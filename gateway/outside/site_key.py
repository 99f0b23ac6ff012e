"""The site's own Ed25519 key, which signs commissioning records. Made at first use, 0600."""

import base64
import binascii
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_private_key

PUBLIC_SUFFIX = ".pub"
KEY_BYTES_MAX = 10_000


class KeyRefused(Exception):
    """The key cannot be used; the text says where and the mend."""


@dataclass(frozen=True, slots=True)
class SiteKey:
    """The public half, and what signs with the private one. Neither repr nor anything else shows that."""

    public: bytes
    sign: Callable[[bytes], bytes]

    def __repr__(self) -> str:
        return "SiteKey()"


def site_key(path: Path) -> SiteKey:
    """The key of that file; made there where there is none, its public half beside it as `.pub`. Raises `KeyRefused`."""
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & 0o077:
            raise KeyRefused(f"{path}: others may read this key; chmod 600 it")
        private = load_pem_private_key(path.read_bytes()[:KEY_BYTES_MAX], None)
    except OSError as error:
        raise KeyRefused(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except (ValueError, TypeError):
        raise KeyRefused(f"{path}: no private key in PEM without a password; put another in its place") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyRefused(f"{path}: a key of another kind than Ed25519")
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    _show(path.with_suffix(PUBLIC_SUFFIX), public)
    return SiteKey(public, private.sign)


def _show(path: Path, public: bytes) -> None:
    """The public half beside the key, to be handed to whoever checks records. Raises `KeyRefused`."""
    line = base64.b64encode(public).decode() + "\n"
    try:
        if not path.exists() or path.read_text() != line:
            path.write_text(line)
    except OSError as error:
        raise KeyRefused(f"{path}: {(error.strerror or str(error)).lower()}") from None


def public_key(path: Path) -> bytes:
    """The public half that was kept in a `.pub` file. Raises `KeyRefused`."""
    try:
        key = base64.b64decode(path.read_text().strip(), validate=True)
    except OSError as error:
        raise KeyRefused(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise KeyRefused(f"{path}: no public key of a site; it is one line of 44 characters")
    return key


def is_signed(public: bytes, signature: bytes, data: bytes) -> bool:
    """Whether it is that key's signature of these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _make(path: Path) -> None:
    """Whole or not at all, also where two begin at once or the power goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    private = Ed25519PrivateKey.generate()
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    number = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, path)  # unlike a rename it fails where somebody was first
    except FileExistsError:
        pass
    finally:
        aside.unlink()
