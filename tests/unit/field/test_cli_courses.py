"""`course list` and `course show`: every line as a nurse reads it on 80 columns."""

from gateway.core.care_lines import CallLine, OrderLine, SilenceLine
from gateway.core.supplies import SupplyLine
from gateway.domain.care import Seen
from gateway.domain.diary import DiaryLine
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from gateway.domain.words import DeliveryState, DiaryKind, Priority
from tests.support.fake_service import AT, alert, board, course, incident, interrupted

EMPTY_AT = AT + 140 * HOUR_MS
SUPPLIES = SupplyLine(
    bag_early_at=EMPTY_AT - 10 * HOUR_MS,
    bag_central_at=EMPTY_AT,
    bag_late_at=EMPTY_AT + 10 * HOUR_MS,
    bag_expires_at=AT + 12 * DAY_MS,
    battery_left_ms=16 * HOUR_MS + 11 * MINUTE_MS,
    battery_learnt=True,
)
CARE = {
    "supplies": SUPPLIES,
    "dose_mcg_per_day": 28.0,
    "infusion_days": 8.4,
    "planned_days": 28,
    "window": "hospital-visit",
    "window_until": AT + 27 * MINUTE_MS,
    "window_who": "nurse-b",
    "silences": (
        SilenceLine("P-017.s12", ("battery-running-out", "fever"), AT + HOUR_MS, "nurse-a", "the charger is on its way"),
        SilenceLine("P-017.s13", (), AT + HOUR_MS, "nurse-a", "in the ward"),
    ),
    "order": OrderLine("7-day", "nurse-a", AT - HOUR_MS, AT + 5 * DAY_MS),
}

LISTED = """\
haem-ward, 14:03: 2 courses

P-017  Interrupted since about 12:51 (1 h 12 min ago): occlusion downstream
  at worst 1 h 12 min without delivery; limit 16:51 (in 2 h 48 min)
  pump-17; cycle 1, infusion day 9 of 28 (8.4 delivered); 28 mcg a day
  7-day bag since Sun 1 Mar 12:03 (26 h ago)
  change planned Sun 8 Mar 12:03 (in 5 d 22 h)
  empty between Sun 8 Mar 00:03 and Sun 8 Mar 20:03, most likely Sun 8 Mar 10:03
  (estimated)
  expires Sat 14 Mar 14:03 (in 12 d)
  next bag (7-day) ordered by nurse-a, ready Sat 7 Mar 14:03 (in 5 d)
  battery 81 %, about 16 h left (estimated by this pump's own fall)
  WINDOW hospital-visit until 14:30 (in 27 min), by nurse-b
  SILENCED battery-running-out, fever until 15:03 (in 1 h), by nurse-a: the
  charger is on its way [P-017.s12]
  SILENCED every rule until 15:03 (in 1 h), by nurse-a: in the ward [P-017.s13]
  HIGH NOBODY HAS IT: delivery interrupted [P-017@48213]

P-018  Not expected since Sun 1 Mar 12:03 (26 h ago): break
  cycle 1 over, 28.0 of 28 days delivered
  break until Sun 15 Mar 14:03 (in 13 d)
"""


def test_the_list_reads_as_a_nurse_needs_it(run, house):
    """Delivery and its limit first, then treatment, bag, battery, and what is mute and why."""
    in_break = course(
        "P-018",
        "pump-18",
        state=DeliveryState.NOT_EXPECTED,
        cause="break",
        bag="",
        hung_at=None,
        planned_change_at=None,
        infusion_days=28.0,
        planned_days=28,
        break_at=AT - DAY_MS,
        break_until=AT + 13 * DAY_MS,
    )
    house.service.shown = board(interrupted(**CARE), in_break)
    result = run("course", "list")
    assert (result.exit_code, result.stdout) == (0, LISTED)
    assert max(map(len, result.stdout.splitlines())) <= 80


def lines_about(run, house, **changes) -> list[str]:
    """What `course list` says of one course with these changes."""
    house.service.shown = board(course(**{"supplies": SUPPLIES, **changes}))
    return [line.strip() for line in run("course", "list").stdout.splitlines()]


def test_what_is_not_known_is_not_said_as_if_it_were(run, house):
    """Without figures there is no forecast; without a doctor's dose none."""
    lines = lines_about(run, house, supplies=SupplyLine(), battery_percent=None)
    assert "pump-17; cycle 1, infusion day 1 (0.0 delivered)" in lines
    assert "battery not known" in lines
    assert "no next bag ordered" in lines
    assert not any("empty" in line or "expires" in line for line in lines)


def test_the_battery_is_told_with_what_its_figure_rests_on(run, house):
    """A figure of the maker's is not this pump's."""
    assert "battery 81 %, less than 1 h left (estimated by the maker's figure)" in lines_about(
        run, house, supplies=SupplyLine(battery_left_ms=HOUR_MS - 1)
    )
    assert "battery 81 %, on mains" in lines_about(run, house, supplies=SupplyLine(), on_battery=False)


def test_a_forecast_that_has_begun_says_so(run, house):
    """No time that is over is told as to come."""
    begun = SupplyLine(bag_early_at=AT, bag_central_at=AT + HOUR_MS, bag_late_at=AT + 2 * HOUR_MS, bag_expires_at=AT - HOUR_MS)
    lines = lines_about(run, house, supplies=begun)
    assert "empty perhaps now, 16:03 at the latest (estimated)" in lines
    assert "EXPIRED 13:03 (1 h ago)" in lines
    over = SupplyLine(bag_early_at=AT - 2, bag_central_at=AT - 1, bag_late_at=AT)
    assert "empty by now (estimated)" in lines_about(run, house, supplies=over)


def test_the_limit_that_is_passed_is_said_with_what_the_protocol_wants(run, house):
    """Where only the worst case has passed it, it may be over."""
    over = interrupted(minutes=300)
    house.service.shown = board(over)
    wanted = "OVER THE LIMIT since 13:03 (1 h ago): premedication and supervised restart per protocol"
    assert f" {wanted}" in " ".join(run("course", "list").stdout.split())
    house.service.shown = board(interrupted(minutes=300, current_ms=HOUR_MS))
    assert f" MAY BE {wanted}" in " ".join(run("course", "list").stdout.split())
    house.service.shown = board(interrupted(minutes=300, past_limit=""))
    assert "  OVER THE LIMIT since 13:03 (1 h ago)\n" in run("course", "list").stdout


def test_no_course_is_said_in_words_and_a_deaf_gateway_first(run, house):
    """An empty screen would leave a doubt; what is old must not calm anybody."""
    house.service.shown = board(course())
    house.service.shown = board(*house.service.shown.courses, connected=False)
    assert run("course", "list").stdout.splitlines()[1] == "THE GATEWAY HEARS NO PUMP: what follows is old."


def test_an_empty_board_says_so(run, house):
    """Nobody wonders whether the answer is cut off."""
    object.__setattr__(house.service.shown, "courses", ())
    assert run("course", "list").stdout == "haem-ward, 14:03: no course is running\n"


SHOWN = """\

  protocol blinatumomab_home; pump last heard 14:02 (12 s ago)
  caregiver by sms, voice
  45 min to the hospital; the home calls 2255 0000
  enrolled with an incomplete checklist: transfer

  calls:
    13:58 nurse-a called caregiver, pump seen running: plug it in
    12:03 nurse-b called patient

  diary:
    14:01 temperature 38.4 °C (caregiver)
    13:01 handwriting CHANGED (patient)
    12:01 handwriting the same (pump, came late)
    11:01 symptom: tired (patient)
    10:01 note: slept well (nurse)
"""


def test_one_course_is_shown_with_calls_diary_and_whom_to_reach(run, house):
    """What a nurse wants before she calls the home."""
    minute = AT - 2 * MINUTE_MS
    house.service.shown = board(
        course(
            **CARE,
            caregiver=("sms", "voice"),
            travel_minutes=45,
            ward_contact="2255 0000",
            override_reason="transfer",
            calls=(
                CallLine(AT - 5 * MINUTE_MS, "nurse-a", "caregiver", Seen.RUNNING, "plug it in", AT + HOUR_MS),
                CallLine(AT - 2 * HOUR_MS, "nurse-b", "patient", Seen.NOTHING, "", AT),
            ),
            diary=(
                DiaryLine(minute - 4 * HOUR_MS, AT, DiaryKind.NOTE, text="slept well", who="nurse"),
                DiaryLine(minute - 3 * HOUR_MS, AT, DiaryKind.SYMPTOM, text="tired", who="patient"),
                DiaryLine(minute - 2 * HOUR_MS, AT, DiaryKind.HANDWRITING, changed=False, who="pump", late=True),
                DiaryLine(minute - HOUR_MS, AT, DiaryKind.HANDWRITING, changed=True, who="patient"),
                DiaryLine(minute, AT, DiaryKind.TEMPERATURE, temperature_c=38.4, who="caregiver"),
            ),
        )
    )
    result = run("course", "show", "P-017")
    assert result.exit_code == 0
    assert result.stdout.startswith("haem-ward, 14:03: 1 course\n\nP-017  Delivering since Sun 1 Mar 12:03 (26 h ago)\n")
    assert result.stdout.endswith(SHOWN)


def test_a_course_of_which_nothing_is_recorded_says_what_is_missing(run, house):
    """At three in the morning a gap should not be a surprise."""
    text = run("course", "show", "P-017").stdout
    for line in (
        "  no caregiver's contact\n",
        "  way to the hospital not known; the home calls nobody that was recorded\n",
        "  calls: none\n",
        "  diary: none\n",
    ):
        assert line in text


def test_an_unknown_course_is_a_no_that_leads_to_the_list(run, house):
    """A pseudonym is easily mistyped."""
    result = run("course", "show", "P-71")
    assert (result.exit_code, result.stderr) == (
        1,
        "dripwatch: no course P-71 is running; dripwatch course list shows those that are\n",
    )


def test_control_characters_of_a_home_do_not_reach_the_terminal(run, house):
    """What others wrote must not steer the reader's screen."""
    entry = DiaryLine(AT, AT, DiaryKind.NOTE, text="fine\x1b[2J", who="patient")
    house.service.shown = board(course(cause="\x1b[2Jx", diary=(entry,), ward_contact="\x1b]0;x"))
    assert "\x1b" not in run("course", "show", "P-017").stdout


def test_an_incident_whose_pages_wait_says_until_when_and_why(run, house):
    """Whoever looks during a window knows why nobody was paged, and that it will sound."""
    muted = alert("fever", priority=Priority.MEDIUM, minutes_ago=3)
    object.__setattr__(muted, "muted_until", AT + 27 * MINUTE_MS)
    object.__setattr__(muted, "muted_by", "window")
    house.service.remembered = [incident(priority=Priority.MEDIUM, alerts=(muted,))]
    assert "fever, since 14:00 (3 min ago), mute until 14:30 (in 27 min) by a window" in run("incidents", "list").stdout


def test_an_incident_that_somebody_has_is_told_with_the_name(run, house):
    """Two nurses need not call the same home."""
    held = incident(holder="nurse-b", held_until=AT + HOUR_MS, alerts=())
    house.service.shown = board(course(incidents=(held,)))
    assert "HIGH nurse-b has it: quiet now [P-017@48213]" in run("course", "list").stdout
