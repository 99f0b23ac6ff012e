"""docs/security/hazard-analysis.md, made from hazards.yaml and the tests' marks."""

from collections import Counter
from collections.abc import Iterator

from tests.support.source_tree import ROOT
from tests.trace.hazards import Chance, Group, Harm, Hazard, Risk, groups, hazards, risk_of
from tests.trace.marks import Shown, shown_by

FILE = ROOT / "docs" / "security" / "hazard-analysis.md"

HEAD = """# Hazard analysis

<!-- Made from hazards.yaml and the marks of the tests: `python -m tests.trace paper` writes it. Change those, not this. -->

In the manner of ISO 14971: from a hazard's causes to the situation that harms, how bad and how likely the harm is without and
with what Dripwatch does about it, and the tests which show that it does. `make trace` runs these tests and prints the matrix; it
fails when a hazard has no passing test. Tests are tied to hazards, not to single controls: whoever reviews this must read them.

**What this is not.** Dripwatch is no certified medical device, and this is no risk management file. Harm and chance are
engineers' estimates in words; nobody has counted, and no clinician has signed them. Whoever puts Dripwatch to use must judge them
for their own patients. The pump's own alarm stays primary: chances are told for a home in which somebody may still hear it.

**Harm**: negligible (no treatment needed), minor (discomfort), serious (premedication, a visit or an admission that was
avoidable), critical (lasting harm, or treatment given up), catastrophic (death).
**Chance**, in a ward's year: improbable, remote, occasional, probable, frequent.
**Kinds of control**, the strongest first: design (it cannot happen), protection (it is noticed or contained), information (people
are told).
"""


def text() -> str:
    """The whole page."""
    tests = shown_by()
    return "\n".join([HEAD, *_matrix(), "", *_overview(), *(line for group in groups() for line in _group(group, tests))]) + "\n"


def _matrix() -> Iterator[str]:
    """How many hazards stand in each field, before → after."""
    before = Counter((hazard.harm, hazard.before) for hazard in hazards())
    after = Counter((hazard.harm, hazard.after) for hazard in hazards())
    yield "## The risks, before → after\n"
    yield "`+` acceptable, `~` to be reduced further if that can be done, `!` not acceptable."
    yield f"\n| harm | {' | '.join(Chance)} |\n|---|{'---|' * len(Chance)}"
    signs = {Risk.ACCEPTABLE: "+", Risk.REDUCE: "~", Risk.UNACCEPTABLE: "!"}
    for harm in reversed(Harm):
        cells = (f"{signs[risk_of(harm, chance)]} {before[harm, chance]} → {after[harm, chance]}" for chance in Chance)
        yield f"| {harm} | {' | '.join(cells)} |"


def _overview() -> Iterator[str]:
    missing = [hazard for hazard in hazards() if hazard.open]
    items = sum(len(hazard.open) for hazard in missing)
    yield f"{len(hazards())} hazards. {items} open items, where a control that should exist does not:\n"
    for hazard in missing:
        yield from (f"- {hazard.id}: {words}" for words in hazard.open)
    yield ""


def _group(group: Group, tests: dict[str, list[Shown]]) -> Iterator[str]:
    yield f"## {group.group}\n"
    for hazard in group.hazards:
        yield from _hazard(hazard, tests[hazard.id])


def _hazard(hazard: Hazard, tests: list[Shown]) -> Iterator[str]:
    yield f"### {hazard.id}: {hazard.hazard}\n"
    yield f"{hazard.situation}\n"
    yield f"- **Causes**: {'; '.join(hazard.causes)}."
    yield (
        f"- **Harm**: {hazard.harm}. **Chance**: {hazard.before} → {hazard.after}. "
        f"**Risk**: {hazard.risk_before} → {hazard.risk_after}."
    )
    yield from (f"- **{kind.capitalize()}**: {words}" for control in hazard.controls for kind, words in control.items())
    yield from (f"- **Open**: {words}" for words in hazard.open)
    yield f"- **Shown by**: {', '.join(f'`{_short(test)}`' for test in tests)}.\n"


def _short(test: Shown) -> str:
    """A test by its file's name, which is unique in the tree; a story by its own."""
    return f"scenarios/{test.part}.yaml" if test.part else f"{test.path.rpartition('/')[2]}::{test.name}"
