"""Where the ward file keeps its secrets: read from their files, and blanked out of what goes into the journal."""

import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any

from gateway.config.problems import Report
from gateway.config.references import Raw, mapping
from gateway.config.settings import SecretFile
from rules.yaml_lines import Path

BLANK = "***"
SECRET_MAX_BYTES = 65_536
WIDEST_PERMISSIONS = 0o640

_SECRETS = ("password", "token", "auth_token")
_SECTIONS = ("mqtt", "influx", "console", "transports")  # elsewhere such words are names of people and rules
_SECRET_WORD = re.compile(r"(?i)pass|pwd|token|secret|api_?key|auth|^key$|^sig")
_NO_SECRET = re.compile(r"_file$|^key$")  # they name files
_USERINFO_PASSWORD = re.compile(r"^([^:/?#]+://[^/?#]*?):[^/?#]*@")
_HARMLESS = ("method", "mode", "format", "from", "to", "overflow")  # Apprise's own; `method` tells a call from a text
_ADDRESS = "{address}"
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{22,512}")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Secret values by the path of the key that holds them (without `_file`), and the files that were read."""

    values: Mapping[Path, str] = field(default_factory=dict, repr=False)
    files: tuple[SecretFile, ...] = ()


def read_secrets(raw: Raw, base_dir: File | None, report: Report) -> Secrets:
    """Collect all secrets; report files that are missing, unreadable or empty.

    Paths are relative to `base_dir`. Without it no file is touched, and secrets that live in files stay unknown.
    """
    values: dict[Path, str] = {}
    files: list[SecretFile] = []
    for path, section in _sections(raw):
        for key in _SECRETS:
            inline, file_key = section.get(key), f"{key}_file"
            if inline is not None and section.get(file_key) is not None:
                report.add((*path, file_key), f"give {key} or {file_key}, not both")
            if isinstance(inline, str | int):
                values[*path, key] = str(inline)
            if base_dir is not None and isinstance(section.get(file_key), str):
                found = _read_file((*path, file_key), base_dir / section[file_key], report)
                if found:
                    values[*path, key] = found[0]
                    files.append(found[1])
    for path, secret in values.items():
        if path[0] == "transports" and path[-1] == "token" and secret != BLANK and not _TOKEN.fullmatch(secret):
            report.add(path, "22 to 512 letters, digits, '-', '_', '.', '~': it stands in an address, and nobody may guess it")
    if base_dir is not None:
        files += _certificates(raw, base_dir, report)
        _refuse_blanks(raw, report)
    return Secrets(values, tuple(files))


def without_secrets(raw: Raw) -> dict[str, Any]:
    """A copy of the ward file's content in which every secret that stands in it is `***`; names of secret files stay."""
    blanked = {key: _blanked(value) if key in _SECTIONS else value for key, value in raw.items()}
    synthetic = mapping(raw.get("synthetic"))
    if "ping" in synthetic:  # whoever knows the address can say that all is well
        blanked["synthetic"] = {**synthetic, "ping": f"https://{BLANK}"}
    return blanked


def _sections(raw: Raw) -> Iterator[tuple[Path, Raw]]:
    yield ("mqtt",), mapping(raw.get("mqtt"))
    yield ("influx",), mapping(raw.get("influx"))
    yield ("gateway",), mapping(raw.get("gateway"))  # of a watchdog's file
    for name, transport in mapping(raw.get("transports")).items():
        yield ("transports", name), mapping(transport)
        yield ("transports", name, "twilio"), mapping(mapping(transport).get("twilio"))


def _read_file(key: Path, file: File, report: Report) -> tuple[str, SecretFile] | None:
    try:
        permissions = stat.S_IMODE(file.stat().st_mode)
        with file.open("rb") as opened:
            content = opened.read(SECRET_MAX_BYTES + 1)
    except OSError as error:
        report.add(key, f"{file}: {(error.strerror or 'cannot be read').lower()}")
        return None
    try:
        text = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        text = ""
    if not text or len(content) > SECRET_MAX_BYTES:
        report.add(key, f"{file}: must hold the secret as text, and nothing else")
        return None
    return text, SecretFile(key, file, permissions)


def _certificates(raw: Raw, base_dir: File, report: Report) -> Iterator[SecretFile]:
    """Look at the certificates of the broker and of the HL7 port; a key counts as a secret file."""
    for section in ("mqtt", "mllp"):
        tls = mapping(mapping(raw.get(section)).get("tls"))
        for name in ("ca", "cert", "key"):
            if isinstance(tls.get(name), str):
                found = _read_file((section, "tls", name), base_dir / tls[name], report)
                if found and name == "key":
                    yield found[1]


def _refuse_blanks(raw: Raw, report: Report) -> None:
    """A file restored from the journal lacks its secrets: say so now, not when the first page fails."""
    for path, section in _sections(raw):
        for key in (*_SECRETS, "url"):
            if BLANK in str(section.get(key, "")):
                report.add((*path, key), f"the secret was blanked out ('{BLANK}'); write it anew")


def _blanked(value: Any, key: str = "", kind: str = "") -> Any:
    if isinstance(value, Mapping):
        kind = str(value.get("kind", ""))
        return {below: _blanked(inner, below, kind) for below, inner in value.items()}
    if key.endswith("url") and isinstance(value, str):
        return _blanked_apprise(value) if kind == "apprise" else _blanked_url(value)
    if _SECRET_WORD.search(key) and not _NO_SECRET.search(key) and value is not None:
        return BLANK
    return value


def _blanked_url(url: str) -> str:
    """A web address without its password, and without the values of arguments that sound like secrets."""
    place, mark, query = url.partition("?")
    place = _USERINFO_PASSWORD.sub(rf"\1:{BLANK}@", place)
    parts = [f"{name}={BLANK}" if _SECRET_WORD.search(name) else f"{name}{eq}{rest}" for name, eq, rest in _arguments(query)]
    return place + mark + "&".join(parts)


def _blanked_apprise(url: str) -> str:
    """Apprise hides tokens anywhere, also in the host and the path: keep the service, the address, and harmless arguments."""
    place, mark, query = url.partition("?")
    service = place.partition("://")[0]
    parts = [
        f"{name}{eq}{rest}" if name in _HARMLESS or rest == _ADDRESS else f"{name}={BLANK}"
        for name, eq, rest in _arguments(query)
    ]
    return f"{service}://{BLANK}" + (f"/{_ADDRESS}" if _ADDRESS in place else "") + mark + "&".join(parts)


def _arguments(query: str) -> list[tuple[str, str, str]]:
    return [part.partition("=") for part in query.split("&")] if query else []
