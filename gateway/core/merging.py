"""After a gap (restart, outage) several steps of one incident may be overdue at once: one page a person is enough."""

from collections.abc import Sequence

from gateway.domain.effects import Effect, Page


def merge_overdue(effects: Sequence[Effect]) -> tuple[list[Effect], list[Page]]:
    """Of each incident's pages keep, for each person, the first contact of the newest round; everything else stays.

    Returns what remains, and the pages that were left out.
    """
    newest: dict[tuple[str, str], Page] = {}
    for effect in effects:
        if isinstance(effect, Page):
            name = (effect.incident, effect.person)
            kept = newest.get(name)
            if kept is None or _round(effect) > _round(kept):
                newest[name] = effect
    kept_keys = {page.key for page in newest.values()}
    pages = [effect for effect in effects if isinstance(effect, Page) and effect.key not in kept_keys]
    return [effect for effect in effects if not isinstance(effect, Page) or effect.key in kept_keys], pages


def _round(page: Page) -> int:
    return int(page.key.rsplit("/", 3)[1][1:])
