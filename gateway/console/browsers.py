"""What a browser says of itself, as people say it: `Chrome, Android`."""

import re

# The first that fits: most of them also claim to be those below them.
_PROGRAMS = (("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung"), ("Firefox|FxiOS", "Firefox"))
_MORE_PROGRAMS = (("Chrom|CriOS", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (("Android", "Android"), ("iPhone|iPad", "iOS"), ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux|X11", "Linux"))
PLAIN_MAX = 40  # characters of what no rule knows


def browser_words(agent: str) -> str:
    """The program and its system, as far as the text of User-Agent tells; else the beginning of that text."""
    known = [
        next((words for pattern, words in rules if re.search(pattern, agent)), "")
        for rules in ((*_PROGRAMS, *_MORE_PROGRAMS), _SYSTEMS)
    ]
    return ", ".join(word for word in known if word) or agent[:PLAIN_MAX]
