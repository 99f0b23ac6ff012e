"""Hospital pagers by SNPP, level 1 of RFC 1861: PAGE, MESS, SEND, one message a connection.

    ← 220 ready        → PAGE 7001   ← 250        → MESS P-017 HIGH: …   ← 250        → SEND   ← 250        → QUIT

Nothing leaves the paging terminal before SEND: whatever fails earlier was not sent. From SEND on, only the answer tells.
"""

import asyncio
import contextlib
import re
import unicodedata
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator

from gateway.config.settings import SnppSettings
from gateway.outside.no_receipts import no_receipts
from gateway.runtime.ports import Accepted, Message, Receipt, Rejected, SendResult, Unknown

STEP_S = 4.0  # to connect, and for each answer before SEND
DEADLINE_S = 15.0  # for the answer to SEND, which may wait for a transmitter
TEXT_MAX = 240  # characters of a common alphanumeric pager; the essential stands in the first 160
LINE_MAX_BYTES = 1_024  # of an answer; longer is not SNPP

_PAGER = re.compile(r"[!-~]{1,64}")  # one word of visible ASCII
_ANSWER = re.compile(r"(\d)(\d\d)(?:[ -].*)?")

# 5xx that say nothing about this pager or message: command not known, out of order, a technical failure.
_STUMBLED = ("500", "503", "554")

# What is not ASCII, as a pager can show it. Accents fall off by themselves; everything else becomes a question mark.
_SHOWN = {
    "\N{WARNING SIGN}": "!",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{MIDDLE DOT}": "-",
    "\N{BULLET}": "*",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{PLUS-MINUS SIGN}": "+/-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{DEGREE SIGN}": " deg ",
    "\N{MICRO SIGN}": "u",
    "\N{EURO SIGN}": "EUR",
    "\N{LATIN SMALL LETTER SHARP S}": "ss",
}


class _Refused(Exception):
    """The terminal said no, or something else than SNPP; `args` are the reason."""

    def __init__(self, reason: str, *, temporary: bool) -> None:
        super().__init__(reason)
        self.result = Rejected(reason, temporary=temporary)


class SnppTransport:
    """One paging terminal."""

    def __init__(self, settings: SnppSettings, *, deadline_s: float = DEADLINE_S) -> None:
        self.name = settings.name
        self._host, self._port = settings.host, settings.port
        self._deadline_s = deadline_s

    async def send(self, message: Message) -> SendResult:
        """Hand the message to the terminal. `Accepted` means that it took it for transmission; pagers do not answer."""
        if not _PAGER.fullmatch(message.address):
            return Rejected("the address is not one pager")
        text = shown(message.text)
        if not text:
            return Rejected("nothing of the text can be shown on a pager")
        try:
            async with self._connection() as (reader, writer):
                await _ask(reader, writer, f"PAGE {message.address}")
                await _ask(reader, writer, f"MESS {text}")
                return await self._release(reader, writer)
        except _Refused as refused:
            return refused.result
        except TimeoutError:
            return Rejected(f"the paging terminal gave no answer within {STEP_S:g} s, before SEND", temporary=True)
        except (OSError, EOFError, ValueError) as error:
            return Rejected(f"the paging terminal cannot be reached ({type(error).__name__})", temporary=True)

    async def probe(self) -> str | None:
        """What is wrong, found out without paging: whether what answers there is a paging terminal."""
        try:
            async with self._connection():
                return None
        except _Refused as refused:
            return f"what answers at {self._host}:{self._port} lets nobody page now: {refused.result.reason}"
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            what = f"{self._host}:{self._port} does not answer as a paging terminal ({type(error).__name__})"
            return f"{what}; is it running, and is the address right?"

    def receipts(self) -> AsyncIterator[Receipt]:
        """None: one-way pagers tell nothing."""
        return no_receipts()

    async def close(self) -> None:
        """Nothing to release: each send has its own connection."""

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
        """A connection whose terminal has greeted."""
        async with asyncio.timeout(STEP_S):
            reader, writer = await asyncio.open_connection(self._host, self._port, limit=LINE_MAX_BYTES)
        try:
            async with asyncio.timeout(STEP_S):
                _check(await _answer(reader))
            yield reader, writer
            writer.write(b"QUIT\r\n")  # a courtesy: nobody waits for its answer
        finally:
            writer.close()

    async def _release(self, reader: StreamReader, writer: StreamWriter) -> SendResult:
        """SEND. Whatever happens to the connection now, the page may be on the air."""
        try:
            async with asyncio.timeout(self._deadline_s):
                writer.write(b"SEND\r\n")
                code = await _answer(reader)
        except TimeoutError:
            return Unknown(f"no answer within {self._deadline_s:g} s")
        except (OSError, EOFError, ValueError) as error:
            return Unknown(f"the connection failed after SEND ({type(error).__name__})")
        _check(code)
        return Accepted()


def shown(text: str) -> str:
    """The text as a pager shows it: one line of ASCII, at most `TEXT_MAX` characters, cut with three dots.

    Accents are dropped, common symbols spelt out, other characters become question marks; what separates lines becomes a space.
    """
    spelt = "".join(_SHOWN.get(letter, letter) for letter in text)
    plain = (letter for letter in unicodedata.normalize("NFKD", spelt) if not unicodedata.combining(letter))
    ascii_only = "".join(letter if " " <= letter <= "~" else " " if letter.isspace() else "?" for letter in plain)
    line = " ".join(ascii_only.split())
    return line if len(line) <= TEXT_MAX else line[: TEXT_MAX - 3] + "..."


async def _ask(reader: StreamReader, writer: StreamWriter, command: str) -> None:
    """Say one line and expect a yes. Raises `_Refused`, TimeoutError, OSError, EOFError, ValueError."""
    async with asyncio.timeout(STEP_S):
        writer.write(command.encode("ascii") + b"\r\n")
        _check(await _answer(reader))


async def _answer(reader: StreamReader) -> str:
    """The code of one answer; help lines and the first lines of long answers (`250-…`) are passed over."""
    while True:
        raw = await reader.readline()
        if not raw.endswith(b"\n"):
            raise EOFError
        line = raw.decode("latin-1").strip()
        match = _ANSWER.fullmatch(line)
        if match is None:
            raise ValueError("not SNPP")
        code = match[1] + match[2]
        if line[3:4] != "-" and code not in ("214", "218"):
            return code


def _check(code: str) -> None:
    """2xx is yes; also 8xx and 9xx, which two-way terminals say of a page that they took. Raises `_Refused`."""
    if code[0] in "289":
        return
    temporary = code[0] != "5" or code in _STUMBLED
    reason = "takes nothing at the moment" if temporary else "refused the page"
    raise _Refused(f"the paging terminal {reason} (SNPP {code})", temporary=temporary)
