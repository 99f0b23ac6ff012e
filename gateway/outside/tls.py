"""TLS towards a server that we call."""

import ssl


class _Socket(ssl.SSLSocket):
    """Closes itself when the handshake fails: paho would leave it to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def client_context(ca: str, cert: str | None = None, key: str | None = None) -> ssl.SSLContext:
    """Trust what `ca` signed, check the host name, show `cert` if asked; all PEM files. Raises `OSError` for an unreadable one.

    `cert` may hold the key too; then `key` is None. Read anew for each connection: a renewed certificate needs no restart.
    """
    context = ssl.create_default_context(cafile=ca)
    if cert is not None:
        context.load_cert_chain(cert, key)
    context.sslsocket_class = _Socket
    return context
