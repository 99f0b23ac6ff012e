"""Private links to a course's diary: derived from a secret, told to nobody but the home, and never guessed."""

import hmac
import re
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

from gateway.core.board import CourseLine
from gateway.domain.instants import MINUTE_MS, Instant

TOKEN_CHARS = 22  # 132 bits
SECRET_FILE = "diary-secret"  # noqa: S105 - a file's name
ASKERS_MAX = 1_000  # more: who was heard least lately is forgotten, and may ask anew

_TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{TOKEN_CHARS}}}")


def secret_file(journal: Path) -> Path:
    """Where the secret of the gateway with this journal is; `token.load_or_create_token` makes it."""
    return journal.parent / SECRET_FILE


class DiaryLinks:
    """Tokens from a secret: the same course and enrolment always have the same, a new enrolment of the pseudonym another.

    `base_url` is the address under which homes reach the console, without a slash at its end.
    """

    def __init__(self, secret: str, base_url: str = "") -> None:
        if not secret:
            raise ValueError("diary links need a secret")
        self._secret = secret.encode()
        self.base_url = base_url

    def token(self, course: str, enrolment: int) -> str:
        """22 characters of the URL alphabet."""
        words = f"diary\0{course}\0{enrolment}".encode()
        return urlsafe_b64encode(hmac.digest(self._secret, words, "sha256")).decode()[:TOKEN_CHARS]

    def path(self, line: CourseLine) -> str:
        """The path of a course's diary page."""
        return f"/d/{self.token(line.course, line.enrolment)}"

    def course_of(self, token: str, courses: Iterable[CourseLine]) -> CourseLine | None:
        """The running course of this token. All are compared, each in constant time: how long it takes tells nothing."""
        if not _TOKEN.fullmatch(token):
            return None
        found = None
        for line in courses:
            if hmac.compare_digest(self.token(line.course, line.enrolment), token):
                found = line
        return found


class Pace:
    """At most `most` of something in `within_ms` for each asker. Remembers a bounded number of askers."""

    def __init__(self, most: int, within_ms: int = MINUTE_MS) -> None:
        self._most, self._within_ms = most, within_ms
        self._askers: OrderedDict[str, tuple[Instant, int]] = OrderedDict()

    def allows(self, asker: str, at: Instant) -> bool:
        """Count one more; False when it is too many."""
        began_at, count = self._askers.pop(asker, (at, 0))
        if at - began_at >= self._within_ms:
            began_at, count = at, 0
        self._askers[asker] = (began_at, count + 1)
        if len(self._askers) > ASKERS_MAX:
            self._askers.popitem(last=False)
        return count < self._most

    def __len__(self) -> int:
        """How many askers are remembered."""
        return len(self._askers)
