"""The procedure of a commissioning, step by step, with evidence made by hand. Times are ms of a clock that never jumps."""

from dataclasses import replace

import pytest

from device_adapters.telling import AT_LEAST, Tells, tells
from gateway.domain.bench import Verdict
from gateway.domain.readings import AlarmChange, Decoded, LinkStatus, Observation, Refusal, Refused
from gateway.domain.words import AlarmPhase, Condition, DeliveryStatus, Power
from gateway.field.commissioning.evidence import GatewayWord, Plan
from gateway.field.commissioning.procedure import NotNow, Procedure
from gateway.field.commissioning.steps import TRANSITIONS, Act, Standing, Step

WALL = 1_772_409_600_000
TELLS = Tells(tells("bbraun-bcc").measures, frozenset({Condition.AIR_IN_LINE, Condition.DOOR_OPEN}))
PLAN = Plan(device="p9", adapter="bbraun-bcc", tells=TELLS, rate_ml_h=600.0)


def told(at: int, **measures) -> Decoded:
    """One observation at that ms."""
    return Decoded((Observation(observed_at=WALL + at, **measures),))


def runs(at: int, infused_ml: float, power: Power = Power.MAINS, *, delivers: bool = True) -> Decoded:
    """It delivers 600 mL/h."""
    status = DeliveryStatus.DELIVERING if delivers else DeliveryStatus.NOT_DELIVERING
    return told(at, delivery_status=status, set_rate_ml_h=600.0, infused_ml=infused_ml, power=power)


def alarm(condition: Condition, phase: AlarmPhase) -> Decoded:
    """A condition begins, goes on or ends."""
    return Decoded((AlarmChange(observed_at=WALL, condition=condition, phase=phase),))


def word(at: int, **changes) -> GatewayWord:
    """What the gateway says of a pump that serves nobody."""
    plain = GatewayWord(at, f"heard {at}", 100, "", "b1", 0, 250, clock_doubtful=False, conditions=frozenset())
    return replace(plain, **changes)


def standing(procedure: Procedure, step: Step) -> tuple[str, str]:
    """(how it stands, why)."""
    state = procedure.steps[step]
    return state.standing.value, state.words


def test_every_standing_leads_somewhere() -> None:
    """Whatever became of a step, it can be begun again; only a step under way passes or fails."""
    assert all((each, Act.BEGIN) in TRANSITIONS for each in Standing)
    assert {before for before, act in TRANSITIONS if act in (Act.PASS, Act.FAIL)} == {Standing.UNDER_WAY}


def test_power_passes_when_the_pump_says_mains() -> None:
    """Not by what it said before the step began."""
    procedure = Procedure(PLAN)
    procedure.hear(runs(0, 1.0), 0)
    procedure.begin(Step.POWER, 100)
    assert standing(procedure, Step.POWER)[0] == "under way"
    procedure.hear(runs(1_000, 1.0, Power.BATTERY), 1_000)
    assert standing(procedure, Step.POWER)[0] == "under way"
    procedure.hear(runs(2_000, 1.0), 2_000)
    assert standing(procedure, Step.POWER) == ("passed", "it says that it runs on mains")


def test_power_names_what_was_refused_when_nothing_could_be_read() -> None:
    """After its patience the step fails by itself, and the refusals lead to the cable."""
    procedure = Procedure(PLAN)
    procedure.begin(Step.POWER, 0)
    procedure.hear(Decoded(refused=(Refused(Refusal.BAD_CHECKSUM),)), 500)
    procedure.hear(Decoded((LinkStatus(observed_at=WALL, online=True),)), 600)
    procedure.pass_time(179_999)
    assert standing(procedure, Step.POWER)[0] == "under way"
    procedure.pass_time(180_000)
    assert standing(procedure, Step.POWER) == (
        "failed",
        "nothing readable came (bad-checksum 1): check cable, line speed and adapter",
    )


def test_pairing_wants_news_a_clock_and_no_patient() -> None:
    """An old word is no word; a doubtful clock and a pump that serves somebody fail."""
    procedure = Procedure(PLAN)
    procedure.told_by_gateway(word(0))
    procedure.begin(Step.PAIRING, 10)
    procedure.told_by_gateway(word(20, heard_at="heard 0"))
    assert standing(procedure, Step.PAIRING)[0] == "under way"
    procedure.told_by_gateway(word(30))
    assert standing(procedure, Step.PAIRING) == ("passed", "the gateway hears it; clock +0.2 s")
    procedure.begin(Step.PAIRING, 40)
    procedure.told_by_gateway(word(50, clock_doubtful=True))
    assert standing(procedure, Step.PAIRING)[0] == "failed"
    procedure.told_by_gateway(word(60, course="P-017"))
    procedure.begin(Step.PAIRING, 70)
    assert standing(procedure, Step.PAIRING) == (
        "failed",
        "p9 serves P-017: a pump that serves somebody is never commissioned",
    )


@pytest.mark.parametrize(
    ("told_ml_h", "now", "said"),
    [
        (600.0, "passed", "600 of 600 mL/h: +0.0 %"),
        (606.0, "passed", "606 of 600 mL/h: +1.0 %"),
        (607.0, "failed", "607 of 600 mL/h: +1.2 %, more than 1 % off"),
        (60.0, "failed", "60 of 600 mL/h: -90.0 %, more than 1 % off"),
    ],
)
def test_the_rate_is_compared_with_the_prescription(told_ml_h: float, now: str, said: str) -> None:
    """Within one percent; a factor of ten is what this step is for."""
    procedure = Procedure(PLAN)
    procedure.begin(Step.RATE, 0)
    procedure.hear(told(10, set_rate_ml_h=told_ml_h), 10)
    if procedure.under_way:
        procedure.judge_now(20)
    assert standing(procedure, Step.RATE) == (now, said)


def test_without_a_prescription_rate_and_volume_are_not_done() -> None:
    """And the reason says how to mend it."""
    procedure = Procedure(replace(PLAN, rate_ml_h=None))
    for step in (Step.RATE, Step.VOLUME):
        procedure.begin(step, 0)
        assert standing(procedure, step) == ("not done", "no prescribed rate was given; begin again with --rate")


@pytest.mark.parametrize(
    ("given_ml", "now"), [(0.2, "passed"), (0.188, "passed"), (0.187, "failed"), (0.213, "failed"), (0.0, "failed")]
)
def test_the_volume_is_judged_once_enough_has_flowed(given_ml: float, now: str) -> None:
    """600 mL/h for 1.2 s are 0.2 mL; six percent are allowed."""
    procedure = Procedure(PLAN)
    procedure.begin(Step.VOLUME, 0)
    procedure.hear(runs(0, 5.0), 0)
    procedure.hear(runs(1_199, 5.0 + given_ml), 1_199)
    assert standing(procedure, Step.VOLUME)[0] == "under way"
    procedure.hear(runs(1_200, 5.0 + given_ml), 1_200)
    assert standing(procedure, Step.VOLUME)[0] == now
    assert procedure.steps[Step.VOLUME].facts["expected_ml"] == 0.2


def test_a_stop_spoils_the_measurement() -> None:
    """And says to begin again."""
    procedure = Procedure(PLAN)
    procedure.begin(Step.VOLUME, 0)
    procedure.hear(runs(0, 5.0), 0)
    procedure.hear(runs(100, 5.0, delivers=False), 100)
    assert standing(procedure, Step.VOLUME) == ("failed", "delivery stopped while it was measured; begin this step again")


def test_the_cylinder_is_compared_with_the_count() -> None:
    """Read after the pump was stopped: what it counted until then is what should be in it."""
    procedure = Procedure(PLAN)
    procedure.begin(Step.VOLUME, 0)
    procedure.hear(runs(0, 5.0), 0)
    with pytest.raises(NotNow):
        procedure.collected(0.2)
    procedure.hear(runs(1_500, 5.25), 1_500)
    procedure.hear(runs(90_000, 5.4, delivers=False), 90_000)
    procedure.collected(0.39)
    said = "0.25 mL counted of 0.25 mL: +0.0 %; 0.39 mL collected of 0.40 mL counted: -2.5 %"
    assert standing(procedure, Step.VOLUME) == ("passed", said)
    procedure.collected(0.3)
    assert standing(procedure, Step.VOLUME)[0] == "failed"
    assert procedure.steps[Step.VOLUME].facts["expected_ml"] == 0.25


def test_alarms_tick_themselves_off() -> None:
    """Seen on the line, seen by the gateway with the time between, cleared; or excused with a reason."""
    procedure = Procedure(PLAN)
    procedure.begin(Step.ALARMS, 0)
    procedure.hear(alarm(Condition.AIR_IN_LINE, AlarmPhase.START), 1_000)
    procedure.told_by_gateway(word(1_300, conditions=frozenset({Condition.AIR_IN_LINE})))
    tick = procedure.ticks.by_condition[Condition.AIR_IN_LINE]
    assert (tick.gateway_ms, tick.mark(asks_gateway=True)) == (300, "clear it")
    procedure.hear(alarm(Condition.AIR_IN_LINE, AlarmPhase.END), 2_000)
    assert tick.mark(asks_gateway=True) == "ok"
    with pytest.raises(NotNow):
        procedure.excuse(Condition.AIR_IN_LINE, "no need", 2_100)
    with pytest.raises(NotNow):
        procedure.excuse(Condition.DOOR_OPEN, "  \n", 2_100)
    procedure.excuse(Condition.DOOR_OPEN, "a syringe pump has no door", 2_100)
    assert standing(procedure, Step.ALARMS) == ("passed", "1 seen and cleared, 1 excused")


def test_an_alarm_that_the_gateway_never_saw_does_not_pass() -> None:
    """Neither does one that was not provoked; a condition that nobody expected joins the list."""
    procedure = Procedure(PLAN)
    procedure.begin(Step.ALARMS, 0)
    for phase in (AlarmPhase.START, AlarmPhase.END):
        procedure.hear(alarm(Condition.AIR_IN_LINE, phase), 1_000)
        procedure.hear(alarm(Condition.OTHER, phase), 1_000)
    procedure.judge_now(5_000)
    assert standing(procedure, Step.ALARMS) == ("failed", "not seen and cleared: air in line, door open, other")
    assert not procedure.ticks.by_condition[Condition.OTHER].expected


def test_excuses_alone_are_no_pass() -> None:
    """At least one alarm must have made the whole way."""
    procedure = Procedure(PLAN)
    procedure.begin(Step.ALARMS, 0)
    for condition in (Condition.AIR_IN_LINE, Condition.DOOR_OPEN):
        procedure.excuse(condition, "no time", 1)
    procedure.judge_now(2)
    assert standing(procedure, Step.ALARMS)[0] == "failed"


def test_battery_wants_delivery_on_battery_and_mains_again() -> None:
    """A pull that is too short counts for nothing; a stop on battery fails at once."""
    procedure = Procedure(PLAN)
    procedure.begin(Step.BATTERY, 0)
    for at, power in ((0, Power.MAINS), (1_000, Power.BATTERY), (3_000, Power.MAINS)):
        procedure.hear(runs(at, 1.0, power), at)
    assert standing(procedure, Step.BATTERY)[0] == "under way"
    for at, power in ((4_000, Power.BATTERY), (14_000, Power.BATTERY), (15_000, Power.MAINS)):
        procedure.hear(runs(at, 1.0, power), at)
    assert standing(procedure, Step.BATTERY) == ("passed", "delivered 10 s on battery, and is back on mains")
    procedure.begin(Step.BATTERY, 20_000)
    procedure.hear(runs(20_000, 1.0, Power.BATTERY), 20_000)
    procedure.hear(runs(21_000, 1.0, Power.BATTERY, delivers=False), 21_000)
    assert standing(procedure, Step.BATTERY)[0] == "failed"


def test_network_wants_a_cut_and_everything_after_it() -> None:
    """A word that is still old, or a number that is missing, is not yet everything."""
    procedure = Procedure(PLAN)
    procedure.told_by_gateway(word(0))
    procedure.begin(Step.NETWORK, 0)
    for at in (30_000, 59_000):
        procedure.told_by_gateway(word(at, heard_at="heard 0"))
    procedure.told_by_gateway(word(61_000, missing=3))
    procedure.told_by_gateway(word(62_000, lag_ms=50_000))
    procedure.told_by_gateway(word(70_000, missing=1))
    procedure.pass_time(75_000)
    assert standing(procedure, Step.NETWORK)[0] == "under way"
    procedure.told_by_gateway(word(80_000))
    procedure.told_by_gateway(word(82_900))
    assert standing(procedure, Step.NETWORK)[0] == "under way"
    procedure.told_by_gateway(word(83_000))
    assert standing(procedure, Step.NETWORK) == ("passed", "cut off for 61 s; the spool caught up, nothing is missing")


def test_a_network_that_loses_messages_fails() -> None:
    """The technician asks for an answer while some are missing; one who never pulled hears so."""
    procedure = Procedure(PLAN)
    procedure.told_by_gateway(word(0, missing=2))
    procedure.begin(Step.NETWORK, 0)
    procedure.told_by_gateway(word(10_000, missing=2))
    procedure.judge_now(11_000)
    assert standing(procedure, Step.NETWORK) == ("failed", "it was never cut off for 60 s")
    procedure.begin(Step.NETWORK, 12_000)
    procedure.told_by_gateway(word(90_000, missing=5))
    procedure.judge_now(95_000)
    assert standing(procedure, Step.NETWORK) == ("failed", "after the cut 3 messages are missing")


def test_messages_without_numbers_cannot_prove_that_nothing_is_missing() -> None:
    """Then the step is not done, and says why."""
    procedure = Procedure(PLAN)
    procedure.told_by_gateway(word(0, boot=""))
    procedure.begin(Step.NETWORK, 0)
    assert standing(procedure, Step.NETWORK)[0] == "not done"


def test_without_a_gateway_what_needs_one_is_not_done() -> None:
    """The rest goes on; alarms need the line only."""
    procedure = Procedure(replace(PLAN, asks_gateway=False))
    for step in (Step.PAIRING, Step.NETWORK):
        procedure.begin(step, 0)
        assert standing(procedure, step)[0] == "not done"
    procedure.begin(Step.ALARMS, 0)
    for condition in (Condition.AIR_IN_LINE, Condition.DOOR_OPEN):
        procedure.hear(alarm(condition, AlarmPhase.START), 1)
        procedure.hear(alarm(condition, AlarmPhase.END), 2)
    assert standing(procedure, Step.ALARMS)[0] == "passed"


def test_one_step_at_a_time() -> None:
    """Beginning another leaves the first without a result; a result is only changed by beginning again."""
    procedure = Procedure(PLAN)
    procedure.begin(Step.RATE, 0)
    procedure.begin(Step.POWER, 1)
    assert standing(procedure, Step.RATE) == ("not done", "another step was begun")
    procedure.hear(runs(2, 1.0), 2)
    for act in (procedure.leave, procedure.fail):
        with pytest.raises(NotNow):
            act(Step.POWER, "why not")
    with pytest.raises(NotNow):
        procedure.judge_now(3)
    with pytest.raises(NotNow):
        procedure.collected(1.0)
    procedure.leave(Step.BATTERY, "no battery fitted")
    assert standing(procedure, Step.BATTERY) == ("not done", "no battery fitted")


def test_the_verdict_is_the_worst_of_the_steps() -> None:
    """Passed only with every step passed; a failure counts more than something left out."""
    procedure = Procedure(replace(PLAN, tells=AT_LEAST))
    assert procedure.verdict() is Verdict.INCOMPLETE
    for state in procedure.steps.values():
        state.standing = Standing.PASSED
    assert procedure.verdict() is Verdict.PASSED
    procedure.steps[Step.RATE].standing = Standing.NOT_DONE
    procedure.steps[Step.POWER].standing = Standing.FAILED
    assert procedure.verdict() is Verdict.FAILED


def test_what_a_family_does_not_tell_is_left_and_said() -> None:
    """Neither passed nor failed: the technician reads it off the pump. Where such a pump tells it all the same it counts."""
    procedure = Procedure(replace(PLAN, tells=Tells(frozenset({"delivery_status"}))))
    for step in (Step.RATE, Step.VOLUME, Step.BATTERY):
        procedure.begin(step, 0)
        procedure.hear(told(1, delivery_status=DeliveryStatus.DELIVERING), 1)
        assert standing(procedure, step)[0] == "not done", step
    procedure.begin(Step.RATE, 2)
    procedure.hear(runs(3, 1.0), 3)
    assert standing(procedure, Step.RATE)[0] == "passed"


def test_a_second_try_at_the_alarms_begins_from_nothing() -> None:
    """What nobody expected need not be provoked again; what was excused stays excused."""
    procedure = Procedure(PLAN)
    procedure.begin(Step.ALARMS, 0)
    procedure.hear(alarm(Condition.OTHER, AlarmPhase.START), 1)
    procedure.excuse(Condition.DOOR_OPEN, "no door", 2)
    procedure.begin(Step.ALARMS, 3)
    ticks = procedure.ticks.by_condition
    assert (list(ticks), ticks[Condition.DOOR_OPEN].excused) == ([Condition.AIR_IN_LINE, Condition.DOOR_OPEN], "no door")


def test_a_counter_that_was_set_back_is_no_measurement() -> None:
    """A word of its own, not a division by nothing."""
    procedure = Procedure(PLAN)
    procedure.begin(Step.VOLUME, 0)
    procedure.hear(runs(0, 5.0), 0)
    procedure.hear(runs(1_200, 5.2), 1_200)
    procedure.hear(runs(2_000, 0.0), 2_000)
    with pytest.raises(NotNow, match="set back"):
        procedure.collected(0.2)
