"""People, ways to reach them and policies in the reader's words. Each function takes the reader's `Words`."""

from itertools import pairwise

from gateway.console.times import length
from gateway.console.words import Words, message
from gateway.core.oncall import CAREGIVER
from gateway.core.roster import PageTestLine, TriedLine, WayLine
from gateway.domain.ward import Policy, Step
from gateway.domain.words import Outcome

SHOWN_CHARS = 3  # of an address, at its end: enough to know one's own, too little to call

_RECEIPTS = {
    None: message("on its way"),
    Outcome.ACCEPTED: message("accepted"),
    Outcome.DELIVERED: message("delivered"),
    Outcome.REJECTED: message("rejected for good"),
    Outcome.TEMPORARY: message("not taken now; it is tried again"),
    Outcome.UNKNOWN: message("nobody knows whether it was sent; it is tried again"),
    Outcome.NO_RECEIPT: message("accepted, but no receipt came"),
    Outcome.WITHDRAWN: message("given up: not sent within ten minutes, or muted meanwhile"),
}
_LAST = _RECEIPTS | {  # as something that is over
    Outcome.TEMPORARY: message("not taken"),
    Outcome.UNKNOWN: message("nobody knows whether it was sent"),
}


def masked(address: str) -> str:
    """`…001` of a number, `…acy@…` of a mail address: at most three characters, and never the whole."""
    name, at, _ = address.partition("@")
    shown = min(SHOWN_CHARS, max(0, len(name) - 2))
    return f"…{name[len(name) - shown :]}{'@…' if at else ''}"


def receipt_words(tried: TriedLine, say: Words) -> str:
    """What became of a test page by one contact: `accepted; its receipt is awaited`."""
    if tried.waits and tried.outcome is Outcome.ACCEPTED:
        return say("accepted; its receipt is awaited")
    if not tried.waits and tried.outcome in (None, Outcome.TEMPORARY, Outcome.UNKNOWN):
        return say("nothing more was heard of it")
    return say(_RECEIPTS[tried.outcome])


def verdict(test: PageTestLine, say: Words) -> str:
    """The whole test in a sentence."""
    if test.waits:
        return say("Under way.")
    works, count = sum(tried.works for tried in test.tried), len(test.tried)
    if works == count:
        return say("Every way works.")
    return say("{works} of {count} ways work.", works=works, count=count) if works else say("No way works.")


def way_words(way: WayLine, say: Words) -> str:
    """What its transport said last, in a few words."""
    if way.outcome is None:
        return say("nothing was ever sent by it")
    return say(_LAST[way.outcome])


def works(way: WayLine) -> bool | None:
    """Whether the last page by it got through as far as anybody can tell; None where nothing was sent."""
    return None if way.outcome is None else way.outcome in (Outcome.ACCEPTED, Outcome.DELIVERED)


def target_words(target: str, say: Words) -> str:
    """Whom a step means: `schedule:ward-nurse` is whoever is on call."""
    kind, _, name = target.partition(":")
    if kind == "schedule":
        return say("whoever is on call in {name}", name=name)
    if kind == "all":
        return say("everybody of {name}", name=name)
    return say("the caregiver at home") if target == CAREGIVER else name


def step_words(step: Step, say: Words) -> str:
    """Everybody whom a step means."""
    return say(", ").join(target_words(target, say) for target in step.targets)


def again_words(policy: Policy, say: Words) -> str:
    """What comes after the last step."""
    if not policy.steps:
        return ""
    after = length(policy.steps[-1].wait_ms, say.locale)
    if policy.repeat_from is None:
        return say("after {after} nobody else is paged", after=after)
    every = length(policy.repeat_every_ms, say.locale)
    number = policy.repeat_from + 1
    return say("after {after} again from step {number}, at most once in {every}", after=after, number=number, every=every)


def sentence(policy: Policy, say: Words) -> str:
    """The whole policy as one sentence."""
    if not policy.steps:
        return say("Nobody is paged: it stands on the board only.")
    parts = [say("Paged at once: {who}", who=step_words(policy.steps[0], say))]
    for before, step in pairwise(policy.steps):
        after = length(before.wait_ms, say.locale)
        parts.append(say("after {after}: {who}", after=after, who=step_words(step, say)))
    told = say("; ").join([*parts, again_words(policy, say)])
    lease = length(policy.ack_lease_ms, say.locale)
    return say("{told}; until somebody takes it (for {lease}), or it is over.", told=told, lease=lease)
