"""A whole gateway, answered: links that are handed over, found and lost; STOP that is remembered and shown."""

from dataclasses import replace

import pytest

from gateway.runtime import snapshots
from gateway.runtime.answering import WhyNot, Wish, wanted
from gateway.runtime.gateway import Gateway
from gateway.runtime.links import Links
from gateway.runtime.recovery import recover
from gateway.runtime.wording import Wording
from tests.support.forwarding import settle
from tests.support.runtime_world import World, message

LINKS = Links("a secret beside the journal")
WORDING = Wording(links=LINKS, base_url="https://ward.example", linked={"sms"}, calls=set())


class Linked(World):
    """A world whose texts carry links."""

    def parts(self):
        return replace(super().parts(), wording=WORDING)


def linked_page(gateway: Gateway, world: World):
    """What the link in the first text message is about now."""
    text = world.transports["sms"].asked[0].text
    return gateway.linked(text.rpartition("/a/")[2])


async def test_a_page_is_handed_over_with_its_link_and_kept_without():
    """Neither the journal nor the outbox holds what opens it."""
    world = Linked()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
        (sent,) = world.transports["sms"].asked
        assert sent.text.splitlines()[-1] == f"https://ward.example/a/{LINKS.token(sent.key)}"
        assert sent.subject == sent.text.splitlines()[0]
        kept = [row.body for row in await world.pages()] + [record.body for record in await world.records()]
        assert not any(LINKS.token(sent.key).encode() in body for body in kept)


async def test_the_link_of_a_page_takes_its_incident_and_no_other():
    """By the command that it stands for; once taken, "I cannot" of somebody else is none."""
    world = Linked()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1", "P-2")
        await world.alarm()
        await world.alarm("pump-2")
        page = linked_page(gateway, world)
        assert (page.person, page.incident.subject) == ("nurse-a", "P-1")
        assert (await gateway.command(page.person, wanted(page, Wish.TAKE, gateway.now()))).ok
        assert linked_page(gateway, world).incident.holder == "nurse-a"
        states = {line.subject: line.state.value for line in gateway.incidents()}
        assert states == {"P-1": "acknowledged", "P-2": "triggered"}
        other = replace(linked_page(gateway, world), person="charge")
        assert wanted(other, Wish.CANNOT, gateway.now()) is WhyNot.SOMEBODY_HAS_IT
        assert gateway.linked("A" * 22) is None


async def test_a_gateway_without_links_knows_none():
    """Pages are sent as the core wrote them."""
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await world.alarm()
        (sent,) = world.transports["sms"].asked
        assert "/a/" not in sent.text
        assert gateway.linked(LINKS.token(sent.key)) is None


@pytest.mark.hazard("H-60")
async def test_stop_is_shown_and_survives_a_snapshot(monkeypatch: pytest.MonkeyPatch):
    """Whoever runs the gateway sees it among the findings; a restart does not bring the messages back."""
    monkeypatch.setattr(snapshots, "EVERY_RECORDS", 3)
    world = World()
    async with world.running() as gateway:
        await world.enrol(gateway, "P-1")
        await gateway.reply("sms", "8521", "STOP")
        for _ in range(9):
            world.source.say(message("pump-1", "telemetry", observed_at=world.clock.now(), delivery_status="delivering"))
            await settle()
        assert "nurse-a gets no pages by sms (STOP)" in gateway.health().findings
        assert gateway.health().ready
        assert (await world.journal.load_snapshot())[0] > 0
    desk = (await recover(world.journal)).fold.monitor.state.desk
    assert desk.stopped == {"nurse-a": ["sms"]}


async def test_a_finding_of_a_front_end_stands_in_the_place_of_the_one_before():
    """However often it happens."""
    world = World()
    async with world.running() as gateway:
        gateway.note_finding("twilio-signature", "1 requests")
        gateway.note_finding("twilio-signature", "2 requests")
        assert [finding for finding in gateway.health().findings if "requests" in finding] == ["2 requests"]
