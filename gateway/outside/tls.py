"""TLS towards a server that we call."""

import ssl
from pathlib import Path


class TlsFileRefused(OSError):
    """A file that TLS needs cannot be used; the text names it and says why."""


class _Socket(ssl.SSLSocket):
    """Closes itself when the handshake fails: paho would leave it to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def client_context(ca: str | Path | None, cert: str | Path | None = None, key: str | Path | None = None) -> ssl.SSLContext:
    """Trust what `ca` signed, or the system's authorities; check the host name; show `cert` if asked. All are paths of PEM files.

    `cert` may hold the key too; then `key` is None. Read anew for each connection: a renewed certificate needs no restart.
    Raises `TlsFileRefused`.
    """
    for path in (ca, cert, key):
        _refuse_unreadable(path)
    try:
        context = ssl.create_default_context(cafile=ca)
    except ssl.SSLError:
        raise TlsFileRefused(f"cannot use a TLS file: {ca} holds no certificate in PEM form") from None
    if cert is not None:
        show(context, cert, key)
    context.sslsocket_class = _Socket
    return context


def show(context: ssl.SSLContext, cert: str | Path, key: str | Path | None) -> None:
    """Have `context` show a certificate. Raises `TlsFileRefused`; a key with a pass phrase is refused, never asked about."""
    try:
        context.load_cert_chain(cert, key, password=lambda: "")
    except ssl.SSLError as error:
        both = f"{cert} and {key}" if key is not None else f"{cert}"
        if error.reason == "KEY_VALUES_MISMATCH":
            raise TlsFileRefused(f"cannot use a TLS file: {both} do not belong together") from None
        why = "must hold a certificate and its key, in PEM form and without a pass phrase"
        raise TlsFileRefused(f"cannot use a TLS file: {both} {why}") from None


def _refuse_unreadable(path: str | Path | None) -> None:
    if path is None:
        return
    try:
        with Path(path).open("rb"):
            pass
    except OSError as error:
        raise TlsFileRefused(f"cannot read a TLS file: {path}: {(error.strerror or 'unreadable').lower()}") from None
