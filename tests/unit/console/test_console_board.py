"""The board as it is read: its words, its order, its shapes, its size."""

import re
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest

from gateway.console.board_view import TILES_MAX, left_words, row_of
from gateway.console.words import words_in
from gateway.core.supplies import SupplyLine
from gateway.domain.instants import DAY_MS, MINUTE_MS
from gateway.domain.locale import Locale
from gateway.domain.words import DeliveryState, IncidentState, Outcome, Priority
from gateway.runtime.service import Health
from tests.support.fake_service import AT, alert, board, course, incident, interrupted, page, pump

WARD = ZoneInfo("Asia/Hong_Kong")
VOID = {"meta", "link", "br", "rect", "input"}
ENDS_BY_ITSELF = {"tr", "th", "td"}  # HTML closes them; five hundred rows leave the tags out


class Balance(HTMLParser):
    """Notes what is opened and never closed, and every attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: set[str] = set()
        self.wrong: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID | ENDS_BY_ITSELF:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag):
        if tag not in ENDS_BY_ITSELF and (not self.open or self.open.pop() != tag):
            self.wrong.append(tag)


def everything():
    """A board with every kind of trouble that the page has a word for."""
    held = {"state": IncidentState.ACKNOWLEDGED, "holder": "nurse-b", "held_until": AT + 24 * MINUTE_MS, "next_step_at": None}
    return board(
        interrupted(),
        interrupted("P-022", 251, estimated=False, silent=True, incidents=(incident("P-022", **held),)),
        course("P-031", state=DeliveryState.UNKNOWN, cause="silence", worst_ms=34 * MINUTE_MS, limit_at=AT + 206 * MINUTE_MS),
        course("P-044", conditions=("battery-low",), incidents=(incident("P-044", priority=Priority.LOW, alerts=(), paged=()),)),
        course("P-052", state=DeliveryState.NOT_EXPECTED, cause="between-doses"),
        course("P-053", bag="", planned_change_at=None, battery_percent=None, remaining_ml=None, on_battery=None, heard_at=None),
        site_incidents=(incident("haem-ward", route="pharmacy", alerts=(alert("gateway-deaf"),)),),
        pumps=(pump(), pump("pump-99", course="", refusals=(("bad-checksum", 12), ("not-json", 3)), clock_doubtful=True)),
    )


async def text_of(client) -> str:
    """The page's words, without its tags."""
    answer = await client.get("/")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2]).split())


async def test_the_page_is_whole_and_has_nothing_inline(client, service):
    """Every tag is closed, and neither script nor style stands in the page: the policy would drop it."""
    service.shown, service.paged = everything(), [page(), page(outcome=Outcome.REJECTED, reason="no such number")]
    service.state = Health(ready=False, findings=("the disk is full",), numbers=())
    text = (await client.get("/")).text
    balance = Balance()
    balance.feed(text)
    assert (balance.open, balance.wrong) == ([], [])
    assert not {name for name in balance.attributes if name.startswith("on")} | ({"style"} & balance.attributes)
    assert re.findall(r"<script[^>]*>[^<]", text) == []
    assert "<style" not in text
    assert {place for place in re.findall(r'(?:src|href|action)="([^"]*)"', text) if not place.startswith("/")} == {"#main"}
    assert set(re.findall(r'(?:src|href)="(/static/[^"]*)"', text)) == {
        "/static/icon.svg",
        "/static/console.css",
        "/static/live.js",
    }


async def test_without_javascript_the_page_asks_for_itself_again(client):
    """What the script would do, the browser does by itself."""
    assert '<noscript><meta http-equiv="refresh" content="8"></noscript>' in (await client.get("/")).text


async def test_an_interruption_shows_its_clock_against_the_limit(client, service):
    """State, since when, how long of how much, when the limit is reached, who has it, what to do first."""
    service.shown = board(interrupted())
    text = await text_of(client)
    assert "P-017 on pump-17 Interrupted since 12:51 (1 h 12 min ago) , estimated, occlusion downstream" in text
    assert "1 h 12 min of 4 h interrupted Limit at 16:51 (in 2 h 48 min)" in text
    assert "high Nobody has it ; next step 14:05 (in 2 min)" in text
    assert "Delivery interrupted, since 12:51 (1 h 12 min ago) First Call the home: what does the pump show?" in text
    assert "Paged: nurse-a, charge-nurse · opened 13:35 (28 min ago) · P-017@48213" in text
    assert "The pump shows: occlusion downstream" in text
    assert "Bag change Sun 12:03 (in 5 d 22 h)" in text
    assert "Last heard 14:02 (12 s ago)" in text


@pytest.mark.parametrize(
    ("current", "worst", "words"),
    [
        (251, 251, "4 h 11 min of 4 h interrupted OVER 4 h: premedication and supervised restart per protocol"),
        (30, 251, "30 min interrupted, at worst 4 h 11 min of 4 h May be OVER 4 h: premedication and supervised restart"),
        (30, 90, "30 min interrupted, at worst 1 h 30 min of 4 h Limit at 16:33 (in 2 h 30 min)"),
        (0, 34, "At worst 34 min of 4 h interrupted Limit at 17:29 (in 3 h 26 min)"),
    ],
)
async def test_the_worst_that_it_can_be_is_told_apart_from_what_is_known(client, service, current, worst, words):
    """Nobody reads 'over' where it is only possible."""
    limit_at = AT + (240 - worst) * MINUTE_MS
    service.shown = board(interrupted(current_ms=current * MINUTE_MS, worst_ms=worst * MINUTE_MS, limit_at=limit_at))
    assert words in await text_of(client)


async def test_an_acknowledged_incident_says_who_has_it_until_when(client, service):
    """The next nurse does not call the home a second time."""
    held = {"state": IncidentState.ACKNOWLEDGED, "holder": "nurse-b", "held_until": AT + 24 * MINUTE_MS, "next_step_at": None}
    service.shown = board(interrupted(incidents=(incident(**held),)))
    assert "high nurse-b has it until 14:27 (in 24 min)" in await text_of(client)


async def test_colour_never_stands_alone(client, service):
    """Each priority and each state has a word of its own, and a shape that the style sheet cuts out for it alone."""
    service.shown = everything()
    html = (await client.get("/")).text
    words = set(re.findall(r'<b class="(?:mark|state) ([a-z-]+)">([\w ]+)</b>', html))
    assert {("high", "high"), ("low", "low"), ("interrupted", "Interrupted"), ("unknown", "Unknown")} <= words
    assert {("delivering", "Delivering"), ("not-expected", "Not expected")} <= words
    style = (await client.get("/static/console.css")).text
    shapes = dict(re.findall(r"^\.(?:mark|state)\.([a-z-]+)::before \{ (.*) \}$", style, re.MULTILINE))
    assert set(shapes) == {"high", "medium", "low", "information", "delivering", "unknown", "not-expected"}
    assert len(set(shapes.values())) == len(shapes)  # and interrupted: the plain square that the others are cut out of


async def test_the_most_urgent_stands_first_and_the_calm_ones_below(client, service):
    """The board's order is kept; what goes well takes a line."""
    service.shown = everything()
    text = await text_of(client)
    names = ("The ward itself", "P-017 on", "P-022 on", "P-031 on", "P-044 on", "All other courses", "P-052")
    places = [text.index(name) for name in names]
    assert places == sorted(places)
    assert "2 high" not in text  # the ward's own counts too
    assert "3 high 1 low 3 that nobody has 6 courses" in text


async def test_a_calm_ward_says_so(client):
    """No trouble is also news."""
    text = await text_of(client)
    assert "haem-ward No open incident 1 course as of 14:03:00 Asia/Hong_Kong" in text
    assert "All courses" in text
    assert "Devices that want a technician" not in text


@pytest.mark.parametrize(
    ("shown", "health", "words"),
    [
        (board(connected=False, deaf=True), Health(ready=True, findings=(), numbers=()), "The gateway hears no pump No session"),
        (board(deaf=True), Health(ready=True, findings=(), numbers=()), "Catching up The broker is back"),
        (board(), Health(ready=False, findings=("the disk is full",), numbers=()), "The gateway is not ready the disk is full"),
        (board(), Health(ready=True, findings=("record 7",), numbers=()), "Something is wrong with the gateway record 7"),
    ],
)
async def test_what_concerns_everything_stands_on_top(client, service, shown, health, words):
    """Nobody trusts a board whose gateway is deaf."""
    service.shown, service.state = shown, health
    html = (await client.get("/")).text
    assert html.count('class="banner" role="alert"><strong>') == 1
    assert words in await text_of(client)
    assert html.index('role="alert"><strong>') < html.index("haem-ward</h1>")


async def test_devices_that_want_a_technician_are_counted(client, service):
    """Who serves nobody, or sends what nobody can read: the way to them is for those who may mend it."""
    service.shown = everything()
    assert '<a href="/pumps">Devices that want a technician: 1</a>' in (await client.get("/")).text


async def test_whatever_people_and_devices_write_is_escaped(client, service):
    """A course, a holder, an alert or a page's text never becomes markup."""
    bad = '<img src=x onerror="alert(1)">&'
    odd = incident(
        bad, holder=bad, state=IncidentState.ACKNOWLEDGED, held_until=AT, alerts=(alert(bad, bad, first=bad),), paged=(bad,)
    )
    line = interrupted(bad, pump=bad, cause=bad, bag=bad, conditions=(bad,), incidents=(odd,))
    service.shown = board(line, course(bad, bad), site=bad, pumps=(pump(bad, course=bad, refusals=((bad, 1),)),))
    service.state = Health(ready=False, findings=(bad,), numbers=())
    html = (await client.get("/")).text
    assert "<img" not in html
    assert html.count("&lt;img src=x onerror=") >= 15


async def test_the_board_of_five_hundred_courses_comes(client, service):
    """A region's worth of homes on one page, each of them."""
    service.shown = board(*(course(f"P-{number:04}") for number in range(500)))
    html = (await client.get("/")).text
    assert html.count('<th scope="row"><a href="/courses/P-') == 500
    assert len(html.encode()) <= 200_000


@pytest.mark.parametrize(
    ("file", "sort"),
    [("live.js", "javascript"), ("console.css", "text/css"), ("icon.svg", "image/svg+xml")],
)
async def test_static_files_come_from_the_package_and_name_no_other_place(client, file, sort):
    """The page works without the internet."""
    answer = await client.get(f"/static/{file}")
    assert answer.status_code == 200
    assert sort in answer.headers["content-type"]
    assert [url for url in re.findall(r"https?://[^\s\"']+", answer.text) if url != "http://www.w3.org/2000/svg"] == []


async def test_the_description_of_the_api_is_a_page_of_our_own(client):
    """Every endpoint stands there, without a script from anywhere."""
    schema = (await client.get("/api/openapi.json")).json()
    html = (await client.get("/api/docs")).text
    assert "<script" not in html
    assert {"/api/v1/board", "/api/v1/incidents/{key}/ack", "/health/ready"} <= set(schema["paths"])
    for path, verbs in schema["paths"].items():
        assert f"<code>{path}</code>" in html
        assert all(told["description"] for told in verbs.values())
    assert "planned_change" in html
    assert "triggered | acknowledged | resolved" in html
    assert "a length of time like 30m, 12h, 7d" in html
    assert "&#34;&#34; | running | standing" in html
    assert "ways in the order of trying" in html
    assert "A pump seen running is trusted `for` so long, at most 4 h." in html


async def test_the_description_tells_of_problems_and_of_the_token(client):
    """A generated client knows our errors, and nothing of FastAPI's own."""
    schema = (await client.get("/api/openapi.json")).json()
    told = schema["paths"]["/api/v1/incidents/{key}/ack"]["post"]
    assert set(told["responses"]) == {"200", "401", "403", "409", "413", "422", "429", "503"}
    assert told["responses"]["422"]["content"] == {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
    }
    assert told["security"] == [{"HTTPBearer": []}]
    assert {"Problem", "WrongPart"} <= set(schema["components"]["schemas"])
    assert schema["components"]["schemas"]["BoardShape"]["properties"]["at"]["format"] == "date-time"


async def test_beyond_a_dozen_the_troubled_stand_in_rows_and_keep_their_order(client, service):
    """A storm does not make a page that nobody can scroll; every incident is still told with who has it."""
    service.shown = board(*(interrupted(f"P-{number:03}", incidents=(incident(f"P-{number:03}"),)) for number in range(40)))
    html = (await client.get("/")).text
    assert html.count('<article class="card high" id="c-') == TILES_MAX
    assert re.findall(r'id="c-(P-\d+)"', html) == [f"P-{number:03}" for number in range(40)]
    assert html.count('"><b class="mark high">high</b></a> Nobody has it') == 40 - TILES_MAX


@pytest.mark.hazard("H-66")
async def test_what_a_silent_pump_told_last_says_how_old_it_is(client, service):
    """An old figure neither looks nor reads like a present one, in a tile and in a row."""
    silent = {"silent": True, "heard_at": AT - 34 * MINUTE_MS}
    service.shown = board(interrupted(**silent))
    html = (await client.get("/")).text
    assert html.count('<dd class="stale">') == 2
    text = await text_of(client)
    assert "Last heard 13:29 (34 min ago) · silent" in text
    assert "7-day, 88.4 mL left, told 34 min ago" in text
    assert "81 %, on battery, told 34 min ago" in text
    row = row_of(course(**silent), AT, WARD, words_in(Locale.EN))
    assert (row.battery, row.heard) == ("battery 81 %, told 34 min ago", "heard 34 min ago")


@pytest.mark.parametrize(
    ("supplies", "changes", "left"),
    [
        (SupplyLine(), {}, ""),
        (SupplyLine(battery_left_ms=90 * MINUTE_MS, bag_central_at=AT + DAY_MS), {}, "about 1 h 30 min left in the battery"),
        (SupplyLine(battery_left_ms=DAY_MS, bag_central_at=AT + 90 * MINUTE_MS), {}, "about 1 h 30 min left in the bag"),
        (SupplyLine(bag_central_at=AT - 1), {}, "No time left: the bag may be empty"),
        (SupplyLine(bag_expires_at=AT + DAY_MS, bag_central_at=AT + 2 * DAY_MS), {}, "24 h left until the bag expires"),
        (SupplyLine(battery_left_ms=0), {"limit_at": AT + 1}, "No time left: the battery may be empty"),
        (SupplyLine(battery_left_ms=DAY_MS), {"limit_at": AT + 90 * MINUTE_MS}, "1 h 30 min left until the limit"),
        (SupplyLine(), {"conditions": ("free-flow",)}, "No time left: too much flows"),
    ],
)
def test_what_runs_out_first_is_said(supplies, changes, left):
    """Limit, battery, bag, expiry: the earliest counts."""
    assert left_words(course(supplies=supplies, **changes), AT, words_in(Locale.EN)) == left
