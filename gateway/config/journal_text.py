"""A ward file's content as YAML for the journal: no secret, no comment (a comment may hold an old one), nothing else lost."""

from typing import Any

import yaml

from gateway.config.references import Raw
from gateway.config.secrets import without_secrets
from rules.yaml_lines import read_scalar

_WIDTH = 130


class _Dumper(yaml.SafeDumper):
    """Writes text so that our dialect reads it back as text, and shared parts out in full."""

    def ignore_aliases(self, data: Any) -> bool:
        """Nothing is shared: `data` is written where it stands."""
        return data is not ...


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None if read_scalar(text) == text else '"'  # lines stay lines: a calendar can be read
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def journal_text(raw: Raw) -> str:
    """YAML of `raw` without its secrets; `yaml_lines.load` reads it back to the same values."""
    return render(without_secrets(raw))


def render(content: Raw) -> str:
    """YAML of `content` in the order of its keys."""
    return yaml.dump(dict(content), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
