"""`GET /api/v1/audit`, around a scripted teller."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest

from gateway.console.answering import act
from gateway.console.app import create_api
from gateway.console.audit_api import audit_router
from gateway.runtime.answering import Wish
from gateway.runtime.audit_line import AuditBusy, AuditFailed
from gateway.runtime.links import LinkedPage
from tests.support.fake_service import TOKEN, FakeService, incident


def line(number: int) -> dict[str, Any]:
    """What the command tells of one line."""
    parts = {"id": f"{number}.1", "at": "2026-03-02T09:16:12.000+08:00", "what": "ack", "who": "nurse-a", "course": "P-017"}
    return {**parts, "incident": "P-017@5", "result": "done", "why": "", "page": "", "text": f"line {number}", "details": []}


class Teller:
    """Tells the last of `numbers` that are asked for; remembers what it was asked."""

    def __init__(self) -> None:
        self.numbers = range(1, 6)
        self.asked: list[list[str]] = []
        self.trouble: Exception | None = None

    async def lines(self, options: Sequence[str]) -> list[dict[str, Any]]:
        self.asked.append(list(options))
        if self.trouble is not None:
            raise self.trouble
        given = dict(option.removeprefix("--").split("=", 1) for option in options)
        before = int(given.get("before", "999.1").split(".")[0])
        return [line(number) for number in self.numbers if number < before][-int(given["last"]) :]


@pytest.fixture
def teller() -> Teller:
    """A teller of five lines."""
    return Teller()


@pytest.fixture
async def client(teller) -> AsyncIterator[httpx.AsyncClient]:
    """With the token."""
    api = create_api(FakeService(), token=TOKEN, extra=[audit_router(teller.lines)])
    transport = httpx.ASGITransport(api, client=("127.0.0.1", 50_000))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080", headers=headers) as made:
        yield made


async def test_lines_come_newest_first_page_by_page(client):
    """Following `next_before` tells every line once, and ends."""
    told, before = [], None
    for _ in range(5):
        body = (await client.get("/api/v1/audit", params={"limit": 2, **({"before": before} if before else {})})).json()
        told += [one["text"] for one in body["lines"]]
        before = body["next_before"]
        if before is None:
            break
    assert told == ["line 5", "line 4", "line 3", "line 2", "line 1"]
    assert before is None


async def test_a_line_has_its_parts(client):
    """Instants in UTC, as everywhere in the API."""
    (one, *_) = (await client.get("/api/v1/audit")).json()["lines"]
    assert one == {**line(5), "at": "2026-03-02T01:16:12.000Z"}


async def test_what_is_asked_reaches_the_command(client, teller):
    """Each part as one option, so that no value is taken for another."""
    query = {
        "course": "P-017",
        "incident": "P-017@5",
        "who": "--journal",
        "what": ["ack", "page"],
        "from": "2026-03-02T00:00:00+08:00",
        "until": "2026-03-03T00:00:00+08:00",
        "limit": 7,
    }
    assert (await client.get("/api/v1/audit", params=query)).status_code == 200
    assert teller.asked == [
        [
            "--course=P-017",
            "--incident=P-017@5",
            "--who=--journal",
            "--from=2026-03-02T00:00:00+08:00",
            "--until=2026-03-03T00:00:00+08:00",
            "--what=ack",
            "--what=page",
            "--last=8",
        ]
    ]


@pytest.mark.parametrize(
    "query",
    [{"before": "7"}, {"limit": 0}, {"limit": 1_001}, {"what": "everything"}, {"from": "2026-03-02"}, {"who": "x" * 101}],
)
async def test_a_wrong_question_is_refused(client, teller, query):
    """With 422, before anything is told."""
    assert (await client.get("/api/v1/audit", params=query)).status_code == 422
    assert teller.asked == []


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [(AuditBusy("another one"), "urn:dripwatch:audit-busy"), (AuditFailed("the disk is away"), "about:blank")],
)
async def test_what_cannot_be_told_now_is_a_503(client, teller, trouble, kind):
    """With the words of whoever could not."""
    teller.trouble = trouble
    answer = await client.get("/api/v1/audit")
    assert answer.status_code == 503
    assert (answer.json()["type"], answer.json()["detail"]) == (kind, str(trouble))


async def test_the_audit_needs_the_token(client):
    """Reads too: it names people."""
    assert (await client.get("/api/v1/audit", headers={"Authorization": "Bearer wrong"})).status_code == 401


async def test_the_record_says_how_a_page_was_answered(service):
    """Whoever takes an incident by a page's link, or by a key on the phone, leaves that in the journal for the audit."""
    line = incident(holder="")
    for way in ("link", "call"):
        await act(service, LinkedPage(f"{line.key}/r1/nurse-a/0", "nurse-a", line, "Asia/Hong_Kong"), Wish.TAKE, by=way)
    assert service.ways == ["link", "call"]
    assert [who for who, _ in service.told] == ["nurse-a", "nurse-a"]
