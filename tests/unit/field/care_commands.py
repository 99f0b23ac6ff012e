"""What is typed about a treatment that runs, and the command that the gateway must hear."""

from gateway.domain.care import (
    ChangeContacts,
    ChangeDose,
    CloseWindow,
    EndSilence,
    LogCall,
    NextCycle,
    OpenWindow,
    OrderBag,
    Seen,
    Signed,
    SilenceRules,
    StartBreak,
    SwapPump,
    WindowKind,
)
from gateway.domain.commands import Command, Enrol
from gateway.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from gateway.domain.ward import Contact

NOON = 1_772_424_000_000  # 2026-03-02T12:00+08:00
AT_NOON = "2026-03-02T12:00+08:00"

ENROL = ("enrol", "--course", "P-017", "--pump", "pump-17", "--bag", "7-day", "--protocol", "p")

CARE: list[tuple[tuple[object, ...], Command]] = [
    (
        (
            *(*ENROL, "--dose", 28, "--prepared-at", AT_NOON, "--rate", 0.6),
            *("--caregiver", "sms:85290000009", "--caregiver", "email:home@ward.example@2m"),
            *("--ward-contact", "+852 2255 0000", "--travel-minutes", 45),
            *("--checklist", f"eligibility=nurse-a@{AT_NOON}", "--checklist", f"caregiver-trained=nurse b@{AT_NOON}"),
        ),
        Enrol(
            course="P-017",
            pump="pump-17",
            protocol="p",
            bag="7-day",
            prepared_at=NOON,
            rate_ml_h=0.6,
            dose_mcg_per_day=28.0,
            caregiver=(Contact("sms", "85290000009"), Contact("email", "home@ward.example", 2 * MINUTE_MS)),
            ward_contact="+852 2255 0000",
            travel_minutes=45,
            checklist=(
                Signed(item="eligibility", by="nurse-a", at=NOON),
                Signed(item="caregiver-trained", by="nurse b", at=NOON),
            ),
        ),
    ),
    (("bag", "order", "P-017", "7-day", "--ready-at", AT_NOON), OrderBag(course="P-017", bag="7-day", ready_at=NOON)),
    (
        ("window", "open", "P-017", "--kind", "bag-change", "--for", "30m"),
        OpenWindow(course="P-017", kind=WindowKind.BAG_CHANGE, for_ms=30 * MINUTE_MS),
    ),
    (
        ("window", "open", "P-017", "--kind", "hospital-stay", "--until", AT_NOON),
        OpenWindow(course="P-017", kind=WindowKind.HOSPITAL_STAY, until_at=NOON),
    ),
    (("window", "close", "P-017"), CloseWindow(course="P-017")),
    (
        (
            "silence",
            "P-017",
            "--rules",
            "battery-running-out, fever",
            "--rules",
            "alarm-recurrent",
            "--for",
            "1h",
            "--reason",
            "r",
        ),
        SilenceRules(
            course="P-017",
            reason="r",
            rules=("battery-running-out", "fever", "alarm-recurrent"),
            for_ms=HOUR_MS,
        ),
    ),
    (
        ("silence", "P-017", "--all", "--until", AT_NOON, "--reason", "in the ward"),
        SilenceRules(course="P-017", reason="in the ward", until_at=NOON),
    ),
    (("unsilence", "P-017.s12"), EndSilence(silence="P-017.s12")),
    (("call", "P-017", "--called", "caregiver"), LogCall(course="P-017", called="caregiver")),
    (
        ("call", "P-017", "--called", "patient", "--seen", "running", "--advice", "plug it in", "--for", "2h"),
        LogCall(course="P-017", called="patient", seen=Seen.RUNNING, advice="plug it in", for_ms=2 * HOUR_MS),
    ),
    (("course", "dose", "P-017", 28), ChangeDose(course="P-017", mcg_per_day=28.0)),
    (
        ("course", "dose", "P-017", 28, "--override-reason", "by the haematologist"),
        ChangeDose(course="P-017", mcg_per_day=28.0, override_reason="by the haematologist"),
    ),
    (("course", "break", "P-017"), StartBreak(course="P-017")),
    (("course", "break", "P-017", "--reason", "line out"), StartBreak(course="P-017", reason="line out")),
    (("course", "next-cycle", "P-017", "--bag", "24-hour"), NextCycle(course="P-017", bag="24-hour")),
    (
        (
            *("course", "next-cycle", "P-017", "--bag", "7-day", "--pump", "pump-18", "--primed-ml", 4.5),
            *("--planned-change", "6d", "--hung-at", AT_NOON, "--prepared-at", AT_NOON, "--rate", 0.6),
            *("--override-reason", "asked for"),
        ),
        NextCycle(
            course="P-017",
            bag="7-day",
            pump="pump-18",
            primed_ml=4.5,
            planned_change_ms=6 * DAY_MS,
            hung_at=NOON,
            prepared_at=NOON,
            rate_ml_h=0.6,
            override_reason="asked for",
        ),
    ),
    (
        ("course", "contacts", "P-017", "--caregiver", "voice:85290000009@1h30m"),
        ChangeContacts(course="P-017", caregiver=(Contact("voice", "85290000009", 90 * MINUTE_MS),)),
    ),
    (("course", "contacts", "P-017", "--no-caregiver"), ChangeContacts(course="P-017", caregiver=())),
    (
        ("course", "contacts", "P-017", "--ward-contact", "7001", "--travel-minutes", 0),
        ChangeContacts(course="P-017", ward_contact="7001", travel_minutes=0),
    ),
    (
        ("pump", "swap", "P-017", "pump-18", "--reason", "it would not charge"),
        SwapPump(course="P-017", pump="pump-18", reason="it would not charge"),
    ),
]
