"""Reading a file that people write: what can go wrong with it, in words."""

from pathlib import Path

from gateway.config.problems import ConfigError
from rules.yaml_lines import Located, Problem, YamlProblem, load


def text_of(file: Path) -> str:
    """The file's text. Raises `ConfigError`."""
    try:
        return file.read_bytes().decode()
    except OSError as error:
        raise ConfigError((Problem(str(file), 0, (), (error.strerror or "cannot be read").lower()),)) from None
    except UnicodeDecodeError:
        raise ConfigError((Problem(str(file), 0, (), "not UTF-8 text; save it as UTF-8"),)) from None


def located_in(file: Path) -> Located:
    """The file's YAML, each value with its line. Raises `ConfigError`."""
    try:
        return load(text_of(file), str(file))
    except YamlProblem as found:
        raise ConfigError((found.problem,)) from None
