"""How well the ways to each person work: what each contact said last, and test pages that ask all of them.

A test page is about no incident: nobody acknowledges it, nothing escalates, and it comes behind everything else that waits to be
sent. It takes the same way as a real one, from the journal through the outbox to the person's own telephone.
"""

from collections.abc import Iterator

from gateway.core.channel_state import LastWord, PageTest, Tried
from gateway.core.context import Context
from gateway.core.done import Done, moment, no, yes
from gateway.core.events import Sent
from gateway.core.languages import WORDINGS, locale_of
from gateway.core.texts import clock_time
from gateway.domain.effects import Page
from gateway.domain.instants import MINUTE_MS, SECOND_MS
from gateway.domain.sentences import sentence
from gateway.domain.ward import Contact, Person, Ward
from gateway.domain.words import Outcome, Priority, WhyPaged

TEST_EVERY_MS = MINUTE_MS  # a person; more would only teach people to look away from pages
REASON_MAX = 200  # characters of what a transport said; the journal has the whole


def send_test(name: str, who: str, now: Context) -> Done:
    """Page a person of the ward by every contact at once, to see which of them works."""
    person, before = now.ward.people.get(name), now.desk.channels.tests.get(name)
    if person is None:
        return no(sentence("the ward has no {name!r}; it has: {known}", name=name, known=tuple(sorted(now.ward.people))))
    if before is not None and now.at < before.at + TEST_EVERY_MS:
        left_s = -(-(before.at + TEST_EVERY_MS - now.at) // SECOND_MS)
        return no(
            sentence(
                "{name} was sent a test page at {at}: one a minute; try again in {left_s} s",
                name=name,
                at=moment(before.at, now),
                left_s=left_s,
            )
        )
    contacts = now.contacts(person)
    if not contacts:
        return no(
            sentence(
                "no page can reach {name}, who has stopped them all (STOP); a START from their telephone ends that", name=name
            )
        )
    _forget_strangers(now)
    tried = [Tried(index, contact.transport, contact.address) for index, contact in contacts]
    now.desk.channels.tests[name] = PageTest(now.seq, now.at, who, tried)
    now.effects += _pages(person, now)
    ways = tuple(contact.transport for _, contact in contacts)
    return yes(sentence("a test page to {name} is on its way by {ways}", name=name, ways=ways), "")


def note(event: Sent, now: Context) -> None:
    """Remember what a transport said, of a real page or of a test; what it says of anything else changes nothing."""
    if event.key.count("/") < 3:  # a page's key is incident/round/person/contact
        return
    about, _, name, contact = event.key.rsplit("/", 3)
    person, word = now.ward.people.get(name), LastWord(event.outcome, now.at, event.reason[:REASON_MAX])
    test = now.desk.channels.tests.get(name)
    if test is not None and about == name_of(now.ward, test.seq):
        found = next((tried for tried in test.tried if str(tried.contact) == contact), None)
        if found is not None:
            found.word = word
            _remember(person, Contact(found.transport, found.address), word, now)
    elif person is not None and contact.isdecimal() and int(contact) < len(person.contacts):
        _remember(person, person.contacts[int(contact)], word, now)


def name_of(ward: Ward, seq: int) -> str:
    """What stands in the place of an incident's key in the keys of a test page."""
    return f"{ward.site}.{WhyPaged.TEST.value}@{seq}"


def way(contact: Contact) -> str:
    """The name of a contact among a person's: by what, and where it leads; another delay makes no other way of it."""
    return f"{contact.transport} {contact.address}"


def _remember(person: Person | None, contact: Contact, word: LastWord, now: Context) -> None:
    """A page that was withdrawn says nothing of the way that it did not take."""
    if person is None or word.outcome is Outcome.WITHDRAWN:
        return
    _forget_strangers(now)
    ways = {way(each) for each in person.contacts}
    known = now.desk.channels.words.get(person.id, {})
    if way(contact) in ways:
        now.desk.channels.words[person.id] = {name: said for name, said in known.items() if name in ways} | {way(contact): word}


def _forget_strangers(now: Context) -> None:
    """Only of people whom the ward knows: it grows no further than they."""
    channels, people = now.desk.channels, now.ward.people
    for kept in (channels.words, channels.tests):
        for gone in [name for name in kept if name not in people]:
            del kept[gone]


def _pages(person: Person, now: Context) -> Iterator[Page]:
    name = name_of(now.ward, now.seq)
    for index, contact in now.contacts(person):
        locale = locale_of(person, contact, now)
        said = WORDINGS[locale].test.format(site=now.ward.site, at=clock_time(now.at, now, locale))
        yield Page(
            key=f"{name}/r1/{person.id}/{index}",
            incident=name,
            course="",
            person=person.id,
            transport=contact.transport,
            address=contact.address,
            priority=Priority.INFORMATION,
            why=WhyPaged.TEST,
            about=(WhyPaged.TEST.value,),
            text=said,
            code="",
            decided_at=now.at,
        )
