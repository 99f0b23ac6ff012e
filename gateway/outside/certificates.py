"""A small authority of the ward's own, for its broker and whoever connects to it. The only place that knows `cryptography`.

Elliptic keys (P-256), everything as PEM. Nothing made here is "not yet valid": a Raspberry Pi wakes up in the past, and has to
reach the broker all the same.
"""

import contextlib
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.domain.instants import SECOND_MS, Instant

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
LIST_LASTS = timedelta(days=36_500)  # OpenSSL lets nobody in by a list that is out of date; ours is written at each change


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key."""

    cert: bytes
    key: bytes = field(repr=False)


def new_authority(name: str, until: Instant) -> Pair:
    """A certificate that signs itself and, directly, others."""
    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        _builder(subject, key.public_key(), until)
        .issuer_name(subject)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_others=True), critical=True)
        .add_extension(own, critical=False)
    )
    return _pair(builder.sign(key, hashes.SHA256()), key)


def sign_server(authority: Pair, hosts: Sequence[str], until: Instant) -> Pair:
    """A certificate for a server that is reached under each of these names or addresses. Raises `ValueError` for a bad one."""
    names = x509.SubjectAlternativeName([_place(host) for host in hosts])
    return _signed(authority, [(NameOID.COMMON_NAME, hosts[0][:64])], ExtendedKeyUsageOID.SERVER_AUTH, until, names)[0]


def sign_client(authority: Pair, name: str, site: str, until: Instant) -> tuple[Pair, int]:
    """A certificate for a client of this name, and its serial number."""
    attributes = [(NameOID.ORGANIZATIONAL_UNIT_NAME, site), (NameOID.COMMON_NAME, name)]
    return _signed(authority, attributes, ExtendedKeyUsageOID.CLIENT_AUTH, until, None)


def revocation_list(authority: Pair, serials: Iterable[int]) -> bytes:
    """What this authority has signed and no longer stands for."""
    signer = x509.load_pem_x509_certificate(authority.cert)
    builder = x509.CertificateRevocationListBuilder().issuer_name(signer.subject)
    builder = builder.last_update(LONG_AGO).next_update(LONG_AGO + LIST_LASTS)
    for serial in sorted(serials):
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(LONG_AGO).build()
        builder = builder.add_revoked_certificate(revoked)
    return builder.sign(_key(authority), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def valid_until(cert: bytes) -> Instant:
    """When a certificate ends. Raises `ValueError` for what is none."""
    return round(x509.load_pem_x509_certificate(cert).not_valid_after_utc.timestamp() * SECOND_MS)


def _signed(
    authority: Pair,
    attributes: Sequence[tuple[x509.ObjectIdentifier, str]],
    purpose: x509.ObjectIdentifier,
    until: Instant,
    names: x509.SubjectAlternativeName | None,
) -> tuple[Pair, int]:
    signer, key = x509.load_pem_x509_certificate(authority.cert), ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(kind, value) for kind, value in attributes])
    its_key = signer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        _builder(subject, key.public_key(), until)
        .issuer_name(signer.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_others=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(its_key), critical=False)
    )
    if names is not None:
        builder = builder.add_extension(names, critical=False)
    cert = builder.sign(_key(authority), hashes.SHA256())
    return _pair(cert, key), cert.serial_number


def _builder(subject: x509.Name, key: ec.EllipticCurvePublicKey, until: Instant) -> x509.CertificateBuilder:
    ends = datetime.fromtimestamp(until / SECOND_MS, UTC)
    builder = x509.CertificateBuilder().subject_name(subject).public_key(key).serial_number(x509.random_serial_number())
    return builder.not_valid_before(LONG_AGO).not_valid_after(ends)


def _usage(*, signs_others: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_others,
        key_cert_sign=signs_others,
        crl_sign=signs_others,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _place(host: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(host))
    return x509.DNSName(host)


def _key(authority: Pair) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(authority.key, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("the authority's key is not an elliptic one")
    return key


def _pair(cert: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    plain = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Pair(cert.public_bytes(serialization.Encoding.PEM), plain)
