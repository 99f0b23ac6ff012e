"""What is known of each adapter, from `quality.toml`: which laws hold, which do not yet, which do not apply and why."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any


class Standing(StrEnum):
    """How an adapter stands to a law."""

    DONE = "done"
    NOT_YET = "todo"
    EXEMPT = "exempt"


@dataclass(frozen=True, slots=True)
class Claim:
    """One adapter and one law; `reason` is there unless the law is done."""

    standing: Standing
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Quality:
    """One adapter: what it reads, what it needs, on what it was tried, how long a fuzzer had it, and its laws by name."""

    name: str
    pumps: str
    needs: str
    seen: str
    fuzzed: str
    claims: Mapping[str, Claim]


def shipped_laws() -> Mapping[str, str]:
    """Every law and what it asks."""
    return read_quality(_shipped())[0]


def shipped_quality() -> tuple[Quality, ...]:
    """Every adapter of `quality.toml`."""
    return read_quality(_shipped())[1]


def read_quality(text: str) -> tuple[Mapping[str, str], tuple[Quality, ...]]:
    """The laws and the adapters of a quality file. Raises ValueError where it says what cannot be: a mistake of ours."""
    found = tomllib.loads(text)
    laws: dict[str, str] = found["laws"]
    return laws, tuple(_quality(name, entry) for name, entry in found["adapters"].items())


def supported_pumps(laws: Mapping[str, str], adapters: tuple[Quality, ...]) -> str:
    """The page for users, in Markdown."""
    return "\n".join(_lines(laws, adapters)) + "\n"


def _lines(laws: Mapping[str, str], adapters: tuple[Quality, ...]) -> Iterator[str]:
    yield from ("# Supported pumps", "", "Made from `device_adapters/quality.toml`; each *done* is held up by a test.", "")
    yield from ("| adapter | pumps | needs | tried on | longest fuzzing |", "|---|---|---|---|---|")
    yield from (f"| `{item.name}` | {item.pumps} | {item.needs} | {item.seen} | {item.fuzzed} |" for item in adapters)
    yield from ("", f"| law | {' | '.join(f'`{item.name}`' for item in adapters)} |", f"|---|{'---|' * len(adapters)}")
    yield from (f"| {law}: {asks} | {' | '.join(item.claims[law].standing for item in adapters)} |" for law, asks in laws.items())
    yield from ("", "What is not done, and why:", "")
    for item in adapters:
        for law, claim in item.claims.items():
            if claim.reason:
                yield f"- `{item.name}`, {law}, {claim.standing}: {claim.reason}"


def _shipped() -> str:
    return files("device_adapters").joinpath("quality.toml").read_text(encoding="utf-8")


def _quality(name: str, entry: dict[str, Any]) -> Quality:
    about = {key: entry.pop(key) for key in ("pumps", "needs", "seen", "fuzzed")}
    return Quality(name, **about, claims={law: _claim(name, law, said) for law, said in entry.items()})


def _claim(name: str, law: str, said: object) -> Claim:
    if said == Standing.DONE:
        return Claim(Standing.DONE)
    if isinstance(said, dict) and len(said) == 1:
        ((standing, reason),) = said.items()
        if standing in (Standing.NOT_YET, Standing.EXEMPT) and isinstance(reason, str) and reason.strip():
            return Claim(Standing(standing), reason)
    raise ValueError(f'quality.toml: {name}.{law}: "done", {{ todo = "reason" }} or {{ exempt = "reason" }}')
