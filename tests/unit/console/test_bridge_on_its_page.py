"""A bridge among the devices: its findings on its page and in the API, also after its Last Will."""

from gateway.runtime.access import Role
from tests.support.sheet_ward import LivedWard, lived_ward

HEALTH = {"findings": ["spool-full: the spool is <full>"], "silent": ["pump-09"], "waiting": 12, "disk_free_mib": 900}


def with_bridge() -> LivedWard:
    """The ward after its bridge has told of itself."""
    ward = lived_ward()
    ward.pump_says(ward.minute + 1, "status", pump="bridge-01", online=True, bridge=HEALTH)
    return ward


async def test_the_page_of_a_bridge_tells_what_is_wrong_with_it() -> None:
    """As text, never as markup; a pump's page has no such part."""
    ward = with_bridge()
    async with ward.client(Role.TECHNICIAN) as client:
        text = (await client.get("/pumps/bridge-01")).text
        assert "This device is a bridge" in text
        assert "spool-full: the spool is &lt;full&gt;" in text
        assert "pump-09" in text
        assert "900 MiB" in text
        assert "This device is a bridge" not in (await client.get("/pumps/p1")).text


async def test_the_api_tells_the_newest_health() -> None:
    """A Last Will says that the bridge is gone, and takes nothing back of what was wrong with it."""
    ward = with_bridge()
    ward.pump_says(ward.minute + 1, "status", pump="bridge-01", online=False)
    async with ward.client() as client:
        told = (await client.get("/api/v1/pumps/bridge-01")).json()
    assert told["online"] is False
    assert told["bridge"]["findings"] == HEALTH["findings"]
    assert (told["bridge"]["waiting"], told["bridge"]["temperature_c"]) == (12, None)
    assert told["course"] == ""
    assert told["heard_at"] is None
