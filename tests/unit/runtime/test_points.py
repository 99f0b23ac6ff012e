import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.effects import Point
from gateway.domain.readings import AlarmChange, AlarmsClear, DiaryEntry, LinkStatus, Observation, PumpEvent
from gateway.domain.words import (
    AlarmPhase,
    ClockQuality,
    Condition,
    DeliveryStatus,
    DiaryKind,
    Power,
    Priority,
    PumpEventKind,
)
from gateway.runtime import points
from gateway.runtime.point_schema import SCHEMA, FieldType
from gateway.runtime.points import line_of, lines_of, point_from_json, point_to_json

AT = 1_772_409_600_000


def lines(*readings, course="P-017", received_at=None) -> list[bytes]:
    """The lines of one message of pump p1."""
    return lines_of("ward-1", "p1", course, readings, received_at)


class TestObservations:
    def test_a_full_observation(self) -> None:
        """Every measure is a float, every flag an integer, the time is the pump's in milliseconds."""
        full = Observation(
            observed_at=AT,
            delivery_status=DeliveryStatus.DELIVERING,
            rate_ml_h=0.6,
            set_rate_ml_h=0.6,
            infused_ml=12.4,
            remaining_ml=88.4,
            battery_percent=81.0,
            power=Power.BATTERY,
            pressure_mmhg=40.0,
            locked=True,
            bag_weight_g=108.4,
        )
        (line,) = lines(full)
        assert line == (
            b"pump,site=ward-1,device=p1,course=P-017 rate_ml_h=0.6,set_rate_ml_h=0.6,infused_ml=12.4,remaining_ml=88.4,"
            b"battery_percent=81.0,pressure_mmhg=40.0,bag_weight_g=108.4,on_battery=1i,delivering=1i 1772409600000"
        )

    def test_what_was_not_sent_is_not_written(self) -> None:
        """An absent measure is absent, never zero."""
        assert lines(Observation(observed_at=AT, infused_ml=12.4)) == [
            b"pump,site=ward-1,device=p1,course=P-017 infused_ml=12.4 1772409600000"
        ]

    def test_a_pump_without_a_course_has_no_course_tag(self) -> None:
        """Line protocol forbids empty tags."""
        assert lines(Observation(observed_at=AT, rate_ml_h=1.0), course="") == [
            b"pump,site=ward-1,device=p1 rate_ml_h=1.0 1772409600000"
        ]

    @pytest.mark.parametrize("status", [status for status in DeliveryStatus if status is not DeliveryStatus.DELIVERING])
    def test_only_delivering_counts_as_delivering(self, status: DeliveryStatus) -> None:
        """Transitioning, stopped and keep-vein-open are 0."""
        assert b" delivering=0i " in lines(Observation(observed_at=AT, delivery_status=status))[0]

    def test_mains_is_not_battery(self) -> None:
        """A pump on mains writes on_battery=0."""
        assert b" on_battery=0i " in lines(Observation(observed_at=AT, power=Power.MAINS))[0]

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
    def test_what_is_no_number_is_never_written(self, value: float) -> None:
        """The store refuses NaN and infinity, so they are left out; an observation of nothing else gives no line."""
        assert lines(Observation(observed_at=AT, rate_ml_h=value, infused_ml=3.0)) == [
            b"pump,site=ward-1,device=p1,course=P-017 infused_ml=3.0 1772409600000"
        ]
        assert lines(Observation(observed_at=AT, rate_ml_h=value)) == []

    def test_an_observation_without_numbers_gives_no_line(self) -> None:
        """`locked` alone is not in the schema."""
        assert lines(Observation(observed_at=AT, locked=True)) == []


class TestTime:
    def test_a_free_clock_is_replaced_by_the_time_of_arrival(self) -> None:
        """A pump that lost its clock does not write into 1970."""
        lost = Observation(observed_at=5, rate_ml_h=1.0, clock=ClockQuality.FREE)
        assert lines(lost, received_at=AT)[0].endswith(b" 1772409600000")

    @pytest.mark.parametrize(("ahead_ms", "written"), [(120_000, AT + 120_000), (120_001, AT)])
    def test_a_clock_far_ahead_is_not_believed(self, ahead_ms: int, written: int) -> None:
        """Two minutes ahead are believed, more are not."""
        early = Observation(observed_at=AT + ahead_ms, rate_ml_h=1.0)
        assert lines(early, received_at=AT)[0].endswith(b" %d" % written)

    def test_a_late_message_keeps_its_own_time(self) -> None:
        """Catch-up after an outage lands where it belongs."""
        late = Observation(observed_at=AT - 86_400_000, rate_ml_h=1.0)
        assert lines(late, received_at=AT)[0].endswith(b" %d" % (AT - 86_400_000))


class TestAlarms:
    @pytest.mark.parametrize(
        ("phase", "active", "began"),
        [("start", b"1i", b"1i"), ("continue", b"1i", b"0i"), ("end", b"0i", b"0i"), ("inactivated", b"0i", b"0i")],
    )
    def test_active_follows_the_phase(self, phase: str, active: bytes, began: bytes) -> None:
        """An alarm is active from its start until it ends or is inactivated; it began once, however often it is repeated."""
        change = AlarmChange(
            observed_at=AT, condition=Condition.AIR_IN_LINE, phase=AlarmPhase(phase), priority=Priority.HIGH, text="AIR IN LINE"
        )
        assert lines(change) == [
            b"pump_alarm,site=ward-1,device=p1,course=P-017,alarm=air-in-line,priority=high "
            b"active=" + active + b",began=" + began + b',text="AIR IN LINE" 1772409600000'
        ]

    def test_a_missing_priority_is_called_none(self) -> None:
        """A tag that comes and goes would split the series."""
        change = AlarmChange(observed_at=AT, condition=Condition.OTHER, phase=AlarmPhase.START)
        assert lines(change) == [
            b"pump_alarm,site=ward-1,device=p1,course=P-017,alarm=other,priority=none active=1i,began=1i 1772409600000"
        ]

    @pytest.mark.parametrize(
        ("text", "written"),
        [
            ('say "stop"', b'"say \\"stop\\""'),
            ("C:\\PUMP\\", b'"C:\\\\PUMP\\\\"'),
            ("two\nlines\r\nand\ttabs", b'"two lines and tabs"'),
            ("管路有氣泡", '"管路有氣泡"'.encode()),
            ("half a character: \ud800", b'"half a character: ?"'),
            ("x" * 2_000, b'"' + b"x" * 1_000 + b'"'),
        ],
        ids=["quotes", "backslashes", "line-breaks", "chinese", "surrogate", "long"],
    )
    def test_text_is_escaped(self, text: str, written: bytes) -> None:
        """Whatever a pump sends as text stays one string in one line."""
        change = AlarmChange(observed_at=AT, condition=Condition.OTHER, phase=AlarmPhase.START, text=text)
        assert lines(change)[0].endswith(b"active=1i,began=1i,text=" + written + b" 1772409600000")

    def test_what_is_clear_is_a_line_a_condition(self) -> None:
        """As if each had ended: a screen that was shown it as active must see that it no longer is."""
        told = AlarmsClear(observed_at=AT, conditions=(Condition.OTHER, Condition.AIR_IN_LINE))
        assert lines(told) == [line for end in told.ends() for line in lines(end)]
        assert lines(told)[1] == (
            b"pump_alarm,site=ward-1,device=p1,course=P-017,alarm=air-in-line,priority=none active=0i,began=0i 1772409600000"
        )


def test_other_readings_give_no_line() -> None:
    """Events, diary entries and link status live in the journal and in our judgements."""
    assert (
        lines(
            PumpEvent(observed_at=AT, event=PumpEventKind.BAG_CHANGED),
            DiaryEntry(observed_at=AT, entry=DiaryKind.NOTE, text="slept well"),
            LinkStatus(observed_at=AT, online=True),
        )
        == []
    )


def test_a_message_of_many_readings_keeps_their_order() -> None:
    """A catch-up array gives one line a reading."""
    readings = [Observation(observed_at=AT + n, infused_ml=float(n)) for n in range(3)]
    assert [line.rsplit(b" ", 1)[1] for line in lines(*readings)] == [b"%d" % (AT + n) for n in range(3)]


class TestJudgements:
    def test_tags_are_written_in_schema_order_and_fields_as_given(self) -> None:
        """The types are the schema's, whatever Python made of the number."""
        point = Point(
            "delivery",
            (("course", "P-017"), ("site", "ward-1")),
            (("state", "interrupted"), ("code", 1), ("interruption_s", 90)),
            AT,
        )
        assert (
            line_of(point) == b'delivery,site=ward-1,course=P-017 state="interrupted",code=1i,interruption_s=90.0 1772409600000'
        )

    def test_a_truth_value_is_a_flag(self) -> None:
        """`ok=True` is written as 1."""
        assert line_of(Point("page", (("to", "nurse-a"),), (("ok", True),), AT)) == b"page,to=nurse-a ok=1i 1772409600000"

    def test_tags_are_escaped(self) -> None:
        """Space, comma and equals sign are escaped; what cannot be written alike everywhere is replaced."""
        point = Point("page", (("to", "a b,c=d"), ("by", "x\\"), ("why", "new\nline")), (("ok", 1),), AT)
        assert line_of(point) == b"page,to=a\\ b\\,c\\=d,by=x/,why=new\\ line ok=1i 1772409600000"

    @pytest.mark.parametrize(
        ("point", "words"),
        [
            (Point("weather", (), (("ok", 1),), AT), "measurement 'weather' is not in the schema"),
            (Point("page", (("colour", "red"),), (("ok", 1),), AT), "page has no tag colour"),
            (Point("page", (), (("colour", "red"),), AT), "page has no field 'colour'"),
            (Point("page", (), (("latency_ms", 1.5),), AT), "page.latency_ms is int for ever; 1.5"),
            (Point("page", (), (("latency_ms", 2**63),), AT), "page.latency_ms is int for ever"),
            (Point("delivery", (), (("state", 1),), AT), "delivery.state is text for ever; 1"),
            (Point("delivery", (), (("interruption_s", "90"),), AT), "delivery.interruption_s is float for ever; '90'"),
            (Point("delivery", (), (("interruption_s", True),), AT), "delivery.interruption_s is float for ever; True"),
            (Point("delivery", (), (("interruption_s", float("nan")),), AT), "has no field to write"),
            (Point("delivery", (), (), AT), "has no field to write"),
        ],
    )
    def test_what_the_schema_does_not_declare_is_refused(self, point: Point, words: str) -> None:
        """A name or a type outside the schema is an error that says which."""
        with pytest.raises(ValueError, match=words):
            line_of(point)


class TestOutboxRows:
    @given(
        tags=st.lists(st.tuples(st.text(), st.text())),
        fields=st.lists(st.tuples(st.text(), st.one_of(st.text(), st.integers(), st.floats(allow_nan=False)))),
        at=st.integers(),
    )
    def test_a_point_survives_the_outbox(self, tags, fields, at) -> None:
        """What is read is what was planned, text, integers and floats apart."""
        point = Point("alert", tuple(tags), tuple(fields), at)
        assert point_from_json(point_to_json(point)) == point

    @pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"measurement":"page","tags":[1],"fields":[],"at":1}', b"\xff"])
    def test_what_is_no_point_is_a_value_error(self, body: bytes) -> None:
        """A damaged row can be set aside by its one kind of error."""
        with pytest.raises(ValueError, match="not a point"):
            point_from_json(body)

    def test_a_row_is_plain_json(self) -> None:
        """Other tools can read the outbox."""
        assert json.loads(point_to_json(Point("page", (("to", "a"),), (("ok", 1),), 7))) == {
            "measurement": "page",
            "tags": [["to", "a"]],
            "fields": [["ok", 1]],
            "at": 7,
        }


class TestSchema:
    def test_every_measurement_of_the_design_is_declared(self) -> None:
        """Dashboards are built on these names."""
        ours = {"interruption", "course", "transport"}  # docs/adr/0031: what dashboards ask for beyond the design
        assert set(SCHEMA) == {"pump", "pump_alarm", "delivery", "alert", "incident", "page", "gateway"} | ours

    def test_a_word_that_matters_has_a_number_beside_it(self) -> None:
        """Some stores keep text as 0, so state and priority are numbers too."""
        for name, measurement in SCHEMA.items():
            fields = {field: known.type for field, known in measurement.fields.items()}
            assert ("state" in fields) == (fields.get("code") is FieldType.INT), name
            assert ("priority" in fields) == (fields.get("rank") is FieldType.INT), name

    def test_the_cache_of_prefixes_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Enrolling and removing pumps for years does not fill the memory."""
        monkeypatch.setattr(points, "PREFIXES_MAX", 10)
        for n in range(100):
            lines_of("ward-1", f"p{n}", "", [Observation(observed_at=AT, rate_ml_h=1.0)])
        assert len(points._prefixes) <= 10
