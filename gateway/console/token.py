"""The secret that opens the API: made by the gateway at its first start, kept beside the journal, read by the command line."""

import os
import re
import secrets
import tempfile
from pathlib import Path

TOKEN_FILE = "api-token"  # noqa: S105 - a file's name

_OWNER_ONLY = 0o600
_GROUP_MAY_READ = 0o640
_TOKEN = re.compile(r"[\x21-\x7e]{22,512}")


class TokenRefused(Exception):
    """The file does not hold a usable token; the text says which file, and the mend."""


def token_file(journal: Path) -> Path:
    """Where the token of the gateway with this journal is."""
    return journal.parent / TOKEN_FILE


def load_or_create_token(path: Path) -> str:
    """The token in `path`; a new one of 256 bits, written with permissions 0600, where there is none or the file is empty.

    What others may read, or the group may write, is taken away from them. Raises `TokenRefused` for a file that holds something
    else, OSError where the disk does not play.
    """
    if not path.exists() or path.stat().st_size == 0:
        return _create(path)
    permissions = path.stat().st_mode & 0o777
    if permissions & ~_GROUP_MAY_READ:
        path.chmod(permissions & _GROUP_MAY_READ)
    return read_token(path)


def is_token(text: str) -> bool:
    """Whether the text can be a token: 22 to 512 printable ASCII characters without spaces."""
    return _TOKEN.fullmatch(text) is not None


def read_token(path: Path) -> str:
    """The token in `path`. Raises `TokenRefused`: not a token, or not to be read by us."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except UnicodeDecodeError:
        text = ""
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise TokenRefused(f"{path}: {reason}; the gateway writes this file at its start") from None
    if not is_token(text):
        raise TokenRefused(f"{path}: holds no token (22 or more characters, no spaces); remove it and start the gateway again")
    return text


def _create(path: Path) -> str:
    """Write a new token in one step: nobody ever reads half of it, or one that others could have read."""
    token = secrets.token_urlsafe(32)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, part = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            os.fchmod(out.fileno(), _OWNER_ONLY)
            out.write(token + "\n")
            out.flush()
            os.fsync(out.fileno())
        Path(part).replace(path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    return token
