import click

from gateway.domain.instants import MINUTE_MS
from gateway.domain.words import IncidentState, Priority
from tests.support.fake_service import AT, alert, board, course, incident, interrupted

FIRST = "Call the home: what does the pump show? Clamps open, line free of kinks, then start as trained."

HELD = incident(
    "P-031",
    7,
    priority=Priority.MEDIUM,
    state=IncidentState.ACKNOWLEDGED,
    holder="nurse-b",
    held_until=AT + 24 * MINUTE_MS,
    next_step_at=None,
    alerts=(alert("alarm-persistent", "air-in-line", priority=Priority.MEDIUM, first=FIRST),),
)
OVER = incident("P-040", 3, state=IncidentState.RESOLVED, closed_at=AT - 10 * MINUTE_MS, next_step_at=None, alerts=())

SHOWN = """\
haem-ward, 14:03: 2 open incidents

HIGH    P-017  NOBODY HAS IT; next step 14:05 (in 2 min)
        delivery interrupted, since 12:51 (1 h 12 min ago)
        First: Call the home: what does the pump show?
        paged nurse-a, charge-nurse
        P-017@48213

MEDIUM  P-031  nurse-b has it until 14:27 (in 24 min)
        alarm persistent air in line, since 13:33 (30 min ago)
        First: Call the home: what does the pump show? Clamps open, line free of
               kinks, then start as trained.
        paged nurse-a, charge-nurse
        P-031@7
"""


def test_the_list_reads_at_three_in_the_morning_on_80_columns(run, house):
    """Most urgent first: who has it, since when, what to do first."""
    house.service.remembered = [HELD, OVER, incident()]
    result = run("incidents", "list")
    assert (result.exit_code, result.stdout) == (0, SHOWN)
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_without_trouble_the_list_says_so(run, house):
    """An empty screen would leave a doubt."""
    assert run("incidents", "list").stdout == "haem-ward, 14:03: no open incident\n"


def test_other_states_can_be_asked_for(run, house):
    """What is over takes a line."""
    house.service.remembered = [HELD, OVER, incident()]
    over = run("incidents", "list", "--state", "resolved").stdout
    assert over == "haem-ward, 14:03: 1 resolved incident\nHIGH    P-040  over 13:53 (10 min ago)  P-040@3\n"
    assert run("incidents", "list", "--state", "all").stdout.startswith("haem-ward, 14:03: 3 incidents\n\nHIGH    P-017")
    assert "P-017" not in run("incidents", "list", "--state", "acknowledged").stdout


def test_a_deaf_gateway_is_said_before_anything_else(run, house):
    """What follows is old, and must not calm anybody."""
    house.service.shown = board(course(), connected=False)
    assert run("incidents", "list").stdout.splitlines()[1] == "THE GATEWAY HEARS NO PUMP: what follows is old."
    house.service.remembered = [incident()]
    assert run("incidents", "show", "P-017").stdout.startswith("THE GATEWAY HEARS NO PUMP")


def test_one_incident_is_shown_with_its_history(run, house):
    """What happened when, and by whom."""
    house.service.remembered = [incident()]
    result = run("incidents", "show", "P-017@48213")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-5:] == [
        "        P-017@48213",
        "        opened 13:35 (28 min ago)",
        "",
        "  13:35:00      opened: delivery-interrupted",
        "  13:58:00      note by nurse-a: the home does not answer",
    ]


def test_one_that_is_over_is_shown_too(run, house):
    """After the night people want to know how it went."""
    house.service.remembered = [OVER]
    text = run("incidents", "show", "P-040").stdout
    assert text.startswith("HIGH    P-040  over\n")
    assert "opened 13:35 (28 min ago), over 13:53 (10 min ago)" in text


def test_an_incident_that_nobody_remembers_is_a_no(run, house):
    """The answer is no, in one line."""
    result = run("incidents", "show", "P-404")
    assert (result.exit_code, result.stderr) == (1, "dripwatch: no incident 'P-404' is remembered\n")


def test_what_people_wrote_steers_no_terminal(run, house):
    """Notes and names are shown without control characters."""
    bad = "x\x1b]0;owned\x07\ny"
    house.service.remembered = [
        incident(holder=bad, state=IncidentState.ACKNOWLEDGED, held_until=AT, alerts=(alert(bad, first=bad),))
    ]
    house.service.shown = board(interrupted())
    for words in (("list",), ("show", "P-017")):
        assert "\x1b" not in run("incidents", *words).stdout
        assert "\x07" not in run("incidents", *words).stdout


def test_colours_are_for_terminals_only(run, house):
    """A file or a pipe gets plain text, and so does who asks for no colour."""
    house.service.remembered = [incident()]
    assert "\x1b" not in run("incidents", "list").stdout
    coloured = run("incidents", "list", color=True).stdout
    assert "\x1b[31m" in coloured
    assert click.unstyle(coloured) == run("incidents", "list").stdout
    assert "\x1b" not in run("incidents", "list", color=True, env={"NO_COLOR": "1"}).stdout
