"""The repository's own files, read once, for the tests of its laws."""

import ast
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

PACKAGES = ("gateway", "device_adapters", "rules")
CORE = ("gateway/domain", "gateway/core", "rules", "device_adapters")

# What git does not keep (see .gitignore), by name, so that the laws hold in an unpacked archive too.
NOT_OURS = {
    "__pycache__",
    "build",
    "data",
    "dist",
    "node_modules",
    ".git",
    ".venv",
    ".hypothesis",
    ".import_linter_cache",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
}


@dataclass(frozen=True)
class Source:
    """A Python file: `path` from the root with slashes, `tree` as parsed."""

    path: str
    text: str
    tree: ast.Module


@dataclass(frozen=True)
class Function:
    """A function or method; `lines` without its docstring."""

    path: str
    name: str
    line: int
    lines: int


@functools.cache
def texts() -> dict[str, str]:
    """All text files of the repository, by path."""
    found: dict[str, str] = {}
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if name not in NOT_OURS and not name.endswith(".egg-info"))
        for name in sorted(names):
            path = Path(folder, name)
            raw = path.read_bytes() if path.is_file() else b"\0"
            if b"\0" not in raw[:8_192] and path.suffix not in {".pyc", ".db"}:
                found[path.relative_to(ROOT).as_posix()] = raw.decode("utf-8", "replace")
    return found


@functools.cache
def sources(*folders: str) -> tuple[Source, ...]:
    """The Python files below these folders (none named: all)."""
    chosen = [(path, text) for path, text in texts().items() if path.endswith(".py") and _below(path, folders)]
    return tuple(Source(path, text, ast.parse(text, path)) for path, text in chosen)


def _below(path: str, folders: tuple[str, ...]) -> bool:
    return not folders or any(path.startswith(f"{folder}/") for folder in folders)


def functions(source: Source) -> Iterator[Function]:
    """Every function of a file, nested ones too."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if ast.get_docstring(node) is not None:
                lines -= (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
            yield Function(source.path, node.name, node.lineno, lines)


def imported(source: Source) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything that a file imports; `from a import b` gives `a.b`."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module or '.'}.{alias.name}") for alias in node.names)


def used_names(source: Source) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every name in use, import aliases resolved: `dt.now` may be `datetime.datetime.now`."""
    aliases = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            aliases |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            aliases |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name | ast.Attribute) and (dotted := _dotted(node)):
            first, _, rest = dotted.partition(".")
            yield node.lineno, ".".join(part for part in (aliases.get(first, first), rest) if part)


def _dotted(node: ast.expr) -> str:
    """`a.b.c` of a plain chain of names; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (front := _dotted(node.value)):
        return f"{front}.{node.attr}"
    return ""


def spoken(source: Source) -> Iterator[tuple[int, str]]:
    """(line, text) of every string in a file that is not a docstring: what may come before people's eyes."""
    silent = {
        id(node.body[0].value)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and ast.get_docstring(node, clean=False) is not None
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node.lineno, node.value
