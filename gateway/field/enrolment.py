"""`enrol`: start watching a course."""

from typing import Any

import click

from gateway.field.bags import of_a_bag, with_times
from gateway.field.homes import CAREGIVER_HELP, TRAVEL_HELP, WARD_CONTACT_HELP, caregiver_contacts, signed_items
from gateway.field.remote import Remote, with_gateway
from gateway.field.speaking import told
from gateway.field.when import When


@click.command(short_help="Start watching a course on a pump.")
@click.option("--course", required=True, help="A pseudonym like P-017, never a name.")
@click.option("--pump", required=True, help="The pump, as in its MQTT topic.")
@of_a_bag
@click.option("--protocol", help="The protocol; may be left out where the ward has only one.")
@click.option("--cycle", type=int, help="The treatment cycle, from 1.")
@click.option("--dose", "dose_mcg_per_day", type=float, help="mcg a day; else the protocol's first dose of this cycle.")
@click.option("--caregiver", multiple=True, help=CAREGIVER_HELP)
@click.option("--ward-contact", help=WARD_CONTACT_HELP)
@click.option("--travel-minutes", type=int, help=TRAVEL_HELP)
@click.option("--checklist", multiple=True, help="ITEM=WHO, or ITEM=WHO@2026-03-01T10:00: who signed an item; repeatable.")
@click.option("--override-reason", help="Enrol although the checklist is not complete, and why.")
@with_gateway
def enrol(
    gateway: Remote,
    /,
    *,
    caregiver: tuple[str, ...],
    checklist: tuple[str, ...],
    override_reason: str | None,
    **given: Any,
) -> int:
    """Start watching a course on a pump.

    Name who signed each item with --checklist. Without any, you say by enrolling that the checklist is complete; where it is
    not, --override-reason says why you enrol all the same.
    """
    when = When(gateway)
    body = with_times(when, given)
    body |= {"caregiver": caregiver_contacts(caregiver), "checklist": signed_items(checklist, when)}
    if override_reason is not None:
        body |= {"checklist_complete": False, "override_reason": override_reason}
    return told(gateway.post("/api/v1/courses", body))
